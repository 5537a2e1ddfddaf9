import type { Organisation } from "../sandbox/organisation.ts";

/** The size and the drift of an organisation to build. */
export interface SyntheticSize {
  readonly rooms: number;
  readonly membersPerRoom: number;
  /** Groups feed the rooms in turn. Default: one for each room. */
  readonly groups?: number;
  /** The people there are. Default: five times a room's members. */
  readonly people?: number;
  /** The share of a room's members that differ from its group's. Default: 0.05. */
  readonly drift?: number;
  /** Another seed gives another organisation, the same seed always the same. Default: 1. */
  readonly seed?: number;
}

/** An organisation with a known drift, and the mappings that would undo it. */
export interface SyntheticOrganisation {
  readonly organisation: Organisation;
  /** The text of a `rooms.csv` with a row for each room. */
  readonly mappings: string;
  /** People who are in a group and not in its room. */
  readonly additions: number;
  /** People who are in a room and not in its group. */
  readonly removals: number;
}

/** A pseudo-random generator (mulberry32) of whole numbers below a bound. */
function createRandom(seed: number) {
  let state = seed;
  return (bound: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** The first `count` of a list, after so many swaps with what a random draw picks behind them. */
function draw<T>(list: T[], count: number, random: (bound: number) => number): T[] {
  for (let index = 0; index < count; index += 1) {
    const other = index + random(list.length - index);
    const [a, b] = [list[index], list[other]];
    if (a !== undefined && b !== undefined) [list[index], list[other]] = [b, a];
  }
  return list.slice(0, count);
}

function numbered(name: string, count: number): string[] {
  const width = String(count).length;
  return Array.from({ length: count }, (_, index) => `${name} ${String(index + 1).padStart(width, "0")}`);
}

/**
 * Builds an organisation of any size. Half of each room's drift are members of its group who are missing, half are
 * members of another group who shouldn't be there; where the drift is odd, rooms take turns with the extra one.
 */
export function buildSyntheticOrganisation(size: SyntheticSize): SyntheticOrganisation {
  const { rooms, membersPerRoom, groups = rooms, people = membersPerRoom * 5, drift = 0.05, seed = 1 } = size;
  const random = createRandom(seed);
  const persons = numbered("Person", people).map((displayName) => {
    const key = displayName.toLowerCase().replace(" ", "-");
    return { key, displayName, email: `${key}@synthetic.example.com` };
  });
  const pool = persons.map((person) => person.key);
  const allGroups = numbered("Group", groups).map((name) => ({
    name,
    members: draw(pool, membersPerRoom, random),
  }));

  const changes = Math.round(membersPerRoom * drift);
  let additions = 0;
  let removals = 0;
  const allRooms = numbered("Room", rooms).map((title, index) => {
    const own = allGroups[index % groups]?.members ?? [];
    const inGroup = new Set(own);
    const others = (allGroups[(index + 1) % groups]?.members ?? []).filter((key) => !inGroup.has(key));
    const missing = Math.floor((changes + (index % 2)) / 2);
    const surplus = draw(others, Math.min(changes - missing, others.length), random);
    const present = draw([...own], own.length - missing, random);
    additions += missing;
    removals += surplus.length;
    return { title, members: [...present, ...surplus] };
  });

  const rows = allRooms.map((room, index) => `${allGroups[index % groups]?.name},${room.title}\n`);
  return {
    organisation: { name: "synthetic", people: persons, groups: allGroups, rooms: allRooms },
    mappings: `group,room\n${rows.join("")}`,
    additions,
    removals,
  };
}
