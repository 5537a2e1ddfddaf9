/** Templates escape nothing and take only a `View`: a text that was not made harmless here is a type error there. */

declare const brand: unique symbol;

/** A piece of one line of Markdown that is safe in a paragraph, a table cell, a list item and a heading. */
export type Markdown = string & { readonly [brand]: true };

/** What may reach a template: text that was made harmless, numbers, yes and no, and lists and objects of those. */
export type View = Markdown | number | boolean | null | readonly View[] | { readonly [name: string]: View };

/** In visible characters. */
const nameLength = 80;

/** The most visible characters shown of an error or a message. */
export const messageLength = 600;

const invisible = "&#8203;";

/** Only what can do harm: `_` between letters, `&` without a later `;` and e-mail addresses stay as they are. */
const harmful =
  /&(?=#?\w+;)|[<>*`~$[\]\\|]|(?<![a-z0-9])_|_(?![a-z0-9])|(?<![a-z0-9])@|@(?![a-z0-9-]+(?:\.[a-z0-9-]+)+)|#(?=\d)|:\/\/|www(?=\.)|GH-(?=\d)/gi;

/** Where a backslash is not enough. GitHub resolves entities before mentions, so an invisible space splits these. */
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\\": "&#92;",
  $: "&#36;",
  "://": `:${invisible}//`,
};

/** Makes a text from outside harmless, and cuts it with an ellipsis where it is longer. */
export function escapeMarkdown(text: string, maxLength = nameLength): Markdown {
  const escaped = cutText(cleanText(text), maxLength).replace(harmful, (found) => {
    const entity = entities[found];
    if (entity) return entity;
    return /^[@#wg]/i.test(found) ? found + invisible : `\\${found}`;
  });
  // At the start of a list item these would open a heading or another list.
  return trust(escaped.replace(/^[-+#]/, "\\$&").replace(/^(\d{1,9})([.)])(?=\s|$)/, "$1\\$2"));
}

/** Writes an id, an address or a command so that it can be copied exactly: a code span. */
export function codeSpan(text: string, maxLength = messageLength): Markdown {
  const content = cutText(cleanText(text), maxLength);
  if (content === "") return trust("");
  // A table splits at a pipe even within a code span, and elsewhere its escape would show: this form suits both.
  if (content.includes("|")) return trust(`<code>${escapeMarkdown(content, maxLength)}</code>`);
  const longest = Math.max(0, ...(content.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = /^`|`$/.test(content) ? " " : "";
  return trust(fence + pad + content + pad + fence);
}

const lookalikes: Readonly<Record<string, string>> = {
  "<": "‹",
  ">": "›",
  "@": "＠",
  "](": "] (",
  "![": "! [",
};

/** Writes a line of a fenced block; what would be at work outside of it looks the same, so nothing hangs on the fence. */
export function blockLine(start: string, text: string, end = ""): Markdown {
  const content = cutText(cleanText(text), messageLength)
    .replace(/[<>]|(?<![a-z0-9])@|!\[|\]\(/gi, (found) => lookalikes[found] ?? found)
    .replace(/`{3,}/g, (ticks) => "'".repeat(ticks.length));
  return trust(`${start}${content}${end}`.trimEnd());
}

/** Writes our own words; the values between them are Markdown already, or numbers. */
export function md(strings: TemplateStringsArray, ...values: readonly (Markdown | number)[]): Markdown {
  return trust(strings.map((part, index) => part + (values[index] ?? "")).join(""));
}

/** Puts pieces in one line, with our own words between them. */
export function joinMarkdown(parts: readonly Markdown[], separator: string): Markdown {
  return trust(parts.join(separator));
}

/** Writes a link; the address is ours (a path or the run's URL), never a text from Webex. */
export function linkTo(text: Markdown, address: string): Markdown {
  return trust(`[${text}](${address.replace(/[^\w./:#?=&%~+-]/gu, encodeCharacter)})`);
}

/** Removes control, bidirectional and zero-width characters and stacked accents; any white space becomes one space. */
export function cleanText(text: string): string {
  if (/^[!-~]+(?: [!-~]+)*$/.test(text)) return text; // nearly all texts: plain ASCII needs none of the slow patterns
  return text
    .replace(/[\t-\r\u0085\u2028\u2029\p{Zs}]+/gu, " ")
    .replace(/\p{Cs}/gu, "\uFFFD")
    .replace(
      /((?<=\p{ExtPict}|\p{EMod}|\uFE0F)\u200D(?=\p{ExtPict})|[\uFE0E\uFE0F])|[\p{Cc}\p{Cf}\p{Co}\p{DI}]/gu,
      "$1",
    )
    .replace(/(\p{M}{4})\p{M}+/gu, "$1")
    .replace(/ {2,}/g, " ")
    .trim();
}

/** Cuts a text to a number of visible characters, the ellipsis included. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  // The slice bounds the work on very long texts, and on a single character joined from hundreds.
  const slice = text.slice(0, maxLength * 8).replace(/\p{Cs}$/u, "");
  const characters = Array.from(new Intl.Segmenter("en").segment(slice), (part) => part.segment);
  if (slice.length === text.length && characters.length <= maxLength) return text;
  return `${characters
    .slice(0, maxLength - 1)
    .join("")
    .trimEnd()}…`;
}

function encodeCharacter(character: string): string {
  return /^[()'!*]$/.test(character)
    ? `%${character.charCodeAt(0).toString(16).toUpperCase()}`
    : encodeURIComponent(character.replace(/\p{Cs}/u, "\uFFFD"));
}

function trust(text: string): Markdown {
  return text as Markdown;
}
