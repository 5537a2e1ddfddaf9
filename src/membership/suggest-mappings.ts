import { findNearest } from "../lib/did-you-mean.ts";
import { createNameIndex } from "../lib/name-index.ts";
import { compareStrings } from "../lib/text.ts";
import type { Group, Room } from "./directory.ts";

export interface Suggestion {
  readonly group: Group;
  readonly room: Room;
  /** True when the two have the same name but for case, accents and punctuation. */
  readonly isSame: boolean;
}

/** Suggests which group feeds which room: equal names first, then the most similar; the order depends on names only. */
export function suggestMappings(groups: readonly Group[], rooms: readonly Room[]): readonly Suggestion[] {
  const sorted = [...groups].sort(byName((group) => group.displayName));
  const free = new Set([...rooms].sort(byName((room) => room.title)));
  const byFolded = createNameIndex(free, (room) => foldName(room.title));
  const suggestions: Suggestion[] = [];
  const take = (group: Group, room: Room, isSame: boolean) => {
    free.delete(room);
    suggestions.push({ group, room, isSame });
  };
  const rest = sorted.filter((group) => {
    const name = foldName(group.displayName);
    const room = name && byFolded.find(name).find((candidate) => free.has(candidate));
    if (room) take(group, room, true);
    return !room;
  });
  // One list for all that are left, because each list is prepared for comparing once.
  const { names, find } = createNameIndex(free, (room) => room.title);
  for (const group of rest) {
    const near = findNearest(group.displayName, names, names.length);
    const room = near.flatMap(find).find((candidate) => free.has(candidate));
    if (room) take(group, room, false);
  }
  return suggestions;
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
