import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mapping } from "../../src/membership/mapping.ts";
import { explainSuggestion, leadsTo, suggestMappings } from "../../src/membership/suggest-mappings.ts";
import { room } from "../support/builders.ts";

/** Names with their members; who is in them is unknown where there is no list. */
type Places = readonly string[] | Readonly<Record<string, readonly string[] | null>>;

function populate<T>(places: Places, make: (name: string, id: string) => T) {
  const entries = Array.isArray(places)
    ? places.map((name: string) => [name, null] as const)
    : Object.entries(places);
  return entries.map(([name, members], index) => ({
    place: make(name, `${name}-${index}`),
    members: members === null ? null : new Set<string>(members),
  }));
}

function suggest(groups: Places, rooms: Places, rows: readonly (readonly [string, string])[] = []) {
  const mapped = rows.map(
    ([group, room], index): Mapping => ({ group, room, mode: "sync", line: index + 2 }),
  );
  const found = suggestMappings({
    groups: populate(groups, (displayName, id) => ({ key: id, id, displayName })),
    rooms: populate(rooms, (title, id) => ({
      key: id,
      id,
      title,
      orgKey: null,
      generalOfTeamId: null,
      isModerated: false,
    })),
    mapped,
  });
  return found.map((one) => `${one.group.displayName} -> ${one.room.title}: ${explainSuggestion(one)}`);
}

const people = (count: number, from = 1) => Array.from({ length: count }, (_, index) => `p${index + from}`);

test("equal names come first, whatever their case, accents and punctuation", () => {
  assert.deepEqual(suggest(["NOC on-call", "Équipe"], ["equipe", "NOC On Call", "Lobby"]), [
    "NOC on-call -> NOC On Call: same name",
    "Équipe -> equipe: same name",
  ]);
});

test("a group that is left gets the room most like it, and no room is given twice", () => {
  assert.deepEqual(suggest(["Sales", "Sale"], ["Sales"]), ["Sales -> Sales: same name"]);
  assert.deepEqual(suggest(["On call"], ["Oncall"]), ["On call -> Oncall: similar name"]);
  assert.deepEqual(suggest(["Service Desk"], ["Servce Desk", "Lobby"]), [
    "Service Desk -> Servce Desk: similar name",
  ]);
});

test("the order of the lists does not matter", () => {
  assert.deepEqual(suggest(["b", "a"], ["a", "b"]), suggest(["a", "b"], ["b", "a"]));
});

test("who is in both counts before what they are called", () => {
  const groups = { Sales: people(25), "Field force": people(4, 50) };
  const rooms = { Deals: [...people(23), "guest"], Sales: people(3, 50) };
  assert.deepEqual(suggest(groups, rooms), [
    "Sales -> Deals: 23 of 25 people of the group are in it",
    "Field force -> Sales: 3 of 4 people of the group are in it",
  ]);
});

test("everybody's space is no group's, one person in common says nothing, and half a group is the least", () => {
  const everybody = { Lobby: people(100) };
  assert.deepEqual(suggest({ Ops: people(10) }, everybody), []);
  assert.deepEqual(suggest({ Ops: people(1) }, { Corner: people(1) }), []);
  assert.deepEqual(suggest({ Ops: people(10) }, { Corner: people(4) }), []);
  assert.deepEqual(suggest({ Ops: people(10) }, { Corner: people(5) }), [
    "Ops -> Corner: 5 of 10 people of the group are in it",
  ]);
});

test("a pair that has a row is left out, by name or by id, and its group is not matched by name again", () => {
  const groups = { Sales: people(5), Ops: people(5, 20) };
  const rooms = { Deals: people(5), "Sales talk": [], Ops: people(5, 20) };
  assert.deepEqual(suggest(groups, rooms, [["Sales", "Deals"]]), [
    "Ops -> Ops: 5 of 5 people of the group are in it",
  ]);
  assert.deepEqual(
    suggest(groups, rooms, [
      ["Sales-0", "Deals-0"],
      ["Ops", "Ops-2"],
    ]),
    [],
  );
});

test("a group that feeds one space may well feed another that holds its people", () => {
  const rooms = { Deals: people(5), Leads: people(5) };
  assert.deepEqual(suggest({ Sales: people(5) }, rooms, [["Sales", "Deals"]]), [
    "Sales -> Leads: 5 of 5 people of the group are in it",
  ]);
});

test("members that could not be read are not taken for nobody: names still count", () => {
  assert.deepEqual(suggest({ Sales: null }, { Sales: people(5) }), ["Sales -> Sales: same name"]);
});

/** What is suggested, whichever way round the lists are. */
function suggestEitherWay(groups: Places, rooms: Places) {
  const flip = (places: Places): Places =>
    Array.isArray(places) ? [...places].reverse() : Object.fromEntries(Object.entries(places).reverse());
  const found = suggest(groups, rooms);
  assert.deepEqual(suggest(flip(groups), flip(rooms)), found);
  return found;
}

test("two people in common, all of the group, a quarter of the space: that is just enough", () => {
  assert.equal(suggest({ Ops: people(2) }, { Corner: people(2) }).length, 1);
  assert.equal(suggest({ Ops: people(5) }, { Corner: people(20) }).length, 1);
  assert.equal(suggest({ Ops: people(5) }, { Corner: people(21) }).length, 0);
});

