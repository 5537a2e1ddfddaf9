import assert from "node:assert/strict";
import { test } from "node:test";
import type { Proposal } from "../../sandbox/github/github.ts";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { organisation } from "../support/organisation.ts";
import { type Ending, startStory } from "../support/story.ts";

const marker = "<!-- rollcall:plan -->";

const bot = "github-actions[bot]";

const check = loadContracts();

const acme = organisation({
  groups: { noc: ["ann", "bob"], eng: ["cat", "dan"], none: [] },
  rooms: { NOC: ["ann", "eve"], Eng: ["cat", "fay"] },
});

const csv = (...rows: readonly string[]) => `${["group,room,mode", ...rows].join("\n")}\n`;

const mappings = (...rows: readonly string[]) => ({ "mappings/rooms.csv": csv(...rows) });

/** A repository whose default branch maps NOC, and a pull request with these files. */
async function startReview(
  proposal: Proposal,
  {
    base = mappings("noc,NOC,"),
    ...options
  }: SandboxOptions & { readonly base?: Record<string, string> } = {},
) {
  const story = await startStory(acme, [], { ...options, github: { files: base } });
  const { github } = story.sandbox;
  const number = github.pulls.open(proposal);
  const { comments } = github.issues.find(number);
  return {
    story,
    number,
    comments,
    /** The one comment with what differs from run to run taken out. */
    body: () => readable(comments.at(-1)?.body ?? "", story.sandbox.url),
    run: () => story.run(["plan", "--pull-request", String(number)]),
    [Symbol.asyncDispose]: () => story[Symbol.asyncDispose](),
  };
}

function readable(body: string, url: string): string {
  return body
    .replaceAll(url, "https://github.example")
    .replace(/[0-9a-f]{40}/g, "HEAD")
    .replace(/`[0-9a-f]{12}`/g, "`HEAD`");
}

function assertHarmless({ requests, writes, commits }: Ending): void {
  assert.deepEqual([writes, commits], [[], 0]);
  assert.deepEqual(requests.flatMap(check), []);
}

test("the comment tells what the pull request changes apart from what has drifted anyway", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,", "eng,Eng,") });
  const end = await review.run();
  assert.equal(end.code, 0);
  assertHarmless(end);
  assert.deepEqual(
    review.comments.map((comment) => comment.login),
    [bot],
  );
  const file = "https://github.example/acme/spaces/blob/HEAD/mappings/rooms.csv?plain=1";
  assert.equal(
    review.body(),
    `${marker}
### ✅ Rollcall plan: +1 −1 in 1 space; 1 space changes how it is managed

\`\`\`diff
@@ Eng ← eng (line 3) @@
! newly managed: mode sync, 3 members
+ Dan (dan@acme.example)
- Fay (fay@acme.example)
\`\`\`

<details>
<summary>Pending regardless of this pull request: 1 to add, 1 to remove (1 space)</summary>

Groups and spaces have drifted apart; the next run deals with that in any case.

\`\`\`diff
@@ NOC ← noc (line 2) @@
+ Bob (bob@acme.example)
- Eve (eve@acme.example)
\`\`\`

</details>

*Planned for \`HEAD\` ([rooms.csv](${file})) by [this run](https://github.example/acme/spaces/actions/runs/1001), whose summary has the whole plan. Nothing has been changed in Webex. After the merge, Rollcall plans again.*
`,
  );
  assert.match(end.summary, /^\+ Bob /m);
  assert.match(end.summary, /^\+ Dan /m);
  const listings = end.requests.filter(({ path }) => path.startsWith("/memberships?"));
  assert.equal(listings.length, 2, "each room is read once for both plans");
});

test("a room that is taken out, and one that is only audited, say what is no longer done", async () => {
  const base = mappings("noc,NOC,", "eng,Eng,");
  await using review = await startReview({ files: mappings("eng,Eng,audit") }, { base });
  assert.equal((await review.run()).code, 0);
  const [, block] = /```diff\n([\s\S]*?)\n```/.exec(review.body()) ?? [];
  assert.deepEqual(block?.split("\n"), [
    "@@ Eng ← eng (line 2) @@",
    "! mode sync → audit",
    "! Dan (dan@acme.example) will no longer be added: The space's mode is audit: differences are only reported",
    "! Fay (fay@acme.example) will no longer be removed: The space's mode is audit: differences are only reported",
    "",
    "@@ NOC ← noc (line 2) @@",
    "! no row names this space any more: its 3 members stay, and nobody manages them",
    "! Bob (bob@acme.example) will no longer be added: the space is no longer managed",
    "! Eve (eve@acme.example) will no longer be removed: the space is no longer managed",
  ]);
});

