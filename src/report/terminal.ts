import type { Paint } from "../lib/text.ts";
import { labelOf, type RecordedPerson, type RoomRecord, type RunRecord } from "../membership/record.ts";
import { cleanText } from "./markdown.ts";
import { sourcesOf } from "./rooms.ts";
import { describeApproval, describeRun, explainHold, keptReasons, listHeldDelegates } from "./words.ts";

export const statusStyles = {
  converged: "green",
  changed: "green",
  held: "yellow",
  partial: "yellow",
  failed: "red",
} as const;

/** Writes a run in plain lines: one for each person, and only the rooms where something happened or waits. */
export function renderTerminal(record: RunRecord, mappingsFile: string, paint: Paint): string {
  const lines: string[] = [];
  for (const room of record.rooms.filter(hasNews)) lines.push(...renderRoom(room, paint), "");
  for (const { line, column, message } of record.problems) {
    const place = line === null ? [] : [`${mappingsFile}:${line}`, ...(column === null ? [] : [column])];
    lines.push(paint("yellow", `! ${[...place, message].map(cleanText).join(": ")}`), "");
  }
  for (const notice of record.notices) lines.push(`i ${cleanText(notice)}`, "");
  const waiting = listHeldDelegates(record.delegations).map(
    ({ host, delegate, reason }) =>
      `${paint("yellow", "~")} ${cleanText(delegate)} for ${cleanText(host)}${paint("dim", `  held: ${explainHold(reason, record.delegations?.holds)}`)}`,
  );
  if (waiting.length > 0) lines.push(...waiting, "");
  if (record.digest !== null) {
    lines.push(`To approve what is held: ${paint("bold", describeApproval(record).local)}`, "");
  }
  const style = statusStyles[record.status];
  lines.push(`${paint(style, record.status)}: ${describeRun(record)}`);
  return lines.join("\n");
}

function hasNews(room: RoomRecord): boolean {
  return [room.added, room.removed, room.held, room.failed, room.missing].some((people) => people.length > 0);
}

function renderRoom(room: RoomRecord, paint: Paint): string[] {
  const sources = sourcesOf(room).map(cleanText).join(", ");
  const members = `${room.before ?? "?"} → ${room.after ?? "?"} members`;
  const log = (sign: string, person: RecordedPerson, note = "") =>
    `  ${sign} ${describePerson(person)}${note && paint("dim", `  ${note}`)}`;
  return [
    `${paint("bold", cleanText(room.title))}  ${paint("dim", `${sources}; ${members}`)}`,
    ...room.added.map((person) => log(paint("green", "+"), person)),
    ...room.removed.map((person) => log(paint("red", "−"), person)),
    ...room.held.map((person) =>
      log(paint("yellow", "~"), person, `held: ${explainHold(person.reason, room.holds)}`),
    ),
    ...room.failed.map((person) =>
      log(paint("red", "×"), person, `could not ${person.action}: ${cleanText(person.error)}`),
    ),
    ...room.missing.map((person) => log(paint("dim", "?"), person, "missing")),
    // The token's owner is in every room, so naming them says nothing.
    ...room.kept
      .filter(({ reason }) => reason !== "self")
      .map((person) => log(paint("dim", "="), person, `stays: ${keptReasons[person.reason]}`)),
  ];
}

function describePerson(person: RecordedPerson): string {
  const name = cleanText(labelOf(person));
  return person.email === null || !person.displayName ? name : `${name} <${cleanText(person.email)}>`;
}
