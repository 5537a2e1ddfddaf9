import { createHash } from "node:crypto";
import * as v from "valibot";
import { dayMs } from "../lib/date.ts";
import { parseJson } from "../lib/json.ts";
import { compareStrings } from "../lib/text.ts";
import { identityOf } from "../lib/webex-id.ts";
import {
  labelOf,
  type RecordedPerson,
  type RoomRecord,
  type RunRecord,
  runStatusSchema,
} from "../membership/record.ts";
import { cleanText, cutText } from "./markdown.ts";
import { sortPeople, sortRooms } from "./rows.ts";
import { countOf } from "./words.ts";

const maxDays = 180;

const maxRooms = 20;

const maxNames = 10;

const maxNameLength = 60;

const date = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/));

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const names = v.array(v.string());

const historySchema = v.object({
  version: v.literal(1),
  /** The last check that was committed; heartbeats count from here. */
  checkedAt: v.nullable(date),
  status: v.nullable(runStatusSchema),
  signature: v.nullable(v.string()),
  lastChange: v.nullable(
    v.object({
      at: date,
      page: v.pipe(v.string(), v.regex(/^runs\/[\w.-]+\.md$/)),
      added: count,
      removed: count,
      /** Some of the rooms and names, so that the page of a quiet day can still show them. */
      rooms: v.array(v.object({ title: v.string(), added: names, removed: names })),
    }),
  ),
  members: v.array(
    v.object({ date: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d$/)), members: count, rooms: count }),
  ),
  /** `<when> add|remove <fingerprint of room and person>`, oldest first. */
  recent: v.array(v.pipe(v.string(), v.regex(/^\S+Z (add|remove) [0-9a-f]{16}$/))),
});

export type History = Readonly<v.InferOutput<typeof historySchema>>;

export const emptyHistory: History = {
  version: 1,
  checkedAt: null,
  status: null,
  signature: null,
  lastChange: null,
  members: [],
  recent: [],
};

/** Reads history.json. A missing or damaged file counts as empty; a damaged one gives a notice for the page. */
export function parseHistory(text: string | undefined): { history: History; notice: string | null } {
  if (text === undefined) return { history: emptyHistory, notice: null };
  // Text that is not JSON is read as undefined, which the schema refuses like any other damage.
  const parsed = v.safeParse(historySchema, parseJson(text));
  if (parsed.success) return { history: parsed.output, notice: null };
  const where = v.getDotPath(parsed.issues[0]) ?? "the file as a whole";
  const notice = `history.json could not be read (${where}), so the chart and the memory of past changes start over. The earlier file is in the Git history.`;
  return { history: emptyHistory, notice };
}

/** Adds one run to the memory; `page` is the run's page, seen from the reports folder. */
export function extendHistory(history: History, record: RunRecord, page: string): History {
  const { added, removed } = record.totals;
  const lastChange =
    added + removed > 0
      ? { at: record.startedAt, page, added, removed, rooms: summariseRooms(record) }
      : history.lastChange;
  const recent = keepRecent([...history.recent, ...fingerprintChanges(record)], record.startedAt);
  // A restore reads only its own rooms, so it does not count as a check.
  if (record.command === "restore") return { ...history, lastChange, recent };
  return {
    version: 1,
    checkedAt: record.startedAt,
    status: record.status,
    signature: signRecord(record),
    lastChange,
    members: extendMembers(history.members, record),
    recent,
  };
}

/** Adds a run whose report comes late, when later checks may have told already how things are now. */
export function insertHistory(history: History, record: RunRecord, page: string): History {
  if (history.checkedAt === null || record.startedAt > history.checkedAt)
    return extendHistory(history, record, page);
  const { lastChange, recent } = extendHistory(history, record, page);
  const isLatest = history.lastChange === null || record.startedAt > history.lastChange.at;
  return { ...history, lastChange: isLatest ? lastChange : history.lastChange, recent: [...recent].sort() };
}

/** True when a run leaves more than the time of a check: a change, or something that needs a person. */
export function isWorthKeeping(record: RunRecord): boolean {
  const { added, removed, failed } = record.totals;
  return added + removed + failed > 0 || hasSomethingToSay(record);
}

/** Decides whether a run gets a page of its own, and whether anything is written at all. */
export function decideReport(
  history: History,
  record: RunRecord,
  heartbeatDays: number,
): { page: boolean; commit: boolean } {
  if (record.command === "plan") return { page: false, commit: false };
  const { added, removed, failed } = record.totals;
  const didSomething = added + removed + failed > 0;
  if (record.command === "restore") return { page: didSomething, commit: didSomething };
  const differs = signRecord(record) !== history.signature;
  const page = didSomething || (differs && hasSomethingToSay(record));
  return { page, commit: page || differs || isHeartbeatDue(history, record, heartbeatDays) };
}

