import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countSilently } from "../../src/lib/progress.ts";
import { buildRecord } from "../../src/membership/build-record.ts";
import { approve, type CheckedPlan, checkLimits } from "../../src/membership/limits.ts";
import { planChanges, type RoomPlan } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import { parseRecord } from "../../src/membership/record.ts";
import { observeRestore, prepareRestore } from "../../src/membership/restore.ts";
import { formatRecord } from "../../src/report/record-json.ts";
import { check } from "./check.ts";
import {
  applyTo,
  groupNames,
  listPlanned,
  membersOf,
  noLimits,
  openWorld,
  planWorld,
  policies,
  type SmallWorld,
  titles,
  wantedIn,
  wholeWorlds,
  worlds,
} from "./organisations.ts";

/** A plan that has passed the limits, and what it was before. */
async function planAndCheck(world: SmallWorld, policy: Policy) {
  const opened = openWorld(world);
  const { rooms, problems, planAgain } = await planWorld(opened, world.rows, policy);
  return { opened, rooms, problems, planAgain, checked: checkLimits(rooms, policy) };
}

const applied = ({ rooms }: CheckedPlan) => listPlanned(rooms, "removals");
const held = ({ rooms }: CheckedPlan) => listPlanned(rooms, "held");

test("one run makes each space what its rows say, less what is held, kept or not known", () =>
  check([worlds, policies], async (world, policy) => {
    const { opened, checked, planAgain } = await planAndCheck(world, policy);
    const before = opened.members();
    const outcomes = await applyTo(opened, checked, planAgain);
    const after = opened.members();
    for (const title of titles) {
      const [wanted, was, is] = [wantedIn(world, title), membersOf(world, title), new Set(after[title])];
      const plan = checked.rooms.find(({ feed }) => feed.room.title === title);
      if (plan === undefined || plan.feed.mode === "audit" || world.cut.includes(title)) {
        assert.deepEqual(after[title], before[title], title);
        continue;
      }
      const missing = [...wanted].filter((name) => !is.has(name));
      if (
        !world.rows.some(
          ({ group, room }) => room === title && world.cut.concat(world.unsteady).includes(group),
        )
      )
        assert.deepEqual(missing, [], `${title} lacks somebody`);
      // That a newcomer is a bot, so that nobody would be left, shows only once it is there: then nobody is removed.
      const untried = outcomes.get(plan.feed.room.key)?.failed ?? [];
      const staying = new Set([...plan.kept, ...plan.held, ...untried].map(({ displayName }) => displayName));
      const strangers = [...is].filter((name) => !wanted.has(name) && !staying.has(name));
      if (plan.frozen === null) assert.deepEqual(strangers, [], `${title} keeps somebody for no reason`);
      else
        assert.deepEqual(
          [...was].filter((name) => !is.has(name)),
          [],
          `${title} is frozen`,
        );
    }
  }));

test("the next run has nothing to do", () =>
  check([wholeWorlds, policies], async (world, policy) => {
    const { opened, checked, planAgain } = await planAndCheck(world, policy);
    const outcomes = await applyTo(opened, checked, planAgain);
    const again = checkLimits((await planWorld(opened, world.rows, policy)).rooms, policy);
    assert.deepEqual(listPlanned(again.rooms, "additions"), []);
    // What was held may come within a share of what there is now, but never the other way round. Only the second look
    // shows that those who were added are bots, with whom a space is as good as empty.
    const emptying = [...outcomes].flatMap(([key, { failed }]) =>
      failed.map(({ displayName }) => `${key.replace("ROOM/", "")}: ${displayName}`),
    );
    const known = new Set([...held(checked), ...emptying]);
    assert.deepEqual(
      [...applied(again), ...held(again)].filter((one) => !known.has(one)),
      [],
    );
  }));

test("nobody is removed from an incomplete or unstable reading", () =>
  check([worlds, policies], async (world, policy) => {
    const { rooms } = await planAndCheck(world, { ...policy, limits: noLimits });
    for (const plan of rooms) {
      const { title } = plan.feed.room;
      const doubtful = [title, ...plan.feed.groups.map(({ displayName }) => displayName)].filter((name) =>
        [...world.cut, ...world.unsteady].includes(name),
      );
      if (doubtful.length > 0) assert.deepEqual(plan.removals, [], `${title}, with ${doubtful}`);
    }
  }));

