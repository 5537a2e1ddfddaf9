import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nameOf, organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

/** Three changes in one room; the access token is dead when the second one arrives, which `order` tells. */
async function startInterruptedStory(): Promise<{
  readonly story: Story;
  readonly order: readonly string[];
}> {
  const story = await startStory(organisation({ groups: { eng: ["ann", "bob"] }, rooms: { NOC: ["old"] } }), [
    "eng,NOC",
  ]);
  const order: string[] = [];
  const match = ({ body }: { readonly body: unknown }) => {
    const isAnn = JSON.stringify(body).includes(story.sandbox.personId("ann"));
    order.push(isAnn ? "ann" : "bob");
    if (order.length === 2) story.sandbox.expireAccessTokens();
    return false;
  };
  story.sandbox.fault({ route: "POST /memberships", match });
  return { story, order };
}

describe("an access token that dies in the middle of a run", { concurrency: 2 }, () => {
  test("is replaced once, the new refresh token is stored first, and the run goes on", async () => {
    const { story: started, order } = await startInterruptedStory();
    await using story = started;
    const { sandbox } = story;
    const ending = await story.run(["sync"]);
    const [, late] = order;
    const additions = ["add ann to NOC: 200", "add bob to NOC: 200", `add ${late} to NOC: 401`];
    assert.deepEqual(ending.writes, [...additions.sort(), "remove old from NOC: 204"]);
    assert.deepEqual([ending.code, ending.record.status, ending.commits], [0, "changed", 1]);
    assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
    const refreshes = ending.requests.filter(({ route }) => route === "POST /access_token");
    assert.equal(refreshes.length, 2);
    const again = ending.requests.slice(ending.requests.lastIndexOf(refreshes[1] ?? assert.fail()) + 1);
    const stored = again.findIndex(({ method, path }) => method === "PUT" && path.endsWith("TOKEN"));
    const used = again.findIndex(({ half, headers }) => half === "webex" && headers.authorization);
    assert.ok(0 <= stored && stored < used, again.map(({ route }) => route).join("\n"));
  });

  test("and cannot be replaced: what was done is told, nothing else is begun, exit 1; the next run does the rest", async () => {
    const { story: started, order } = await startInterruptedStory();
    await using story = started;
    const { sandbox } = story;
    sandbox.fault({ route: "POST /access_token", after: 1, status: 400 });
    const ending = await story.run(["sync"]);
    const [first = "", late = ""] = order;
    assert.deepEqual(ending.writes, [`add ${first} to NOC: 200`, `add ${late} to NOC: 401`].sort());
    assert.deepEqual([ending.code, ending.record.status, ending.commits], [1, "failed", 1]);
    assert.deepEqual(ending.rooms.NOC?.added, [nameOf(first)]);
    assert.deepEqual(sandbox.members("NOC"), [first, "old", "rollcall"]);
    assert.ok(ending.summary.includes(`+ ${nameOf(first)} (`), ending.summary);

    const next = await story.run(["sync"]);
    assert.deepEqual([next.code, next.record.status], [0, "changed"]);
    assert.deepEqual(next.writes, [`add ${late} to NOC: 200`, "remove old from NOC: 204"]);
  });
});

test("a refusal without the scope comes with the list to tick", async () => {
  const granted = "spark:rooms_read spark:memberships_read spark:people_read identity:groups_read";
  await using story = await startStory(
    organisation({ groups: { eng: ["ann"] }, rooms: { NOC: [] } }),
    ["eng,NOC"],
    { scope: granted },
  );
  story.sandbox.fault({ route: "POST /memberships", status: 403 });
  const { code, record } = await story.run(["sync"]);
  assert.equal(code, 3);
  assert.ok(
    record.notices.includes(
      "The Webex login lacks spark:memberships_write, spark:team_memberships_write: tick them at developer.webex.com (My Apps, the integration), then npm run login.",
    ),
    record.notices.join("\n"),
  );
});
