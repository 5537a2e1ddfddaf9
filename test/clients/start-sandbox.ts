/**
 * Runs a sandbox for clients in another language. Prints what they need to know as one line of JSON, then answers
 * each line of its input with one of its output, and ends with its input:
 * `{"fault": {…}}`, `{"secret": "NAME", "environment": "…"}`, `{"members": "title"}`, `{"delegates": "key"}`, and `{}`
 * for the number of requests so far.
 */
import { createInterface } from "node:readline";
import type { Fault } from "../../sandbox/faults.ts";
import type { Organisation } from "../../sandbox/organisation.ts";
import { startSandbox } from "../../sandbox/server.ts";

interface Order {
  readonly fault?: Fault;
  readonly secret?: string;
  readonly environment?: string;
  readonly members?: string;
  readonly delegates?: string;
}

const keys = Array.from({ length: 12 }, (_, index) => `p${String(index + 1).padStart(2, "0")}`);
const groups = [
  { name: "Everyone", members: keys },
  { name: "Pair", members: keys.slice(0, 2) },
  { name: "Empty", members: [] },
];
const rooms = [
  { title: "NOC", members: keys.slice(0, 9) },
  { title: "Moderated", members: ["p01", "p02"], isLocked: true, moderators: ["p01"] },
  { title: "Own", members: ["p01"], isLocked: true },
  { title: "Team", members: [], team: "Crew", general: true },
  { title: "Elsewhere", members: ["p03"], cluster: "urn:TEAM:us-west-2_r" },
  { title: "Unseen", members: ["p04"], ownerAbsent: true },
];
const organisation: Organisation = {
  name: "acme",
  owner: "owner",
  people: [
    { key: "owner", displayName: "Olga Owner", email: "owner@acme.example" },
    ...keys.map((key) => ({ key, displayName: `${key} Person`, email: `${key}@acme.example` })),
    { key: "helper", displayName: "Helper", email: "helper@webex.bot", type: "bot" },
    { key: "guest", displayName: "Gus", email: "gus@partner.example", organisation: "partner" },
  ],
  groups,
  rooms,
  teams: [{ name: "Crew", members: ["p05"] }],
  meetings: { site: "acme.webex.com", users: ["owner", "p01", "p02"].map((person) => ({ person })) },
};

const sandbox = await startSandbox(organisation, {
  pageCaps: { rooms: 2, memberships: 4, people: 5, groups: 2, groupMembers: 5 },
  bareBefore: true,
  groupLinks: true,
  github: {
    files: { "README.md": "# Read me\n", "mappings/rooms.csv": "group,room\n", "reports/runs/1.md": "é\n" },
    branches: ["main", "reports/all"],
    environments: ["webex"],
    tokenIn: "both",
  },
});
const number = sandbox.github.pulls.open({ title: "Change", files: { "mappings/rooms.csv": "changed" } });
const ids = (names: readonly string[], find: (name: string) => string) =>
  Object.fromEntries(names.map((name) => [name, find(name)]));

function obey({ fault, secret, environment, members, delegates }: Order): unknown {
  if (fault) return sandbox.fault(fault) ?? null;
  if (secret) return sandbox.github.secret(secret, environment) ?? null;
  if (members) return sandbox.members(members);
  if (delegates) return sandbox.meetings.user(delegates).delegates;
  return sandbox.requests.length;
}

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({
  url: sandbox.url,
  env: sandbox.githubEnvironment(),
  people: ids([...keys, "owner", "helper", "guest"], sandbox.personId),
  rooms: ids(
    rooms.map(({ title }) => title),
    sandbox.roomId,
  ),
  groups: ids(
    groups.map(({ name }) => name),
    sandbox.groupId,
  ),
  pull: number,
});
for await (const line of createInterface(process.stdin)) say(obey(JSON.parse(line)));
await sandbox[Symbol.asyncDispose]();
