/** Compares by code unit: the same order on every machine, whatever its language. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const printableAscii = /^[\x20-\x7e]*$/;

/** Joiners, direction marks, soft hyphens, selectors: nobody sees them, and copying from an app brings them along. */
const unseenCharacters = /\p{Default_Ignorable_Code_Point}/gu;

/** A line end, a tab, or any of the spaces that look like one. */
const anySpace = /\r\n|[\s\u0085\u2800]/g;

const controlCharacters = /\p{Cc}/gu;

/**
 * The one form in which names and cells are compared: composed (NFC), every kind of space a plain one, without what
 * cannot be seen, and trimmed. To find things by name, use `createNameIndex`, which compares in no other form.
 */
export function normaliseText(text: string): string {
  if (printableAscii.test(text)) return text.trim();
  return text
    .replace(unseenCharacters, "")
    .replace(anySpace, " ")
    .replace(controlCharacters, "")
    .normalize("NFC")
    .trim();
}

/** At most this many characters of a difference are named by code point. */
const maxCodePoints = 8;

/**
 * Says by code point where `name` differs from what was written, when the eye may not see it: letters of two
 * scripts, spaces, dashes and quotes of two kinds. Empty when the difference can be seen.
 */
export function explainUnseenDifference(written: string, name: string): string {
  const ours = Array.from(written);
  const theirs = Array.from(name);
  while (ours.length > 0 && ours[0] === theirs[0]) {
    ours.shift();
    theirs.shift();
  }
  while (ours.length > 0 && ours.at(-1) === theirs.at(-1)) {
    ours.pop();
    theirs.pop();
  }
  const added = theirs.filter((character) => !ours.includes(character));
  const lost = ours.filter((character) => !theirs.includes(character));
  const isUnseen =
    ours.length === theirs.length
      ? ours.every((character, index) => isMistakable(character, theirs[index] ?? ""))
      : ![...added, ...lost].some((character) => seenCharacter.test(character));
  if (!isUnseen || ours.length + theirs.length === 0) return "";
  // A space too many is in both.
  const [has, wrote] = added.length + lost.length > 0 ? [added, lost] : [theirs, ours];
  return `${quoteText(name)} has ${listCodePoints(has)} where ${listCodePoints(wrote)} is written`;
}

/** A letter, a digit, or what every keyboard has. */
const seenCharacter = /[\p{L}\p{N}\x21-\x7e]/u;

const plainCharacter = /[\p{Script=Latin}\p{N}\x20-\x7e]/u;

/** True for one character, and for two of which one only may be what somebody has typed. */
function isMistakable(a: string, b: string): boolean {
  return a === b || plainCharacter.test(a) !== plainCharacter.test(b);
}

function listCodePoints(characters: readonly string[]): string {
  if (characters.length === 0) return "nothing";
  const points = characters
    .slice(0, maxCodePoints)
    .map((character) => `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`);
  return points.join(" ") + (characters.length > maxCodePoints ? " …" : "");
}

/** Text from outside as an error shows it: quoted, on one line, cut after 60 characters; never a secret. */
export function quoteText(text: string): string {
  if (looksSecret(text)) return `(${text.length} characters that look like a secret, not shown)`;
  const characters = Array.from(text.slice(0, 200));
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : text);
}

/** Tokens by their makers' marks; Webex ends its own with a cluster and a uuid. */
const knownTokens =
  /-----BEGIN|\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk-|eyJ[\w-]+\.)[\w.-]{10}|[\w-]{16}_[A-Z\d]{4}_[\da-f]{8}-[\da-f]{4}-/;

/** So many letters and digits in a row, of all kinds, are nobody's name. */
const longRandom = /(?<![A-Za-z\d])(?=[A-Za-z]*\d)(?=[a-z\d]*[A-Z])(?=[A-Z\d]*[a-z])[A-Za-z\d]{30,}/;

const webexId = /Y2lzY29zcGFyazov[\w+/-]*=*/g;

/** True for text that holds what is probably a token or a key; ids of Webex are none. */
export function looksSecret(text: string): boolean {
  const rest = text.slice(0, 10_000).replace(webexId, "");
  return knownTokens.test(rest) || longRandom.test(rest);
}

/** Colours a text where the terminal has colours. */
export type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** What was thrown, in words: the message of an error, or the thing itself as text. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
