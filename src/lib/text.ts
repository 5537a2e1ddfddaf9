/** Compares by code unit: the same order on every machine, whatever its language. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const printableAscii = /^[\x20-\x7e]*$/;

/** Joiners, direction marks, soft hyphens, selectors: nobody sees them, and copying from an app brings them along. */
const unseenCharacters = /\p{Default_Ignorable_Code_Point}/gu;

const anySpace = /\r\n|[\s\u0085\u2800]/g;

const controlCharacters = /\p{Cc}/gu;

/** The one form in which names and cells are compared: NFC, plain spaces, no unseen characters, trimmed. */
export function normaliseText(text: string): string {
  if (printableAscii.test(text)) return text.trim();
  return text
    .replace(unseenCharacters, "")
    .replace(anySpace, " ")
    .replace(controlCharacters, "")
    .normalize("NFC")
    .trim();
}

const maxCodePoints = 8;

/** Says by code point where `name` differs from what was written; empty when the eye can see the difference. */
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
  const [has, wrote] = added.length + lost.length > 0 ? [added, lost] : [theirs, ours];
  return `${quoteText(name)} has ${listCodePoints(has)} where ${listCodePoints(wrote)} is written`;
}

const seenCharacter = /[\p{L}\p{N}\x21-\x7e]/u;

const plainCharacter = /[\p{Script=Latin}\p{N}\x20-\x7e]/u;

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

/** Quotes text from outside on one line, cut after 60 characters; never shows a secret. */
export function quoteText(text: string): string {
  if (looksSecret(text)) return `(${text.length} characters that look like a secret, not shown)`;
  const characters = Array.from(text.slice(0, 200));
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : text);
}

/** By their makers' marks; Webex ends its own with a cluster and a uuid. */
const knownTokens =
  /-----BEGIN|\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk-|eyJ[\w-]+\.)[\w.-]{10}|[\w-]{16}_[A-Z\d]{4}_[\da-f]{8}-[\da-f]{4}-/;

/** Names of people and spaces are never like this. */
const longRandom = /(?<![A-Za-z\d])(?=[A-Za-z]*\d)(?=[a-z\d]*[A-Z])(?=[A-Z\d]*[a-z])[A-Za-z\d]{30,}/;

const webexId = /Y2lzY29zcGFyazov[\w+/-]*=*/g;

/** True for text that has what is probably a token or a key; ids of Webex do not count. */
export function looksSecret(text: string): boolean {
  const rest = text.slice(0, 10_000).replace(webexId, "");
  return knownTokens.test(rest) || longRandom.test(rest);
}

export type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** The message of an error, or what was thrown as text. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A sentence of somebody else without its full stop, for one of ours to go on behind it. */
export function withoutFullStop(text: string): string {
  return text.trim().replace(/(?<!\.)\.$/, "");
}
