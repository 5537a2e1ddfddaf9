import type {
  Organisation,
  OrganisationPerson,
  OrganisationRoom,
  OrganisationTeam,
} from "../../sandbox/organisation.ts";

/** An organisation in few words: who is not declared is an ordinary person. */
export interface Outline {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Groups in groups, by the name of the outer one. */
  readonly nested?: Readonly<Record<string, readonly string[]>>;
  readonly rooms: readonly OrganisationRoom[] | Readonly<Record<string, readonly string[]>>;
  /** Those who are not ordinary; key, name and address follow from the key where they are not given. */
  readonly people?: Readonly<Record<string, Partial<OrganisationPerson>>>;
  readonly teams?: readonly OrganisationTeam[];
}

/** Builds an organisation "acme" in which the token's owner is `rollcall`. */
export function organisation({ groups, nested = {}, rooms, people = {}, teams = [] }: Outline): Organisation {
  const allRooms: readonly OrganisationRoom[] = isList(rooms)
    ? rooms
    : Object.entries(rooms).map(([title, members]) => ({ title, members }));
  const keys = new Set([
    "rollcall",
    ...Object.keys(people),
    ...Object.values(groups).flat(),
    ...[...allRooms, ...teams].flatMap((place: OrganisationRoom | OrganisationTeam) => [
      ...place.members,
      ...(place.moderators ?? []),
    ]),
  ]);
  return {
    name: "acme",
    owner: "rollcall",
    people: [...keys].map((key) => ({ ...person(key), ...people[key] })),
    groups: Object.entries(groups).map(([name, members]) => {
      return { name, members, nestedGroups: nested[name] ?? [] };
    }),
    rooms: allRooms,
    teams,
  };
}

/** So many keys: `p001`, `p002`, … */
export function crowd(count: number, prefix = "p"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(4, "0")}`);
}

function person(key: string): OrganisationPerson {
  return { key, displayName: nameOf(key), email: emailOf(key) };
}

/** The name of an ordinary person. */
export function nameOf(key: string): string {
  return key.charAt(0).toUpperCase() + key.slice(1);
}

/** The address of an ordinary person. */
export function emailOf(key: string): string {
  return `${key}@acme.example`;
}

function isList<T>(value: readonly T[] | Readonly<Record<string, unknown>>): value is readonly T[] {
  return Array.isArray(value);
}
