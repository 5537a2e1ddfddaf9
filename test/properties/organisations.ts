import fc from "fast-check";
import { applyPlan, type MembershipWriter, type RoomOutcome } from "../../src/membership/apply.ts";
import type {
  GroupListing,
  KnownPerson,
  MembershipReader,
  Room,
  RoomMember,
} from "../../src/membership/directory.ts";
import type { CheckedPlan } from "../../src/membership/limits.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import { observe } from "../../src/membership/observe.ts";
import { type PlanAgain, planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import {
  complete,
  described,
  home,
  incomplete,
  member,
  owner,
  person,
  room,
  user,
} from "../support/builders.ts";

export const names = ["ann", "bob", "cat", "dan", "eve", "fay", "gus"] as const;
export const titles = ["NOC", "Lobby", "Leads", "Interns"] as const;
export const groupNames = ["eng", "ops", "leads"] as const;

type Name = (typeof names)[number];

export interface Fact {
  readonly kind: KnownPerson["kind"];
  readonly isExternal: boolean;
  /** The directory says nothing about this person. */
  readonly isUnseen: boolean;
}

/** An organisation, as plain data. */
export interface SmallWorld {
  readonly groups: Readonly<Record<string, readonly Name[]>>;
  readonly rooms: Readonly<
    Record<string, { readonly members: readonly Name[]; readonly moderators: readonly Name[] }>
  >;
  readonly people: Readonly<Record<string, Fact>>;
  readonly rows: readonly Mapping[];
  /** Groups and rooms of which only a part can be read, or which change while they are read. */
  readonly cut: readonly string[];
  readonly unsteady: readonly string[];
}

const someNames = fc.subarray([...names]);

const fact: fc.Arbitrary<Fact> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("person" as const) },
    { weight: 2, arbitrary: fc.constantFrom("bot" as const, "guest" as const, "device" as const, null) },
  ),
  isExternal: fc.oneof(
    { weight: 5, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  isUnseen: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

const modes = fc.oneof(
  { weight: 4, arbitrary: fc.constant("sync" as const) },
  { weight: 1, arbitrary: fc.constantFrom("add-only" as const, "audit" as const) },
);

const byName = <T>(
  keys: readonly string[],
  value: fc.Arbitrary<T>,
): fc.Arbitrary<Readonly<Record<string, T>>> =>
  fc
    .array(value, { minLength: keys.length, maxLength: keys.length })
    .map((values) => Object.fromEntries(values.map((one, index) => [keys[index] ?? "", one])));

const rows = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...groupNames), fc.constantFrom(...titles)), {
      minLength: 1,
      maxLength: 7,
      selector: String,
    }),
    byName(titles, modes),
  )
  .map(([pairs, modeOf]) =>
    pairs.map(
      ([group, title], index): Mapping => ({
        group,
        room: title,
        mode: modeOf[title] ?? "sync",
        line: index + 2,
      }),
    ),
  );

const seldom = (keys: readonly string[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...keys], { maxLength: 2 }) },
  );

/** Any small organisation; in a whole one everything can be read. */
export const wholeWorlds: fc.Arbitrary<SmallWorld> = fc.record({
  groups: byName(groupNames, someNames),
  rooms: byName(
    titles,
    fc.record({ members: someNames, moderators: fc.subarray([...names], { maxLength: 3 }) }),
  ),
  people: byName(names, fact),
  rows,
  cut: fc.constant([]),
  unsteady: fc.constant([]),
});

export const worlds: fc.Arbitrary<SmallWorld> = fc
  .tuple(wholeWorlds, seldom([...groupNames, ...titles]), seldom(groupNames))
  .map(([world, cut, unsteady]) => ({ ...world, cut, unsteady }));

const limit = fc.record({ count: fc.nat({ max: 8 }), share: fc.constantFrom(0, 0.2, 0.5, 1) });

export const policies: fc.Arbitrary<Policy> = fc
  .record({
    removalsPerRoom: limit,
    removalsPerRun: limit,
    emptyGroup: fc.constantFrom("hold" as const, "apply" as const),
    moderators: fc.boolean(),
    bots: fc.boolean(),
    externals: fc.boolean(),
    listed: fc.subarray([...names], { maxLength: 2 }),
  })
  .map(({ removalsPerRoom, removalsPerRun, emptyGroup, listed, ...protect }) => ({
    ...defaultPolicy,
    limits: { ...defaultPolicy.limits, removalsPerRoom, removalsPerRun, emptyGroup },
    protect: { ...protect, people: listed.map((name) => `${name}@acme.example`) },
  }));

export const noLimits: Policy["limits"] = {
  ...defaultPolicy.limits,
  removalsPerRoom: { count: 100, share: 1 },
  removalsPerRun: { count: 100, share: 1 },
  emptyGroup: "apply",
};

/** The members of a room, whom a moderator is always one of. */
export function membersOf(world: SmallWorld, title: string): ReadonlySet<string> {
  const { members = [], moderators = [] } = world.rooms[title] ?? {};
  return new Set([...members, ...moderators]);
}