/** True when the index page is out of date. Schedules start late, so an hour before the heartbeat counts already. */
function isHeartbeatDue(history: History, record: RunRecord, heartbeatDays: number): boolean {
  if (history.checkedAt === null) return true;
  const checkedMs = Date.parse(history.checkedAt);
  // A restore writes no index page, so the first check after it must.
  if (history.lastChange && Date.parse(history.lastChange.at) > checkedMs) return true;
  return Date.parse(record.startedAt) - checkedMs >= heartbeatDays * dayMs - dayMs / 24;
}

function hasSomethingToSay(record: RunRecord): boolean {
  return record.status === "failed" || record.digest !== null || record.problems.length > 0;
}

function signRecord(record: RunRecord): string {
  const problems = record.problems.map((problem) =>
    JSON.stringify([problem.line, problem.column, problem.message]),
  );
  const content = JSON.stringify([record.digest, record.status === "failed", problems.sort()]);
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

function extendMembers(members: History["members"], record: RunRecord): History["members"] {
  const read = record.rooms.flatMap((room) => (room.after === null ? [] : [room.after]));
  // A run that read no room knows nothing about members; a zero would be wrong.
  if (read.length === 0) return members;
  const date = record.startedAt.slice(0, 10);
  const point = { date, members: read.reduce((sum, one) => sum + one, 0), rooms: read.length };
  return [...members.filter((one) => one.date !== date), point]
    .sort((a, b) => compareStrings(a.date, b.date))
    .slice(-maxDays);
}

function summariseRooms(record: RunRecord): NonNullable<History["lastChange"]>["rooms"] {
  const nameAll = (people: readonly RecordedPerson[]) =>
    sortPeople(people)
      .slice(0, maxNames)
      .map((person) => shorten(labelOf(person)));
  return sortRooms(record.rooms)
    .filter((room) => room.added.length + room.removed.length > 0)
    .slice(0, maxRooms)
    .map((room) => ({
      title: shorten(room.title),
      added: nameAll(room.added),
      removed: nameAll(room.removed),
    }));
}

function shorten(text: string): string {
  return cutText(cleanText(text), maxNameLength);
}

const days = 30;

const maxRecent = 2000;

const maxNotices = 10;

/** Two changes may be a mistake and its correction; three are a pattern. */
const suspicious = 3;

/** One line of memory for each change of a run. */
export function fingerprintChanges(record: RunRecord): readonly string[] {
  return listChanges(record).map(
    ({ room, person, change }) => `${record.startedAt} ${change} ${fingerprintPair(room, person)}`,
  );
}

/** Drops what is older than 30 days, and the oldest entries beyond the limit. */
export function keepRecent(recent: readonly string[], now: string): string[] {
  const since = Date.parse(now) - days * dayMs;
  return recent.filter((entry) => Date.parse(entry.split(" ", 1)[0] ?? "") >= since).slice(-maxRecent);
}

/** Names the people whom this run changed and earlier runs changed at least twice in the same room in 30 days. */
export function findFlapping(history: History, record: RunRecord): readonly string[] {
  const counts = new Map<string, number>();
  for (const entry of keepRecent(history.recent, record.startedAt)) {
    const pair = entry.slice(-16);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  const notices = listChanges(record).flatMap(({ room, person, change }) => {
    const times = (counts.get(fingerprintPair(room, person)) ?? 0) + 1;
    if (times < suspicious) return [];
    const name = labelOf(person);
    const verb = change === "add" ? "an addition" : "a removal";
    return [
      `${name} keeps being added to and removed from "${room.title}": ${times} changes in ${days} days, the latest ${verb}. Somebody or something else seems to manage this space too; let only one of them decide.`,
    ];
  });
  if (notices.length <= maxNotices) return notices;
  const more = notices.length - maxNotices;
  return [...notices.slice(0, maxNotices), `The same is true of ${countOf(more, "other")}.`];
}

interface Change {
  readonly room: RoomRecord;
  readonly person: RecordedPerson;
  readonly change: "add" | "remove";
}

/** What a restore changes somebody has decided: it is no sign of two tools at work. */
function listChanges(record: RunRecord): readonly Change[] {
  if (record.command === "restore") return [];
  return sortRooms(record.rooms).flatMap((room) => [
    ...sortPeople(room.added).map((person) => ({ room, person, change: "add" as const })),
    ...sortPeople(room.removed).map((person) => ({ room, person, change: "remove" as const })),
  ]);
}

/** Ids may be spelled differently from run to run (cluster, case), so the hash is of what they name. */
function fingerprintPair(room: RoomRecord, person: RecordedPerson): string {
  const pair = `${identityOf(room.roomId, "ROOM")}\n${identityOf(person.personId, "PEOPLE")}`;
  return createHash("sha256").update(pair).digest("hex").slice(0, 16);
}
