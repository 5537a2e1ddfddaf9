import type { Organisation } from "../sandbox/organisation.ts";

/** The size and drift of the organisation to build. */
export interface SyntheticSize {
  readonly rooms: number;
  readonly membersPerRoom: number;
  /** How many rooms are mapped, the first ones. Default: all. */
  readonly rows?: number;
  /** How many groups feed the rooms in turn. Default: one per room. */
  readonly groups?: number;
  /** How many people there are. Default: five times the members of a room. */
  readonly people?: number;
  /** The share of a room's members that differs from its group. Default: 0.05. */
  readonly drift?: number;
  /** The same seed always gives the same organisation. Default: 1. */
  readonly seed?: number;
}

/** An organisation with a known drift, and the mappings that remove it. */
export interface SyntheticOrganisation {
  readonly organisation: Organisation;
  /** The text of a `rooms.csv` with one row per room. */
  readonly mappings: string;
  /** How many people are in a group but not in its room. */
  readonly additions: number;
  /** How many people are in a room but not in its group. */
  readonly removals: number;
  /** How many pages of 1,000 the members of the mapped rooms take before the run. */
  readonly pagesBefore: number;
  /** How many different people these are. */
  readonly leavers: number;
  /** How many rooms differ from their group, how many have somebody to remove, and how many groups feed the latter. */
  readonly changing: number;
  readonly removing: number;
  readonly removingGroups: number;
}

/** The mulberry32 generator: whole numbers below a bound, fast, and the same on every machine. */
export function createRandom(seed: number) {
  let state = seed;
  return (bound: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** A partial Fisher-Yates shuffle. */
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
 * Builds an organisation of any size. Half of each room's drift are missing members of its group, the other half are
 * members of another group. When the drift is odd, the rooms take turns with the extra one.
 */
export function buildSyntheticOrganisation(size: SyntheticSize): SyntheticOrganisation {
  const { rooms, membersPerRoom, rows = rooms, groups = rooms, drift = 0.05, seed = 1 } = size;
  const { people = membersPerRoom * 5 } = size;
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
  let pagesBefore = 0;
  let changing = 0;
  let removing = 0;
  const removingGroups = new Set<number>();
  const leavers = new Set<string>();
  const allRooms = numbered("Room", rooms).map((title, index) => {
    const own = allGroups[index % groups]?.members ?? [];
    const inGroup = new Set(own);
    const others = (allGroups[(index + 1) % groups]?.members ?? []).filter((key) => !inGroup.has(key));
    const missing = Math.floor((changes + (index % 2)) / 2);
    const surplus = draw(others, Math.min(changes - missing, others.length), random);
    const present = draw([...own], own.length - missing, random);
    if (index < rows) {
      // With the token's owner.
      pagesBefore += Math.ceil((present.length + surplus.length + 1) / 1000);
      additions += missing;
      removals += surplus.length;
      changing += missing + surplus.length > 0 ? 1 : 0;
      removing += surplus.length > 0 ? 1 : 0;
      if (surplus.length > 0) removingGroups.add(index % groups);
      for (const key of surplus) leavers.add(key);
    }
    return { title, members: [...present, ...surplus] };
  });

  const lines = allRooms.map((room, index) => `${allGroups[index % groups]?.name},${room.title}\n`);
  return {
    organisation: { name: "synthetic", people: persons, groups: allGroups, rooms: allRooms },
    mappings: `group,room\n${lines.slice(0, rows).join("")}`,
    additions,
    removals,
    pagesBefore,
    leavers: leavers.size,
    changing,
    removing,
    removingGroups: removingGroups.size,
  };
}
