import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mapping } from "../../src/membership/mapping.ts";
import { explainSuggestion, suggestMappings } from "../../src/membership/suggest-mappings.ts";

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