/** Whom the rows want in a room. */
export function wantedIn(world: SmallWorld, title: string): ReadonlySet<string> {
  const feeding = world.rows.filter((row) => row.room === title).map((row) => row.group);
  return new Set(feeding.flatMap((group) => world.groups[group] ?? []));
}

/** The same people, in spaces whose memberships can be changed. */
export function openWorld(world: SmallWorld) {
  const rooms = new Map<string, { readonly members: Set<string>; readonly moderators: Set<string> }>(
    titles.map((title) => [
      title,
      {
        members: new Set(membersOf(world, title)),
        moderators: new Set<string>(world.rooms[title]?.moderators ?? []),
      },
    ]),
  );
  const factOf = (name: string): Fact =>
    world.people[name] ?? { kind: "person", isExternal: false, isUnseen: false };
  const groups = groupNames.map((name) => ({
    key: `SCIM_GROUP/${name}`,
    id: `id-${name}`,
    displayName: name,
  }));
  const allRooms = titles.map((title) => room(title, { id: `ROOM/${title}` }));
  const showMember = (name: string, isModerator: boolean): RoomMember =>
    member(name, {
      personId: `PEOPLE/${name}`,
      isModerator,
      suggestedKind: factOf(name).kind === "bot" ? "bot" : null,
      orgKey: factOf(name).isExternal ? "ORGANIZATION/other" : home,
    });
  const reader: MembershipReader = {
    readOwner: async () => owner,
    listGroups: async () => complete(...groups),
    listRooms: async () => complete(...allRooms),
    readRoom: async () => null,
    readGroup: async () => null,
    findGroup: async () => null,
    listFewGroups: async () => null,
    findHolders: async () => complete(),
    async listGroupMembers({ displayName }): Promise<GroupListing> {
      const all = (world.groups[displayName] ?? []).map((name) => ({
        ...user(name),
        personId: `PEOPLE/${name}`,
      }));
      const head = { key: null, displayName, memberSize: all.length, lastModified: "then" };
      if (world.cut.includes(displayName))
        return { heads: [head], members: incomplete("a page is missing", ...all.slice(0, all.length / 2)) };
      const isUnsteady = world.unsteady.includes(displayName);
      return {
        heads: [isUnsteady ? { ...head, memberSize: all.length + 1 } : head],
        members: complete(...(isUnsteady ? all.slice(1) : all)),
      };
    },
    async listRoomMembers({ title }) {
      const { members, moderators } = rooms.get(title) ?? {
        members: new Set<string>(),
        moderators: new Set<string>(),
      };
      const all = [member("rollcall"), ...[...members].map((name) => showMember(name, moderators.has(name)))];
      return world.cut.includes(title)
        ? incomplete("a page is missing", ...all.slice(0, 2))
        : complete(...all);
    },
    async lookUpPeople(ids) {
      const asked = ids.map((id) => id.replace("PEOPLE/", "")).filter((name) => !factOf(name).isUnseen);
      return {
        people: new Map(
          asked.map((name) => [`PEOPLE/${name}`, described(name, { kind: factOf(name).kind })]),
        ),
        failure: null,
      };
    },
  };
  const nameOf = ({ key }: { readonly key: string }) => key.replace("PEOPLE/", "");
  const writer: MembershipWriter = {
    async addMember({ title }, addition) {
      const place = rooms.get(title);
      const isNew = place?.members.has(nameOf(addition)) === false;
      place?.members.add(nameOf(addition));
      if (addition.asModerator) place?.moderators.add(nameOf(addition));
      return isNew ? { ...person(nameOf(addition)), personId: addition.key } : null;
    },
    async removeMember({ title }, removal) {
      const place = rooms.get(title);
      place?.moderators.delete(nameOf(removal));
      return place?.members.delete(nameOf(removal)) ?? false;
    },
  };
  const members = () =>
    Object.fromEntries([...rooms].map(([title, place]) => [title, [...place.members].sort()]));
  const moderators = () =>
    Object.fromEntries([...rooms].map(([title, place]) => [title, [...place.moderators].sort()]));
  return { reader, writer, members, moderators };
}

export type OpenedWorld = ReturnType<typeof openWorld>;

/** Plans what the rows ask for. */
export async function planWorld({ reader }: OpenedWorld, rows: readonly Mapping[], policy: Policy) {
  const [observation] = await observe(reader, [rows]);
  return planChanges(observation, policy);
}

/** Applies a plan that has passed the limits. */
export function applyTo(
  { reader, writer }: OpenedWorld,
  plan: CheckedPlan,
  planAgain: PlanAgain,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  return applyPlan(plan, {
    reader,
    writer,
    planAgain,
    ownerKey: owner.key,
    stop: new AbortController().signal,
    waitForConsistency: async () => undefined,
  });
}

/** Who is in which list of a plan, as `room: person`, sorted. */
export function listPlanned(
  rooms: readonly { readonly feed: { readonly room: Room } }[],
  list: string,
): string[] {
  return rooms
    .flatMap((one) => {
      const people: unknown = Reflect.get(one, list);
      return Array.isArray(people)
        ? people.map((who: { displayName: string }) => `${one.feed.room.title}: ${who.displayName}`)
        : [];
    })
    .sort();
}