test("protected people are never removed, whatever the policy; nor is the last moderator", () =>
  check([worlds, policies], async (world, policy) => {
    const { rooms } = await planAndCheck(world, { ...policy, limits: noLimits });
    for (const { feed, removals } of rooms) {
      const names = removals.map(({ displayName }) => displayName ?? "");
      const moderators = new Set<string>(world.rooms[feed.room.title]?.moderators);
      for (const name of names) {
        const fact = world.people[name];
        assert.notEqual(name, "rollcall");
        assert.ok(!fact?.isUnseen && fact?.kind !== null, `${name} is not known`);
        assert.ok(fact?.kind !== "device" && fact?.kind !== "guest", `${name} is a ${fact?.kind}`);
        assert.ok(fact?.kind !== "bot" || !policy.protect.bots, `${name} is a bot`);
        assert.ok(!fact?.isExternal || !policy.protect.externals, `${name} is external`);
        assert.ok(!policy.protect.people.includes(`${name}@acme.example`), `${name} is listed`);
        assert.ok(!moderators.has(name) || !policy.protect.moderators, `${name} moderates`);
        assert.ok(!wantedIn(world, feed.room.title).has(name), `${name} is in a feeding group`);
        assert.equal(feed.mode, "sync");
      }
      if (moderators.size > 0)
        assert.ok(
          [...moderators].some((name) => !names.includes(name)),
          "no moderator is left",
        );
    }
  }));

test("the order of rows, groups, people and spaces does not matter", () =>
  check([worlds, policies, fc.noShrink(fc.infiniteStream(fc.nat()))], async (world, policy, order) => {
    const shuffle = <T>(list: readonly T[]): T[] =>
      list
        .map((item) => ({ item, rank: Number(order.next().value) }))
        .sort((one, other) => one.rank - other.rank)
        .map(({ item }) => item);
    const shuffled: SmallWorld = {
      ...world,
      rows: shuffle(world.rows),
      groups: Object.fromEntries(groupNames.map((name) => [name, shuffle(world.groups[name] ?? [])])),
      rooms: Object.fromEntries(
        shuffle(Object.entries(world.rooms)).map(([title, place]) => [
          title,
          { ...place, members: shuffle(place.members) },
        ]),
      ),
    };
    // Of a list that was cut, what arrived depends on the order.
    const [one, other] = await Promise.all(
      [world, shuffled].map((each) => planAndCheck({ ...each, cut: [], unsteady: [] }, policy)),
    );
    for (const list of ["additions", "removals", "held", "kept"])
      assert.deepEqual(
        listPlanned(other?.checked.rooms ?? [], list),
        listPlanned(one?.checked.rooms ?? [], list),
        list,
      );
    assert.equal(other?.checked.digest, one?.checked.digest);
  }));

test("the rows of one space change nothing in another", () =>
  check([worlds, policies, fc.constantFrom(...titles)], async (world, policy, title) => {
    const free = { ...policy, limits: { ...policy.limits, removalsPerRun: noLimits.removalsPerRun } };
    const others = { ...world, rows: world.rows.filter((row) => row.room !== title) };
    const [all, less] = await Promise.all([planAndCheck(world, free), planAndCheck(others, free)]);
    const withoutIt = all.checked.rooms.filter(({ feed }) => feed.room.title !== title);
    for (const list of ["additions", "removals", "held", "missing"])
      assert.deepEqual(listPlanned(less.checked.rooms, list), listPlanned(withoutIt, list), list);
    // Where nobody may be removed nobody is asked for: what is known of a member is what another space wanted to know.
    const whole = (rooms: readonly RoomPlan[]) => rooms.filter(({ frozen }) => frozen === null);
    assert.deepEqual(listPlanned(whole(less.checked.rooms), "kept"), listPlanned(whole(withoutIt), "kept"));
  }));

test("what is held and what is applied is what was planned, and a space is held as a whole or not at all", () =>
  check([worlds, policies], async (world, policy) => {
    const { rooms, checked } = await planAndCheck(world, policy);
    assert.deepEqual([...applied(checked), ...held(checked)].sort(), listPlanned(rooms, "removals"));
    for (const room of checked.rooms) assert.ok(room.held.length === 0 || room.removals.length === 0);
    assert.equal(checked.digest === null, held(checked).length === 0);
  }));

test("no limit is passed", () =>
  check([worlds, policies], async (world, policy) => {
    const { checked } = await planAndCheck(world, policy);
    const sizeOf = (plan: RoomPlan) => (plan.before ?? 0) + plan.additions.length;
    const most = ({ count, share }: Policy["limits"]["removalsPerRoom"], members: number) =>
      Math.max(count, Math.floor(share * members + 1e-6));
    for (const room of checked.rooms)
      assert.ok(room.removals.length <= most(policy.limits.removalsPerRoom, sizeOf(room)));
    const all = checked.rooms.reduce((sum, room) => sum + sizeOf(room), 0);
    assert.ok(applied(checked).length <= most(policy.limits.removalsPerRun, all));
  }));

