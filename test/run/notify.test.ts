import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as v from "valibot";
import type { ReportTarget } from "../../src/config/settings.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { decideMessage, type Told } from "../../src/report/message.ts";
import { notify } from "../../src/run/notify.ts";
import { room, runRecord } from "../report/build-record.ts";
import { answerOwed, answerRequests, onRunner } from "../support/answered-requests.ts";
import { answerWebex, createSession, webexId } from "../support/answered-webex.ts";
import { openContext } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const problem = { line: null, column: null, message: "Webex is away" };
const partial = runRecord([room("NOC")], { status: "partial", problems: [problem] });
const space = "Alerts";

const messageSchema = v.object({ roomId: v.string(), markdown: v.string() });

interface Case {
  readonly record?: RunRecord;
  readonly env?: Readonly<Record<string, string>>;
  readonly told?: Told | null;
  readonly scopes?: readonly string[] | null;
  /** The titles of the spaces that the login sees. */
  readonly titles?: readonly string[];
  readonly maySend?: boolean;
  readonly target?: ReportTarget;
}

/** Tells the space Alerts of a run; what was said there, and how many requests it took. */
async function tell({ record = partial, env = {}, told = null, ...facts }: Case) {
  const { scopes = null, titles = [space], maySend = true, target = { kind: "folder" } } = facts;
  const { client, sent } = answerWebex(({ method, path }) => {
    if (method === "POST") return maySend ? {} : null;
    if (path === "/people/me") return { id: webexId("PEOPLE", "me"), emails: ["me@acme.example"] };
    return { items: titles.map((title) => ({ id: webexId("ROOM", title), title, type: "group" })) };
  });
  const { context } = await openContext(env, { json: "record.json" });
  const session = createSession(client, { scopes });
  const listener = { space, tokenWarningDays: 14, told, target };
  const notification = await notify(record, listener, session, context);
  const posts = sent
    .filter(({ method }) => method === "POST")
    .map(({ body }) => v.parse(messageSchema, body));
  return { ...notification, posts, count: sent.length };
}

const told = decideMessage({
  ...{ record: partial, space, tokenWarningDays: 14, told: null },
  ...{ reportAddress: null, runUrl: null },
})?.told;
assert.ok(told);

describe("the space that a policy names", () => {
  test("is told what needs a person, once", async () => {
    const first = await tell({});
    const markdown = "⚠️ **Rollcall: 1 problem needs fixing.**\n\n- Webex is away";
    assert.equal(first.posts.length, 1);
    assert.deepEqual(first.posts, [{ roomId: webexId("ROOM", space), markdown }]);
    assert.deepEqual([first.told, first.notice], [told, null]);
    const again = await tell({ told });
    assert.deepEqual([again.told, again.notice, again.count], [undefined, null, 0]);
    const settled = await tell({ record: runRecord([room("NOC")]), told });
    assert.deepEqual([settled.told, settled.posts.length], [null, 1]);
  });

  test("is not told again what a run has told whose report is not committed yet", async () => {
    const target = reportBranch();
    const env = { ...onRunner, GITHUB_RUN_ID: "1001" };
    const owed = { kind: "membership", runId: "1000", runUrl: null, record: partial } as const;
    using github = answerRequests(answerOwed([{ ...owed, told }]));
    const again = await tell({ env, target });
    assert.deepEqual([again.told, again.notice, again.count], [undefined, null, 0]);
    const settled = await tell({ record: runRecord([room("NOC")]), env, target });
    assert.deepEqual([settled.told, settled.count], [undefined, 0], "the memory knows of nothing to settle");
    const asked = github.asked.length;
    await tell({ env, target, told });
    assert.equal(github.asked.length, asked, "where there is nothing new, nobody is asked");
  });

  test("is led to the report and to the run, where there are any", async () => {
    const lastLine = async (env: Readonly<Record<string, string>>) => {
      const { posts } = await tell({ env });
      return posts[0]?.markdown.split("\n").at(-1);
    };
    const repository = { GITHUB_REPOSITORY: "acme/spaces" };
    const report = "[Report](https://github.com/acme/spaces/blob/main/reports/README.md)";
    const run = "[Run](https://github.com/acme/spaces/actions/runs/1001)";
    assert.equal(await lastLine({ ...repository, GITHUB_REF_NAME: "main" }), report);
    assert.equal(
      await lastLine({ ...repository, GITHUB_REF_NAME: "main", GITHUB_RUN_ID: "1001" }),
      `${report} · ${run}`,
    );
    assert.equal(await lastLine({ ...repository, GITHUB_RUN_ID: "1001" }), run);
    assert.equal(await lastLine({ REPORT_BRANCH: "main" }), "- Webex is away");
  });

  test("that cannot be told is named with the reason, and what it knows stays as it is", async () => {
    const gone = await tell({ titles: ["Alarms"] });
    assert.equal(gone.told, undefined);
    assert.match(
      gone.notice ?? "",
      /^The space "Alerts" could not be told \(report\.notify\): .*[^.]\. The next run that has something to say tries again\.$/,
    );
    assert.deepEqual(gone.posts, []);
    const refused = await tell({ maySend: false });
    assert.match(
      refused.notice ?? "",
      /could not be told \(report\.notify\): .*may not see it.*\. The next run/,
    );
    assert.equal(refused.told, undefined);
  });

  test("that Webex refuses to be told names the scope to tick, where the login lacks it", async () => {
    const lacking = "; the Webex login lacks spark:messages_write. The next run";
    for (const [scopes, lacks] of [
      [["spark:people_read", "spark:rooms_read"], true],
      [[], true],
      [["spark:people_read", "spark:messages_write"], false],
      [["spark:people_read", "spark:all"], false],
      [null, false],
    ] as const) {
      const { notice } = await tell({ maySend: false, scopes });
      assert.equal(notice?.includes(lacking), lacks, String(scopes));
    }
  });
});