test("errors in the mappings are told with their lines, and Webex is not asked at all", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,", "eng,,sink") });
  const end = await review.run();
  assert.equal(end.code, 1);
  assert.deepEqual(
    end.requests.filter((exchange) => exchange.half === "webex"),
    [],
  );
  const line = "[line 3](https://github.example/acme/spaces/blob/HEAD/mappings/rooms.csv?plain=1#L3)";
  assert.equal(
    review.body(),
    `${marker}
### ❌ Rollcall plan: no plan; 2 problems to fix

#### 🔧 To be fixed

- **${line}, column mode:** no mode is named "sink" (a mode is sync, add-only or audit)
- **${line}, column room:** the cell is empty; fill in the room or remove the line

Until then there is no plan. The next push makes a new one.

*Read at \`HEAD\` by [this run](https://github.example/acme/spaces/actions/runs/1001). Nothing has been changed.*
`,
  );
});

test("a name that leads nowhere is a problem of the pull request, unless the default branch has it as well", async () => {
  const base = mappings("noc,NOC,", "noc,Nok,");
  await using review = await startReview({ files: mappings("noc,NOC,", "noc,Nok,", "engg,Eng,") }, { base });
  assert.equal((await review.run()).code, 0);
  const [open = "", ...folded] = review.body().split("<details>");
  assert.match(open, /^### ⚠️ Rollcall plan: .*; 1 problem to fix$/m);
  assert.match(open, /engg.*did you mean "eng"/);
  assert.doesNotMatch(open, /Nok/);
  assert.match(folded.at(-1) ?? "", /Already wrong on the default branch[\s\S]*Nok/);
});

test("a policy that turns the limits off is shown before anything else, with what it lets through", async () => {
  const policy = {
    limits: { removalsPerRoom: { count: 500 }, emptyGroup: "apply" },
    protect: { moderators: false },
  };
  const base = mappings("noc,NOC,", "none,Eng,");
  await using review = await startReview(
    { files: { "mappings/policy.json": JSON.stringify(policy) } },
    { base },
  );
  assert.equal((await review.run()).code, 0);
  const body = review.body();
  assert.ok(body.startsWith(`${marker}\n### ⚠️ `));
  const warning = body.split("\n").filter((line) => line.startsWith(">"));
  assert.deepEqual(warning, [
    "> [!WARNING]",
    "> **Weakens a limit.** The plan below uses the new policy. Have a code owner look at this:",
    ">",
    "> - `limits.removalsPerRoom.count`: `3` → `500`",
    '> - `limits.emptyGroup`: `"hold"` → `"apply"`',
    "> - `protect.moderators`: `true` → `false`",
  ]);
  assert.ok(body.indexOf("[!WARNING]") < body.indexOf("```diff"));
  // Nobody but the token's owner would be left, which no policy lets through.
  assert.match(
    body,
    /^! would wait for approval: 2 removals planned; nobody but the token's owner and bots would be left\n! {3}Cat .*\n! {3}Fay /m,
  );
});

test("cells of a hostile pull request cannot pose as the marker, mention anybody or break a table", async () => {
  const cell = `x --> ${marker} @octo-admin | [a](http://evil.example) <img src=x> \`#1\``;
  await using review = await startReview({
    files: mappings("noc,NOC,", `"${cell}",Eng,`, `noc,"${cell}|",`),
  });
  assert.equal((await review.run()).code, 0);
  const body = review.body().slice(marker.length);
  assert.doesNotMatch(body, /-->|<!--|<img|@octo|(?<!\\)\]\(http:|(?<!\\)`#1/);
  const again = await review.run();
  assert.match(again.stderr, /The comment on pull request 1: unchanged/);
  assert.equal(review.comments.length, 1);
});

test("a file of 5 MB is not read, and the comment says so", async () => {
  const large = `group,room\n${"noc,a room with a long name\n".repeat(200_000)}`;
  assert.ok(large.length > 5 * 1024 * 1024);
  await using review = await startReview({ files: { "mappings/rooms.csv": large } });
  const end = await review.run();
  assert.equal(end.code, 1);
  assert.match(
    review.body(),
    /the file has \d\.\d MiB at the pull request's head; at most 1 MiB is read: split it/,
  );
  assert.ok(end.requests.every((exchange) => exchange.half === "github"));
});

for (const isHiddenFromBase of [false, true]) {
  const where = isHiddenFromBase ? "the fork alone" : "the base repository";
  test(`the head of a fork is read, where ${where} answers for its commit`, async () => {
    const fork = "mallory/spaces";
    await using review = await startReview({
      files: mappings("noc,NOC,", "eng,Eng,"),
      fork,
      isHiddenFromBase,
    });
    const end = await review.run();
    assert.equal(end.code, 0);
    assertHarmless(end);
    assert.match(review.body(), /\+1 −1 in 1 space/);
    assert.match(review.body(), /https:\/\/github\.example\/mallory\/spaces\/blob\/HEAD/);
  });
}

test("the own comment is found on a later page, updated in place, and its duplicate deleted", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,", "eng,Eng,") });
  const { issues } = review.story.sandbox.github;
  const say = (login: string, body: string) => issues.comment(review.number, login, body);
  const stranger = say("mallory", `${marker}\nnot by us`);
  for (let count = 0; count < 120; count += 1) say("ann", `comment ${count}`);
  const other = say(bot, "another workflow's comment");
  const own = say(bot, `${marker}\nan old plan`);
  say(bot, `${marker}\nan older plan`);
  const end = await review.run();
  assertHarmless(end);
  assert.match(end.stderr, /The comment on pull request 1: updated/);
  const marked = review.comments.filter((comment) => comment.body.startsWith(marker));
  assert.deepEqual(
    marked.map(({ id, login }) => ({ id, login })),
    [
      { id: stranger.id, login: "mallory" },
      { id: own.id, login: bot },
    ],
  );
  assert.equal(stranger.body, `${marker}\nnot by us`);
  assert.equal(other.body, "another workflow's comment");
  assert.match(own.body, /\+1 −1 in 1 space/);
});

test("a comment that says the same already is not written again; a new commit is news", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,", "eng,Eng,") });
  const first = await review.run();
  const second = await review.run();
  const wrote = ({ requests }: Ending) =>
    requests
      .filter(({ method, path }) => method !== "GET" && path.includes("comments"))
      .map(({ method }) => method);
  assert.deepEqual([wrote(first), wrote(second)], [["POST"], []]);
  review.story.sandbox.addToRoom("Eng", "dan");
  assert.deepEqual(wrote(await review.run()), ["PATCH"]);
});

test("a comment that may not be written fails the run, and the plan is in the summary all the same", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,", "eng,Eng,") });
  review.story.sandbox.fault({
    route: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    status: 403,
  });
  const end = await review.run();
  assert.deepEqual([end.code, end.record.status, end.outputs.status], [1, "failed", "failed"]);
  assert.match(
    end.stderr,
    /the comment on pull request 1 was not written: .*permissions: pull-requests: write/,
  );
  assert.match(end.summary, /^\+ Dan /m);
});

test("a pull request that does not exist, and a number that is none, end with what to do", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,") });
  const missing = await review.story.run(["plan", "--pull-request", "7"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /pull request 7 of acme\/spaces could not be read: .*check the number/);
  for (const number of ["0", "-1", "1.5", "1e3", "x"]) {
    const { code, stderr } = await review.story.folder.run(["plan", `--pull-request=${number}`]);
    assert.deepEqual(
      [code, stderr.trim()],
      [
        1,
        `plan --pull-request "${number}" is malformed; give the number after the # in its title, such as 12`,
      ],
    );
  }
});

test("outside of GitHub one error names all that is missing", async () => {
  await using review = await startReview({ files: mappings("noc,NOC,") });
  const { code, stderr } = await review.story.folder.run(["plan", "--pull-request", "1"]);
  assert.equal(code, 1);
  for (const name of ["GITHUB_REPOSITORY", "GITHUB_TOKEN", "WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET"])
    assert.ok(stderr.includes(name), name);
});
