import { createHash } from "node:crypto";
import { identityOf } from "../lib/webex-id.ts";
import type { RecordedPerson, RoomRecord, RunRecord } from "../membership/record.ts";
import type { History } from "./history.ts";
import { sortPeople, sortRooms } from "./rows.ts";
import { countOf } from "./words.ts";

const days = 30;
const maxRecent = 2000;
const maxNotices = 10;
/** Added, removed, added again: two changes may be a mistake put right, three are a pattern. */
const suspicious = 3;

/** One line of memory for each change of a run: when, which way, and a fingerprint of room and person. */
export function fingerprintChanges(record: RunRecord): readonly string[] {
  return listChanges(record).map(
    ({ room, person, change }) => `${record.startedAt} ${change} ${fingerprintPair(room, person)}`,
  );
}

/** Drops what is older than 30 days, and the oldest of what is too much. */
export function keepRecent(recent: readonly string[], now: string): string[] {
  const since = Date.parse(now) - days * 24 * 60 * 60 * 1000;
  return recent.filter((entry) => Date.parse(entry.split(" ", 1)[0] ?? "") >= since).slice(-maxRecent);
}

/** Names the people this run changed who were already changed at least twice in the same room in 30 days. */
export function findFlapping(history: History, record: RunRecord): readonly string[] {
  const counts = new Map<string, number>();
  for (const entry of keepRecent(history.recent, record.startedAt)) {
    const pair = entry.slice(-16);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  const notices = listChanges(record).flatMap(({ room, person, change }) => {
    const times = (counts.get(fingerprintPair(room, person)) ?? 0) + 1;
    if (times < suspicious) return [];
    const name = person.displayName || person.email || person.personId;
    const verb = change === "add" ? "an addition" : "a removal";
    return [
      `${name} comes and goes in "${room.title}": ${times} changes in ${days} days, the latest ${verb}. Somebody or something else seems to change this room too; let one of the two decide.`,
    ];
  });
  if (notices.length <= maxNotices) return notices;
  const more = notices.length - maxNotices;
  return [...notices.slice(0, maxNotices), `The same is true of ${countOf(more, "person")} more.`];
}

interface Change {
  readonly room: RoomRecord;
  readonly person: RecordedPerson;
  readonly change: "add" | "remove";
}

function listChanges(record: RunRecord): readonly Change[] {
  return sortRooms(record.rooms).flatMap((room) => [
    ...sortPeople(room.added).map((person) => ({ room, person, change: "add" as const })),
    ...sortPeople(room.removed).map((person) => ({ room, person, change: "remove" as const })),
  ]);
}

/** Ids may be spelled differently from run to run (cluster, case), so what they name is hashed. */
function fingerprintPair(room: RoomRecord, person: RecordedPerson): string {
  const pair = `${identityOf(room.roomId, "ROOM")}\n${identityOf(person.personId, "PEOPLE")}`;
  return createHash("sha256").update(pair).digest("hex").slice(0, 16);
}
