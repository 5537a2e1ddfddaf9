import { compareStrings, explainUnseenDifference, quoteText } from "./text.ts";

const wordParts = /[\p{L}\p{N}]+/gu;

const accents = /\p{M}+/gu;

const isAscii = /^[\x20-\x7e]*$/;

const leadingZeros = /(?<!\p{N})0+(?=\p{N})/gu;

const lookalikes: ReadonlyMap<string, string> = new Map(
  Array.from("АВЕЗКМНОРСТУХЅІЈаеорсухѕіјԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναρτ", (letter, index) => [
    letter,
    "ABE3KMHOPCTYXSIJaeopcyxsijdqwhABEZHIKMNOPTYXovapt"[index] ?? letter,
  ]),
);

interface Folded {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
  /** Without spaces and leading zeros: "noc7" for both "NOC 7" and "NOC-007". */
  readonly compact: string;
  readonly looks: string;
  /** One bit for each letter that occurs (letters share bits): a cheap first look at how much two texts differ. */
  readonly letters: number;
}

/** Folding is expensive, and the same list is asked about many names: each array is folded once. */
const foldedLists = new WeakMap<readonly string[], readonly Folded[]>();

/**
 * The candidates most like `name`, best first, at most `max`: they look the same, have a few slips (one in three
 * letters, four at most) or the same words in another order, or contain one another. Pass the same array each time.
 */
