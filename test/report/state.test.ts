import assert from "node:assert/strict";
import { test } from "node:test";
import { describeLoss, extendState, parseState } from "../../src/report/state.ts";

const noc = { column: "room", name: "NOC", id: "1" } as const;
const eng = { column: "group", name: "Eng", id: "2" } as const;
const stored = (...names: readonly object[]) => JSON.stringify({ version: 1, names });

test("the first run finds no memory, says nothing of it, and leaves one, also without any name", () => {
  const state = parseState(undefined);
  assert.equal(describeLoss(state, false), null);
  assert.equal(extendState(state, []), '{\n  "version": 1,\n  "names": []\n}\n');
  assert.match(
    describeLoss(state, true) ?? "",
    /^state\.json is missing, although earlier runs have left reports/,
  );
});

test("a memory that holds everything is not written again", () => {
  assert.equal(extendState(parseState(stored(noc)), [noc]), null);
  assert.equal(extendState(parseState(stored(noc)), [{ ...noc, id: "9" }]), null);
  assert.deepEqual(JSON.parse(extendState(parseState(stored(noc)), [eng]) ?? ""), {
    version: 1,
    names: [eng, noc],
  });
});

test("what other parts of the memory hold is written back as it was, also beside damaged names", () => {
  const rest = { delegations: [{ host: "a@b.c" }], later: { x: 1 } };
  const state = parseState(JSON.stringify({ version: 1, ...rest, names: [noc] }));
  assert.deepEqual(JSON.parse(extendState(state, [eng]) ?? ""), { version: 1, names: [eng, noc], ...rest });
  const damaged = parseState(JSON.stringify({ version: 1, ...rest, names: [{ ...noc, id: 7 }] }));
  assert.deepEqual(JSON.parse(extendState(damaged, [eng]) ?? ""), { version: 1, names: [eng], ...rest });
});

for (const [what, text, where] of [
  ["a text that is not JSON", "{", "the file as a whole"],
  ["an empty text", "", "the file as a whole"],
  ["another version", JSON.stringify({ version: 2, names: [noc] }), "version"],
  ["a name without an id", stored(noc, { column: "room", name: "Lobby" }), "names.1.id"],
  ["names that are no list", JSON.stringify({ version: 1, names: {} }), "names"],
] as const) {
  test(`${what} is damage, which is told and put right`, () => {
    const state = parseState(text);
    assert.deepEqual([state.names, state.isStored], [[], true]);
    assert.ok(describeLoss(state, true)?.startsWith(`state.json could not be read (${where}), so Rollcall`));
    assert.deepEqual(JSON.parse(extendState(state, [eng]) ?? "").names, [eng]);
  });
}
