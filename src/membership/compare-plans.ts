import { identityOf } from "../lib/webex-id.ts";
import type { Mapping } from "./mapping.ts";
import type { Policy } from "./policy.ts";
import type { HeldReason, RecordedPerson, RoomRecord, RunRecord } from "./record.ts";

export type Verdict = "add" | "remove" | HeldReason;

export interface PersonEffect {
  readonly person: RecordedPerson;
  /** What would happen without the proposal, and with it; null for nothing. At least one is not null. */
  readonly without: Verdict | null;
  readonly with: Verdict | null;
}

export interface RoomEffect {
  /** Null where the proposal no longer names the room. */
  readonly with: RoomRecord | null;
  /** Null where the room is not mapped without the proposal. At least one of the two is not null. */
  readonly without: RoomRecord | null;
  readonly changes: readonly PersonEffect[];
  /** The drift: whom a run would change in the same way without the proposal. */
  readonly drift: readonly PersonEffect[];
  /** Its rows to which the proposal gives a last day, or another one. */
  readonly lastDays: readonly LastDay[];
}

/** What a proposal says about the last day of a row of rooms.csv; null for a row without end. */
export interface LastDay {
  readonly line: number;
  readonly group: string;
  readonly with: string | null;
  /** Absent where the row is new. */
  readonly without?: string | null;
}

export interface PlanEffect {
  readonly rooms: readonly RoomEffect[];
  /** The messages of the problems that exist without the proposal, too. */
  readonly oldProblems: ReadonlySet<string>;
}

/** One key of the policy that a proposal changes; `key` is its path, the values are as JSON. */
export interface PolicyChange {
  readonly key: string;
  readonly without: string;
  readonly with: string;
}

/** Separates what a proposal changes from drift; both plans must come from one observation. */
export function comparePlans(
  proposed: RunRecord,
  present: RunRecord,
  lastDays: readonly LastDay[] = [],
): PlanEffect {
  const presentRooms = new Map(present.rooms.map((room) => [identityOf(room.roomId, "ROOM"), room]));
  const proposedKeys = new Set(proposed.rooms.map((room) => identityOf(room.roomId, "ROOM")));
  const rooms = [
    ...proposed.rooms.map((room) => {
      const effect = compareRooms(room, presentRooms.get(identityOf(room.roomId, "ROOM")) ?? null);
      return { ...effect, lastDays: lastDays.filter(({ line }) => room.lines.includes(line)) };
    }),
    ...[...presentRooms]
      .filter(([key]) => !proposedKeys.has(key))
      .map(([, room]) => compareRooms(null, room)),
  ];
  return { rooms, oldProblems: new Set(present.problems.map((problem) => problem.message)) };
}

function compareRooms(proposed: RoomRecord | null, present: RoomRecord | null): RoomEffect {
  const without = listVerdicts(present);
  const later = listVerdicts(proposed);
  const people = new Map([...without, ...later].map(([key, { person }]) => [key, person]));
  const effects = [...people].map(([key, person]) => ({
    person,
    without: without.get(key)?.verdict ?? null,
    with: later.get(key)?.verdict ?? null,
  }));
  return {
    with: proposed,
    without: present,
    changes: effects.filter((effect) => effect.with !== effect.without),
    drift: effects.filter((effect) => effect.with === effect.without),
    lastDays: [],
  };
}

/** Lists the rows that get a last day by a proposal, or another one, by their lines in it. Pure. */
export function compareLastDays(
  proposed: readonly Mapping[],
  present: readonly Mapping[],
): readonly LastDay[] {
  const pairOf = ({ group, room }: Mapping) => JSON.stringify([group, room]);
  const before = new Map(present.map((row) => [pairOf(row), row]));
  return proposed.flatMap((row): LastDay[] => {
    const { line, group, until = null } = row;
    const old = before.get(pairOf(row));
    if (old === undefined) return until === null ? [] : [{ line, group, with: until }];
    const { until: without = null } = old;
    return until === without ? [] : [{ line, group, with: until, without }];
  });
}

function listVerdicts(
  room: RoomRecord | null,
): Map<string, { readonly person: RecordedPerson; readonly verdict: Verdict }> {
  if (room === null) return new Map();
  const list = (people: readonly RecordedPerson[], verdict: Verdict) =>
    people.map((person) => [identityOf(person.personId, "PEOPLE"), { person, verdict }] as const);
  return new Map([
    ...list(room.added, "add"),
    ...list(room.removed, "remove"),
    ...room.held.flatMap((person) => list([person], person.reason)),
  ]);
}

/** Lists every key of the policy that a proposal changes. */
export function comparePolicies(proposed: Policy, present: Policy): readonly PolicyChange[] {
  const before = listLeaves(present);
  const after = listLeaves(proposed);
  return [...before.keys()].flatMap((key) => {
    const change = { key, without: before.get(key) ?? "", with: after.get(key) ?? "" };
    return change.with === change.without ? [] : [change];
  });
}

function listLeaves(value: unknown, path = ""): ReadonlyMap<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [...listLeaves(child, path ? `${path}.${key}` : key)]),
  );
}
