import { XMLParser, XMLValidator } from "fast-xml-parser";

/** The type prevents plain text from being inserted unescaped. */
export interface Xml {
  readonly xml: string;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};
const entities = new Map(Object.entries(escapes).map(([character, entity]) => [entity, character]));
/** Characters that XML 1.0 cannot hold, even escaped. https://www.w3.org/TR/xml/#charsets */
const unwritable = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** No entities and no types: everything in a reply is text, and nothing is expanded. */
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  processEntities: false,
});

/** Builds an element and escapes its text, never its name. @throws {Error} when XML cannot carry a character. */
export function element(name: string, ...content: readonly (Xml | string)[]): Xml {
  const inner = content.map((part) => (typeof part === "string" ? escapeText(part) : part.xml)).join("");
  const [tag] = name.split(" ");
  return { xml: `<${name}>${inner}</${tag}>` };
}

/** Builds a request for the XML API. https://developer.cisco.com/docs/webex-xml-api-reference-guide/security-context */
export function buildMessage(
  operation: string,
  securityContext: readonly Xml[],
  content: readonly Xml[],
): string {
  const type = `bodyContent xsi:type="java:com.webex.service.binding.user.${operation}"`;
  const message = element(
    'serv:message xmlns:serv="http://www.webex.com/schemas/2002/06/service" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
    element("header", element("securityContext", ...securityContext)),
    element("body", element(type, ...content)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${message.xml}`;
}

/** Parses a reply. @throws {Error} when it is malformed or has a document type, which could define entities. */
export function parseDocument(text: string): unknown {
  if (/<!DOCTYPE/i.test(text)) throw new Error("the reply declares a document type, which is refused");
  const validity = XMLValidator.validate(text);
  if (validity !== true) {
    throw new Error(`the reply is not well-formed XML: line ${validity.err.line}: ${validity.err.msg}`);
  }
  return parser.parse(text);
}

/** Finds the element at a path of local names; undefined when there is none. */
export function childOf(node: unknown, ...path: readonly string[]): unknown {
  let at = node;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Object.entries(at).find(([key]) => key === name)?.[1];
  }
  return at;
}

/** Lists all elements with that name. The parser returns an array only when there are several. */
export function childrenOf(node: unknown, name: string): readonly unknown[] {
  const found = childOf(node, name);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** Reads the trimmed text of the element at a path; null when it does not exist or contains elements. */
export function textOf(node: unknown, ...path: readonly string[]): string | null {
  const found = childOf(node, ...path);
  return typeof found === "string" ? unescapeText(found).trim() : null;
}

function escapeText(text: string): string {
  const found = unwritable.exec(text);
  if (found) throw new Error(`a value holds the character ${describe(found[0])}, which XML cannot carry`);
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}

function unescapeText(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|\w+);/gi, (entity, decimal, hexadecimal) => {
    if (!decimal && !hexadecimal) return entities.get(entity) ?? entity;
    const code = Number.parseInt(decimal ?? hexadecimal, decimal ? 10 : 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

function describe(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
