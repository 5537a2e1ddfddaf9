import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { approve, type CheckedRoom, checkLimits } from "../../src/membership/limits.ts";
import type { RoomPlan } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import type { HeldReason } from "../../src/membership/record.ts";
import { addition, feed, group, removal, room, roomPlan } from "../support/builders.ts";

function policyWith(limits: Partial<Policy["limits"]>): Policy {
  return { ...defaultPolicy, limits: { ...defaultPolicy.limits, ...limits } };
}

/** That many names, each its own. */
function names(count: number, prefix = "p"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, "0")}`);
}

/** A room of so many members of which some go. */
function shrinking(before: number, going: number, adding = 0): RoomPlan {
  return roomPlan("NOC", { add: names(adding, "new"), remove: names(going) }, { before });
}

function goes(plan: RoomPlan): CheckedRoom {
  return { ...plan, held: [], holds: [] };
}

function holds(plan: RoomPlan, reason: HeldReason, message: string): CheckedRoom {
  const held = plan.removals.map((one) => ({ ...one, reason }));
  return { ...plan, removals: [], held, holds: [{ reason, message }] };
}

/** The reason for which each room's removals are held; null where they go. */
function reasonsOf(rooms: readonly RoomPlan[], policy: Policy = defaultPolicy): (HeldReason | null)[] {
  return checkLimits(rooms, policy).rooms.map(({ held }) => held[0]?.reason ?? null);
}

test("a plan without changes passes as it is", () => {
  assert.deepEqual(checkLimits([roomPlan("NOC")], defaultPolicy), {
    rooms: [goes(roomPlan("NOC"))],
    digest: null,
  });
});

test("one removal passes", () => {
  const plan = roomPlan("NOC", { remove: ["eve"] });
  assert.deepEqual(checkLimits([plan], defaultPolicy), { rooms: [goes(plan)], digest: null });
});

test("a room above its limit has all its removals held, and its additions go on", () => {
  const plan = roomPlan("NOC", { add: ["ada"], remove: names(4) });
  const { rooms, digest } = checkLimits([plan], defaultPolicy);
  const why = "4 removals planned; the limit for this space is 3 (the larger of 3 and 25 % of 8 members)";
  assert.deepEqual(rooms, [holds(plan, "removals-per-room", why)]);
  assert.deepEqual(rooms[0]?.additions, plan.additions);
  assert.match(String(digest), /^[0-9a-f]{12}$/);
});

test("a room that is held does not hold the others", () => {
  const plans = [shrinking(7, 4), roomPlan("Lobby", { remove: ["eve"] })];
  assert.deepEqual(reasonsOf(plans), ["removals-per-room", null]);
});

const edges: readonly [fact: string, before: number, adding: number, going: number, isHeld: boolean][] = [
  ["at its count in a small room goes", 6, 0, 3, false],
  ["one above its count in a small room is held", 7, 0, 4, true],
  ["at its share in a large room goes", 100, 0, 25, false],
  ["one above its share in a large room is held", 100, 0, 26, true],
  ["at the share after the additions goes", 92, 8, 25, false],
  ["above the share after the additions is held", 92, 7, 25, true],
];
for (const [fact, before, adding, going, isHeld] of edges) {
  test(`a room ${fact}`, () => {
    const policy = policyWith({ removalsPerRun: { count: 1000, share: 1 } });
    assert.deepEqual(reasonsOf([shrinking(before, going, adding)], policy), [
      isHeld ? "removals-per-room" : null,
    ]);
  });
}

test("exactly at the limit goes for every share that is written in percent", () => {
  for (let percent = 1; percent < 100; percent += 1) {
    const limit = { count: 0, share: percent / 100 };
    const policy = policyWith({ removalsPerRoom: limit, removalsPerRun: { count: 1000, share: 1 } });
    const at = shrinking(100, percent);
    const above = shrinking(100, percent + 1);
    assert.deepEqual(reasonsOf([at], policy), [null], `${percent} %`);
    assert.deepEqual(reasonsOf([above], policy), ["removals-per-room"], `above ${percent} %`);
  }
});

test("a limit of nothing holds every removal", () => {
  const policy = policyWith({ removalsPerRoom: { count: 0, share: 0 } });
  assert.deepEqual(reasonsOf([shrinking(100, 1)], policy), ["removals-per-room"]);
});

/** Rooms of 20 in each of which so many go. */
function many(rooms: number, going: number): RoomPlan[] {
  return names(rooms, "Room ").map((title) =>
    roomPlan(title, { remove: names(going, `${title} `) }, { before: 20 }),
  );
}

test("a run exactly at its limit goes, and one above it holds the removals of every room", () => {
  const policy = policyWith({ removalsPerRun: { count: 25, share: 0.1 } });
  assert.deepEqual(reasonsOf(many(13, 2), policy), Array(13).fill(null));
  const limit = policyWith({ removalsPerRun: { count: 25, share: 0.09 } });
  assert.deepEqual(reasonsOf(many(13, 2), limit), Array(13).fill("removals-per-run"));
});

test("the run's share is of the members of all managed rooms, after the additions", () => {
  const quiet = roomPlan("Quiet", {}, { before: 70 });
  const growing = roomPlan("Growing", { add: names(4) }, { before: 0 });
  const unread = roomPlan("Unread", {}, { before: null });
  const policy = policyWith({ removalsPerRun: { count: 0, share: 0.02 } });
  const shrinks = roomPlan("NOC", { remove: names(2) }, { before: 26 });
  assert.deepEqual(reasonsOf([quiet, growing, unread, shrinks], policy), [null, null, null, null]);
  assert.deepEqual(reasonsOf([quiet, unread, shrinks], policy), [null, null, "removals-per-run"]);
});

test("the run's limit counts removals that are held already for another reason", () => {
  const policy = policyWith({ removalsPerRun: { count: 4, share: 0 } });
  const plans = [shrinking(7, 4), roomPlan("Lobby", { remove: ["eve"] })];
  assert.deepEqual(reasonsOf(plans, policy), ["removals-per-room", "removals-per-run"]);
});

const general = { feed: feed(room("General", { generalOfTeamId: "team" }), [group("eng")]) };
const empty = { emptyGroups: ["night"] };
const deserted = { stayingCount: 0 };
const apply = { emptyGroup: "apply" } as const;

const reasons: readonly [
  fact: string,
  facts: Partial<RoomPlan>,
  going: number,
  limits: Partial<Policy["limits"]>,
  reason: HeldReason | null,
][] = [
  ["removals in a team's General space are held", general, 1, {}, "team-general-space"],
  ["the General space is named before an empty group", { ...general, ...empty }, 1, {}, "team-general-space"],
  ["removals for an empty group are held", empty, 1, {}, "empty-group"],
  ["an empty group is named before an emptied room", { ...empty, ...deserted }, 1, {}, "empty-group"],
  ["an empty group lets removals go when the policy says so", empty, 1, apply, null],
  ["removals that leave nobody are held", deserted, 1, {}, "empties-room"],
  [
    "an emptied room is held whatever an empty group may do",
    { ...empty, ...deserted },
    1,
    apply,
    "empties-room",
  ],
  ["an emptied room is named before the room's limit", deserted, 9, {}, "empties-room"],
  ["the room's limit is named before the run's", { before: 500 }, 200, {}, "removals-per-room"],
  ["the run's limit is named last", { before: 120 }, 27, {}, "removals-per-run"],
];
for (const [fact, facts, going, limits, reason] of reasons) {
  test(fact, () => {
    const plan = roomPlan("NOC", { remove: names(going) }, facts);
    assert.deepEqual(reasonsOf([plan], policyWith(limits)), [reason]);
  });
}

test("a room is not emptied when somebody comes as the others go", () => {
  const plan = roomPlan("NOC", { add: ["ada"], remove: ["eve"] }, deserted);
  assert.deepEqual(reasonsOf([plan]), [null]);
});

test("a room without removals is never held", () => {
  const plan = roomPlan("General", { add: ["ada"] }, { ...general, ...empty, ...deserted });
  assert.deepEqual(reasonsOf([plan]), [null]);
});

test("the digest is the documented one: sorted room and person ids, 12 hex characters", () => {
  const plan = roomPlan("NOC", { remove: ["eve", "bob"] }, empty);
  const text = "ROOM/NOC PEOPLE/bob\nROOM/NOC PEOPLE/eve";
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  assert.equal(checkLimits([plan], defaultPolicy).digest, digest);
});

test("the digest does not depend on any order, nor on what is not held", () => {
  const noc = roomPlan("NOC", { remove: ["eve", "bob"] }, empty);
  const lobby = roomPlan("Lobby", { remove: ["eve"] }, empty);
  const turned = { ...noc, removals: noc.removals.toReversed() };
  const grown = { ...lobby, additions: [removal("new")], before: 99 };
  const other = roomPlan("Other", { remove: ["zoe"] });
  const digests = [
    [noc, lobby],
    [lobby, noc],
    [grown, other, turned],
  ].map((plans) => checkLimits(plans, defaultPolicy).digest);
  assert.deepEqual(digests, Array(3).fill(digests[0]));
});

test("the digest changes with every person and every room", () => {
  const digests = [
    [roomPlan("NOC", { remove: ["eve"] }, empty)],
    [roomPlan("NOC", { remove: ["bob"] }, empty)],
    [roomPlan("NOC", { remove: ["eve", "bob"] }, empty)],
    [roomPlan("Lobby", { remove: ["eve"] }, empty)],
    [roomPlan("NOC", { remove: ["eve"] }, empty), roomPlan("Lobby", { remove: ["bob"] }, empty)],
    [roomPlan("NOC", { remove: ["bob"] }, empty), roomPlan("Lobby", { remove: ["eve"] }, empty)],
  ].map((plans) => checkLimits(plans, defaultPolicy).digest);
  assert.equal(new Set(digests).size, digests.length);
});

test("an approval releases exactly what is held, beside what goes anyway", () => {
  const held = roomPlan("NOC", { add: ["ada"], remove: names(9) });
  const free = roomPlan("Lobby", { remove: ["eve"] });
  const checked = checkLimits([held, free], defaultPolicy);
  assert.deepEqual(approve(checked, String(checked.digest)), {
    rooms: [goes(held), goes(free)],
    digest: null,
  });
});

test("an approval of another digest releases nothing", () => {
  const checked = checkLimits([roomPlan("NOC", { remove: names(9) })], defaultPolicy);
  assert.equal(approve(checked, "0123456789ab"), checked);
});

test("an approval where nothing is held changes nothing", () => {
  const checked = checkLimits([roomPlan("NOC", { remove: ["eve"] })], defaultPolicy);
  assert.equal(approve(checked, "0123456789ab"), checked);
});

test("in a room in doubt everything is held for that reason, additions and removals", () => {
  const plan = roomPlan("NOC", { add: ["ada"], remove: names(9) }, { doubt: "unverified-record" });
  const [room] = checkLimits([plan, roomPlan("Lobby", { add: ["eve"] })], defaultPolicy).rooms;
  assert.deepEqual([room?.additions, room?.removals], [[], []]);
  assert.deepEqual(new Set(room?.held.map(({ reason }) => reason)), new Set(["unverified-record"]));
  assert.deepEqual(
    room?.held.flatMap(({ action, displayName }) => (action === "add" ? [displayName] : [])),
    ["ada"],
  );
});

test("an addition as moderator is held alone, and does not count as being there when removals are looked at", () => {
  const additions = [{ ...addition("mia"), asModerator: true } as const, addition("ada")];
  const plan = roomPlan("NOC", { remove: ["eve"] }, { additions });
  const { rooms, digest } = checkLimits([plan], defaultPolicy);
  assert.deepEqual(
    rooms[0]?.held.map(({ displayName, reason }) => `${displayName}: ${reason}`),
    ["mia: moderator-addition"],
  );
  assert.deepEqual([rooms[0]?.additions, rooms[0]?.removals], [[addition("ada")], plan.removals]);
  assert.deepEqual(approve({ rooms, digest }, digest ?? "").rooms[0]?.additions, [
    addition("ada"),
    { ...addition("mia"), asModerator: true },
  ]);
  const alone = { ...plan, additions: additions.slice(0, 1), stayingCount: 0 };
  assert.deepEqual(
    checkLimits([alone], defaultPolicy).rooms[0]?.held.map(({ reason }) => reason),
    ["moderator-addition", "empties-room"],
  );
});

test("the digest tells an addition from a removal of the same person, and a moderator from a member", () => {
  const doubt = { doubt: "unverified-record" } as const;
  const digests = [
    roomPlan("NOC", { add: ["eve"] }, doubt),
    roomPlan("NOC", { remove: ["eve"] }, doubt),
    roomPlan("NOC", {}, { ...doubt, additions: [{ ...addition("eve"), asModerator: true }] }),
  ].map((plan) => checkLimits([plan], defaultPolicy).digest);
  assert.equal(new Set(digests).size, 3);
});

/** What is said of why the removals of the first room wait. */
function explain(rooms: readonly RoomPlan[], limits: Partial<Policy["limits"]> = {}): string | undefined {
  return checkLimits(rooms, policyWith(limits)).rooms[0]?.holds[0]?.message;
}

const share = (share: number) => ({ count: 3, share });

const explanations: readonly [fact: string, said: string | undefined, expected: string][] = [
  [
    "a count that is the larger",
    explain([shrinking(7, 5, 3)]),
    "5 removals planned; the limit for this space is 3 (the larger of 3 and 25 % of 10 members)",
  ],
  [
    "a share that is the larger, in whole people",
    explain([shrinking(30, 8)]),
    "8 removals planned; the limit for this space is 7 (the larger of 3 and 25 % of 30 members)",
  ],
  [
    "a share with a fraction, and a large number",
    explain([shrinking(2000, 1000)], { removalsPerRoom: share(0.125) }),
    "1,000 removals planned; the limit for this space is 250 (the larger of 3 and 12.5 % of 2,000 members)",
  ],
  [
    "the run's limit, which is of all spaces",
    explain([roomPlan("NOC", { remove: names(2) }, { before: 20 }), shrinking(20, 3)], {
      removalsPerRun: { count: 4, share: 0 },
    }),
    "5 removals planned in all spaces together; the limit for one run is 4 (the larger of 4 and 0 % of 40 members)",
  ],
  [
    "an empty group, by its name",
    explain([roomPlan("NOC", { remove: ["eve"] }, empty)]),
    '1 removal planned; its group "night" has no members',
  ],
  [
    "a space that would be empty",
    explain([roomPlan("NOC", { remove: names(2) }, deserted)]),
    "2 removals planned; nobody but the token's owner and bots would be left",
  ],
];
for (const [fact, said, expected] of explanations) {
  test(`what waits is told with its numbers: ${fact}`, () => assert.equal(said, expected));
}

test("those who are added are somebody who is left", () => {
  const facts = { stayingCount: 1 };
  assert.deepEqual(reasonsOf([roomPlan("NOC", { add: ["ada"], remove: ["eve"] }, facts)]), [null]);
});

test("a room that removes nobody holds nothing, whatever else is so", () => {
  const plan = roomPlan("NOC", { add: ["ada"] }, { emptyGroups: ["eng"], stayingCount: 0 });
  assert.deepEqual(checkLimits([plan], defaultPolicy), { rooms: [goes(plan)], digest: null });
});
