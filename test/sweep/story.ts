import { createSandbox, type DetachedSandbox, type SandboxState } from "../../sandbox/server.ts";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import type { Stage } from "../simulation/globals.ts";
import { enterStage, url } from "../simulation/product.ts";
import { emailOf, organisation } from "../support/organisation.ts";

/** What a refresh does to the refresh token. */
export const tokenModes = ["rotates", "stays"] as const;
export type TokenMode = (typeof tokenModes)[number];

/** The environment that holds the secret. */
export const environment = "webex";

const titles = ["NOC", "Operations", "Leads", "Interns", "Lounge"] as const;

const noc = ["ann", "bob", "cat", "dan", "eve", "fay"];
const ops = ["gus", "hal", "ivy", "jon", "kim"];
const former = ["ex1", "ex2", "ex3", "ex4", "ex5"];
const hosts = ["ann", "bob", "cat"] as const;

/**
 * Everything that a run does: groups and spaces over a page, additions, removals with their second look, a space
 * whose removals are held, two that nobody may be removed from, delegates to grant, to revoke and to leave alone.
 */
const acme = {
  ...organisation({
    groups: { noc, ops, leads: ["ann", "gus"], interns: ["lou", "mia"] },
    people: { bot: { type: "bot" }, guest: { organisation: "other" } },
    rooms: [
      { title: "NOC", members: ["ann", "bob", "cat", "dan", "old", "bot"], moderators: ["ann"] },
      { title: "Operations", members: [...ops, "guest", "older", "fay"] },
      { title: "Leads", members: ["ann", "gus", ...former] },
      { title: "Interns", members: ["lou", "gus"] },
      { title: "Lounge", members: ["mia", "ex1"] },
    ],
  }),
  meetings: {
    users: ["rollcall", ...noc, ...ops].map((person) => ({
      person,
      delegates: { ann: ["eve"], bob: ["hal", "eve"] }[person]?.map(emailOf) ?? [],
    })),
  },
};

const rooms = `group,room,mode
noc,NOC,
noc,Operations,
ops,Operations,
leads,Leads,
interns,Interns,add-only
interns,Lounge,audit
`;

/** One grant is missing, one stands, and one has ended; another of the same host was never listed. */
const delegations = `host,delegate,until
${emailOf("cat")},${emailOf("gus")},
${emailOf("ann")},${emailOf("eve")},2999-12-31
${emailOf("bob")},${emailOf("hal")},2020-12-31
`;

/** A fresh sandbox with the repository, and the machine on which runs are made: in this process, in virtual time. */
export type Story = Stage & DetachedSandbox;

const firstDay = Date.UTC(2026, 10, 2, 5, 17);

/** Begins a story whose token behaves so. Until it is told, no other can be. */
export async function startStory(refreshToken: TokenMode): Promise<Story> {
  const stage = await enterStage(1, firstDay);
  const detached = await createSandbox(url, acme, {
    refreshToken,
    pageCaps: { groupMembers: 4, memberships: 8, rooms: 3, groups: 3 },
    github: {
      environments: [environment],
      files: { "mappings/rooms.csv": rooms, "mappings/delegations.csv": delegations },
    },
    keepResponses: false,
  });
  return { ...stage, ...detached };
}

/** Who is in which space, as `NOC: ann`, and who may schedule for whom, as `for ann: eve`; sorted. */
export function listRights(sandbox: SandboxState): string[] {
  return [
    ...titles.flatMap((title) => sandbox.members(title).map((key) => `${title}: ${key}`)),
    ...hosts.flatMap((host) =>
      sandbox.meetings.user(host).delegates.map((address) => nameDelegate(emailOf(host), address)),
    ),
  ].sort();
}

function nameDelegate(host: string, delegate: string): string {
  const [key] = host.split("@");
  return `for ${key}: ${delegate.split("@")[0]}`;
}

/** What a record of either kind says was added or removed, in the same form. */
export function listTold(
  sandbox: SandboxState,
  record: RunRecord | DelegationRecord,
  kind: "added" | "removed",
): string[] {
  const spaces = new Map(titles.map((title) => [sandbox.roomId(title), title]));
  const people = new Map(acme.people.map(({ key }) => [sandbox.personId(key), key]));
  const inRooms = "rooms" in record ? record.rooms : [];
  const ofHosts = "hosts" in record ? record.hosts : (record.delegations?.hosts ?? []);
  return [
    ...inRooms.flatMap((room) =>
      room[kind].map(
        ({ personId }) => `${spaces.get(room.roomId) ?? room.roomId}: ${people.get(personId) ?? personId}`,
      ),
    ),
    ...ofHosts.flatMap((host) => host[kind].map((address) => nameDelegate(host.host, address))),
  ];
}
