import type { X2jOptions } from "fast-xml-parser";

/** An element of an XML document, by local names; attributes are only checked. */
export interface XmlElement {
  readonly name: string;
  /** The value of `xsi:type`, which says what a bodyContent asks for. */
  readonly type: string | undefined;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** What the parser makes of an element: attributes begin with @, its text is #, elements are lists. */
interface Parsed {
  readonly [name: string]: string | readonly Parsed[];
}

/** Why the service does not take a text as an XML document. */
export class MalformedXml extends Error {}

const options: X2jOptions = {
  attributeNamePrefix: "@",
  textNodeName: "#",
  ignoreAttributes: false,
  ignoreDeclaration: true,
  alwaysCreateTextNode: true,
  parseTagValue: false,
  // Without it, references by number stay as they are.
  htmlEntities: true,
  isArray: (_name, _path, _isLeaf, isAttribute) => !isAttribute,
};

// What the validator lets pass. https://www.w3.org/TR/xml/#charsets
const refused: readonly [RegExp, string][] = [
  [/[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u, "a character that XML does not allow"],
  [/<!DOCTYPE/i, "a document type"],
  [/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/, "a reference to nothing"],
];

function readElement(qualified: string, parsed: Parsed, scope: readonly string[]): XmlElement {
  const names = Object.keys(parsed);
  const inner = [...scope, ...names.flatMap((name) => /^@xmlns:(.+)$/.exec(name)?.[1] ?? [])];
  for (const name of [qualified, ...names.filter((name) => name.startsWith("@"))]) {
    const prefix = /^@?(.+):/.exec(name)?.[1];
    if (prefix && !inner.includes(prefix)) throw new MalformedXml(`the prefix ${prefix} is not declared`);
  }
  const children = Object.entries(parsed).flatMap(([name, value]) =>
    typeof value === "string" ? [] : value.map((child) => readElement(name, child, inner)),
  );
  const text = (name: string) => (typeof parsed[name] === "string" ? parsed[name] : undefined);
  return {
    name: qualified.replace(/^.+:/, ""),
    type: text("@xsi:type"),
    children,
    text: text("#")?.trim() ?? "",
  };
}

/** Reads a document strictly; like the live service it accepts leading white space and an undeclared `serv`. */
export async function readXml(source: string): Promise<XmlElement> {
  const text = source.trim();
  const reason = refused.find(([pattern]) => pattern.test(text))?.[1];
  if (reason) throw new MalformedXml(reason);
  // Only here: most sandboxes serve no XML, and the parser takes long to load.
  const { XMLParser, XMLValidator } = await import("fast-xml-parser");
  const validity = XMLValidator.validate(text);
  if (validity !== true) throw new MalformedXml(`line ${validity.err.line}: ${validity.err.msg}`);
  const document: Parsed = new XMLParser(options).parse(text);
  const [root] = readElement("", document, ["xmlns", "serv"]).children;
  if (!root) throw new MalformedXml("there is no element");
  return root;
}

/** The element at a path of local names below another. */
export function findXml(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>(
    (at, name) => at?.children.find((child) => child.name === name),
    element,
  );
}
