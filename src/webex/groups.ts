import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { decodeId, identityOf } from "../lib/webex-id.ts";
import type { FoundGroup, Group, GroupHead, GroupListing, GroupMember } from "../membership/directory.ts";
import { urlOf } from "./address.ts";
import type { WebexClient, WebexRequest } from "./client.ts";
import { idSchema, parseReply, WebexError } from "./errors.ts";
import { readNextPage } from "./pagination.ts";

const groupsSchema = v.object({
  groups: v.nullish(v.array(v.object({ id: idSchema, displayName: v.fallback(v.string(), "") })), []),
  totalResults: v.fallback(v.number(), 0),
  itemsPerPage: v.fallback(v.number(), 0),
});

const headSchema = v.object({
  id: v.fallback(v.nullable(v.string()), null),
  displayName: v.fallback(v.nullable(v.string()), null),
  memberSize: v.fallback(v.nullable(v.number()), null),
  lastModified: v.fallback(v.nullable(v.string()), null),
});

const memberSchema = v.object({
  id: idSchema,
  type: v.fallback(v.nullable(v.string()), null),
  displayName: v.fallback(v.string(), ""),
});

const membersSchema = v.object({ ...headSchema.entries, members: v.nullish(v.array(v.unknown()), []) });

const foundSchema = v.object({ groups: v.nullish(v.array(membersSchema), []) });

const groupsPerPage = 100;

/** The documented maximum; smaller pages have been seen to leave members out (SPARK-322483). */
const membersPerPage = 500;

const maxPages = 2_000;

/**
 * Lists the groups that the token's owner may see. `totalResults` may count one page only, so a page ends the list
 * when it is empty, brings nothing new, or is both short and the last by that count.
 * https://developer.webex.com/docs/api/v1/groups/list-and-search-groups
 */
export async function listGroups(client: WebexClient): Promise<Listing<Group>> {
  const groups = new Map<string, Group>();
  const reason = await walkGroups(client, groups, () => false);
  const items = [...groups.values()];
  return reason === null ? { complete: true, items } : { complete: false, items, reason };
}

/** Lists the groups as well, but null when the first page tells that it takes more pages than `most`. */
export async function listFewGroups(client: WebexClient, most: number): Promise<Listing<Group> | null> {
  const groups = new Map<string, Group>();
  let isTooLong = false;
  const reason = await walkGroups(client, groups, (pages) => {
    isTooLong ||= pages > most;
    return isTooLong;
  });
  const items = [...groups.values()];
  if (isTooLong) return null;
  return reason === null ? { complete: true, items } : { complete: false, items, reason };
}

async function walkGroups(
  client: WebexClient,
  groups: Map<string, Group>,
  isEnough: (pages: number) => boolean,
): Promise<string | null> {
  const path = "/groups";
  return await walkPages(client, path, groupsPerPage, (body) => {
    const page = parseReply(groupsSchema, body, "GET", path);
    const before = groups.size;
    for (const { id, displayName } of page.groups) {
      const key = identityOf(id, "SCIM_GROUP");
      groups.set(key, { key, id, displayName });
    }
    const isShort = page.groups.length < page.itemsPerPage && groups.size >= page.totalResults;
    const pages = page.totalResults / Math.max(1, page.itemsPerPage);
    return {
      received: page.groups.length,
      isLast: groups.size === before || isShort,
      isEnough: isEnough(Math.ceil(pages)),
    };
  });
}

type Intern = (id: string, type: string, displayName: string) => GroupMember;

/**
 * Reads a group by its id, which may be a bare uuid, and its members with it; null when Webex does not answer with all
 * of that group. https://developer.webex.com/docs/api/v1/groups/retrieve-group-members
 */
export async function readGroup(client: WebexClient, id: string, intern: Intern): Promise<FoundGroup | null> {
  const listing = await listGroupMembers(client, { id }, intern);
  const [head] = listing.heads;
  if (!listing.members.complete || !head?.key || !head.displayName) return null;
  return { group: { key: head.key, id, displayName: head.displayName }, listing };
}

/**
 * Finds the one group with that name, and its members where all came along: `includeMembers` cuts them at 500. Null when
 * there is no such group, or several. https://developer.webex.com/docs/api/v1/groups/list-and-search-groups
 */
