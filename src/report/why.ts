import type { ListedDelegation } from "../delegation/expiring.ts";
import { createMatcher } from "../lib/email.ts";
import type { Problem } from "../lib/problem.ts";
import type { Paint } from "../lib/text.ts";
import type { Mapping } from "../membership/mapping.ts";
import type { AskedPerson, PersonInRoom } from "../membership/why.ts";
import { cleanText, escapeMarkdown, type Markdown, md, messageLength } from "./markdown.ts";
import { sortRooms } from "./rows.ts";
import { heldReasons, keptReasons } from "./words.ts";

/** One right to schedule meetings, and the row of delegations.csv that keeps it; `line` is null where none does. */
export interface Right {
  readonly host: string;
  readonly delegate: string;
  readonly until: string | null;
  readonly line: number | null;
}

/** All that is known of one person. */
export interface WhyAnswer {
  readonly person: AskedPerson;
  readonly spaces: readonly PersonInRoom[];
  readonly delegations: readonly Right[];
  /** What of the policy concerns them. */
  readonly protectedBy: readonly { readonly key: string; readonly value: string }[];
  /** The title of the one space that was asked about; null for all. */
  readonly only: string | null;
  /** The rows that name the person by an address, whatever they lead to; those that have ended are marked. */
  readonly ownRows: readonly Mapping[];
  readonly ownGrants: readonly ListedDelegation[];
  /** What is wrong with the mappings, which may be why. */
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
}

/** Writes the answer as JSON, the contract's keys in its order. */
export function formatAnswer({ person, spaces, delegations, protectedBy }: WhyAnswer): string {
  const { personId, displayName, emails } = person;
  const answer = {
    version: 1,
    command: "why",
    person: { personId, displayName, emails },
    spaces: sortRooms(spaces).map((space) => {
      const { roomId, title, isMember, isModerator, rows, decision, reason, since } = space;
      return { roomId, title, isMember, isModerator, rows, decision, reason, since };
    }),
    delegations,
    protectedBy,
  };
  return `${JSON.stringify(answer, null, 2)}\n`;
}

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Writes the answer for a terminal; with `isLeaving` as a list to tick off. */
export function renderAnswer(answer: WhyAnswer, isLeaving: boolean, paint: Paint): string {
  const box = isLeaving ? "[ ] " : "";
  const sections = listSections(answer, isLeaving).flatMap(({ title, lines }) => [
    "",
    paint("bold", title),
    ...lines.map((line) => `  ${box}${cleanText(line)}`),
  ]);
  const { problems, notices } = listRemarks(answer);
  return [
    paint("bold", cleanText(namePerson(answer.person))),
    ...sections,
    ...problems.flatMap((problem) => ["", paint("yellow", `! ${cleanText(problem)}`)]),
    ...notices.flatMap((notice) => ["", `i ${cleanText(notice)}`]),
  ].join("\n");
}

/** Builds the answer for the step's summary. */
export function viewWhy(answer: WhyAnswer, isLeaving: boolean) {
  const makeSafe = (text: string): Markdown => escapeMarkdown(text, messageLength);
  const { problems, notices } = listRemarks(answer);
  return {
    name: makeSafe(namePerson(answer.person)),
    box: isLeaving ? md`[ ] ` : md``,
    sections: listSections(answer, isLeaving).map(({ title, lines }) => ({
      title: makeSafe(title),
      lines: lines.map(makeSafe),
    })),
    problems: problems.map(makeSafe),
    notices: notices.map(makeSafe),
  };
}

function namePerson({ displayName, emails, personId }: AskedPerson): string {
  const addresses = emails.join(", ");
  if (displayName) return addresses === "" ? displayName : `${displayName} (${addresses})`;
  return addresses || personId;
}

function listRemarks({ problems, notices }: WhyAnswer) {
  const where = ({ line, column }: Problem) =>
    line === null ? "" : `line ${line}${column === null ? "" : `, ${column}`}: `;
  return { problems: problems.map((problem) => where(problem) + problem.message), notices };
}

function listSections(answer: WhyAnswer, isLeaving: boolean): readonly Section[] {
  return isLeaving ? listHolds(answer) : listFacts(answer);
}

function listFacts(answer: WhyAnswer): readonly Section[] {
  const { spaces, delegations, protectedBy, only } = answer;
  const none =
    only === null ? "in none of the spaces that Rollcall sees" : `not in ${only}, and no row says so`;
  const rights = delegations.map((right) => describeRight(answer.person, right));
  const ended = answer.ownRows.filter(({ kind }) => kind === "ended");
  return [
    { title: "Spaces", lines: spaces.length === 0 ? [none] : sortRooms(spaces).map(describeSpace) },
    ...(ended.length === 0
      ? []
      : [
          {
            title: "Rows that have ended",
            lines: ended.map(
              ({ line, group, room, until }) =>
                `line ${line} (${group}) in ${room}: the last day was ${until}`,
            ),
          },
        ]),
    ...(rights.length === 0 ? [] : [{ title: "Who may schedule meetings", lines: rights }]),
    ...(protectedBy.length === 0
      ? []
      : [
          {
            title: "Protection",
            lines: protectedBy.map(({ key, value }) => `${key} in policy.json lists ${value}: never removed`),
          },
        ]),
  ];
}

