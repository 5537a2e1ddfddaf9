import { createHash } from "node:crypto";
import * as v from "valibot";
import type { RunRecord } from "../membership/record.ts";
import { measureExpiry } from "../token/expiry.ts";
import { listHeld } from "./held.ts";
import { describeNeed, needsIssue } from "./issue.ts";
import { escapeMarkdown, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { sortBy } from "./rows.ts";
import { viewToken } from "./sections.ts";
import { countOf, describeRun, nameOrganisation, statusIcons } from "./words.ts";

export const toldSchema = v.strictObject({
  space: v.string(),
  need: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
});

/** What a space was told last that needs a person; it is forgotten when that is settled. */
export type Told = Readonly<v.InferOutput<typeof toldSchema>>;

/** Reads it from the memory of earlier runs; null where nothing was told, or it cannot be read. */
export function parseTold(stored: unknown): Told | null {
  const parsed = v.safeParse(toldSchema, stored);
  return parsed.success ? parsed.output : null;
}

export interface MessageInput {
  readonly record: RunRecord;
  /** As policy.json names it. */
  readonly space: string;
  readonly tokenWarningDays: number;
  readonly told: Told | null;
  /** Where people read more; null where there is nothing. */
  readonly reportAddress: string | null;
  readonly runUrl: string | null;
}

/** What a run has to say in a space, and what to remember once that is said; null for nothing new. Pure. */
export function decideMessage(
  input: MessageInput,
): { readonly text: string; readonly told: Told | null } | null {
  const { record, space } = input;
  const before = input.told?.space === space ? input.told.need : null;
  const warning = findWarning(input);
  if (!needsIssue(record) && warning === null)
    return before === null ? null : { text: describeSettled(input), told: null };
  const need = signNeed(record, warning !== null);
  return need === before ? null : { text: describeMessage(input, warning), told: { space, need } };
}

/** At most so many spaces and problems are named; the report names all. */
const maxLines = 5;

function describeMessage(input: MessageInput, warning: Markdown | null): string {
  const { record } = input;
  const whose = nameOrganisation(record.organisation);
  const headline = needsIssue(record) ? describeNeed(record) : md`The Webex login is about to end.`;
  const lines = [
    ...listHeld(record, 0).map(({ title, why }) => md`${title}: ${why}`),
    ...sortBy(record.problems, ({ line, message }) => [String(line ?? 0).padStart(9, "0"), message]).map(
      ({ line, message }) =>
        line === null
          ? escapeMarkdown(message, 300)
          : md`Line ${line} of rooms.csv: ${escapeMarkdown(message, 300)}`,
    ),
    ...(warning === null ? [] : [warning]),
  ];
  const more = lines.length - maxLines;
  const shown = more > 0 ? [...lines.slice(0, maxLines), md`and ${countOf(more, "more")}`] : lines;
  return [
    md`${statusIcons[record.status]} **Rollcall${whose}: ${headline}**`,
    ...(shown.length > 0 ? ["", ...shown.map((line) => md`- ${line}`)] : []),
    "",
    listLinks(input),
  ]
    .join("\n")
    .trimEnd();
}

function describeSettled(input: MessageInput): string {
  const { record } = input;
  const whose = nameOrganisation(record.organisation);
  const headline = md`✅ **Rollcall${whose}: settled, nothing needs a person any more.**`;
  return [headline, "", describeRun(record), "", listLinks(input)].join("\n").trimEnd();
}

function listLinks({ reportAddress, runUrl }: MessageInput): Markdown {
  return joinMarkdown(
    [
      ...(reportAddress === null ? [] : [linkTo(md`Report`, reportAddress)]),
      ...(runUrl === null ? [] : [linkTo(md`Run`, runUrl)]),
    ],
    " · ",
  );
}

function findWarning({ record, tokenWarningDays }: MessageInput): Markdown | null {
  const { refreshTokenExpiresAt = null } = record.token ?? {};
  const isShort = measureExpiry(
    refreshTokenExpiresAt,
    new Date(record.finishedAt),
    tokenWarningDays,
  )?.isShort;
  return isShort ? viewToken(record.token, record.finishedAt, tokenWarningDays).text : null;
}

/** Names what needs a person: status, digest and problems, without what differs from run to run. */
function signNeed({ status, digest, problems, rooms }: RunRecord, isLoginShort: boolean): string {
  const failures = rooms.flatMap(({ roomId, failed }) =>
    failed.map(({ personId, action, error }) => [roomId, personId, action, withoutRun(error)].join(" ")),
  );
  const messages = problems.map(({ line, column, message }) => [line, column, withoutRun(message)].join(" "));
  const need = JSON.stringify([status, digest, messages.sort(), failures.sort(), isLoginShort]);
  return createHash("sha256").update(need).digest("hex").slice(0, 16);
}

/** Without dates, ids of runs, and tracking ids such as `ROUTER_64F1A2B3-0C4D-01BB-2F5A-A0C1D2E3F405`. */
function withoutRun(message: string): string {
  return message
    .replace(/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC)?)?/g, "DATE")
    .replace(/\b[A-Za-z]+_[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b/g, "ID")
    .replace(/(tracking ?id:? )\S+/gi, "$1ID")
    .replace(/\/actions\/runs\/\d+/g, "/actions/runs/ID");
}
