/** Does a run's work in the ways in which people would do it without Rollcall. Started by the benchmark. */
import { readFileSync } from "node:fs";
import type { SentRequest } from "./sandbox-process.ts";

/** What a contender is given, as a file. */
export interface ContenderOrder {
  readonly kind: "pool" | "sample";
  readonly environment: Record<string, string>;
  /** The rows of rooms.csv, for the sample. */
  readonly mappings: string;
  /** The requests of Rollcall's own run, for the pool. */
  readonly sent: readonly SentRequest[];
}

interface Item {
  readonly id: string;
  readonly displayName: string;
  readonly title: string;
  readonly personId: string;
}

/** What must be known before what: names, groups, spaces, people; everything else follows. */
const steps = [
  /^\/(people\/me|groups\?|rooms\b)/,
  /^\/groups\/[^/]+\/members/,
  /^\/memberships\?/,
  /^\/people\?/,
];

const order: ContenderOrder = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const { WEBEX_API_URL: base = "" } = order.environment;
const authorization = `Bearer ${await getToken()}`;
await (order.kind === "pool" ? sendByPool(10) : runSample());

async function getToken(): Promise<string> {
  const { WEBEX_CLIENT_ID = "", WEBEX_CLIENT_SECRET = "", WEBEX_REFRESH_TOKEN = "" } = order.environment;
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: WEBEX_CLIENT_ID,
    client_secret: WEBEX_CLIENT_SECRET,
    refresh_token: WEBEX_REFRESH_TOKEN,
  });
  const reply = await fetch(`${base}/access_token`, { method: "POST", body });
  const { access_token: token }: { access_token: string } = JSON.parse(await reply.text());
  return token;
}

function send({ method, path, body }: SentRequest, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(base + path, {
    method,
    headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** The same requests as Rollcall's in the same order, one step after the other. */
async function sendByPool(size: number): Promise<void> {
  let rest = order.sent;
  for (const step of steps) {
    const end = rest.findIndex(({ method, path }) => method !== "GET" || !step.test(path));
    await sendAll(rest.slice(0, end), size);
    rest = rest.slice(end);
  }
  await sendAll(rest, size);
}

/** At most so many at once; each that is refused waits as it is told. */
async function sendAll(requests: readonly SentRequest[], size: number): Promise<void> {
  const waiting = [...requests].reverse();
  const work = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      for (;;) {
        const reply = await send(next);
        await reply.arrayBuffer();
        if (reply.status !== 429) break;
        await new Promise((resolve) => setTimeout(resolve, Number(reply.headers.get("retry-after")) * 1000));
      }
    }
  };
  await Promise.all(Array.from({ length: size }, work));
}

/**
 * The algorithm of https://github.com/gve-sw/gve_devnet_webex_space_membership_bot (app.py, editMemberships): groups,
 * rooms, the members of each mapped room, of each mapped group, then for each group what is missing and what is too
 * much, one request after the other, each on a connection of its own. Unlike there, listings ask for long pages: with
 * the default ones it would not find all groups and rooms.
 */
async function runSample(): Promise<void> {
  const roomOf = new Map(
    order.mappings
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => {
        const [group = "", room = ""] = row.split(",");
        return [group, room] as const;
      }),
  );
  const call = async (method: string, path: string, body?: unknown) => {
    const reply = await send({ method, path, body }, { connection: "close" });
    const text = await reply.text();
    // A removal that fails stops nothing there: by then it has removed the token's owner, too.
    if (!reply.ok && method !== "DELETE") throw new Error(`${method} ${path}: ${reply.status}`);
    return text === "" ? null : JSON.parse(text);
  };
  const groups: Item[] = [];
  for (let start = 1; ; start += 100) {
    const page: Item[] = (await call("GET", `/groups?count=100&startIndex=${start}`)).groups;
    groups.push(...page);
    if (page.length < 100) break;
  }
  const rooms: Item[] = (await call("GET", "/rooms?max=1000")).items;
  const mapped = new Set(roomOf.values());
  const roomIds = new Map<string, string>();
  const memberships = new Map<string, Item[]>();
  for (const { id, title } of rooms.filter((room) => mapped.has(room.title))) {
    roomIds.set(title, id);
    memberships.set(id, (await call("GET", `/memberships?roomId=${id}&max=1000`)).items);
  }
  const groupMembers = new Map<string, Item[]>();
  for (const { id, displayName } of groups.filter((group) => roomOf.has(group.displayName))) {
    const members: Item[] = [];
    for (let start = 1; ; start += 500) {
      const page: Item[] =
        (await call("GET", `/groups/${id}/members?count=500&startIndex=${start}`)).members ?? [];
      members.push(...page);
      if (page.length < 500) break;
    }
    groupMembers.set(displayName, members);
  }
  for (const [group, room] of roomOf) {
    const roomId = roomIds.get(room) ?? "";
    const wanted = new Set((groupMembers.get(group) ?? []).map(({ id }) => id));
    const present = memberships.get(roomId) ?? [];
    const presentIds = new Set(present.map(({ personId }) => personId));
    for (const personId of wanted)
      if (!presentIds.has(personId))
        await call("POST", "/memberships", { roomId, isModerator: false, personId });
    for (const { id, personId } of present)
      if (!wanted.has(personId)) await call("DELETE", `/memberships/${id}`);
  }
}
