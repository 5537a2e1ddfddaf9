import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestMappings } from "../../src/membership/suggest-mappings.ts";

function suggest(groups: readonly string[], rooms: readonly string[]) {
  return suggestMappings(
    groups.map((displayName, index) => ({ key: `g${index}`, id: `g${index}`, displayName })),
    rooms.map((title, index) => ({
      key: `r${index}`,
      id: `r${index}`,
      title,
      orgKey: null,
      generalOfTeamId: null,
      isModerated: false,
    })),
  ).map(({ group, room, isSame }) => `${group.displayName} -> ${room.title}${isSame ? "" : " ?"}`);
}

test("equal names come first, whatever their case, accents and punctuation", () => {
  assert.deepEqual(suggest(["NOC on-call", "Équipe"], ["equipe", "NOC On Call", "Lobby"]), [
    "NOC on-call -> NOC On Call",
    "Équipe -> equipe",
  ]);
});

test("a group that is left gets the room most like it, and no room is given twice", () => {
  assert.deepEqual(suggest(["Sales", "Sale"], ["Sales"]), ["Sales -> Sales"]);
  assert.deepEqual(suggest(["Service Desk"], ["Servce Desk", "Lobby"]), ["Service Desk -> Servce Desk ?"]);
});

test("the order of the lists does not matter", () => {
  assert.deepEqual(suggest(["b", "a"], ["a", "b"]), suggest(["a", "b"], ["b", "a"]));
});
