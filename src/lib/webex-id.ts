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
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Takes a Webex id apart; undefined when the text is not one. */
export function decodeId(id: string): DecodedId | undefined {
  if (!/^[\w+/-]+=*$/.test(id)) return undefined;
  const match = uri.exec(Buffer.from(id, "base64url").toString("utf8"));
  return match?.[1] && match[2] ? { type: match[1], key: match[2].toLowerCase() } : undefined;
}

/** True for a bare uuid, as the app's links and SCIM write it. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
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
