import assert from "node:assert/strict";
import { test } from "node:test";
import { compareLastDays, comparePlans, comparePolicies } from "../../src/membership/compare-plans.ts";
import { parseMappings } from "../../src/membership/mapping.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import { person, room, runRecord } from "../report/build-record.ts";

const plan = (...rooms: Parameters<typeof runRecord>[0]) => runRecord(rooms, { command: "plan" });
const [ada, bob] = [person("Ada"), person("Bob")];

test("two equal plans differ in nothing: all of it is drift", () => {
  const noc = room("NOC", { added: [ada], held: [{ ...bob, reason: "empty-group" }] });
  assert.deepEqual(comparePlans(plan(noc), plan(noc)).rooms, [
    {
      with: noc,
      without: noc,
      changes: [],
      drift: [
        { person: ada, without: "add", with: "add" },
        { person: { ...bob, reason: "empty-group" }, without: "empty-group", with: "empty-group" },
      ],
      lastDays: [],
    },
  ]);
});

test("a person is a change where the two plans decide differently, also between held and removed", () => {
  const without = room("NOC", { held: [{ ...ada, reason: "removals-per-room" }], added: [bob] });
  const proposed = room("NOC", { removed: [{ ...ada, wasModerator: false }] });
  const [effect] = comparePlans(plan(proposed), plan(without)).rooms;
  assert.deepEqual(
    effect?.changes.map((one) => [one.person.displayName, one.without, one.with]),
    [
      ["Bob", "add", null],
      ["Ada", "removals-per-room", "remove"],
    ],
  );
  assert.deepEqual(effect?.drift, []);
});

test("rooms that only one of the plans has are there with a null for the other", () => {
  const [fresh, gone] = [room("New", { added: [ada] }), room("Old", { added: [bob] })];
  const effects = comparePlans(plan(fresh), plan(gone)).rooms;
  assert.deepEqual(
    effects.map((effect) => [effect.with?.title, effect.without?.title, effect.changes.length]),
    [
      ["New", undefined, 1],
      [undefined, "Old", 1],
    ],
  );
});

test("ids that are spelt differently name the same room and person", () => {
  const spell = (cluster: string, type: string) =>
    Buffer.from(`ciscospark://${cluster}/${type}/0a1b2c3d-0000-4000-8000-000000000000`).toString("base64url");
  const spelt = (cluster: string) =>
    room("NOC", {
      roomId: spell(cluster, "ROOM"),
      added: [{ ...ada, personId: spell(cluster, "PEOPLE") }],
    });
  const [effect, ...more] = comparePlans(plan(spelt("us")), plan(spelt("urn:TEAM:us-west-2_r"))).rooms;
  assert.deepEqual([effect?.changes, effect?.drift.length, more], [[], 1, []]);
});

test("every key of the policy that differs is named with both values; an equal one is not", () => {
  assert.deepEqual(comparePolicies(defaultPolicy, defaultPolicy), []);
  const { limits, protect } = defaultPolicy;
  const proposed = {
    ...defaultPolicy,
    limits: { ...limits, removalsPerRun: { count: 9999, share: 1 } },
    protect: { ...protect, people: ["ceo@acme.example"] },
  };
  assert.deepEqual(comparePolicies(proposed, defaultPolicy), [
    { key: "limits.removalsPerRun.count", without: "25", with: "9999" },
    { key: "limits.removalsPerRun.share", without: "0.2", with: "1" },
    { key: "protect.people", without: "[]", with: '["ceo@acme.example"]' },
  ]);
});

test("rooms are known by bare ids, too", () => {
  const uuid = "0a1b2c3d-0000-4000-8000-000000000000";
  const roomId = Buffer.from(`ciscospark://us/ROOM/${uuid}`).toString("base64url");
  const [bare, encoded] = [uuid, roomId].map((id) => plan(room("NOC", { roomId: id, added: [ada] })));
  assert.ok(bare && encoded);
  for (const [proposed, present] of [
    [bare, encoded],
    [encoded, bare],
  ] as const) {
    const [effect, ...more] = comparePlans(proposed, present).rooms;
    assert.deepEqual([effect?.changes, effect?.drift.length, more], [[], 1, []]);
  }
});

test("problems that are there without the proposal are not the proposal's", () => {
  const problem = (message: string) => ({ line: 2, column: "group", message });
  const present = { ...plan(), problems: [problem("no such group"), problem("no such space")] };
  const { oldProblems } = comparePlans({ ...plan(), problems: [problem("another")] }, present);
  assert.deepEqual([...oldProblems], ["no such group", "no such space"]);
});

test("a last day counts where the proposal sets, moves or ends it, and not where only the line moves", () => {
  const rows = (...lines: readonly string[]) =>
    parseMappings(Buffer.from(["group,room,mode,until", ...lines].join("\n"))).mappings;
  const present = rows("a,NOC,,2026-12-18", "b,NOC,,2026-12-18", "c,NOC,,", "d,NOC,,2026-12-18", "e,NOC,,");
  const proposed = rows(
    ...["new,NOC,,2026-12-18", "a,NOC,,2027-01-29", "b,NOC,,", "c,NOC,,2026-12-31"],
    ...["d,NOC,,2026-12-18", "e,NOC,,", "other,NOC,,"],
  );
  assert.deepEqual(compareLastDays(proposed, present), [
    { line: 2, group: "new", with: "2026-12-18" },
    { line: 3, group: "a", with: "2027-01-29", without: "2026-12-18" },
    { line: 4, group: "b", with: null, without: "2026-12-18" },
    { line: 5, group: "c", with: "2026-12-31", without: null },
  ]);
});

test("last days are told with the space that their line is of, and with no space that is gone", () => {
  const day = (line: number) => ({ line, group: "eng", with: "2026-12-18" });
  const days = [day(2), day(3), day(5)];
  const proposed = plan(
    room("NOC", { lines: [2, 5] }),
    room("Lobby", { lines: [3] }),
    room("Den", { lines: [4] }),
  );
  const present = plan(room("Old", { lines: [2] }));
  assert.deepEqual(
    comparePlans(proposed, present, days).rooms.map(({ lastDays }) => lastDays.map(({ line }) => line)),
    [[2, 5], [3], [], []],
  );
  assert.deepEqual(
    comparePlans(proposed, present).rooms.map(({ lastDays }) => lastDays),
    [[], [], [], []],
  );
});

test("a comment line has no last day, and takes none away", () => {
  const rows = (...lines: readonly string[]) =>
    parseMappings(Buffer.from(["group,room,until", ...lines].join("\n"))).mappings;
  const [one, other] = [rows("# the rest,", "a,NOC,2026-12-18"), rows("a,NOC,2026-12-18", "# others,")];
  assert.deepEqual([compareLastDays(one, other), compareLastDays(other, one)], [[], []]);
});