/** "NOC: stays, because of line 2 (NOC On-call); a moderator; since run 4711 of 2026-11-22". */
function describeSpace(space: PersonInRoom): string {
  const { title, isModerator, since } = space;
  return [
    `${title}: ${describeDecision(space)}`,
    ...(isModerator ? ["a moderator there"] : []),
    ...(since === null ? [] : [`added by run ${since.run} of ${since.date}`]),
  ].join("; ");
}

function describeDecision({ decision, reason, rows, isMember }: PersonInRoom): string {
  const because = rows.map(({ line, group }) => `line ${line} (${group})`).join(", ");
  const why = reason === null ? "" : ` (${explainReason(reason)})`;
  switch (decision) {
    case "stays":
      return because === "" ? `stays, though no row brings them${why}` : `stays, because of ${because}${why}`;
    case "would-be-added":
      return `would be added, because of ${because}`;
    case "would-be-removed":
      return "would be removed: no row brings them";
    case "held":
      return because === ""
        ? `the removal waits for approval${why}`
        : `the addition waits for approval${why}, because of ${because}`;
    case "unmanaged":
      return "a member, but no row names this space";
    case "frozen": {
      const state = isMember ? "a member" : "not a member";
      return `${state}, and left so, because the space is frozen${why}${because === "" ? "" : `; ${because}`}`;
    }
  }
}

function explainReason(reason: NonNullable<PersonInRoom["reason"]>): string {
  return isHeldReason(reason) ? heldReasons[reason] : keptReasons[reason];
}

function isHeldReason(reason: NonNullable<PersonInRoom["reason"]>): reason is keyof typeof heldReasons {
  return Object.hasOwn(heldReasons, reason);
}

function describeRight({ emails }: AskedPerson, { host, delegate, until, line }: Right): string {
  const end = until === null ? "" : ` until ${until}`;
  const kept = line === null ? "" : `, kept by line ${line} of delegations.csv`;
  const who = createMatcher(emails)(host) ? `${delegate} may schedule for them` : `may schedule for ${host}`;
  return `${who}${end}${kept}`;
}

/** What holds the person somewhere, each to be ended by somebody: files first, for they would bring them back. */
function listHolds(answer: WhyAnswer): readonly Section[] {
  const { person, spaces, delegations, protectedBy, ownRows, ownGrants } = answer;
  const isTheirs = createMatcher(person.emails);
  const sections: readonly Section[] = [
    {
      title: "Rows to delete",
      lines: [
        ...ownRows.map(({ line, group, room }) => `rooms.csv, line ${line}: ${group} in ${room}`),
        ...ownGrants.map(
          ({ line, host, delegate }) => `delegations.csv, line ${line}: ${delegate} may schedule for ${host}`,
        ),
        ...protectedBy.map(({ key, value }) => `policy.json, ${key}: ${value}`),
      ],
    },
    { title: "Groups to leave", lines: listGroups(spaces, isTheirs) },
    {
      title: "Spaces to hand over",
      lines: spaces
        .filter(({ isModerator }) => isModerator)
        .map(({ title, reason }) =>
          reason === "last-moderator"
            ? `${title}: they are its last moderator; make somebody else one first`
            : `${title}: they moderate it; take that right away`,
        ),
    },
    { title: "Spaces to leave by hand", lines: spaces.flatMap(describeRest) },
    {
      title: "Delegations to end in Webex",
      lines: delegations
        .filter(({ line }) => line === null)
        .map((right) => `${describeRight(person, right)}: ${describeEnd(right)}`),
    },
  ];
  const filled = sections.filter(({ lines }) => lines.length > 0);
  return filled.length > 0
    ? filled
    : [{ title: "Nothing holds them", lines: ["no row, no group, no protection, no delegation, no space"] }];
}

function describeEnd({ host, delegate }: Right): string {
  return `npm run delegate -- --mode remove --host ${host} --delegate ${delegate}`;
}

function listGroups(
  spaces: readonly PersonInRoom[],
  isTheirs: (address: string) => boolean,
): readonly string[] {
  const titles = new Map<string, string[]>();
  for (const { title, rows } of spaces) {
    for (const { group } of rows.filter((row) => !isTheirs(row.group)))
      titles.set(group, [...(titles.get(group) ?? []), title]);
  }
  return [...titles].sort().map(([group, rooms]) => `${group}: brings them into ${rooms.join(", ")}`);
}

/** A member whom no sync will remove once the rows and the groups are gone. */
function describeRest({ title, isMember, decision, reason }: PersonInRoom): readonly string[] {
  if (!isMember) return [];
  if (decision === "unmanaged") return [`${title}: no row names this space`];
  if (decision === "frozen") return [`${title}: the space is frozen; correct the mappings`];
  if (decision === "held" && reason !== null)
    return [`${title}: the removal waits for approval (${explainReason(reason)})`];
  // The rights to moderate and the list of protected people are told apart.
  const isToldElsewhere = reason === null || ["moderator", "last-moderator", "listed"].includes(reason);
  return isToldElsewhere ? [] : [`${title}: ${explainReason(reason)}`];
}
