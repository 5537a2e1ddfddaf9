import { createHash } from "node:crypto";

const uri = /^ciscospark:\/\/.+\/([A-Z_]+)\/([^/]+)$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A uuid made from a kind and a name, so that the same organisation has the same ids in every run. */
export function uuidOf(kind: string, name: string): string {
  const hex = createHash("sha256").update(`${kind}\n${name}`).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** A public Webex id: unpadded base64url of `ciscospark://<cluster>/<TYPE>/<key>`. */
export function encodeId(type: string, key: string, cluster = "us"): string {
  return Buffer.from(`ciscospark://${cluster}/${type}/${key}`).toString("base64url");
}

/** The key in a public id of that type, or a bare uuid itself; undefined for anything else. */
export function keyOf(id: string, type: string): string | undefined {
  if (uuid.test(id)) return id;
  const match = uri.exec(Buffer.from(id, "base64url").toString("utf8"));
  return match?.[1] === type ? match[2] : undefined;
}

/** The two halves of the key in a MEMBERSHIP or TEAM_MEMBERSHIP id: the person's uuid and the room's or team's. */
export function membershipKeyOf(
  id: string,
  type: "MEMBERSHIP" | "TEAM_MEMBERSHIP",
): [string, string] | undefined {
  const [person, place] = keyOf(id, type)?.split(":") ?? [];
  return person && place ? [person, place] : undefined;
}
