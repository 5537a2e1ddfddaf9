import type { Organisation } from "../../sandbox/organisation.ts";
import type { SandboxState } from "../../sandbox/server.ts";
import type { Change, Grant, Row, Scenario } from "./scenario.ts";

export const dayMs = 24 * 60 * 60_000;

/** The first day of every story, early in the morning. */
export const firstDay = Date.UTC(2026, 10, 2, 5, 17);

export const ownerKey = "rollcall";

/** A row of rooms.csv; the cells say what group and space were called when the story began. */
export interface MappingRow extends Row {
  readonly groupCell: string;
  readonly spaceCell: string;
  isThere: boolean;
}

/** A row of delegations.csv; the people by their addresses. */
export interface DelegationRow extends Pick<Grant, "until"> {
  readonly host: string;
  readonly delegate: string;
  isThere: boolean;
  /** Whether it has ever been in the file. */
  wasThere: boolean;
}

/** Who is in the spaces, and who moderates them, at one moment; by the number of the space. */
export type Snapshot = readonly ({
  readonly members: ReadonlySet<string>;
  readonly moderators: ReadonlySet<string>;
} | null)[];

interface Places {
  readonly keys: readonly string[];
  readonly groups: readonly (readonly string[])[];
  readonly spaces: readonly { readonly members: readonly string[]; readonly moderators: readonly string[] }[];
  readonly hosts: readonly string[];
}

function pick<T>(list: readonly T[], number: number): T {
  const found = list[number % list.length];
  if (found === undefined) throw new Error("nothing to choose from");
  return found;
}

const groupName = (number: number) => `Group ${number + 1}`;
const spaceTitle = (number: number) => `Space ${number + 1}`;

function place({ people, groups, spaces }: Scenario): Places {
  const keys = [ownerKey, ...people.map((_, number) => `p${number + 1}`)];
  const persons = (numbers: readonly number[]) => [...new Set(numbers.map((number) => pick(keys, number)))];
  return {
    keys,
    groups: groups.map(persons),
    spaces: spaces.map(({ members, moderators }) => {
      const all = persons([...members, ...moderators]);
      return { members: all, moderators: persons(moderators) };
    }),
    hosts: keys.filter((key, number) => key === ownerKey || people[number - 1] === "person"),
  };
}

export function emailOf(key: string): string {
  return `${key}@acme.example`;
}

/** The organisation with which a story begins. */
export function describeOrganisation(scenario: Scenario): Organisation {
  const { keys, groups, spaces, hosts } = place(scenario);
  const delegates = new Map<string, Set<string>>(hosts.map((key) => [key, new Set()]));
  for (const { host, delegate } of scenario.delegates) {
    const [one, other] = [pick(hosts, host), pick(hosts, delegate)];
    if (one !== other) delegates.get(one)?.add(emailOf(other));
  }
  return {
    name: "acme",
    owner: ownerKey,
    people: keys.map((key, number) => {
      const kind = scenario.people[number - 1] ?? "person";
      return {
        key,
        displayName: `Person ${number}`,
        email: emailOf(key),
        ...(kind === "bot" && { type: "bot" }),
        ...(kind === "guest" && { organisation: "partner" }),
      };
    }),
    groups: groups.map((members, number) => ({ name: groupName(number), members })),
    rooms: spaces.map(({ members, moderators }, number) => {
      const isLocked = scenario.spaces[number]?.isModerated ?? false;
      return {
        title: spaceTitle(number),
        members,
        moderators: isLocked ? [ownerKey, ...moderators] : moderators,
        isLocked,
      };
    }),
    meetings: { users: hosts.map((key) => ({ person: key, delegates: [...(delegates.get(key) ?? [])] })) },
  };
}

/** The organisation and the files of a story as they are at this moment, and what may happen to them. */
export class World {
  readonly keys: readonly string[];
  readonly rows: readonly MappingRow[];
  readonly grants: readonly DelegationRow[];
  /** By the number of the space; null for one that is deleted. */
  readonly titles: (string | null)[];
  readonly names: string[];
  readonly groupMembers: readonly Set<string>[];
  readonly hosts: readonly string[];
  /** Whether anything has ever led, or may lead, a cell to something else than before. */
  hasMoved = false;
  readonly #sandbox: SandboxState;
  readonly #scenario: Scenario;
  readonly #roomIds: readonly string[];
  readonly #groupIds: readonly string[];
  readonly #now: () => number;
  #renamings = 0;

  constructor(scenario: Scenario, sandbox: SandboxState, now: () => number) {
    const { keys, groups, spaces, hosts } = place(scenario);
    this.#sandbox = sandbox;
    this.#scenario = scenario;
    this.#now = now;
    this.keys = keys;
    this.hosts = hosts;
    this.names = groups.map((_, number) => groupName(number));
    this.titles = spaces.map((_, number) => spaceTitle(number));
    this.groupMembers = groups.map((members) => new Set(members));
    this.#roomIds = this.titles.map((title) => sandbox.roomId(title ?? ""));
    this.#groupIds = this.names.map((name) => sandbox.groupId(name));
    this.rows = this.#makeRows(scenario);
    const pairs = new Set<string>();
    this.grants = scenario.grants.flatMap(({ host, delegate, until }) => {
      const row = { host: emailOf(pick(hosts, host)), delegate: emailOf(pick(hosts, delegate)), until };
      const pair = `${row.host} ${row.delegate}`;
      if (row.host === row.delegate || pairs.has(pair)) return [];
      pairs.add(pair);
      return [{ ...row, isThere: true, wasThere: true }];
    });
  }

