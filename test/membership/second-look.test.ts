import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoomPlan } from "../../src/membership/plan.ts";
import type { KeptReason } from "../../src/membership/record.ts";
import { confirmRemovals } from "../../src/membership/second-look.ts";
import { checkedRoom, person, removal, roomPlan } from "../support/builders.ts";

const kept = (name: string, reason: KeptReason) => ({ ...person(name), reason });

/** What two looks at a room agree on, in names. */
function confirm(first: Parameters<typeof checkedRoom>, again: RoomPlan, accepted: readonly string[] = []) {
  const keys = new Set(accepted.map((name) => `PEOPLE/${name}`));
  const {
    removals,
    kept: staying,
    wouldEmpty,
    problems,
  } = confirmRemovals(checkedRoom(...first), again, keys);
  return {
    go: removals.map(({ displayName }) => displayName),
    stay: staying.map(({ displayName, reason }) => `${displayName}: ${reason}`),
    wouldEmpty,
    problems,
  };
}

test("who is to go by both looks goes, with the membership that the second one shows", () => {
  const again = roomPlan("NOC", {}, { removals: [{ ...removal("eve"), membershipId: "newer" }] });
  const { removals, ...rest } = confirmRemovals(checkedRoom("NOC", { remove: ["eve"] }), again, new Set());
  assert.deepEqual(removals, [{ ...removal("eve"), membershipId: "newer" }]);
  assert.deepEqual(rest, { kept: [], wouldEmpty: false, problems: [] });
});

test("who is not to go by the second look stays, and that is told as a change", () => {
  const found = confirm(["NOC", { remove: ["eve", "kim"] }], roomPlan("NOC", { remove: ["kim"] }));
  assert.deepEqual(found, { go: ["kim"], stay: ["eve: changed"], wouldEmpty: false, problems: [] });
});

test("who became a moderator between the looks stays, who was one goes if the policy lets them", () => {
  const asModerator = roomPlan("NOC", {}, { removals: [removal("eve", true)] });
  const became = confirm(["NOC", { remove: ["eve"] }], asModerator);
  assert.deepEqual([became.go, became.stay], [[], ["eve: changed"]]);
  const was = confirmRemovals(
    checkedRoom("NOC", {}, { removals: [removal("eve", true)] }),
    asModerator,
    new Set(),
  );
  assert.deepEqual(was.removals, [removal("eve", true)]);
  const noMore = confirmRemovals(
    checkedRoom("NOC", {}, { removals: [removal("eve", true)] }),
    roomPlan("NOC", { remove: ["eve"] }),
    new Set(),
  );
  assert.deepEqual(noMore.removals, [removal("eve")]);
});

test("a second look that is in doubt removes nobody, and says why", () => {
  const doubtful: readonly [facts: Partial<RoomPlan>, doubt: string][] = [
    [{ frozen: "its member list is incomplete: 503" }, "its member list is incomplete: 503"],
    [{ emptyGroups: ["eng"] }, "a group of it has no members any more"],
  ];
  for (const [facts, doubt] of doubtful)
    assert.deepEqual(confirm(["NOC", { remove: ["eve"] }], roomPlan("NOC", { remove: ["eve"] }, facts)), {
      go: [],
      stay: ["eve: changed"],
      wouldEmpty: false,
      problems: [
        `nobody was removed from space "NOC", because a second look was in doubt (${doubt}); the next run looks again`,
      ],
    });
});

test("a group that was empty at the first look already is no news at the second", () => {
  const empty = { emptyGroups: ["eng"] };
  const first = ["NOC", { remove: ["eve"] }, empty] as const;
  assert.deepEqual(confirm([...first], roomPlan("NOC", { remove: ["eve"] }, empty)).go, ["eve"]);
});

test("whom only the second look shows in no group is told, in one order, and stays for the next run", () => {
  const again = roomPlan(
    "NOC",
    { remove: ["eve", "zoe"] },
    { kept: [kept("ada", "unknown"), kept("bell", "bot"), kept("known", "unknown")] },
  );
  const found = confirm(["NOC", { remove: ["eve"] }, { kept: [kept("known", "unknown")] }], again);
  assert.deepEqual(found.go, ["eve"]);
  assert.deepEqual(found.problems, [
    'after this run space "NOC" has members whom a second look shows in none of its groups: ada, zoe; the next run looks again',
  ]);
  const nobodyElse = confirm(["NOC", { remove: ["eve"] }], roomPlan("NOC", { remove: ["eve"] }));
  assert.deepEqual(nobodyElse.problems, []);
});

test("a space that the plan left people in must not lose its last by the second look", () => {
  const leaves = (stayingCount: number) => ({ stayingCount });
  const first = ["NOC", { add: ["ada", "bob"], remove: ["eve"] }, leaves(0)] as const;
  const again = roomPlan("NOC", { add: ["ada", "bob"], remove: ["eve"] }, leaves(0));
  assert.equal(confirm([...first], again).wouldEmpty, true);
  // Those who were added just now may not be shown yet.
  assert.equal(confirm([...first], again, ["ada"]).wouldEmpty, false);
  assert.equal(confirm([...first], again, ["somebody else"]).wouldEmpty, true);
  const shown = roomPlan("NOC", { add: ["bob"], remove: ["eve"] }, leaves(1));
  assert.equal(confirm([...first], shown, ["ada", "bob"]).wouldEmpty, false);
  assert.equal(confirm(["NOC", { remove: ["eve"] }, leaves(1)], again).wouldEmpty, true);
  assert.equal(confirm(["NOC", { remove: ["eve"] }, leaves(1)], shown, ["bob"]).wouldEmpty, false);
});

test("where nobody goes, or the plan had approval to leave nobody, emptiness stops nothing", () => {
  const empty = { stayingCount: 0 };
  const gone = roomPlan("NOC", {}, empty);
  assert.equal(confirm(["NOC", { add: ["ada"], remove: ["eve"] }, empty], gone).wouldEmpty, false);
  const again = roomPlan("NOC", { remove: ["eve"] }, empty);
  assert.equal(confirm(["NOC", { remove: ["eve"] }, empty], again).wouldEmpty, false);
});
