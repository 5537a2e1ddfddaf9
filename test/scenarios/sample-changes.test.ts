import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crowd, organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

const local = { local: true };
const owner = "Rollcall: self";

/** What Webex is made to answer to the addition of one person. */
const refusals = [
  { key: "forbidden", status: 403 },
  { key: "broken", status: 400 },
  { key: "busy", status: 429, headers: { "retry-after": "1" } },
  { key: "locked", status: 423, headers: { "retry-after": "1" } },
  { key: "flaky", status: 503 },
];

// The faults of a sample application about who is removed, and about changes that Webex refuses.
describe("changes are made one by one, and nobody is removed who should stay", { concurrency: 2 }, () => {
  test("sample fault 5: bots, moderators, guests, strangers and the token's owner stay", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        people: {
          helper: { type: "bot", email: "helper@webex.bot" },
          quiet: { type: "bot" },
          visitor: { type: "appuser" },
          board: { type: "place" },
          future: { type: "robot" },
          partner: { organisation: "partner" },
        },
        rooms: [
          {
            title: "NOC",
            members: ["ann", "mod", "helper", "quiet", "visitor", "board", "future", "partner", "old"],
            moderators: ["mod", "rollcall"],
            isLocked: true,
          },
          { title: "Chaired", members: ["ann", "chair"], moderators: ["chair"] },
        ],
      }),
      ["eng,NOC", "eng,Chaired"],
    );
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      NOC: {
        members: "10 → 9",
        removed: ["Old"],
        kept: [
          "Board: device",
          "Future: unknown",
          "Helper: bot",
          "Mod: moderator",
          "Partner: external",
          "Quiet: bot",
          owner,
          "Visitor: external",
        ],
      },
      Chaired: { members: "3 → 3", kept: ["Chair: last-moderator", owner] },
    });
    assert.deepEqual([ending.code, ending.writes], [0, ["remove old from NOC: 204"]]);
  });

  test("sample fault 5: the policy may give up moderators and bots and list people, never the owner or the last moderator", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: ["ann"] },
        people: { helper: { type: "bot" }, partner: { organisation: "partner" } },
        rooms: [
          {
            title: "NOC",
            members: ["ann", "mod", "helper", "partner", "boss"],
            moderators: ["mod", "rollcall"],
            isLocked: true,
          },
          { title: "Chaired", members: ["ann", "chair"], moderators: ["chair"] },
        ],
      }),
      ["eng,NOC", "eng,Chaired"],
    );
    const protect = { moderators: false, bots: false, externals: false, people: ["Boss@ACME.example"] };
    await story.folder.write("mappings/policy.json", JSON.stringify({ protect }));
    const ending = await story.run(["sync"], local);
    assert.deepEqual(ending.rooms, {
      NOC: { members: "6 → 3", removed: ["Helper", "Mod", "Partner"], kept: ["Boss: listed", owner] },
      Chaired: { members: "3 → 3", kept: ["Chair: last-moderator", owner] },
    });
    const removed = ending.record.rooms[0]?.removed.map((person) => [
      person.displayName,
      person.wasModerator,
    ]);
    assert.deepEqual(removed, [
      ["Helper", false],
      ["Mod", true],
      ["Partner", false],
    ]);
    assert.equal(ending.code, 0);
  });

  test("sample fault 10: a refused addition stops no other; 429, 423 and 503 are waited for", async () => {
    const keys = refusals.map(({ key }) => key);
    const rooms = Object.fromEntries(keys.map((key) => [key, ["ann", "old"]]));
    const groups = Object.fromEntries(keys.map((key) => [key, ["ann", key, "zoe"]]));
    await using story = await startStory(
      organisation({ groups, rooms }),
      keys.map((key) => `${key},${key}`),
    );
    const { sandbox } = story;
    for (const { key, ...fault } of refusals) {
      const match = ({ body }: { body: unknown }) => Object(body).personId === sandbox.personId(key);
      sandbox.fault({ route: "POST /memberships", match, ...fault });
    }
    const ending = await story.run(["sync"], local);
    const finished = (name: string) => ({
      members: "3 → 4",
      added: [name, "Zoe"],
      removed: ["Old"],
      kept: [owner],
    });
    const refused = (name: string, error: string) => ({
      members: "3 → 3",
      added: ["Zoe"],
      removed: ["Old"],
      failed: [`add ${name}: [POST] /memberships: ${error}, as declared by the test`],
      kept: [owner],
    });
    assert.deepEqual(ending.rooms, {
      forbidden: refused("Forbidden", "403: Forbidden"),
      broken: refused("Broken", "400: Bad Request"),
      busy: finished("Busy"),
      locked: finished("Locked"),
      flaky: finished("Flaky"),
    });
    const failed = ending.record.rooms.flatMap((room) => room.failed.map(({ trackingId }) => trackingId));
    assert.ok(
      failed.every((id) => id?.startsWith("SANDBOX_")),
      `tracking ids: ${failed}`,
    );
    assert.deepEqual([ending.code, ending.record.status, ending.record.totals.failed], [3, "partial", 2]);

    const again = await story.run(["sync"], local);
    assert.deepEqual(
      [again.code, again.writes],
      [0, ["add broken to broken: 200", "add forbidden to forbidden: 200"]],
    );
  });

  test("sample faults 10 and 11: somebody who came or went in the meantime is no error", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"], Lost: ["ann", "old"] } }),
      ["eng,NOC", "eng,Lost"],
    );
    const { sandbox } = story;
    const meanwhile = {
      "POST /memberships": () => sandbox.addToRoom("NOC", "new"),
      "DELETE /memberships/{membershipId}": () => sandbox.removeFromRoom("NOC", "old"),
    };
    for (const [route, happen] of Object.entries(meanwhile)) {
      let happened = false;
      const match = () => {
        if (!happened) happen();
        happened = true;
        return false;
      };
      sandbox.fault({ route, match });
    }
    // The answer is lost on the way: the second attempt meets what the first has done.
    for (const route of ["POST /memberships", "DELETE /memberships/{membershipId}"]) {
      sandbox.fault({ route, after: 1, dropAfter: true });
    }
    const ending = await story.run(["sync"], local);
    const finished = { members: "3 → 3", added: ["New"], removed: ["Old"], kept: [owner] };
    // What somebody else did in NOC is no change of this run.
    assert.deepEqual(ending.rooms, { NOC: { members: "3 → 3", kept: [owner] }, Lost: finished });
    assert.deepEqual([ending.code, ending.record.totals.failed], [0, 0]);
    const refused = ending.writes.filter((write) => !/: 20[04]$/.test(write));
    assert.ok(
      refused.some((write) => write.endsWith(": 409")) && refused.some((write) => write.endsWith(": 404")),
    );
  });

  test("sample fault 16: more removals than a run's limit are held, all of them, while additions go on", async () => {
    const titles = crowd(13, "room");
    const rooms = Object.fromEntries(titles.map((title) => [title, ["ann", "old", "older"]]));
    await using story = await startStory(
      organisation({ groups: { eng: ["ann", "new"] }, rooms }),
      titles.map((title) => `eng,${title}`),
    );
    const ending = await story.run(["sync"], local);
    const held = ["Old: removals-per-run", "Older: removals-per-run"];
    assert.deepEqual(ending.rooms[titles[0] ?? ""], {
      members: "4 → 5",
      added: ["New"],
      held,
      kept: [owner],
    });
    assert.deepEqual([ending.code, ending.record.status, ending.writes.length], [2, "held", 13]);
    assert.deepEqual(
      { ...ending.record.totals, kept: 0 },
      { rooms: 13, added: 13, removed: 0, held: 26, failed: 0, kept: 0 },
    );
  });
});
