import assert from "node:assert/strict";
import { test } from "node:test";
import type { FoundGroup, GroupListing } from "../../src/membership/directory.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import { createNameMemory, noNames } from "../../src/membership/names.ts";
import { readDirectory } from "../../src/membership/read-directory.ts";
import { complete, group, incomplete, room, user } from "../support/builders.ts";
import { createReader, type ReadableWorld } from "../support/webex-reader.ts";

const uuidOf = (number: number) => `aaaaaaaa-0000-11f0-9000-${String(number).padStart(12, "0")}`;
const home = "bbbbbbbb-0000-11f0-9000-0000000000b2";
const encode = (uri: string) => Buffer.from(`ciscospark://${uri}`).toString("base64url");
const roomId = (number: number) => encode(`us/ROOM/${uuidOf(number)}`);
const groupId = (number: number) => encode(`us/SCIM_GROUP/${uuidOf(number)}:${home}`);
const some = <T>(count: number, make: (number: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index + 1));

const row = (group: string, room: string, facts: Partial<Mapping> = {}): Mapping => {
  return { group, room, mode: "sync", line: 2, ...facts };
};

/** The rows of these spaces alone, so that only the spaces count. */
const toRooms = (...cells: readonly string[]) => cells.map((cell) => row("", cell, { kind: "ended" }));
/** The rows of these groups, each in a space that is read by its id. */
const ofGroups = (...cells: readonly string[]) => cells.map((cell) => row(cell, roomId(1)));

const anyRoom = { [roomId(1)]: room("NOC") };

function found(number: number, name: string, listing: GroupListing | null = null): FoundGroup {
  const key = `SCIM_GROUP/${uuidOf(number)}:${home}`;
  return { group: { key, id: groupId(number), displayName: name }, listing };
}

/** What one row after the other asks Webex for, and what comes of it. */
async function read(
  mappings: readonly Mapping[],
  single: ReadableWorld["single"] = {},
  known: Readonly<Record<string, string>> = {},
) {
  const world: ReadableWorld = { groups: [group("listed")], rooms: { Listed: complete() }, single };
  const { reader, sought } = createReader(world);
  const names = Object.entries(known).map(([name, id]) => ({ column: "group", name, id }) as const);
  const memory = names.length === 0 ? noNames : createNameMemory(names);
  const directory = await readDirectory(reader, mappings, memory);
  return { ...directory, sought };
}

/** What is asked of the spaces, or of the groups. */
const soughtRooms = ({ sought }: { sought: readonly string[] }) =>
  sought.filter((what) => /^(?:all rooms|room )/.test(what));
const soughtGroups = ({ sought }: { sought: readonly string[] }) =>
  sought.filter((what) => !/^(?:all rooms|room )/.test(what));

test("without rows nothing is asked, and both lists are whole and empty", async () => {
  const { rooms, groups, readings, sought } = await read([]);
  assert.deepEqual([rooms, groups, readings.size, sought], [complete(), complete(), 0, []]);
});

test("up to five spaces that rows name by id are read one by one, each once", async () => {
  const rooms = Object.fromEntries(some(5, (number) => [roomId(number), room(`Space ${number}`)]));
  const ids = some(5, roomId);
  const few = await read(toRooms(...ids, roomId(1)), { rooms });
  assert.deepEqual(
    soughtRooms(few),
    ids.map((id) => `room ${id}`),
  );
  assert.deepEqual(few.rooms, complete(...Object.values(rooms)));
  const many = await read(toRooms(...some(6, roomId)), {
    rooms: Object.fromEntries(some(6, (number) => [roomId(number), room(`Space ${number}`)])),
  });
  assert.deepEqual(soughtRooms(many), ["all rooms"]);
  assert.deepEqual(many.rooms, complete(room("Listed")));
});

test("a link, a bare id and one with its organisation are asked for by the bare id", async () => {
  const rooms = { [uuidOf(1)]: room("NOC") };
  for (const cell of [
    `https://web.webex.com/spaces/${uuidOf(1)}`,
    uuidOf(1).toUpperCase(),
    `${uuidOf(1)}:${home}`,
    `ciscospark://us/ROOM/${uuidOf(1)}`,
  ])
    assert.deepEqual(soughtRooms(await read(toRooms(cell), { rooms })), [`room ${uuidOf(1)}`], cell);
});

test("a title, the id of something else, and a space that cannot be read need the list of all spaces", async () => {
  for (const cell of ["NOC", groupId(1), `title ${uuidOf(1)}`]) {
    const { rooms, ...rest } = await read(toRooms(roomId(1), cell), { rooms: anyRoom });
    assert.deepEqual([soughtRooms(rest), rooms], [["all rooms"], complete(room("Listed"))], cell);
  }
  const unread = await read(toRooms(roomId(1), roomId(2)), { rooms: anyRoom });
  assert.deepEqual(soughtRooms(unread), [`room ${roomId(1)}`, `room ${roomId(2)}`, "all rooms"]);
  assert.deepEqual(unread.rooms, complete(room("Listed")));
});

test("a comment line names no space", async () => {
  const comment = row("see the wiki", "", { kind: "comment" });
  assert.deepEqual(soughtRooms(await read([...toRooms(roomId(1)), comment], { rooms: anyRoom })), [
    `room ${roomId(1)}`,
  ]);
});

test("groups that rows name by id are read one by one, however many, and those of ended rows not at all", async () => {
  const ids = some(12, groupId);
  const groups = Object.fromEntries(some(12, (number) => [groupId(number), found(number, `g${number}`)]));
  const ended = row(groupId(13), roomId(1), { kind: "ended" });
  const directory = await read([...ofGroups(...ids, groupId(1)), ended], { rooms: anyRoom, groups });
  assert.deepEqual(
    soughtGroups(directory),
    ids.map((id) => `group ${id}`),
  );
  assert.deepEqual(directory.groups, complete(...Object.values(groups).map((one) => one.group)));
});

