import { compareStrings } from "../lib/text.ts";
import { labelOf, type RecordedPerson } from "../membership/record.ts";
import { codeSpan, escapeMarkdown, joinMarkdown, linkTo, type Markdown, md, type View } from "./markdown.ts";
import { countOf, formatNumber } from "./words.ts";

export type LineLink = (line: number) => Markdown;

/** Shows the first rows and counts the rest, so that a page is cut between rows and says so. */
export function takeRows<Item, Row extends View>(
  all: readonly Item[],
  maxRows: number,
  view: (item: Item) => Row,
) {
  const rows = all.slice(0, maxRows).map(view);
  const missing = all.length - rows.length;
  return { rows, more: missing === 0 ? null : md`${countOf(missing, "row")} not shown here.` };
}

/** `takeRows`, or null when there is nothing to show: the section is left out. */
export function takeRowsIfAny<Item, Row extends View>(
  all: readonly Item[],
  maxRows: number,
  view: (item: Item) => Row,
) {
  return all.length > 0 ? takeRows(all, maxRows, view) : null;
}

/** The longest text within `maxBytes`, with one row limit for all lists; fewer rows must not make `render` longer. */
export function fitRows(maxBytes: number, render: (maxRows: number) => string): string {
  const whole = render(Number.POSITIVE_INFINITY);
  if (Buffer.byteLength(whole) <= maxBytes) return whole;
  let fits = 0;
  let tooMany = whole.split("\n").length; // no list has more rows than the page has lines
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (Buffer.byteLength(render(middle)) <= maxBytes) fits = middle;
    else tooMany = middle;
  }
  return render(fits);
}

/** Makes the function that names lines; without an address they are not linked. */
export function createLineLink(mappingsAddress: string | null, file = md``): LineLink {
  return (line) => {
    const text = md`${file}line ${line}`;
    return mappingsAddress === null ? text : linkTo(text, `${mappingsAddress}#L${line}`);
  };
}

/** A person's name as a text; people without one are named by their address, or by their id. */
export function nameOf(person: RecordedPerson): Markdown {
  if (person.displayName && person.displayName !== person.email) {
    const name = escapeMarkdown(person.displayName);
    if (name !== "") return name;
  }
  return codeSpan(person.email || person.personId, 100);
}

/** A person's address, so that it can be copied exactly. */
export function emailOf(person: RecordedPerson): Markdown {
  return person.email ? codeSpan(person.email, 254) : md`—`;
}

/** A room's title, which may be empty. */
export function titleOf(room: { readonly title: string }): Markdown {
  const title = escapeMarkdown(room.title);
  return title === "" ? md`(no title)` : title;
}

/** At most `maxNames` names in one line, and how many more there are; no commas, for names may hold them. */
export function listNames(people: readonly RecordedPerson[], maxNames: number): Markdown {
  const shown = sortPeople(people).slice(0, maxNames).map(nameOf);
  const hidden = people.length - shown.length;
  if (hidden === 0) return joinMarkdown(shown, " · ");
  if (shown.length === 0) return countOf(people.length, "person");
  return md`${joinMarkdown(shown, " · ")} and ${formatNumber(hidden)} more`;
}

/** Sorts rooms by title, then id: the same everywhere, whatever the machine's language. */
export function sortRooms<R extends { readonly title: string; readonly roomId: string }>(
  rooms: readonly R[],
): R[] {
  return sortBy(rooms, (room) => [foldCase(room.title), room.title, room.roomId]);
}

/** Sorts people by name, then id. */
export function sortPeople<P extends RecordedPerson>(people: readonly P[]): P[] {
  return sortBy(people, (person) => {
    const name = labelOf(person);
    return [foldCase(name), name, person.personId];
  });
}

/** Sorts by several keys, compared by code unit: the same on every machine. */
export function sortBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): T[] {
  return items
    .map((item) => ({ item, keys: keysOf(item) }))
    .sort((a, b) => compareKeys(a.keys, b.keys))
    .map(({ item }) => item);
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, key] of a.entries()) {
    const other = b[index] ?? "";
    if (key !== other) return compareStrings(key, other);
  }
  return 0;
}

function foldCase(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