export async function findGroup(
  client: WebexClient,
  name: string,
  intern: Intern,
): Promise<FoundGroup | null> {
  const path = "/groups";
  const filter = `displayName eq ${JSON.stringify(name)}`;
  const query = { filter, includeMembers: true, startIndex: 1, count: groupsPerPage };
  try {
    const reply = await client.send({ method: "GET", path, query });
    const { groups } = parseReply(foundSchema, reply.body, "GET", path);
    const [only, ...others] = groups;
    if (!only?.id || only.displayName === null || others.length > 0) return null;
    if (readNextPage(reply, client.baseUrl) !== null) return null;
    const { id, displayName, memberSize } = only;
    const members = new Map<string, GroupMember>();
    const nameless = collectMembers(only.members, members, intern);
    // Nobody at all is too much to believe of a field that is known to leave people out.
    const isWhole = nameless === 0 && members.size > 0 && members.size === memberSize;
    return {
      group: { key: identityOf(id, "SCIM_GROUP"), id, displayName },
      listing: isWhole
        ? { heads: [readHead(only)], members: { complete: true, items: [...members.values()] } }
        : null,
    };
  } catch (error) {
    if (error instanceof WebexError) return null;
    throw error;
  }
}

/**
 * Lists a group's members up to the size that Webex states, or a page that brings nobody new; the caller judges whether
 * all are there. https://developer.webex.com/docs/api/v1/groups/retrieve-group-members
 */
export async function listGroupMembers(
  client: WebexClient,
  group: Pick<Group, "id">,
  intern: Intern,
): Promise<GroupListing> {
  const path = `/groups/${encodeURIComponent(group.id)}/members`;
  const members = new Map<string, GroupMember>();
  const heads: GroupHead[] = [];
  let nameless = 0;
  const interruption = await walkPages(client, path, membersPerPage, (body) => {
    const page = parseReply(membersSchema, body, "GET", path);
    const before = members.size;
    nameless += collectMembers(page.members, members, intern);
    heads.push(readHead(page));
    const { memberSize } = page;
    const isWhole = memberSize !== null && members.size >= memberSize;
    return { received: page.members.length, isLast: isWhole || members.size === before };
  });
  const items = [...members.values()];
  const reason = interruption ?? (nameless > 0 ? `${nameless} of its members came without an id` : null);
  return { heads, members: reason === null ? { complete: true, items } : { complete: false, items, reason } };
}

/** Returns how many came without an id. */
function collectMembers(
  items: readonly unknown[],
  members: Map<string, GroupMember>,
  intern: Intern,
): number {
  let nameless = 0;
  for (const item of items) {
    const { success, output } = v.safeParse(memberSchema, item);
    if (!success) {
      nameless += 1;
      continue;
    }
    const member = intern(output.id, output.type ?? guessType(output.id), output.displayName);
    members.set(member.key, member);
  }
  return nameless;
}

function readHead({
  id,
  displayName,
  memberSize,
  lastModified,
}: v.InferOutput<typeof headSchema>): GroupHead {
  return { key: id && identityOf(id, "SCIM_GROUP"), displayName, memberSize, lastModified };
}

function guessType(id: string): string {
  const type = decodeId(id)?.type;
  return type === "PEOPLE" ? "user" : type === "SCIM_GROUP" ? "group" : "";
}

interface PageRead {
  readonly received: number;
  readonly isLast: boolean;
  /** True where the walk ends, whatever follows. */
  readonly isEnough?: boolean;
}

/** Returns why the walk stopped short, or null. */
async function walkPages(
  client: WebexClient,
  path: string,
  count: number,
  readPage: (body: unknown) => PageRead,
): Promise<string | null> {
  let startIndex = 1;
  let request: WebexRequest = { method: "GET", path, query: { startIndex, count } };
  const visited = new Set<string>();
  for (let page = 1; page <= maxPages; page += 1) {
    const url = urlOf(client.baseUrl, request).href;
    if (visited.has(url)) return `page ${visited.size} continues with a page that was read before`;
    visited.add(url);
    try {
      const reply = await client.send(request);
      const { received, isLast, isEnough } = readPage(reply.body);
      if (isEnough) return null;
      const next = readNextPage(reply, client.baseUrl);
      if (next === null && isLast) return null;
      startIndex += received;
      request = next ?? { method: "GET", path, query: { startIndex, count } };
    } catch (error) {
      if (error instanceof WebexError) return error.message;
      throw error;
    }
  }
  return `it has more than ${maxPages} pages`;
}