test("Webex is asked for five groups by bare id, and for their list where there are more", async () => {
  const groups = Object.fromEntries(some(6, (number) => [uuidOf(number), found(number, `g${number}`)]));
  const encoded = { [groupId(9)]: found(9, "g9") };
  const single = { rooms: anyRoom, groups: { ...groups, ...encoded } };
  const few = await read(ofGroups(...some(4, uuidOf), `${uuidOf(5)}:${home}`, groupId(9)), single);
  assert.deepEqual(
    soughtGroups(few),
    [...some(5, uuidOf), groupId(9)].map((id) => `group ${id}`),
  );
  const many = await read(ofGroups(...some(6, uuidOf)), single);
  assert.deepEqual([soughtGroups(many), many.groups], [["all groups"], complete(group("listed").group)]);
});

test("a group that cannot be read, and the id of something else, need the list of all groups", async () => {
  const groups = { [groupId(1)]: found(1, "eng") };
  const unread = await read(ofGroups(groupId(1), groupId(2)), { rooms: anyRoom, groups });
  assert.deepEqual(soughtGroups(unread), [`group ${groupId(1)}`, `group ${groupId(2)}`, "all groups"]);
  assert.deepEqual(unread.groups, complete(group("listed").group));
  const other = await read(ofGroups(groupId(1), roomId(7)), { rooms: anyRoom, groups });
  assert.deepEqual(soughtGroups(other), ["all groups"]);
});

test("a name that no run has met, in a row or a comment, is looked for in the list of all groups", async () => {
  const known = { eng: groupId(1) };
  const groups = { eng: found(1, "eng") };
  const rows = await read(ofGroups("eng", "ops"), { rooms: anyRoom, groups }, known);
  const comment = row("ops team", "", { kind: "comment" });
  const comments = await read([...ofGroups("eng"), comment], { rooms: anyRoom, groups }, known);
  for (const { groups: listing, ...rest } of [rows, comments])
    assert.deepEqual([soughtGroups(rest), listing], [["all groups"], complete(group("listed").group)]);
});

test("known names are looked for in the list of groups, if it has few pages, and by name if it has many", async () => {
  const known = { eng: groupId(1), ops: groupId(2) };
  const groups = { eng: found(1, "eng"), ops: found(2, "ops"), [groupId(3)]: found(3, "leads") };
  const rows = ofGroups("eng", "ops", "eng", groupId(3));
  const short = complete(group("short").group);
  const inFew = await read(rows, { rooms: anyRoom, groups, few: short }, known);
  assert.deepEqual(
    [soughtGroups(inFew), inFew.groups, inFew.readings.size],
    [["groups on 3 pages"], short, 0],
  );
  const inMany = await read(rows, { rooms: anyRoom, groups }, known);
  assert.deepEqual(soughtGroups(inMany), [
    "groups on 3 pages",
    "group named eng",
    "group named ops",
    `group ${groupId(3)}`,
  ]);
  assert.deepEqual(inMany.groups, complete(...Object.values(groups).map((one) => one.group)));
});

test("beside more than five bare ids known names are looked for in the list of all groups as well", async () => {
  const rows = ofGroups("eng", ...some(6, uuidOf));
  const directory = await read(rows, { rooms: anyRoom }, { eng: groupId(1) });
  assert.deepEqual(soughtGroups(directory), ["all groups"]);
  const five = await read(ofGroups("eng", ...some(5, uuidOf)), { rooms: anyRoom }, { eng: groupId(1) });
  assert.equal(soughtGroups(five)[0], "groups on 2 pages");
});

test("a known name must lead where it led before, and be its name still, in any spelling that looks the same", async () => {
  const tried = ["groups on 2 pages", "group named NOC leads"];
  const outcomes: readonly [fact: string, groups: Record<string, FoundGroup>, sought: string[]][] = [
    ["it leads there", { "NOC leads": found(1, "NOC\u00A0leads ") }, tried],
    ["it leads elsewhere", { "NOC leads": found(2, "NOC leads") }, [...tried, "all groups"]],
    ["it has another name", { "NOC leads": found(1, "noc leads") }, [...tried, "all groups"]],
    ["it leads to none or several", {}, [...tried, "all groups"]],
  ];
  for (const [fact, groups, sought] of outcomes) {
    const single = { rooms: anyRoom, groups };
    const directory = await read(ofGroups("NOC leads"), single, { "NOC leads": groupId(1) });
    assert.deepEqual(soughtGroups(directory), sought, fact);
  }
});

test("members that came along are a reading where they are all; where they are not, they are read again", async () => {
  const listing = (memberSize: number, members: GroupListing["members"]): GroupListing => {
    return { heads: [{ key: null, displayName: null, memberSize, lastModified: null }], members };
  };
  const groups = {
    [groupId(1)]: found(1, "whole", listing(1, complete(user("ada")))),
    [groupId(2)]: found(2, "short", listing(2, complete(user("ada")))),
    [groupId(3)]: found(3, "broken", listing(1, incomplete("503", user("ada")))),
    [groupId(4)]: found(4, "alone"),
  };
  const { readings } = await read(ofGroups(...some(4, groupId)), { rooms: anyRoom, groups });
  assert.deepEqual(
    [...readings].map(([key, { group: of, complete: isWhole, members }]) => {
      return [key, of.displayName, isWhole, [...members.keys()]];
    }),
    [[`SCIM_GROUP/${uuidOf(1)}:${home}`, "whole", true, ["PEOPLE/ada"]]],
  );
});
