import assert from "node:assert/strict";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type Ending, startStory } from "./story.ts";

/** Rows of rooms.csv: a group's name and a room's title. */
export type Rows = readonly (readonly [group: string, room: string])[];

interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly held: readonly string[];
}

const nothing: Changes = { added: [], removed: [], held: [] };

/** What `sync` should do, worked out from the organisation and the rows alone. */
function expectChanges({ people, groups, rooms }: Organisation, rows: Rows) {
  const members = new Map(groups.map((group) => [group.name, group.members]));
  const isKept = new Set(
    people.filter(({ type, organisation }) => type || organisation).map(({ key }) => key),
  );
  const expected = { added: [] as string[], removed: [] as string[], held: [] as string[] };
  const after = new Map<string, string[]>();
  for (const { title, members: present } of rooms) {
    const fed = rows.filter(([, room]) => room === title).map(([group]) => members.get(group) ?? []);
    const desired = new Set(fed.flat());
    const missing = [...desired].filter((key) => !present.includes(key));
    const surplus = present.filter((key) => !desired.has(key) && !isKept.has(key));
    const stays = [...present.filter((key) => !surplus.includes(key)), ...missing];
    // The token's owner is in every room, and the limit looks at the room after the additions.
    const limit = Math.max(3, 0.25 * (present.length + 1 + missing.length));
    const reason = fed.some((group) => group.length === 0)
      ? "empty-group"
      : surplus.length > limit
        ? "removals-per-room"
        : null;
    const changed = surplus.map((key) => `${title}: ${key}`);
    expected.added.push(...missing.map((key) => `${title}: ${key}`));
    if (reason === null) expected.removed.push(...changed);
    else expected.held.push(...changed.map((one) => `${one}: ${reason}`));
    after.set(title, [...stays, "rollcall"].sort());
  }
  for (const list of Object.values(expected)) list.sort();
  return { expected, after };
}

/** What a run's record says was done and held, in the same words. */
function printChanges({ record }: Ending, { people }: Organisation): Changes {
  const keys = new Map(people.map((person) => [person.email, person.key]));
  const list = (field: "added" | "removed" | "held") =>
    record.rooms
      .flatMap((room) =>
        room[field].map((person) => {
          const reason = "reason" in person ? `: ${person.reason}` : "";
          return `${room.title}: ${keys.get(person.email ?? "")}${reason}`;
        }),
      )
      .sort();
  return { added: list("added"), removed: list("removed"), held: list("held") };
}

const withoutReason = (held: string) => held.split(": ").slice(0, 2).join(": ");

/**
 * Runs `sync` until an organisation is converged, and asserts that each run does exactly what the organisation and the
 * rows say: what is not held at once, nothing again, what was held once it is approved, and then nothing.
 * Returns the first run, whose figures tell the size.
 */
export async function assertSettles(organisation: Organisation, rows: Rows): Promise<Ending> {
  const { expected, after } = expectChanges(organisation, rows);
  await using story = await startStory(
    organisation,
    rows.map((row) => row.join(",")),
  );
  const first = await story.run(["sync"]);
  assert.deepEqual(printChanges(first, organisation), expected);
  assert.deepEqual([first.code, first.record.status, first.record.problems], [2, "held", []]);
  assert.deepEqual(
    [first.writes.length, first.commits],
    [expected.added.length + expected.removed.length, 1],
  );
  const digest = first.record.digest ?? "";
  assert.match(digest, /^[0-9a-f]{12}$/);
  assert.ok(first.stdout.includes(`npm run sync -- --approve ${digest}`), "the approval is printed");

  const second = await story.run(["sync"]);
  assert.deepEqual(printChanges(second, organisation), { ...nothing, held: expected.held });
  assert.deepEqual([second.code, second.record.digest, second.writes, second.commits], [2, digest, [], 0]);

  const approved = await story.run(["sync", "--approve", digest]);
  const released = expected.held.map(withoutReason);
  assert.deepEqual(printChanges(approved, organisation), { ...nothing, removed: released });
  assert.deepEqual([approved.code, approved.record.status, approved.record.digest], [0, "changed", null]);
  assert.deepEqual([approved.writes.length, approved.commits], [released.length, 1]);
  const members = organisation.rooms.map(({ title }) => [title, story.sandbox.members(title)]);
  assert.deepEqual(members, [...after]);

  const last = await story.run(["sync"]);
  assert.deepEqual(printChanges(last, organisation), nothing);
  assert.deepEqual([last.code, last.record.status, last.writes, last.commits], [0, "converged", [], 0]);
  return first;
}
