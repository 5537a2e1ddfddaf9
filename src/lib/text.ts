/** Compares by code unit: the same order on every machine, whatever its language. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Text from outside as an error shows it: quoted, on one line, cut after 60 characters. */
export function quoteText(text: string): string {
  const characters = Array.from(text.slice(0, 200));
  return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : text);
}

/** Colours a text where the terminal has colours. */
export type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow", text: string) => string;

/** What was thrown, in words: the message of an error, or the thing itself as text. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
