/** An element of an XML document, by local names; attributes are only checked. */
export interface XmlElement {
  readonly name: string;
  /** The value of `xsi:type`, which says what a bodyContent asks for. */
  readonly type: string | undefined;
  readonly children: readonly XmlElement[];
  /** The text directly in it, with references resolved. */
  readonly text: string;
}

/** Why a text is no XML document with declared prefixes. */
export class MalformedXml extends Error {}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const qualifiedName = "(?:([A-Za-z_][\\w.-]*):)?([A-Za-z_][\\w.-]*)";
const attribute = new RegExp(`\\s+${qualifiedName}\\s*=\\s*("[^"<]*"|'[^'<]*')`, "y");
const opening = new RegExp(`<${qualifiedName}`, "y");
const closing = /<\/((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)\s*>/y;
const declaration = /^<\?xml version="1\.0"(?: encoding="UTF-8")?\s*\?>\s*/;
// https://www.w3.org/TR/xml/#charsets
const illegal = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** Resolves references; a lone ampersand or an entity that nobody declared is an error. */
function resolve(text: string): string {
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+))?(;?)/g,
    (whole, decimal, hexadecimal, name, end) => {
      const number = decimal ? Number(decimal) : hexadecimal ? Number.parseInt(hexadecimal, 16) : undefined;
      const character = number === undefined ? named[name ?? ""] : String.fromCodePoint(number);
      if (end !== ";" || character === undefined) throw new MalformedXml(`"${whole}" is no reference`);
      return character;
    },
  );
}

/** Reads a document strictly: one root, matching tags, unique attributes, declared prefixes, no document type. */
export function readXml(source: string): XmlElement {
  if (illegal.test(source)) throw new MalformedXml("a character that XML does not allow");
  const text = source.replace(declaration, "").trim();
  let at = 0;

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  }

  function readElement(scope: ReadonlySet<string>): XmlElement {
    const start = take(opening);
    if (!start) throw new MalformedXml(`an element is expected at character ${at}`);
    const [tag = "", prefix, name = ""] = start;
    const attributes = new Map<string, string>();
    for (let found = take(attribute); found; found = take(attribute)) {
      const [, space, local = "", quoted = ""] = found;
      const key = space ? `${space}:${local}` : local;
      if (attributes.has(key)) throw new MalformedXml(`the attribute ${key} is there twice`);
      attributes.set(key, resolve(quoted.slice(1, -1)));
    }
    const declared = [...attributes.keys()].flatMap((key) => /^xmlns:(.+)$/.exec(key)?.[1] ?? []);
    const inner = new Set([...scope, ...declared]);
    const used = [...attributes.keys()].flatMap((key) => /^(?!xmlns:)(.+):/.exec(key)?.[1] ?? []);
    for (const one of [...(prefix ? [prefix] : []), ...used]) {
      if (!inner.has(one)) throw new MalformedXml(`the prefix ${one} is not declared`);
    }
    const type = attributes.get("xsi:type");
    if (take(/\s*\/>/y)) return { name, type, children: [], text: "" };
    if (!take(/\s*>/y)) throw new MalformedXml(`the tag ${tag} is not closed at character ${at}`);
    const children: XmlElement[] = [];
    let content = "";
    for (;;) {
      content += resolve(take(/[^<]*/y)?.[0] ?? "");
      const end = take(closing);
      if (end) {
        if (end[1] !== tag.slice(1)) throw new MalformedXml(`</${end[1]}> closes ${tag}>`);
        return { name, type, children, text: content.trim() };
      }
      if (at >= text.length) throw new MalformedXml(`${tag}> is never closed`);
      children.push(readElement(inner));
    }
  }

  const root = readElement(new Set());
  if (at !== text.length) throw new MalformedXml(`text follows the root element at character ${at}`);
  return root;
}

/** The element at a path of local names below another. */
export function findXml(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (at, name) => at?.children.find((child) => child.name === name),
    element,
  );
}