test("of two groups the one that is more alike gets the space, not the one with more people in it", () => {
  const groups = { All: people(20), Ops: people(8) };
  assert.deepEqual(suggestEitherWay(groups, { Corner: people(10) }), [
    "Ops -> Corner: 8 of 8 people of the group are in it",
  ]);
});

test("of two groups that are equally alike the one with the space's name gets it, then the one with more in it", () => {
  const same = { Alpha: people(4), Zeta: people(4) };
  assert.deepEqual(suggestEitherWay(same, { zeta: people(4) }), [
    "Zeta -> zeta: 4 of 4 people of the group are in it",
  ]);
  const more = { A: people(3), B: [...people(4), "x", "y"] };
  assert.deepEqual(suggestEitherWay(more, { Corner: people(6) }), [
    "B -> Corner: 4 of 6 people of the group are in it",
  ]);
});

test("names without letters and digits are not the same name", () => {
  assert.deepEqual(suggest(["!!!"], ["???"]), []);
  assert.deepEqual(suggestEitherWay({ aaa: people(4), "~~~": people(4) }, { "???": people(4) }), [
    "aaa -> ???: 4 of 4 people of the group are in it",
  ]);
});

test("where nothing else tells them apart, groups and spaces come by name", () => {
  assert.deepEqual(suggestEitherWay({ b: people(4), a: people(4) }, { y: people(4), x: people(4) }), [
    "a -> x: 4 of 4 people of the group are in it",
    "b -> y: 4 of 4 people of the group are in it",
  ]);
});

test("names come before ids, whatever the suggestion goes by", () => {
  for (const members of [null, new Set(people(4))]) {
    const of = (displayName: string, id: string) => ({ place: { key: id, id, displayName }, members });
    const to = (title: string, id: string) => ({ place: { ...room(title), id }, members });
    for (const [groups, rooms] of [
      [[of("Eng", "2"), of("eng", "1")], [to("ENG", "9")]],
      [[of("eng", "9")], [to("eng!", "1"), to("ENG", "2")]],
    ] as const) {
      const [first, ...others] = suggestMappings({ groups, rooms, mapped: [] });
      assert.deepEqual(
        [first?.group.displayName, first?.room.title, others.length],
        groups.length > 1 ? ["Eng", "ENG", 0] : ["eng", "ENG", 0],
      );
    }
  }
});

test("namesakes come by id", () => {
  const of = (id: string) => ({ place: { key: id, id, displayName: "eng" }, members: null });
  const to = (id: string) => ({ place: { ...room("eng"), id }, members: null });
  for (const ids of [
    ["1", "2"],
    ["2", "1"],
  ]) {
    const found = suggestMappings({ groups: ids.map(of), rooms: ids.map(to), mapped: [] });
    assert.deepEqual(
      found.map((one) => [one.group.id, one.room.id, one.isSame, one.overlap]),
      [
        ["1", "1", true, null],
        ["2", "2", true, null],
      ],
    );
  }
});

test("a similar name is the nearest of those that are left", () => {
  assert.deepEqual(suggest(["Service Desk", "Service Dest"], ["Service Desc", "Servise Desc"]), [
    "Service Desk -> Service Desc: similar name",
    "Service Dest -> Servise Desc: similar name",
  ]);
  assert.deepEqual(suggest(["Service Desk"], ["Lobby"]), []);
});

test("an unknown space is no reason against a known one", () => {
  assert.deepEqual(suggest({ Ops: people(4) }, { Corner: null, Den: people(4) }), [
    "Ops -> Den: 4 of 4 people of the group are in it",
  ]);
});

test("a cell leads to a place by its name, in any spelling that looks the same, or by its id in any spelling", () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const home = "bbbbbbbb-0000-11f0-9000-0000000000b2";
  const encode = (uri: string) => Buffer.from(`ciscospark://${uri}`).toString("base64url");
  const id = encode(`us/SCIM_GROUP/${uuid}:${home}`);
  for (const cell of ["NOC\u00A0leads ", id, uuid, `${uuid}:${home}`, encode(`eu/SCIM_GROUP/${uuid}`)])
    assert.equal(leadsTo(cell, id, "NOC leads"), true, cell);
  const near = `${uuid.slice(0, -1)}2`;
  for (const cell of ["noc leads", home, near, encode(`us/SCIM_GROUP/${home}`), ""])
    assert.equal(leadsTo(cell, id, "NOC leads"), false, cell);
  assert.equal(leadsTo("opaque", "opaque", "NOC"), true);
  assert.equal(leadsTo("a/b:c", "x/b:d", "NOC"), false);
});

test("rows are known by whatever spelling of an id they have", () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const id = Buffer.from(`ciscospark://us/ROOM/${uuid}`).toString("base64url");
  const members = new Set(people(4));
  const found = suggestMappings({
    groups: [{ place: { key: "g", id: "g", displayName: "Ops" }, members }],
    rooms: [{ place: { ...room("Corner"), id }, members }],
    mapped: [
      { group: "Ops", room: `https://web.webex.com/spaces/${uuid}`, mode: "sync", line: 2 },
      { group: "gone", room: "gone", mode: "sync", line: 3 },
    ],
  });
  assert.deepEqual(found, []);
});
