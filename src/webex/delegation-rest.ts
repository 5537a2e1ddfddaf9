import * as v from "valibot";
import type { DelegateChange, DelegationReader, DelegationWriter } from "../delegation/backend.ts";
import { createMatcher } from "../lib/email.ts";
import { errorMessage } from "../lib/text.ts";
import type { WebexClient } from "./client.ts";
import { parseReply, WebexError } from "./errors.ts";
import { findSitePerson, listSitePeople } from "./people.ts";

export interface RestBackendOptions {
  readonly client: WebexClient;
  readonly siteUrl: string;
  /** Null when Webex did not say which scopes it granted. */
  readonly scopes: readonly string[] | null;
}

const readScope = "meeting:admin_preferences_read";

const writeScope = "meeting:admin_preferences_write";

/** No address can exist under .invalid (RFC 2606). */
const nobody = "rollcall-targeting-check@nobody.invalid";

/** Creates a reader of meeting preferences. https://developer.webex.com/docs/api/v1/meeting-preferences */
export function createRestReader({ client, siteUrl, scopes }: RestBackendOptions): DelegationReader {
  return {
    async proveAccess(mayWrite) {
      requireScopes(scopes, mayWrite ? [readScope, writeScope] : [readScope]);
      await proveTargeting(client, siteUrl);
    },
    listUsers: () => listSitePeople(client, siteUrl),
    findUser: (address) => findSitePerson(client, siteUrl, address),
    readDelegates: (host) => readDelegateEmails(client, { userEmail: host, siteUrl }),
  };
}

/**
 * Creates a writer that sends only the difference: updating the whole object would overwrite the host's other settings
 * and clear a list that is left out. It makes room for additions first, and puts that back when they fail.
 */
export function createRestWriter({
  client,
  siteUrl,
}: Pick<RestBackendOptions, "client" | "siteUrl">): DelegationWriter {
  return {
    readsFirst: false,
    async changeDelegates(change, accepted) {
      const { host, add, remove, makeRoom } = change;
      const target = { userEmail: host, siteUrl };
      const insert = async (emails: readonly string[]) => {
        if (emails.length === 0) return;
        await insertDelegateEmails(client, target, emails);
        accepted({ add: emails });
      };
      const take = async (emails: readonly string[]) => {
        if (emails.length === 0) return;
        await deleteDelegateEmails(client, target, emails);
        accepted({ remove: emails });
      };
      try {
        await take(makeRoom);
        await insert(add);
      } catch (error) {
        if (makeRoom.length === 0) throw error;
        const look = () => readDelegateEmails(client, target).catch(() => null);
        await putBack(change, errorMessage(error), look, insert);
      }
      await take(remove.filter((delegate) => !makeRoom.includes(delegate)));
      return change;
    },
  };
}

/** An answer may only have got lost: where the list has the additions, nothing is put back and the change goes on. */
async function putBack(
  { add, makeRoom }: DelegateChange,
  failure: string,
  look: () => Promise<readonly string[] | null>,
  insert: (emails: readonly string[]) => Promise<void>,
): Promise<void> {
  const list = await look();
  const has = createMatcher(list ?? []);
  if (list !== null && add.every(has)) return;
  const taken = makeRoom.filter((delegate) => !has(delegate));
  if (taken.length === 0) throw new Error(failure);
  const names = `${taken.join(", ")}, taken out to make room,`;
  try {
    await insert(taken);
  } catch (error) {
    throw new Error(`${failure}; and ${names} could not be put back: ${errorMessage(error)}`);
  }
  throw new Error(`${failure}; ${names} ${taken.length === 1 ? "was" : "were"} put back`);
}

/** Without the administrator scopes, Webex ignores the host in the request and changes the caller's own delegates. */
function requireScopes(scopes: readonly string[] | null, needed: readonly string[]): void {
  if (scopes === null) {
    throw new Error(
      `Webex did not say which scopes the token has, and without ${needed.join(" and ")} it would change the token owner's own delegates; nothing was changed`,
    );
  }
  const missing = needed.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return;
  throw new Error(
    `the token lacks ${missing.join(" and ")}, without which Webex would change the token owner's own delegates; nothing was changed. Add the scopes to the integration and log in again (npm run login) as a full administrator of the organisation who is also administrator of the site`,
  );
}

/** Reading the delegates of an address that cannot exist must fail. If it succeeds, Webex answers for somebody else. */
async function proveTargeting(client: WebexClient, siteUrl: string): Promise<void> {
  try {
    await readDelegateEmails(client, { userEmail: nobody, siteUrl });
  } catch (error) {
    // Only a refusal of this user proves anything: an expired token or a busy Webex refuses every user.
    if (error instanceof WebexError && [400, 403, 404].includes(error.status ?? 0)) return;
    throw error;
  }
  throw new Error(
    `Webex answered for ${nobody}, who cannot exist: it ignores which host is named and would change the token owner's own delegates. Nothing was changed. Check that the token's owner is a full administrator of the organisation and administrator of ${siteUrl}, or use --backend xml`,
  );
}

/** Both are always sent, because without the site Webex uses the administrator's own. */
export interface PreferencesTarget {
  readonly userEmail: string;
  readonly siteUrl: string;
}

const path = "/meetingPreferences/schedulingOptions";

/** The other fields are required because they prove that the object is complete. Only then is an absent list empty. */
const optionsSchema = v.object({
  enabledJoinBeforeHost: v.boolean(),
  joinBeforeHostMinutes: v.number(),
  enabledAutoShareRecording: v.boolean(),
  delegateEmails: v.nullish(v.array(v.string()), []),
});

/**
 * Reads a host's delegates. https://developer.webex.com/docs/api/v1/meeting-preferences/get-scheduling-options
 * @throws {WebexError} when the reply does not have the host's scheduling options.
 */
export async function readDelegateEmails(
  client: WebexClient,
  target: PreferencesTarget,
): Promise<readonly string[]> {
  const { body } = await client.send({ method: "GET", path, query: { ...target } });
  const { delegateEmails } = parseReply(optionsSchema, body, "GET", path);
  return delegateEmails.map((email) => email.trim()).filter((email) => email !== "");
}

/**
 * Adds delegates. Never repeated: after a lost answer the list must be read first.
 * https://developer.webex.com/docs/api/v1/meeting-preferences/insert-delegate-emails
 */
export async function insertDelegateEmails(
  client: WebexClient,
  target: PreferencesTarget,
  emails: readonly string[],
): Promise<void> {
  await post(client, target, "insert", emails);
}

/** Removes delegates, never twice. https://developer.webex.com/docs/api/v1/meeting-preferences/delete-delegate-emails */
export async function deleteDelegateEmails(
  client: WebexClient,
  target: PreferencesTarget,
  emails: readonly string[],
): Promise<void> {
  await post(client, target, "delete", emails);
}

/** One address per element, although the API's example joins two with a comma. The reply may only be an echo. */
async function post(
  client: WebexClient,
  target: PreferencesTarget,
  verb: "insert" | "delete",
  emails: readonly string[],
): Promise<void> {
  const request = { method: "POST", path: `${path}/delegateEmails/${verb}`, query: { ...target } } as const;
  await client.send({ ...request, body: { emails } });
}