test("a lower limit never removes more", () =>
  check(
    [worlds, policies, fc.nat({ max: 8 }), fc.constantFrom(0, 0.1, 0.5)],
    async (world, policy, count, share) => {
      const { rooms, checked } = await planAndCheck(world, policy);
      const lower = (limit: Policy["limits"]["removalsPerRoom"]) => ({
        count: Math.max(0, limit.count - count),
        share: Math.max(0, limit.share - share),
      });
      const limits = {
        ...policy.limits,
        removalsPerRoom: lower(policy.limits.removalsPerRoom),
        removalsPerRun: lower(policy.limits.removalsPerRun),
        emptyGroup: "hold" as const,
      };
      const stricter = checkLimits(rooms, { ...policy, limits });
      const known = new Set(applied(checked));
      assert.deepEqual(
        applied(stricter).filter((one) => !known.has(one)),
        [],
      );
    },
  ));

test("an approval applies exactly what has its digest, and any other nothing", () =>
  check([worlds, policies, fc.stringMatching(/^[0-9a-f]{12}$/)], async (world, policy, other) => {
    const { checked } = await planAndCheck(world, policy);
    const released = approve(checked, checked.digest ?? "");
    if (checked.digest !== null) {
      assert.deepEqual(applied(released), [...applied(checked), ...held(checked)].sort());
      assert.deepEqual(held(released), []);
    }
    fc.pre(other !== checked.digest);
    assert.deepEqual(approve(checked, other), checked);
  }));

test("a digest is of exactly one set", () =>
  check([worlds, policies, policies], async (world, policy, another) => {
    const [one, other] = await Promise.all([planAndCheck(world, policy), planAndCheck(world, another)]);
    const isSame = String(held(one.checked)) === String(held(other.checked));
    assert.equal(one.checked.digest === other.checked.digest, isSame);
  }));

test("the second look only ever takes somebody out of the plan", () =>
  check([wholeWorlds, wholeWorlds, policies], async (world, later, policy) => {
    const { opened, checked, rooms } = await planAndCheck(world, { ...policy, limits: noLimits });
    // Webex is another one by the time of the second look.
    const then = openWorld({ ...later, rows: world.rows, people: world.people });
    const again = await planWorld(then, world.rows, { ...policy, limits: noLimits });
    const outcomes = await applyTo({ ...then, members: opened.members }, checked, async (feed, members) => {
      const found = again.rooms.find((plan) => plan.feed.room.key === feed.room.key);
      assert.ok(members.complete && found);
      return found;
    });
    const removed = [...outcomes].flatMap(([key, { removed }]) =>
      removed.map(({ displayName }) => `${key} ${displayName}`),
    );
    const planned = (plans: readonly RoomPlan[]) =>
      new Set(
        plans.flatMap(({ feed, removals }) =>
          removals.map(({ displayName }) => `${feed.room.key} ${displayName}`),
        ),
      );
    const [first, second] = [planned(rooms), planned(again.rooms)];
    for (const one of removed) assert.ok(first.has(one) && second.has(one), one);
  }));

test("a restore gives the memberships from before the run, moderators included", () =>
  check([wholeWorlds, policies], async (world, policy) => {
    const free = { ...policy, limits: noLimits };
    const { opened, checked, planAgain } = await planAndCheck(world, free);
    const [members, moderators] = [opened.members(), opened.moderators()];
    const all = approve(checked, checked.digest ?? "");
    const outcomes = await applyTo(opened, all, planAgain);
    const dates = { startedAt: new Date(0), finishedAt: new Date(0) };
    const facts = { command: "sync", ...dates, problems: [], notices: [], token: null } as const;
    const reading = parseRecord(formatRecord(buildRecord(facts, all, outcomes)));
    assert.ok("record" in reading);
    const unprotected: Policy = {
      ...defaultPolicy,
      limits: noLimits,
      protect: { moderators: false, bots: false, externals: false, people: [] },
    };
    const observation = await observeRestore(opened.reader, reading.record, {
      log: () => undefined,
      count: countSilently,
    });
    const restored = planChanges(observation, unprotected);
    const trust = { isVerified: true, mappedRooms: new Set(titles.map((title) => `ROOM/${title}`)) };
    const prepared = prepareRestore(restored.rooms, observation.moderators, trust);
    const checkedRestore = checkLimits(prepared, unprotected);
    const kept = listPlanned(prepared, "kept");
    const released = approve(checkedRestore, checkedRestore.digest ?? "");
    const undone = await applyTo(opened, released, restored.planAgain);
    // Only the second look shows that those who came back are bots, with whom a space is as good as empty.
    fc.pre([...undone.values()].every(({ failed }) => failed.length === 0));
    // Whom the directory does not describe, and who is no person, is not removed again.
    fc.pre(kept.length === 0 && !listPlanned(checked.rooms, "additions").some((one) => isOdd(world, one)));
    assert.deepEqual(opened.members(), members);
    assert.deepEqual(opened.moderators(), moderators);
  }));

function isOdd(world: SmallWorld, planned: string): boolean {
  const fact = world.people[planned.split(": ")[1] ?? ""];
  return fact === undefined || fact.isUnseen || fact.kind === null || fact.kind !== "person";
}
