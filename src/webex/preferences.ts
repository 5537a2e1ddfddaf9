import * as v from "valibot";
import type { WebexClient } from "./client.ts";
import { parseReply } from "./parse.ts";

/** Whose preferences are meant; both are always sent, for without the site Webex takes the administrator's own. */
export interface PreferencesTarget {
  readonly userEmail: string;
  /** The site without a scheme, such as acme.webex.com. */
  readonly siteUrl: string;
}

const path = "/meetingPreferences/schedulingOptions";

/** The other fields prove that this is the whole object: without them a missing list would not mean an empty one. */
const optionsSchema = v.object({
  enabledJoinBeforeHost: v.boolean(),
  joinBeforeHostMinutes: v.number(),
  enabledAutoShareRecording: v.boolean(),
  delegateEmails: v.nullish(v.array(v.string()), []),
});

/**
 * A host's delegates. https://developer.webex.com/docs/api/v1/meeting-preferences/get-scheduling-options
 * @throws {WebexError} when Webex does not answer with the host's scheduling options.
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
 * Adds delegates. Sent once: after a lost answer the list has to be read first.
 * https://developer.webex.com/docs/api/v1/meeting-preferences/insert-delegate-emails
 */
export async function insertDelegateEmails(
  client: WebexClient,
  target: PreferencesTarget,
  emails: readonly string[],
): Promise<void> {
  await post(client, target, "insert", emails);
}

/**
 * Removes delegates. Sent once: after a lost answer the list has to be read first.
 * https://developer.webex.com/docs/api/v1/meeting-preferences/delete-delegate-emails
 */
export async function deleteDelegateEmails(
  client: WebexClient,
  target: PreferencesTarget,
  emails: readonly string[],
): Promise<void> {
  await post(client, target, "delete", emails);
}

/** One address an element, although the API's own example joins two by a comma. The answer may be an echo: ignored. */
async function post(
  client: WebexClient,
  target: PreferencesTarget,
  verb: "insert" | "delete",
  emails: readonly string[],
): Promise<void> {
  const request = { method: "POST", path: `${path}/delegateEmails/${verb}`, query: { ...target } } as const;
  await client.send({ ...request, body: { emails } });
}
