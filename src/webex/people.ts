import * as v from "valibot";
import { identityOf } from "../lib/webex-id.ts";
import type { KnownPerson, Owner, PersonKind } from "../membership/directory.ts";
import type { WebexClient } from "./client.ts";
import { parseReply } from "./parse.ts";

const personSchema = v.object({
  id: v.string(),
  displayName: v.optional(v.string(), ""),
  emails: v.optional(v.array(v.string()), []),
  orgId: v.optional(v.string()),
  type: v.optional(v.string()),
});

const kinds: ReadonlyMap<string, PersonKind> = new Map([
  ["person", "person"],
  ["bot", "bot"],
  ["appuser", "guest"],
]);

/** Ids that one look-up may name. https://developer.webex.com/docs/api/v1/people/list-people */
export const idsPerLookUp = 85;

/** Whose access token this is. https://developer.webex.com/docs/api/v1/people/get-my-own-details */
export async function readOwner(client: WebexClient): Promise<Owner> {
  const path = "/people/me";
  const { body } = await client.send({ method: "GET", path });
  const person = parseReply(personSchema, body, "GET", path);
  return {
    key: identityOf(person.id, "PEOPLE"),
    displayName: person.displayName,
    email: person.emails[0] ?? null,
    orgKey: person.orgId === undefined ? null : identityOf(person.orgId, "ORGANIZATION"),
  };
}

/**
 * Describes up to `idsPerLookUp` people by key. Whom Webex does not describe is absent from the answer.
 * https://developer.webex.com/docs/api/v1/people/list-people
 * @throws {WebexError} when the look-up fails.
 */
export async function lookUpPeople(
  client: WebexClient,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, KnownPerson>> {
  const path = "/people";
  const query = { id: personIds.join(","), max: idsPerLookUp };
  const { body } = await client.send({ method: "GET", path, query });
  const { items } = parseReply(v.object({ items: v.array(personSchema) }), body, "GET", path);
  return new Map(
    items.map((person) => [
      identityOf(person.id, "PEOPLE"),
      {
        displayName: person.displayName,
        email: person.emails[0] ?? null,
        kind: person.type === undefined ? null : (kinds.get(person.type) ?? "other"),
      },
    ]),
  );
}
