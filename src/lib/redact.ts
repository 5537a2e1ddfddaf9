export interface Redactor {
  add(secret: string): void;
  clean(text: string): string;
}

/** As the runner of GitHub Actions writes it. */
const mask = "***";

/** Shorter texts are words, and would be taken out of everything. */
const minLength = 4;

/** A text that was cut short may end with the beginning of a secret. */
const minPrefix = 12;

/**
 * Makes a gate that knows secrets as they are, in base64 (within longer text too), URL-encoded, with Markdown's
 * backslashes, and cut off at the end.
 */
export function createRedactor(): Redactor {
  const known = new Set<string>();
  return {
    add(secret) {
      // A secret of several lines may be told line by line.
      for (const part of new Set([secret, ...secret.split(/\r?\n/)].map((text) => text.trim()))) {
        if (part.length < minLength) continue;
        for (const form of listForms(part)) known.add(form);
      }
    },
    clean(text) {
      // Nearly every text has none, and a plain search is a hundred times faster than the pattern.
      const bare = text.includes("\\") ? text.replaceAll("\\", "") : text;
      const found = [...known].filter((form) => bare.includes(form.replaceAll("\\", "").slice(0, minPrefix)));
      if (found.length === 0) return text;
      // The longest first, whole ones before those cut short: none may leave the rest of another.
      const forms = found.sort((a, b) => b.length - a.length);
      const pattern = new RegExp([...forms.map(toPattern), ...forms.flatMap(toCutPattern)].join("|"), "g");
      return text.replace(pattern, mask);
    },
  };
}

/** The one gate of a run, at every way out, so that no caller can forget it; whatever learns a secret adds it here. */
export const gate: Redactor = createRedactor();

/** Cleans every text in a value of plain data, keys left as they are. */
export function cleanDeep<T>(value: T, clean: (text: string) => string): T;
export function cleanDeep(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item: unknown) => cleanDeep(item, clean));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleanDeep(item, clean)]));
}

function listForms(secret: string): string[] {
  const url = encodeURIComponent(secret);
  const encoded = [0, 1, 2].flatMap((offset) => encodeInside(secret, offset));
  return [
    secret,
    url,
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    JSON.stringify(secret).slice(1, -1),
    ...encoded,
  ].filter((form) => form.length >= minLength);
}

/** The base64 characters that depend on the secret alone when `offset` other bytes precede it. */
function encodeInside(secret: string, offset: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, "utf8")]);
  const start = offset === 0 ? 0 : offset + 1;
  const whole = Math.floor(bytes.length / 3) * 4;
  const text = bytes.toString("base64").slice(start, whole);
  // A short piece of base64 is found in innocent text as well.
  if (text.length < 8) return [];
  return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
}

/** Markdown may put a backslash before any character. */
function toPattern(form: string): string {
  return toParts(form).join("");
}

function toCutPattern(form: string): string[] {
  const parts = toParts(form);
  if (parts.length <= minPrefix) return [];
  const rest = parts.slice(minPrefix).reduceRight((inner, part) => `(?:${part}${inner})?`, "");
  return [parts.slice(0, minPrefix).join("") + rest];
}

function toParts(form: string): string[] {
  return [...form].map((character) => `\\\\?${character.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")}`);
}
