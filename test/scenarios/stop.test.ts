import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

type Kill = (signal: NodeJS.Signals) => void;

/** Sends a signal when the sandbox has got the n-th request of a route; that one and those after it are slow. */
function killAt(count: number, signal: NodeJS.Signals) {
  let kill: Kill = () => undefined;
  let seen = 0;
  return {
    onStart: (start: Kill) => {
      kill = start;
    },
    match: () => {
      seen += 1;
      if (seen === count) kill(signal);
      return true;
    },
    // Long enough for the signal to be dealt with before the answer, on a busy machine too.
    delayMs: 1500,
    times: Number.POSITIVE_INFINITY,
  };
}

const newcomers = ["ann", "bob", "cat", "dan"];

describe("a signal ends a run in order", { concurrency: 2 }, () => {
  test("SIGTERM while applying: what is under way ends, nothing new begins, the report is made, the next run goes on", async () => {
    await using story = await startStory(
      organisation({
        groups: { eng: newcomers },
        rooms: { NOC: ["old"], Bridge: ["old"] },
      }),
      ["eng,NOC", "eng,Bridge"],
    );
    const { onStart, ...fault } = killAt(2, "SIGTERM");
    story.sandbox.fault({ route: "POST /memberships", ...fault });
    const stopped = await story.run(["sync"], { onStart });

    // What was under way has ended well. How much that was depends on when the signal came, not so what follows:
    // the removals, which come after the last addition, had not begun, and whatever had not begun is told.
    assert.ok(stopped.writes.length >= 2 && stopped.writes.every((write) => /^add .*: 200$/.test(write)));
    assert.deepEqual([stopped.code, stopped.record.status], [3, "partial"]);
    const said = stopped.record.problems.map(({ message }) => message).join("\n");
    for (const title of ["NOC", "Bridge"]) {
      const added = stopped.writes.filter((write) => write.includes(` to ${title}: `)).length;
      assert.equal(stopped.rooms[title]?.added?.length ?? 0, added);
      const notMade = new RegExp(`(\\d+) changes? in space "${title}" w\\w+ not made`).exec(said);
      assert.equal(Number(notMade?.[1]), newcomers.length + 1 - added, said);
    }
    assert.match(stopped.stderr, /^SIGTERM: /m);
    assert.equal(stopped.commits, 1);
    assert.equal(stopped.outputs.status, "partial");
    assert.ok(stopped.summary.includes("were not made"));
    assert.equal(story.sandbox.github.secret("WEBEX_REFRESH_TOKEN"), story.sandbox.currentRefreshToken);

    const { sandbox, folder } = story;
    const next = await folder.run(["sync"], sandbox.githubEnvironment());
    assert.equal(next.code, 0, next.stderr);
    for (const title of ["NOC", "Bridge"]) {
      assert.deepEqual(sandbox.members(title), [...newcomers, "rollcall"]);
    }
  });

  test("a run that is killed leaves a token and rooms with which the next one goes on", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: newcomers }, rooms: { NOC: ["old"] } }),
      ["eng,NOC"],
    );
    const { sandbox, folder } = story;
    const { onStart, delayMs: _, ...fault } = killAt(2, "SIGKILL");
    sandbox.fault({ route: "POST /memberships", ...fault, hang: true, times: 1, after: 1 });
    const killed = await folder.run(["sync"], sandbox.githubEnvironment(), onStart);
    assert.equal(killed.code, null);
    const next = await story.run(["sync"]);
    assert.deepEqual([next.code, next.record.status], [0, "changed"]);
    assert.deepEqual(sandbox.members("NOC"), [...newcomers, "rollcall"]);
  });

  test("SIGINT while reading: nothing is changed, the record says why, exit 1", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: newcomers }, rooms: { NOC: ["old"] } }),
      ["eng,NOC"],
    );
    const { onStart, ...fault } = killAt(1, "SIGINT");
    story.sandbox.fault({ route: "GET /memberships", ...fault });
    const ending = await story.run(["sync"], { local: true, onStart });
    assert.deepEqual([ending.code, ending.record.status, ending.writes], [1, "failed", []]);
    assert.deepEqual(ending.record.problems, [
      { line: null, column: null, message: "the run was stopped before it changed anything" },
    ]);
    assert.equal((await story.folder.read("token")).trim(), story.sandbox.currentRefreshToken);
  });
});
