/**
 * Webex ids are unpadded base64url of `ciscospark://<cluster>/<TYPE>/<key>`. The cluster may differ between spellings
 * of one id, and may contain colons. https://developer.webex.com/docs/basics
 */

export interface DecodedId {
  readonly type: string;
  readonly key: string;
}

const uri = /^ciscospark:\/\/.+\/([A-Z_]+)\/([^/]+)$/;
const uuidForm = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const uuid = new RegExp(`^${uuidForm}$`, "i");
const bareKey = new RegExp(`^${uuidForm}(?::${uuidForm})?$`, "i");

/** The app's links and those of its web pages; what follows the uuid, such as `/chat`, does not count. */
const spaceLink = new RegExp(
  String.raw`^<?(?:webex(?:teams)?:\/\/im\/?\?(?:[^#]*&)?space=|(?:https:\/\/)?[a-z\d.-]+\.webex\.com\/(?:[^?#]*\/)?spaces\/)(${uuidForm})(?![\da-f-])`,
  "i",
);

/** Splits a Webex id, encoded or not; undefined when the text is not one. */
export function decodeId(id: string): DecodedId | undefined {
  const isPlain = id.startsWith("ciscospark://");
  if (!isPlain && !/^[\w+/-]+=*$/.test(id)) return undefined;
  const match = uri.exec(isPlain ? id : Buffer.from(id, "base64url").toString("utf8"));
  return match?.[1] && match[2] ? { type: match[1], key: match[2].toLowerCase() } : undefined;
}

/** The id of a person as the API writes it, from any spelling. */
export function encodePersonId(id: string): string {
  return isUuid(id) ? Buffer.from(`ciscospark://us/PEOPLE/${id.toLowerCase()}`).toString("base64url") : id;
}

/** True for a bare uuid, as the app's links and SCIM write it. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** `type` is null where the spelling does not say. */
export interface Reference {
  readonly type: string | null;
  readonly key: string;
}

/** Reads an id as the API, the app (a uuid, or `<uuid>:<organisation>`) or a link writes it; null otherwise. */
export function readReference(text: string): Reference | null {
  const decoded = decodeId(text);
  if (decoded) return decoded;
  const linked = spaceLink.exec(text)?.[1];
  if (linked) return { type: "ROOM", key: linked.toLowerCase() };
  return bareKey.test(text) ? { type: null, key: text.toLowerCase() } : null;
}

/** True for an id as Webex writes it in its answers. */
export function isEncodedId(text: string): boolean {
  return !text.startsWith("ciscospark://") && decodeId(text) !== undefined;
}

/** The text by which two ids of one kind are compared: `TYPE/key`, or an opaque id itself. */
export function identityOf(
  id: string,
  type: "PEOPLE" | "ROOM" | "TEAM" | "ORGANIZATION" | "SCIM_GROUP",
): string {
  const decoded = decodeId(id);
  if (decoded) return `${decoded.type}/${decoded.key}`;
  return isUuid(id) ? `${type}/${id.toLowerCase()}` : id;
}