export function findNearest(name: string, candidates: readonly string[], max = 3): string[] {
  const wanted = fold(name);
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of foldAll(candidates)) {
    const distance = measureDistance(wanted, candidate);
    if (distance !== undefined) found.push({ name: candidate.name, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance || compareStrings(a.name, b.name))
    .slice(0, max)
    .map((candidate) => candidate.name);
}

/** The end of an error about an unknown name: `; did you mean "a" or "b"?`, or `otherwise` when nothing is near. */
export function suggestNearest(name: string, candidates: readonly string[], otherwise = "", max = 3): string {
  const nearest = findNearest(name, candidates, max);
  const names = nearest.map(quoteText);
  const last = names.pop();
  if (last === undefined) return otherwise;
  const unseen = explainUnseenDifference(name, nearest[0] ?? "");
  return `; did you mean ${names.length > 0 ? `${names.join(", ")} or ${last}` : last}?${unseen && ` ${unseen}`}`;
}

/** The same for an e-mail address: a similar one at the same domain, or the same name at another domain. */
export function suggestAddress(address: string, candidates: readonly string[], otherwise = ""): string {
  const [name, domain] = splitAddress(address);
  const known = candidates.map(splitAddress);
  const atDomain = known.filter(([, other]) => other === domain).map(([other]) => other);
  const [nearName] = findNearest(name, atDomain, 1);
  const elsewhere = known.filter(([other]) => other === name).map((parts) => parts.join("@"));
  const nearest = nearName === undefined ? elsewhere : [`${nearName}@${domain}`];
  return suggestNearest(address, nearest, otherwise, 1);
}

function splitAddress(address: string): readonly [name: string, domain: string] {
  const at = address.lastIndexOf("@");
  return [address.slice(0, at), address.slice(at + 1)];
}

function foldAll(names: readonly string[]): readonly Folded[] {
  const known = foldedLists.get(names);
  if (known) return known;
  const folded = Array.from(new Set(names), fold);
  foldedLists.set(names, folded);
  return folded;
}

function fold(name: string): Folded {
  const plain = isAscii.test(name) ? name : name.normalize("NFKD").replace(accents, "");
  const words = plain.toLowerCase().match(wordParts) ?? [];
  const text = words.join(" ");
  let letters = 0;
  for (let index = 0; index < text.length; index++) letters |= 1 << (text.charCodeAt(index) & 31);
  const compact = words.map((word) => word.replace(leadingZeros, "")).join("");
  return { name, words, text, compact, looks: isAscii.test(name) ? name : foldLooks(name), letters };
}

function foldLooks(name: string): string {
  const letters = Array.from(name.normalize("NFKC"), (letter) => lookalikes.get(letter) ?? letter);
  return letters.join("");
}

/** Slips count whole, so a partial name ranks after them. */
function measureDistance(wanted: Folded, candidate: Folded): number | undefined {
  if (wanted.text === "" || candidate.text === "") return undefined;
  if (wanted.looks === candidate.looks) return 0;
  if (wanted.compact === candidate.compact) return wanted.text === candidate.text ? 0 : 0.5;
  const longer = Math.max(wanted.text.length, candidate.text.length);
  const allowed = Math.min(4, Math.floor(longer / 3));
  // One slip takes away one letter at most and brings in one.
  if (countBits(wanted.letters ^ candidate.letters) <= 2 * allowed) {
    const slips = countSlips(wanted.text, candidate.text, allowed);
    if (slips !== undefined) return slips;
    if (wanted.words.length > 1 && candidate.words.length === wanted.words.length) {
      const reordered = countSlips(sortWords(wanted), sortWords(candidate), allowed);
      if (reordered !== undefined) return reordered + 0.5;
    }
  }
  const gap = Math.abs(wanted.text.length - candidate.text.length) / longer;
  return isPartOf(wanted, candidate) || isPartOf(candidate, wanted) ? 5 + gap : undefined;
}

function sortWords(name: Folded): string {
  return [...name.words].sort().join(" ");
}

const minInfix = 4;

function isPartOf(part: Folded, whole: Folded): boolean {
  if ((part.letters & ~whole.letters) !== 0) return false;
  if (part.compact.length >= minInfix && whole.compact.includes(part.compact)) return true;
  return part.words.every((word) =>
    whole.words.some((other) => other === word || (word.length >= 3 && other.startsWith(word))),
  );
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Optimal string alignment; only the band within the limit is filled in, so that lists of many thousand stay cheap. */
function countSlips(first: string, second: string, allowed: number): number | undefined {
  if (Math.abs(first.length - second.length) > allowed) return undefined;
  if (first === second) return 0;
  const [a, b] = trimCommonEnds(first, second);
  const beyond = allowed + 1;
  const width = b.length + 2;
  let beforeLast = new Uint8Array(width).fill(beyond);
  let last = new Uint8Array(width).fill(beyond);
  let current = new Uint8Array(width).fill(beyond);
  for (let column = 0; column <= Math.min(allowed, b.length); column++) last[column] = column;
  for (let row = 1; row <= a.length; row++) {
    const from = Math.max(1, row - allowed);
    const to = Math.min(b.length, row + allowed);
    const letter = a.charCodeAt(row - 1);
    const letterBefore = a.charCodeAt(row - 2);
    current[from - 1] = from === 1 ? Math.min(row, beyond) : beyond;
    let left = at(current, from - 1);
    let best = left;
    for (let column = from; column <= to; column++) {
      const same = letter === b.charCodeAt(column - 1);
      let cost = Math.min(left + 1, at(last, column) + 1, at(last, column - 1) + (same ? 0 : 1));
      if (
        row > 1 &&
        column > 1 &&
        letter === b.charCodeAt(column - 2) &&
        letterBefore === b.charCodeAt(column - 1)
      ) {
        cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      }
      left = Math.min(cost, beyond);
      current[column] = left;
      best = Math.min(best, left);
    }
    if (best > allowed) return undefined;
    // What is beyond the band must not be left over from an earlier row.
    current[to + 1] = beyond;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  const slips = at(last, b.length);
  return slips <= allowed ? slips : undefined;
}

function trimCommonEnds(a: string, b: string): [string, string] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  let end = 0;
  while (end < shorter - start && a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end))
    end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

function at(row: Uint8Array, column: number): number {
  return row[column] ?? 255;
}
