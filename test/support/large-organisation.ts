import { createRandom } from "../../bench/synthetic-organisation.ts";
import type { Organisation, OrganisationPerson } from "../../sandbox/organisation.ts";
import type { Rows } from "./settle.ts";

const size = { people: 400, teams: 144, bots: 6, guests: 8 } as const;

/**
 * An organisation such as a large open-source project: many small groups and a few large ones, people who are in a
 * dozen of them, groups without anybody, and one room per group, some of them fed by a second group. The rooms have
 * drifted apart from their groups, and there are bots and people of another organisation in them.
 * The same seed always gives the same organisation.
 */
export function buildLargeOrganisation(seed: number): { organisation: Organisation; rows: Rows } {
  const random = createRandom(seed);
  const people = name("person", size.people);
  const bots = name("bot", size.bots);
  const guests = name("guest", size.guests);
  /** Different people, the first of the list more often than the last. */
  const draw = (from: readonly string[], count: number): string[] => {
    const drawn = new Set<string>();
    while (drawn.size < Math.min(count, from.length)) {
      drawn.add(from[Math.floor(random(1000) * random(1000) * 1e-6 * from.length)] ?? "");
    }
    return [...drawn];
  };
  const groups = name("team", size.teams).map((team, index) => {
    const large = index % 29 === 7 ? random(70) : 0;
    return { name: team, members: index % 12 === 5 ? [] : draw(people, 1 + random(8) + large) };
  });
  const rows = groups.map(({ name: group }): [string, string] => [group, `Space of ${group}`]);
  // Without the groups that nobody is in: their rooms have all removals held, which is told by other rooms.
  const seconds = rows.flatMap(([, room], index): [string, string][] => {
    const second = groups[index + 1];
    return index % 10 === 0 && second && second.members.length > 0 ? [[second.name, room]] : [];
  });
  const rooms = rows.map(([, title], index) => {
    const fed = new Set([...(groups[index]?.members ?? []), ...membersOf(seconds, title)]);
    const drifts = index % 3 === 2;
    const present = [...fed].filter(() => !drifts || random(3) > 0);
    const surplus = drifts ? draw(people, index % 18 === 2 ? 5 + random(4) : 1 + random(2)) : [];
    const more = [...(index % 5 === 2 ? draw(bots, 1) : []), ...(index % 14 === 3 ? draw(guests, 2) : [])];
    return { title, members: [...new Set([...present, ...surplus, ...more])] };
  });

  function membersOf(pairs: Rows, title: string): readonly string[] {
    const feeding = new Set(pairs.filter(([, room]) => room === title).map(([group]) => group));
    return groups.filter((group) => feeding.has(group.name)).flatMap((group) => group.members);
  }

  const organisation = {
    name: "project",
    people: [
      ...people.map((key, index) => describe(key, index % 50 === 0 ? { displayName: null } : {})),
      ...bots.map((key) => describe(key, { type: "bot" })),
      ...guests.map((key) => describe(key, { organisation: "partner" })),
    ],
    groups,
    rooms,
  };
  return { organisation, rows: [...rows, ...seconds] };
}

function name(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${String(index + 1).padStart(3, "0")}`);
}

function describe(key: string, more: Partial<OrganisationPerson>): OrganisationPerson {
  return { key, displayName: key, email: `${key}@project.example.com`, ...more };
}
