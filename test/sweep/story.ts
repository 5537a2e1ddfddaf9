import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { createFolder, type Folder } from "../support/run-rollcall.ts";

/** What a refresh does to the refresh token. */
export const tokenModes = ["rotates", "stays"] as const;
export type TokenMode = (typeof tokenModes)[number];

/** The environment that holds the secret. */
export const environment = "webex";

const titles = ["NOC", "Operations", "Leads", "Interns", "Lounge"] as const;

const noc = ["ann", "bob", "cat", "dan", "eve", "fay"];
const ops = ["gus", "hal", "ivy", "jon", "kim"];
const former = ["ex1", "ex2", "ex3", "ex4", "ex5"];

/**
 * Everything that a run does: groups and spaces over a page, additions, removals with their second look, a space
 * whose removals are held, two that nobody may be removed from.
 */
const acme = organisation({
  groups: { noc, ops, leads: ["ann", "gus"], interns: ["lou", "mia"] },
  people: { bot: { type: "bot" }, guest: { organisation: "other" } },
  rooms: [
    { title: "NOC", members: ["ann", "bob", "cat", "dan", "old", "bot"], moderators: ["ann"] },
    { title: "Operations", members: [...ops, "guest", "older", "fay"] },
    { title: "Leads", members: ["ann", "gus", ...former] },
    { title: "Interns", members: ["lou", "gus"] },
    { title: "Lounge", members: ["mia", "ex1"] },
  ],
});

const rooms = `group,room,mode
noc,NOC,
noc,Operations,
ops,Operations,
leads,Leads,
interns,Interns,add-only
interns,Lounge,audit
`;

/** A fresh sandbox with the repository and the checkout of one run. */
export interface Story extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: Folder;
}

/** Starts a sandbox whose token behaves so. */
export async function startStory(refreshToken: TokenMode): Promise<Story> {
  const files = { "mappings/rooms.csv": rooms };
  const sandbox = await startSandbox(acme, {
    refreshToken,
    pageCaps: { groupMembers: 4, memberships: 8, rooms: 3, groups: 3 },
    github: { environments: [environment], files },
  });
  const folder = await createFolder(rooms);
  return {
    sandbox,
    folder,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Who is in which space, as `NOC: ann`, sorted. */
export function listMembers(sandbox: Sandbox): string[] {
  return titles.flatMap((title) => sandbox.members(title).map((key) => `${title}: ${key}`)).sort();
}

/** The same form for a space and a person that a record tells by id. */
export function createNames(sandbox: Sandbox): (roomId: string, personId: string) => string {
  const spaces = new Map(titles.map((title) => [sandbox.roomId(title), title]));
  const people = new Map(acme.people.map(({ key }) => [sandbox.personId(key), key]));
  return (roomId, personId) => `${spaces.get(roomId) ?? roomId}: ${people.get(personId) ?? personId}`;
}
