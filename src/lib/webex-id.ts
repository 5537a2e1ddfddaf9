/**
 * What makes two Webex ids name the same thing. Webex ids are unpadded base64url of
 * `ciscospark://<cluster>/<TYPE>/<key>`; the cluster may differ between two spellings of one id and may hold
 * colons, so ids are split from the end and compared by type and key. SCIM writes bare uuids.
 * https://developer.webex.com/docs/basics
 */

/** The part of a Webex id that identifies: its type (`PEOPLE`, `ROOM`, …) and its key (a uuid, or `a:b`). */
export interface DecodedId {
  readonly type: string;
  readonly key: string;
}

const uri = /^ciscospark:\/\/.+\/([A-Z_]+)\/([^/]+)$/;
const uuidForm = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const uuid = new RegExp(`^${uuidForm}$`, "i");
const bareKey = new RegExp(`^${uuidForm}(?::${uuidForm})?$`, "i");

/** The app's own links and those of its web pages; whatever follows the uuid, such as `/chat`, does not count. */
const spaceLink = new RegExp(
  String.raw`^<?(?:webex(?:teams)?:\/\/im\/?\?(?:[^#]*&)?space=|(?:https:\/\/)?[a-z\d.-]+\.webex\.com\/(?:[^?#]*\/)?spaces\/)(${uuidForm})(?![\da-f-])`,
  "i",
);

/** Takes a Webex id apart, encoded or not; undefined when the text is not one. */
export function decodeId(id: string): DecodedId | undefined {
  const isPlain = id.startsWith("ciscospark://");
  if (!isPlain && !/^[\w+/-]+=*$/.test(id)) return undefined;
  const match = uri.exec(isPlain ? id : Buffer.from(id, "base64url").toString("utf8"));
  return match?.[1] && match[2] ? { type: match[1], key: match[2].toLowerCase() } : undefined;
}

/** True for a bare uuid, as the app's links and SCIM write it. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** What people write for a thing instead of its name; `type` is null where the spelling does not say. */
export interface Reference {
  readonly type: string | null;
  readonly key: string;
}

/**
 * Reads an id in any spelling that people meet: as the API writes it, as a bare uuid, as `<uuid>:<organisation uuid>`,
 * or within a link to a space. Null for all other text.
 */
export function readReference(text: string): Reference | null {
  const decoded = decodeId(text);
  if (decoded) return decoded;
  const linked = spaceLink.exec(text)?.[1];
  if (linked) return { type: "ROOM", key: linked.toLowerCase() };
  return bareKey.test(text) ? { type: null, key: text.toLowerCase() } : null;
}

/**
 * The text by which two ids of one kind are compared: `TYPE/key` where the id decodes, `TYPE/uuid` for a bare
 * uuid, else the id itself (an opaque id equals only itself).
 */
export function identityOf(
  id: string,
  type: "PEOPLE" | "ROOM" | "TEAM" | "ORGANIZATION" | "SCIM_GROUP",
): string {
  const decoded = decodeId(id);
  if (decoded) return `${decoded.type}/${decoded.key}`;
  return isUuid(id) ? `${type}/${id.toLowerCase()}` : id;
}
