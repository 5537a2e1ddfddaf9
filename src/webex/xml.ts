/** Documents of the XML API: written with declared prefixes and escaped values, read by local name. */
import { XMLParser, XMLValidator } from "fast-xml-parser";

/** A piece of XML that is well-formed; the type keeps a plain text from being put in unescaped. */
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
/** What XML 1.0 cannot hold, not even escaped. https://www.w3.org/TR/xml/#charsets */
const unwritable = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** Without entities and types: whatever a reply holds is text, and nothing in it is expanded. */
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  processEntities: false,
});

/**
 * One element; a text becomes its escaped content. The name, with its prefix, is ours.
 * @throws {Error} for a text that no XML document can hold.
 */
export function element(name: string, ...content: readonly (Xml | string)[]): Xml {
  const inner = content.map((part) => (typeof part === "string" ? escapeText(part) : part.xml)).join("");
  const [tag] = name.split(" ");
  return { xml: `<${name}>${inner}</${tag}>` };
}

/** A request as the XML API takes it. https://developer.cisco.com/docs/webex-xml-api-reference-guide/security-context */
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

/**
 * Parses a reply; elements are found in it by `childOf` and `textOf`.
 * @throws {Error} for a document that is not well-formed, or declares a type of its own (the door to entities).
 */
export function parseDocument(text: string): unknown {
  if (/<!DOCTYPE/i.test(text)) throw new Error("the reply declares a document type, which is refused");
  const validity = XMLValidator.validate(text);
  if (validity !== true) {
    throw new Error(`the reply is not well-formed XML: line ${validity.err.line}: ${validity.err.msg}`);
  }
  return parser.parse(text);
}

/** The element at a path of local names; undefined when there is none. */
export function childOf(node: unknown, ...path: readonly string[]): unknown {
  let at = node;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Object.entries(at).find(([key]) => key === name)?.[1];
  }
  return at;
}

/** Every element of that name: the parser makes a list of several, and a single object of one. */
export function childrenOf(node: unknown, name: string): readonly unknown[] {
  const found = childOf(node, name);
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found];
}

/** The text of the element at a path, trimmed; null when there is no such element or it holds elements. */
export function textOf(node: unknown, ...path: readonly string[]): string | null {
  const found = childOf(node, ...path);
  return typeof found === "string" ? unescapeText(found).trim() : null;
}

function escapeText(text: string): string {
  const found = unwritable.exec(text);
  if (found) throw new Error(`a value holds the character ${describe(found[0])}, which XML cannot carry`);
  return text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}

/** The five names that every XML document knows, and character numbers; nothing else is an entity here. */
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