  #makeRows({ rows }: Scenario): MappingRow[] {
    const pairs = new Set<string>();
    const modes = new Map<number, Row["mode"]>();
    return rows.flatMap((row) => {
      const [group, space] = [row.group % this.names.length, row.space % this.titles.length];
      const pair = `${group} ${space}`;
      if (pairs.has(pair)) return [];
      pairs.add(pair);
      const mode = modes.get(space) ?? row.mode;
      modes.set(space, mode);
      const isById = row.writes === "ids";
      const groupCell = isById ? pick(this.#groupIds, group) : groupName(group);
      const spaceCell = isById ? pick(this.#roomIds, space) : spaceTitle(space);
      return [{ ...row, group, space, mode, groupCell, spaceCell, isThere: true }];
    });
  }

  get policyText(): string {
    const { perRoom, perRun, revocations, share, emptyGroup, people, ...protect } = this.#scenario.policy;
    const limit = (count: number) => ({ count, share });
    return JSON.stringify({
      limits: {
        removalsPerRoom: limit(perRoom),
        removalsPerRun: limit(perRun),
        revocationsPerRun: limit(revocations),
        emptyGroup,
      },
      protect: { ...protect, people: this.protectedAddresses },
    });
  }

  get protectedAddresses(): string[] {
    return [...new Set(this.#scenario.policy.people.map((number) => emailOf(pick(this.keys, number))))];
  }

  get rowsText(): string {
    const lines = this.rows.map(({ isThere, groupCell, spaceCell, mode, until }) =>
      // A row that is gone leaves its line, so that a story can name lines.
      isThere ? `${groupCell},${spaceCell},${mode},${formatDay(until)}` : "",
    );
    return `${["group,room,mode,until", ...lines].join("\n")}\n`;
  }

  get grantsText(): string {
    const rows = this.grants.filter(({ isThere }) => isThere);
    const lines = rows.map(({ host, delegate, until }) => `${host},${delegate},${formatDay(until)}`);
    return `${["host,delegate,until", ...lines].join("\n")}\n`;
  }

  /** True until the last moment of the row's last day. */
  holds({ isThere, until }: { readonly isThere: boolean; readonly until: number | null }): boolean {
    return (
      isThere && (until === null || formatDay(until) >= new Date(this.#now()).toISOString().slice(0, 10))
    );
  }

  /** The number of the group that a row leads to at this moment; null where it leads nowhere. */
  groupOf(row: MappingRow): number | null {
    const group = row.writes === "ids" ? row.group : this.names.indexOf(row.groupCell);
    return group < 0 ? null : group;
  }

  spaceOfRow(row: MappingRow): number | null {
    const space = row.writes === "ids" ? row.space : this.titles.indexOf(row.spaceCell);
    return space < 0 || this.titles[space] === null ? null : space;
  }

  /** The rows that are there and lead to this space, whether or not they hold. */
  rowsOf(space: number): MappingRow[] {
    return this.rows.filter((row) => row.isThere && this.spaceOfRow(row) === space);
  }

  /** The people of the group that a row leads to. */
  peopleOf(row: MappingRow): ReadonlySet<string> {
    return this.groupMembers[this.groupOf(row) ?? -1] ?? new Set();
  }

  /** Whom the rows and groups of this moment want in a space. */
  wanted(space: number): Set<string> {
    const feeding = this.rowsOf(space).filter((row) => this.holds(row));
    return new Set(feeding.flatMap((row) => [...this.peopleOf(row)]));
  }

  snapshot(): Snapshot {
    return this.titles.map((title) =>
      title === null
        ? null
        : {
            members: new Set(this.#sandbox.members(title)),
            moderators: new Set(this.#sandbox.moderators(title)),
          },
    );
  }

  /** The delegates of everybody who may host, by address. */
  delegates(): Map<string, readonly string[]> {
    const { users } = this.#sandbox.meetings;
    return new Map(users.map(({ person, delegates }) => [person.email, delegates]));
  }

  spaceOf(roomId: string): number {
    return this.#roomIds.indexOf(roomId);
  }

  #isIn(space: number, key: string): boolean {
    const title = this.titles[space] ?? null;
    return title !== null && this.#sandbox.members(title).includes(key);
  }

  /** The pairs of a mapped space and a person that are so. */
  #listPairs(isSo: (space: number, key: string) => boolean): (readonly [space: number, key: string])[] {
    return this.titles.flatMap((title, space) =>
      title === null || this.rowsOf(space).length === 0
        ? []
        : this.keys.filter((key) => isSo(space, key)).map((key) => [space, key] as const),
    );
  }

  /** Changes something behind the product's back. Returns it in words; null when it changes nothing. */
  apply(change: Change): string | null {
    const sandbox = this.#sandbox;
    switch (change.kind) {
      case "joins group":
      case "leaves group": {
        const group = change.group % this.names.length;
        const [key, name, members] = [
          pick(this.keys, change.person),
          pick(this.names, group),
          pick(this.groupMembers, group),
        ];
        if (members.has(key) === (change.kind === "joins group")) return null;
        if (change.kind === "joins group") {
          members.add(key);
          sandbox.addToGroup(name, key);
        } else {
          members.delete(key);
          sandbox.removeFromGroup(name, key);
        }
        return `${key} ${change.kind} "${name}"`;
      }
      case "joins space":
      case "leaves space":
      case "becomes moderator":
      case "is moderator no longer": {
        const [key, title] = [pick(this.keys, change.person), pick(this.titles, change.space)];
        if (title === null) return null;
        const isMember = sandbox.members(title).includes(key);
        const isModerator = sandbox.moderators(title).includes(key);
        if (change.kind === "joins space" && !isMember) sandbox.addToRoom(title, key);
        else if (change.kind === "leaves space" && isMember) sandbox.removeFromRoom(title, key);
        else if (change.kind === "becomes moderator" && isMember && !isModerator)
          sandbox.setModerator(title, key, true);
        else if (change.kind === "is moderator no longer" && isModerator)
          sandbox.setModerator(title, key, false);
        else return null;
        return `${key} ${change.kind} "${title}"`;
      }
      case "surplus joins group":
      case "surplus becomes moderator":
      case "surplus leaves space": {
        const surplus = this.#listPairs(
          (space, key) => !this.wanted(space).has(key) && this.#isIn(space, key),
        );
        if (surplus.length === 0) return null;
        const [space, key] = pick(surplus, change.number);
        const person = this.keys.indexOf(key);
        if (change.kind === "surplus becomes moderator")
          return this.apply({ kind: "becomes moderator", person, space });
        if (change.kind === "surplus leaves space")
          return this.apply({ kind: "leaves space", person, space });
        const groups = this.rowsOf(space).flatMap((row) => this.groupOf(row) ?? []);
        return groups.length === 0
          ? null
          : this.apply({ kind: "joins group", person, group: pick(groups, change.number) });
      }
      case "missing joins space": {
        const missing = this.#listPairs(
          (space, key) => this.wanted(space).has(key) && !this.#isIn(space, key),
        );
        if (missing.length === 0) return null;
        const [space, key] = pick(missing, change.number);
        return this.apply({ kind: "joins space", person: this.keys.indexOf(key), space });
      }
      case "group is renamed": {
        const group = change.group % this.names.length;
        const old = pick(this.names, group);
        this.#renamings += 1;
        const name = `${groupName(group)}, name ${this.#renamings}`;
        sandbox.renameGroup(old, name);
        this.names[group] = name;
        this.hasMoved = true;
        return `"${old}" is called "${name}" now`;
      }
      case "space is renamed": {
        const space = change.space % this.titles.length;
        const old = pick(this.titles, space);
        if (old === null) return null;
        this.#renamings += 1;
        const title = `${spaceTitle(space)}, title ${this.#renamings}`;
        sandbox.renameRoom(old, title);
        this.titles[space] = title;
        this.hasMoved = true;
        return `"${old}" is called "${title}" now`;
      }
      case "spaces swap titles": {
        const [space, other] = [change.space % this.titles.length, change.other % this.titles.length];
        const [title, otherTitle] = [pick(this.titles, space), pick(this.titles, other)];
        if (title === null || otherTitle === null || space === other) return null;
        sandbox.swapTitles(title, otherTitle);
        [this.titles[space], this.titles[other]] = [otherTitle, title];
        this.hasMoved = true;
        return `"${title}" and "${otherTitle}" swap their titles`;
      }
      case "space is deleted": {
        const space = change.space % this.titles.length;
        const title = pick(this.titles, space);
        if (title === null) return null;
        sandbox.deleteRoom(title);
        this.titles[space] = null;
        this.hasMoved = true;
        return `"${title}" is deleted`;
      }
      case "row comes or goes": {
        if (this.rows.length === 0) return null;
        const row = pick(this.rows, change.row);
        row.isThere = !row.isThere;
        return `row ${this.rows.indexOf(row) + 2} of rooms.csv ${row.isThere ? "comes" : "goes"}`;
      }
      case "delegation comes or goes": {
        if (this.grants.length === 0) return null;
        const row = pick(this.grants, change.row);
        row.isThere = !row.isThere;
        row.wasThere ||= row.isThere;
        return `the row of ${row.delegate} for ${row.host} ${row.isThere ? "comes" : "goes"}`;
      }
    }
  }
}

function formatDay(day: number | null): string {
  return day === null ? "" : new Date(firstDay + day * dayMs).toISOString().slice(0, 10);
}
