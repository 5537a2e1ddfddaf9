import assert from "node:assert/strict";
import { test } from "node:test";
import { findXml, readXml } from "../../sandbox/webex/xml-document.ts";
import { buildMessage, childOf, childrenOf, element, parseDocument, textOf } from "../../src/webex/xml.ts";

test("a request is well-formed, its prefixes are declared, and every value comes back as it was", async () => {
  const hostile = `a&b<c>"d"'e'&lt;]]>\u00e9\u{1F600}`;
  const message = buildMessage("GetUser", [element("siteName", hostile)], [element("webExId", hostile)]);
  const read = await readXml(message);
  assert.equal(findXml(read, "header", "securityContext", "siteName")?.text, hostile);
  const content = findXml(read, "body", "bodyContent");
  assert.deepEqual(
    [content?.type, content?.children.length, findXml(content, "webExId")?.text],
    ["java:com.webex.service.binding.user.GetUser", 1, hostile],
  );
});

test("a character that XML cannot hold is refused, not dropped", () => {
  assert.throws(() => element("webExId", "a\u0000b"), /holds the character U\+0000, which XML cannot carry/);
  assert.throws(() => element("webExId", "a\uD800"), /U\+D800/);
});

test("a reply is read by local name, whatever its prefixes", () => {
  for (const [a, b] of [
    ["serv:", "use:"],
    ["", ""],
    ["x:", "y:"],
  ]) {
    const node = parseDocument(
      `<?xml version="1.0"?><${a}m><${b}u><${b}n> 1 &amp; 2 </${b}n></${b}u></${a}m>`,
    );
    assert.equal(textOf(node, "m", "u", "n"), "1 & 2");
  }
});

test("one element and several are both lists; none is an empty list", () => {
  assert.equal(childrenOf(childOf(parseDocument("<l><u><i>1</i></u></l>"), "l"), "u").length, 1);
  assert.equal(childrenOf(childOf(parseDocument("<l><u/><u/></l>"), "l"), "u").length, 2);
  assert.deepEqual(childrenOf(childOf(parseDocument("<l></l>"), "l"), "u"), []);
});

test("texts stay texts: leading zeros and booleans are kept, and entities are decoded once", () => {
  const node = parseDocument("<l><id>000045</id><b>true</b><t>&amp;lt;&#60;&#x3e;&unknown;</t><e></e></l>");
  assert.deepEqual(
    ["id", "b", "t", "e", "absent"].map((name) => textOf(node, "l", name)),
    ["000045", "true", "&lt;<>&unknown;", "", null],
  );
});

test("names of object properties are not elements", () => {
  assert.equal(childOf(parseDocument("<l></l>"), "l", "constructor"), undefined);
  assert.equal(textOf(parseDocument("<l/>"), "toString"), null);
});

test("a document type is refused, and so is a document that is not well-formed", () => {
  const bomb = '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><l>&b;</l>';
  assert.throws(() => parseDocument(bomb), /declares a document type/);
  for (const text of ["", "<l>", "<l></m>", "text", "<html><br></html>"]) {
    assert.throws(() => parseDocument(text), /not well-formed/, text);
  }
});
