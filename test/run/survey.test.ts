import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { maxListed, surveyDirectory } from "../../src/run/survey.ts";
import { answerWebex, webexId } from "../support/answered-webex.ts";

interface Seen {
  /** The people of each group, by the key of its id; null where they may not be read. */
  readonly groups?: Readonly<Record<string, readonly string[] | null>> | null;
  readonly rooms?: Readonly<Record<string, readonly string[] | null>> | null;
}

const people = (names: readonly string[]) =>
  names.map((name) => ({
    id: webexId("PEOPLE", name),
    type: name.startsWith("bot") ? "machine" : "user",
    displayName: name,
  }));

/** Surveys a Webex in which the name of a place is what stands before a hyphen in its key. */
async function survey({ groups = {}, rooms = {} }: Seen) {
  const nameOf = (key: string) => key.split("-")[0];
  const idsOf = (kind: string, places: Seen["groups"]) =>
    new Map(Object.entries(places ?? {}).map(([key, members]) => [webexId(kind, key), { key, members }]));
  const [groupsById, roomsById] = [idsOf("SCIM_GROUP", groups), idsOf("ROOM", rooms)];
  const listed = {
    groups: [...groupsById].map(([id, { key }]) => ({ id, displayName: nameOf(key) })),
    rooms: [...roomsById].map(([id, { key }]) => ({ id, title: nameOf(key), type: "group" })),
  };
  const { client } = answerWebex(({ path, query = {} }) => {
    if (path === "/groups") return groups && { groups: listed.groups };
    if (path === "/rooms") return rooms && { items: listed.rooms };
    if (path === "/memberships") {
      const members = roomsById.get(String(query.roomId))?.members ?? null;
      return members && { items: people(members).map(({ id }) => ({ roomId: query.roomId, personId: id })) };
    }
    const members = groupsById.get(path.split("/")[2] ?? "")?.members ?? null;
    return members && { members: people(members), memberSize: members.length };
  });
  const lines: string[] = [];
  const counts = new Map<string, { readonly total: number; steps: number }>();
  const found = await surveyDirectory(client, [], {
    log: (line) => lines.push(line),
    count(what, total) {
      const counted = { total, steps: 0 };
      counts.set(what, counted);
      return () => {
        counted.steps += 1;
      };
    },
  });
  return { ...found, lines, counts: Object.fromEntries(counts) };
}

const show = (entries: readonly { readonly id: string; readonly size: number | null }[]) =>
  entries.map(({ id, size }) => {
    const [, key] = /([^/]+)$/.exec(Buffer.from(id, "base64url").toString()) ?? [];
    return `${key} ${size}`;
  });

describe("a survey of what the login sees", () => {
  test("lists groups and spaces by name, with the people in them, and says how far it is", async () => {
    const { directory, isWhole, lines, counts } = await survey({
      groups: { "Ops-2": ["ann"], "Ops-1": ["ann", "bob", "bot"], "Dev-3": [] },
      rooms: { "Zoo-1": ["ann"], "Hall-2": ["ann", "bob"] },
    });
    assert.deepEqual(show(directory.groups), ["Dev-3 0", "Ops-1 2", "Ops-2 1"]);
    assert.deepEqual(show(directory.rooms), ["Hall-2 2", "Zoo-1 1"]);
    assert.deepEqual([isWhole, directory.cut], [true, null]);
    assert.deepEqual(lines, ["Read the names of 3 groups and 2 spaces"]);
    assert.deepEqual(counts, {
      "Read the members of # groups": { total: 3, steps: 3 },
      "Read the members of # spaces": { total: 2, steps: 2 },
    });
  });

  test("shows a place whose people it may not see, without a number", async () => {
    const { directory, isWhole } = await survey({ groups: { Ops: null }, rooms: { Hall: null } });
    assert.deepEqual([...show(directory.groups), ...show(directory.rooms)], ["Ops null", "Hall null"]);
    assert.equal(isWhole, true);
  });

  test("that may not list all of either says so, and shows the rest", async () => {
    const withoutRooms = await survey({ groups: { Ops: ["ann"] }, rooms: null });
    assert.equal(withoutRooms.isWhole, false);
    assert.match(withoutRooms.lines[0] ?? "", /^not all spaces could be read: .*may not see it/);
    assert.deepEqual(show(withoutRooms.directory.groups), ["Ops 1"]);
    const withoutGroups = await survey({ groups: null, rooms: { Hall: ["ann"] } });
    assert.equal(withoutGroups.isWhole, false);
    assert.match(withoutGroups.lines[0] ?? "", /^not all groups could be read: .*may not see it/);
    assert.deepEqual(show(withoutGroups.directory.rooms), ["Hall 1"]);
  });

  test("asks for the people of so many at most, and says of how many it does not know them", async () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`N${10_000 + index}`, []]));
    const both = await survey({ groups: many(maxListed + 1), rooms: many(maxListed + 2) });
    const cut =
      "The members of only 1,500 of 1,501 groups and 1,500 of 1,502 spaces were read, by name from the beginning; what is suggested for the others goes by names alone.";
    assert.equal(both.directory.cut, cut);
    assert.deepEqual(both.lines.slice(1), [cut]);
    assert.deepEqual(show(both.directory.groups).slice(-2), ["N11499 0", "N11500 null"]);
    assert.deepEqual(both.counts, {
      "Read the members of # groups": { total: maxListed, steps: maxListed },
      "Read the members of # spaces": { total: maxListed, steps: maxListed },
    });
    const spaces = await survey({ groups: many(maxListed), rooms: many(maxListed + 1) });
    assert.match(spaces.directory.cut ?? "", /^The members of only 1,500 of 1,501 spaces were read/);
    const none = await survey({ groups: many(1), rooms: many(maxListed) });
    assert.deepEqual([none.directory.cut, none.lines.length], [null, 1]);
  });
});
