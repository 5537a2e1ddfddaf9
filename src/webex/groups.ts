import * as v from "valibot";
import type { Listing } from "../lib/listing.ts";
import { decodeId, identityOf } from "../lib/webex-id.ts";
import type { Group, GroupHead, GroupListing, GroupMember } from "../membership/directory.ts";
import { urlOf } from "./address.ts";
import type { WebexClient, WebexRequest } from "./client.ts";
import { parseReply, WebexError } from "./errors.ts";
import { readNextPage } from "./pagination.ts";

const groupsSchema = v.object({
  groups: v.nullish(v.array(v.object({ id: v.string(), displayName: v.fallback(v.string(), "") })), []),
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
  id: v.string(),
  type: v.fallback(v.nullable(v.string()), null),
  displayName: v.fallback(v.string(), ""),
});

const membersSchema = v.object({ ...headSchema.entries, members: v.nullish(v.array(v.unknown()), []) });

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
  const path = "/groups";
  const groups = new Map<string, Group>();
  const reason = await walkPages(client, path, groupsPerPage, (body) => {
    const page = parseReply(groupsSchema, body, "GET", path);
    const before = groups.size;
    for (const { id, displayName } of page.groups) {
      const key = identityOf(id, "SCIM_GROUP");
      groups.set(key, { key, id, displayName });
    }
    const isShort = page.groups.length < page.itemsPerPage && groups.size >= page.totalResults;
    return { received: page.groups.length, isLast: groups.size === before || isShort };
  });
  const items = [...groups.values()];
  return reason === null ? { complete: true, items } : { complete: false, items, reason };
}

/**
 * Lists a group's members up to the size that Webex states, or a page that brings nobody new; the caller judges whether
 * all are there. https://developer.webex.com/docs/api/v1/groups/retrieve-group-members
 */
export async function listGroupMembers(
  client: WebexClient,
  group: Group,
  intern: (id: string, type: string, displayName: string) => GroupMember,
): Promise<GroupListing> {
  const path = `/groups/${encodeURIComponent(group.id)}/members`;
  const members = new Map<string, GroupMember>();
  const heads: GroupHead[] = [];
  let nameless = 0;
  const interruption = await walkPages(client, path, membersPerPage, (body) => {
    const page = parseReply(membersSchema, body, "GET", path);
    const before = members.size;
    for (const item of page.members) {
      const { success, output } = v.safeParse(memberSchema, item);
      if (!success) {
        nameless += 1;
        continue;
      }
      const member = intern(output.id, output.type ?? guessType(output.id), output.displayName);
      members.set(member.key, member);
    }
    const { id, displayName, memberSize, lastModified } = page;
    heads.push({ key: id && identityOf(id, "SCIM_GROUP"), displayName, memberSize, lastModified });
    const isWhole = memberSize !== null && members.size >= memberSize;
    return { received: page.members.length, isLast: isWhole || members.size === before };
  });
  const items = [...members.values()];
  const reason = interruption ?? (nameless > 0 ? `${nameless} of its members came without an id` : null);
  return { heads, members: reason === null ? { complete: true, items } : { complete: false, items, reason } };
}

function guessType(id: string): string {
  const type = decodeId(id)?.type;
  return type === "PEOPLE" ? "user" : type === "SCIM_GROUP" ? "group" : "";
}

/** Returns why the walk stopped short, or null. */
async function walkPages(
  client: WebexClient,
  path: string,
  count: number,
  readPage: (body: unknown) => { readonly received: number; readonly isLast: boolean },
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
      const { received, isLast } = readPage(reply.body);
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
