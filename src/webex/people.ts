import * as v from "valibot";
import type { SiteUser } from "../delegation/backend.ts";
import { foldAddress } from "../lib/email.ts";
import type { Listing } from "../lib/listing.ts";
import { identityOf } from "../lib/webex-id.ts";
import type { AddressHolder, KnownPerson, Owner, PersonKind } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";
import { idSchema, parseReply, WebexError } from "./errors.ts";
import { readPages } from "./pagination.ts";

const text = v.fallback(v.nullable(v.string()), null);

const emails = v.pipe(
  v.fallback(v.array(text), []),
  v.transform((addresses) => addresses.filter((address) => address !== null)),
);

const personSchema = v.object({
  id: idSchema,
  displayName: v.fallback(v.string(), ""),
  emails,
  orgId: text,
  type: text,
});

const kinds: ReadonlyMap<string, PersonKind> = new Map([
  ["person", "person"],
  ["bot", "bot"],
  ["appuser", "guest"],
]);

const deviceType = /device|machine|headset|place|space|room|board/;

/** Ids that one look-up may name. https://developer.webex.com/docs/api/v1/people/list-people */
export const idsPerLookUp = 85;

/** Reads whose access token this is. https://developer.webex.com/docs/api/v1/people/get-my-own-details */
export async function readOwner(client: WebexClient): Promise<Owner> {
  const path = "/people/me";
  const { body } = await client.send({ method: "GET", path });
  const person = parseReply(personSchema, body, "GET", path);
  return {
    key: identityOf(person.id, "PEOPLE"),
    displayName: person.displayName,
    email: person.emails[0] ?? null,
    orgKey: person.orgId === null ? null : identityOf(person.orgId, "ORGANIZATION"),
  };
}

/**
 * Describes up to `idsPerLookUp` people, by key; people whom Webex does not know are absent.
 * https://developer.webex.com/docs/api/v1/people/list-people @throws {WebexError} when the look-up fails.
 */
export async function lookUpPeople(
  client: WebexClient,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, KnownPerson>> {
  const path = "/people";
  const query = { id: personIds.join(","), max: idsPerLookUp };
  const { body } = await client.send({ method: "GET", path, query });
  const { items } = parseReply(v.object({ items: v.array(v.unknown()) }), body, "GET", path);
  return new Map(
    items.flatMap((item) => {
      const { success, output } = v.safeParse(personSchema, item);
      if (!success) return [];
      const { id, displayName, emails, type } = output;
      return [[identityOf(id, "PEOPLE"), { displayName, emails, kind: type ? kindOf(type) : null }]];
    }),
  );
}

function kindOf(type: string): PersonKind {
  return kinds.get(type) ?? (deviceType.test(type.toLowerCase()) ? "device" : "other");
}

/** Whether anybody has that address; null: unknown. https://developer.webex.com/docs/api/v1/people/list-people */
export async function hasAddress(client: WebexClient, address: string): Promise<boolean | null> {
  const path = "/people";
  try {
    const { body } = await client.send({ method: "GET", path, query: { email: address, max: 1 } });
    return parseReply(v.object({ items: v.array(v.unknown()) }), body, "GET", path).items.length > 0;
  } catch (error) {
    if (error instanceof WebexError) return null;
    throw error;
  }
}

/** The specification types `loginEnabled` as a text; Webex sends a boolean too. */
const flag = v.union([v.boolean(), v.picklist(["true", "false"])]);

const holdersSchema = v.object({ items: v.array(v.unknown()) });

const holderSchema = v.object({ ...personSchema.entries, loginEnabled: v.optional(v.nullable(flag)) });

/**
 * Lists everybody who has that address among theirs; people of other organisations are not found by it.
 * https://developer.webex.com/docs/api/v1/people/list-people
 */
export async function findHolders(client: WebexClient, address: string): Promise<Listing<AddressHolder>> {
  const path = "/people";
  const wanted = foldAddress(address);
  const query = { email: address, max: 100 };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const { items } = parseReply(holdersSchema, body, "GET", path);
    const people = items.flatMap((item) => {
      const { success, output } = v.safeParse(holderSchema, item);
      return success ? [output] : [];
    });
    // Of somebody without any address nobody knows whether they were meant.
    const known = people.filter(({ emails }) => emails.length > 0);
    const holders = known.filter(({ emails }) => emails.some((email) => foldAddress(email) === wanted));
    return { strangers: items.length - known.length, items: holders.map(describeHolder) };
  });
}

function describeHolder(person: v.InferOutput<typeof holderSchema>): AddressHolder {
  const { id, displayName, emails, orgId, type, loginEnabled = null } = person;
  return {
    key: identityOf(id, "PEOPLE"),
    personId: id,
    displayName,
    emails,
    kind: type ? kindOf(type) : null,
    orgKey: orgId === null ? null : identityOf(orgId, "ORGANIZATION"),
    mayLogIn: loginEnabled === null ? null : String(loginEnabled) === "true",
  };
}

const pageSchema = v.object({
  items: v.array(
    v.object({
      emails: v.optional(v.array(v.string()), []),
      displayName: v.optional(v.string(), ""),
      type: v.optional(v.string(), "person"),
      /** Only administrators get this field and the next. */
      siteUrls: v.optional(v.array(v.string())),
      loginEnabled: v.optional(flag),
    }),
  ),
});

type WebexPerson = v.InferOutput<typeof pageSchema>["items"][number];

const path = "/people";

/**
 * Finds the site's user with that address; null when the organisation or the site does not have the person.
 * https://developer.webex.com/docs/api/v1/people/list-people @throws {WebexError} when the look-up fails.
 */
export async function findSitePerson(
  client: WebexClient,
  siteUrl: string,
  address: string,
): Promise<SiteUser | null> {
  const query = { email: address, max: 10, excludeStatus: true };
  const { body } = await client.send({ method: "GET", path, query });
  const { items } = parseReply(pageSchema, body, "GET", path);
  const person = items.find((one) => one.emails.some((email) => email.toLowerCase() === address));
  const user = person && describeUser(person, siteUrl);
  return user ? { ...user, address } : null;
}

/** Lists everybody on the site, for administrators. https://developer.webex.com/docs/api/v1/people/list-people */
export async function listSitePeople(client: WebexClient, siteUrl: string): Promise<Listing<SiteUser>> {
  const query = { max: 1000, excludeStatus: true };
  return await readPages(client, { method: "GET", path, query }, (body) => {
    const { items } = parseReply(pageSchema, body, "GET", path);
    return { strangers: 0, items: items.flatMap((person) => describeUser(person, siteUrl) ?? []) };
  });
}

/** `#attendee` marks a site where the person may join meetings but not host them. */
function describeUser(person: WebexPerson, siteUrl: string): SiteUser | null {
  const [address] = person.emails;
  if (address === undefined || person.type !== "person") return null;
  const sites = person.siteUrls?.map((site) => site.toLowerCase());
  const canHost = sites === undefined ? null : sites.includes(siteUrl);
  if (canHost === false && !sites?.includes(`${siteUrl}#attendee`)) return null;
  const isActive = person.loginEnabled !== false && person.loginEnabled !== "false";
  return { address: address.toLowerCase(), displayName: person.displayName, isActive, canHost };
}
