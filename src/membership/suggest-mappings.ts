import { findNearest } from "../lib/did-you-mean.ts";
import { createNameIndex } from "../lib/name-index.ts";
import { compareStrings, normaliseText } from "../lib/text.ts";
import { readReference } from "../lib/webex-id.ts";
import type { Group, Room } from "./directory.ts";
import type { Mapping } from "./mapping.ts";

/** How many of a group's people a room holds. */
export interface Overlap {
  readonly inRoom: number;
  readonly ofGroup: number;
}

export interface Suggestion {
  readonly group: Group;
  readonly room: Room;
  /** True when the two have the same name but for case, accents and punctuation. */
  readonly isSame: boolean;
  /** Null where the suggestion goes by the names alone. */
  readonly overlap: Overlap | null;
}

/** Who is in a group or a room, by the people's keys; null where that is not known. */
export interface Populated<T> {
  readonly place: T;
  readonly members: ReadonlySet<string> | null;
}

/** What the suggestions are made of. */
export interface Surroundings {
  readonly groups: readonly Populated<Group>[];
  readonly rooms: readonly Populated<Room>[];
  /** The rows that exist already. */
  readonly mapped: readonly Mapping[];
}

/** One person in common says nothing. */
const minInCommon = 2;

/** At least so much of the group is in the room. */
const minShareOfGroup = 0.5;

/** At least so much of the room is of the group: everybody's space holds every group. */
const minShareOfRoom = 0.25;

/**
 * Suggests which group feeds which room: where the members overlap most first, then equal names, then the most similar;
 * no group and no room twice, and no pair that a row has. The order of the lists does not matter.
 */
export function suggestMappings(around: Surroundings): readonly Suggestion[] {
  const { groups, rooms } = around;
  const { isMapped, mappedGroups } = findMapped(around);
  const freeGroups = new Set(groups.map(({ place }) => place).sort(byName((group) => group.displayName)));
  const freeRooms = new Set(rooms.map(({ place }) => place).sort(byName((room) => room.title)));
  const suggestions: Suggestion[] = [];
  const take = (suggestion: Suggestion) => {
    freeGroups.delete(suggestion.group);
    freeRooms.delete(suggestion.room);
    suggestions.push(suggestion);
  };
  for (const found of listOverlaps(groups, rooms)) {
    const isFree = freeGroups.has(found.group) && freeRooms.has(found.room);
    if (isFree && !isMapped(found.group, found.room)) take(found);
  }
  // A group that feeds some room already needs no other that is merely called like it.
  for (const group of mappedGroups) freeGroups.delete(group);
  const byFolded = createNameIndex(freeRooms, (room) => foldName(room.title));
  for (const group of freeGroups) {
    const name = foldName(group.displayName);
    const room = name && byFolded.find(name).find((candidate) => freeRooms.has(candidate));
    if (room) take({ group, room, isSame: true, overlap: null });
  }
  // One list for all that are left, because each list is prepared for comparing once.
  const { names, find } = createNameIndex(freeRooms, (room) => room.title);
  for (const group of freeGroups) {
    const near = findNearest(group.displayName, names, names.length);
    const room = near.flatMap(find).find((candidate) => freeRooms.has(candidate));
    if (room) take({ group, room, isSame: false, overlap: null });
  }
  return suggestions;
}

/** Says why a row is suggested, as a note beside it. */
export function explainSuggestion({ overlap, isSame }: Suggestion): string {
  if (overlap === null) return isSame ? "same name" : "similar name";
  return `${overlap.inRoom} of ${overlap.ofGroup} people of the group are in it`;
}

/** True where a cell of rooms.csv leads to this group or room: by its name, or by any spelling of its id. */
export function leadsTo(cell: string, id: string, name: string): boolean {
  return normaliseText(cell) === normaliseText(name) || bareId(cell) === bareId(id);
}

function bareId(text: string): string {
  return readReference(text)?.key.split("/").at(-1)?.split(":")[0] ?? text;
}

interface OverlappingPair extends Suggestion {
  readonly overlap: Overlap;
  /** The people in both, as a part of the two lists together. */
  readonly likeness: number;
}

/** The pairs with enough people in common, the most alike first. */
function listOverlaps(
  groups: Surroundings["groups"],
  rooms: Surroundings["rooms"],
): readonly OverlappingPair[] {
  const groupsOf = new Map<string, Known<Group>[]>();
  for (const group of listKnown(groups)) {
    for (const person of group.members) {
      const known = groupsOf.get(person);
      if (known) known.push(group);
      else groupsOf.set(person, [group]);
    }
  }
  const pairs: OverlappingPair[] = [];
  for (const { place: room, members } of listKnown(rooms)) {
    const inCommon = new Map<Known<Group>, number>();
    for (const person of members) {
      for (const group of groupsOf.get(person) ?? []) inCommon.set(group, (inCommon.get(group) ?? 0) + 1);
    }
    for (const [{ place: group, members: people }, inRoom] of inCommon) {
      const [ofGroup, inAll] = [people.size, members.size];
      const isEnough =
        inRoom >= minInCommon && inRoom >= minShareOfGroup * ofGroup && inRoom >= minShareOfRoom * inAll;
      if (!isEnough) continue;
      const isSame =
        foldName(group.displayName) !== "" && foldName(group.displayName) === foldName(room.title);
      const likeness = inRoom / (ofGroup + inAll);
      pairs.push({ group, room, isSame, overlap: { inRoom, ofGroup }, likeness });
    }
  }
  const byGroup = byName((group: Group) => group.displayName);
  const byRoom = byName((room: Room) => room.title);
  return pairs.sort(
    (a, b) =>
      b.likeness - a.likeness ||
      Number(b.isSame) - Number(a.isSame) ||
      b.overlap.inRoom - a.overlap.inRoom ||
      byGroup(a.group, b.group) ||
      byRoom(a.room, b.room),
  );
}

interface Known<T> extends Populated<T> {
  readonly members: ReadonlySet<string>;
}

function listKnown<T>(places: readonly Populated<T>[]): readonly Known<T>[] {
  return places.flatMap(({ place, members }) => (members === null ? [] : [{ place, members }]));
}

/** The pairs that rows have, by the places' own keys, and the groups that any row names. */
function findMapped({ groups, rooms, mapped }: Surroundings) {
  const findGroups = createFinder(groups, (group) => group.displayName);
  const findRooms = createFinder(rooms, (room) => room.title);
  const pairs = new Set<string>();
  const mappedGroups = new Set<Group>();
  for (const row of mapped) {
    for (const group of findGroups(row.group)) {
      mappedGroups.add(group);
      for (const room of findRooms(row.room)) pairs.add(keyOf(group, room));
    }
  }
  return { mappedGroups, isMapped: (group: Group, room: Room) => pairs.has(keyOf(group, room)) };
}

function createFinder<T extends { readonly id: string }>(
  places: readonly Populated<T>[],
  nameOf: (place: T) => string,
): (cell: string) => readonly T[] {
  const all = places.map(({ place }) => place);
  const byName = createNameIndex(all, nameOf);
  const byId = new Map(all.map((place) => [bareId(place.id), place]));
  return (cell) => {
    const named = byId.get(bareId(cell));
    return named === undefined ? byName.find(cell) : [named, ...byName.find(cell)];
  };
}

function keyOf(group: Group, room: Room): string {
  return `${group.id} ${room.id}`;
}

function foldName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");
}

function byName<T extends { readonly id: string }>(nameOf: (item: T) => string) {
  return (a: T, b: T) => compareStrings(nameOf(a), nameOf(b)) || compareStrings(a.id, b.id);
}
