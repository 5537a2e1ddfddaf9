import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { FreshRun } from "../../src/github/workflows.ts";
import { openSession, openStore, runInSession, type Session } from "../../src/run/session.ts";
import { StaleTokenError, UnstoredTokenError } from "../../src/token/rotate.ts";
import { GrantError } from "../../src/webex/oauth-token.ts";
import {
  type Answer,
  type Asked,
  answerRequests,
  answerSecret,
  listDispatches,
  type SecretDates,
  withSecret,
} from "../support/answered-requests.ts";
import { answerWebex, createSession } from "../support/answered-webex.ts";
import { openContext, openFolder } from "../support/open-context.ts";

const env = {
  WEBEX_API_URL: "https://webex.example/v1",
  WEBEX_CLIENT_ID: "client",
  WEBEX_CLIENT_SECRET: "not-a-client-secret",
};

const headers = { date: "Mon, 02 Nov 2026 05:17:00 GMT" };
const day = 24 * 60 * 60;

/** What Webex answers to the refreshes of a run, one after the other. */
interface Refreshed {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly refresh_token_expires_in?: number;
  readonly scope?: string;
}

/** A session with a token file; `answer` is for all requests but the refreshes. */
async function open(
  refreshes: readonly Refreshed[],
  answer: (asked: Asked) => Answer | null = () => ({ body: { items: [] } }),
  onRefresh: (file: string, stop: AbortController) => void = () => undefined,
) {
  const stop = new AbortController();
  const folder = await openFolder({ "token/refresh-token": "made-up-refresh-1" });
  const file = join(folder.path, "token/refresh-token");
  const left = [...refreshes];
  const network = answerRequests((asked) => {
    if (asked.path !== "/v1/access_token") return answer(asked);
    onRefresh(file, stop);
    return { headers, body: left.shift() };
  });
  const { context, lines } = await openContext({ ...env, WEBEX_TOKEN_FILE: file }, {}, stop.signal);
  const session = openSession(context.settings.readConfig(), context);
  return {
    ...{ session, lines, stop, file },
    async [Symbol.asyncDispose]() {
      network[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const list = (session: Session) => session.client.send({ method: "GET", path: "/rooms" });

describe("a session", () => {
  test("has the access token, what it may do, and what became of the refresh token", async () => {
    await using run = await open([
      { access_token: "made-up-access-1", refresh_token: "made-up-refresh-2", scope: "spark:a spark:b" },
    ]);
    const session = await run.session;
    assert.equal(session.accessToken, "made-up-access-1");
    assert.deepEqual(session.scopes, ["spark:a", "spark:b"]);
    assert.deepEqual(session.token, { refreshed: true, rotated: true, refreshTokenExpiresAt: null });
    assert.deepEqual([session.storeEnd, session.lostAccess, session.stop.aborted], [null, null, false]);
    assert.equal(await readFile(run.file, "utf8"), "made-up-refresh-2\n");
    assert.deepEqual(run.lines, []);
  });

  test("tells those who want details until when the login is valid, and everybody once that is soon", async () => {
    const openWith = async (days: number) => {
      await using run = await open([
        { access_token: "made-up-access", refresh_token_expires_in: days * day },
      ]);
      await run.session;
      return run.lines;
    };
    assert.deepEqual(await openWith(60), [
      "detail: Webex login valid until 2027-01-01 (a run normally extends it).",
    ]);
    assert.match((await openWith(3)).join(), /^log: Webex login valid until 2026-11-05, 3 days from now/);
  });

  test("tells how many requests there were when it is closed", async () => {
    await using run = await open([{ access_token: "made-up-access" }]);
    const session = await run.session;
    await list(session);
    await list(session);
    session.close();
    assert.deepEqual(run.lines, ["detail: 2 requests to Webex"]);
  });

  test("whose access token dies gets another one, once, and goes on", async () => {
    let refused = 1;
    const answer = () => (refused-- > 0 ? { status: 401, body: {} } : { body: { items: [] } });
    const ends = { refresh_token_expires_in: 60 * day };
    await using run = await open(
      [
        { access_token: "made-up-access-1", refresh_token: "made-up-refresh-2" },
        { access_token: "made-up-access-2", ...ends },
      ],
      answer,
    );
    const session = await run.session;
    await list(session);
    assert.equal(session.accessToken, "made-up-access-2");
    // The second refresh brought no new token; the first one did.
    assert.deepEqual(session.token, {
      refreshed: true,
      rotated: true,
      refreshTokenExpiresAt: "2027-01-01T05:17:00Z",
    });
    assert.match(run.lines[0] ?? "", /^log: Webex rejected the access token; Rollcall refreshes it once/);
    assert.equal(session.stop.aborted, false);
    refused = 1;
    await assert.rejects(list(session), /401/);
    assert.match(session.lostAccess?.message ?? "", /401/);
    assert.equal(session.stop.aborted, true, "nothing new begins");
  });

  test("says that its refresh token was replaced only if it was", async () => {
    for (const [second, rotated] of [
      [{ access_token: "made-up-access-2" }, false],
      [{ access_token: "made-up-access-2", refresh_token: "made-up-refresh-2" }, true],
    ] as const) {
      let refused = 1;
      const answer = () => (refused-- > 0 ? { status: 401, body: {} } : { body: { items: [] } });
      await using run = await open([{ access_token: "made-up-access-1" }, second], answer);
      const session = await run.session;
      assert.equal(session.token.rotated, false);
      await list(session);
      assert.equal(session.token.rotated, rotated);
    }
  });

  test("begins nothing new once the run is to end, and waits for nothing", async () => {
    await using run = await open([{ access_token: "made-up-access" }]);
    const session = await run.session;
    const soon = () => new Promise((resolve) => setImmediate(() => resolve("still waiting")));
    const waiting = session.waitForConsistency().then(() => "done");
    assert.equal(await Promise.race([waiting, soon()]), "still waiting");
    const reason = new Error("SIGTERM");
    run.stop.abort(reason);
    assert.deepEqual([session.stop.aborted, session.stop.reason], [true, reason]);
    assert.equal(await Promise.race([waiting, soon()]), "done");
    await assert.rejects(list(session), /stopped/);
    assert.equal(session.lostAccess, null);
  });

  test("of a run that was to end while its token was refreshed begins nothing at all", async () => {
    await using run = await open(
      [{ access_token: "made-up-access", refresh_token: "made-up-refresh-2" }],
      () => null,
      (_, stop) => stop.abort(),
    );
    const session = await run.session;
    assert.equal(session.stop.aborted, true);
    assert.equal(
      await readFile(run.file, "utf8"),
      "made-up-refresh-2\n",
      "the only copy is stored nevertheless",
    );
    await assert.rejects(list(session), /stopped/);
  });

  test("whose new refresh token cannot be stored does not open, and the log says where the token is", async () => {
    await using run = await open(
      [{ access_token: "made-up-access", refresh_token: "made-up-refresh-2" }],
      () => null,
      (file) => rmSync(join(file, ".."), { recursive: true }),
    );
    const error = await run.session.catch((reason: unknown) => reason);
    assert.ok(error instanceof UnstoredTokenError);
    assert.match(run.lines.join(), /^log: \nRECOVERY: The new refresh token is in .*\ncat '/);
    const [, place = ""] = /cat '([^']+)'/.exec(error.recovery.command) ?? [];
    assert.equal((await readFile(place, "utf8")).trim(), "made-up-refresh-2");
    rmSync(join(place, ".."), { recursive: true });
  });
});

describe("a token file that another run has", () => {
  test("is not waited for once the run is to end", async () => {
    await using folder = await openFolder({ "refresh-token": "made-up-refresh-1" });
    const path = join(folder.path, "refresh-token");
    const { context } = await openContext({}, {}, AbortSignal.abort());
    const one = await openStore({ kind: "file", path, seed: null }, (await openContext()).context);
    const other = await openStore({ kind: "file", path, seed: null }, context);
    await one.exclusively(() =>
      assert.rejects(
        other.exclusively(() => Promise.reject(new Error("both have it"))),
        /^Error: the run was stopped while another one had the token$/,
      ),
    );
  });

  test("is waited for otherwise", async () => {
    await using folder = await openFolder({ "refresh-token": "made-up-refresh-1" });
    const path = join(folder.path, "refresh-token");
    const { context } = await openContext();
    const openOne = () => openStore({ kind: "file", path, seed: null }, context);
    const [one, other] = [await openOne(), await openOne()];
    const order: string[] = [];
    let second: Promise<unknown> = Promise.resolve();
    await one.exclusively(async () => {
      second = other.exclusively(async () => order.push("second"));
      await delay(50);
      order.push("first");
    });
    await second;
    assert.deepEqual(order, ["first", "second"]);
  });
});

describe("a run whose copy of the token is stale", () => {
  const fresh: FreshRun = { workflow: null, inputs: { organisation: "acme" } };
  const started = [{ workflow: "7", ref: "main", inputs: { organisation: "acme" } }];

  /** Opens a session with a secret of these dates, of a Webex that refuses the refresh token. */
  async function refuse(dates: SecretDates, freshRun: FreshRun | null) {
    using network = answerRequests(
      answerSecret(dates, ({ path }) =>
        path === "/v1/access_token"
          ? { status: 400, body: { error: "invalid_grant" } }
          : { status: 404, body: { message: "Not Found" } },
      ),
    );
    const { context } = await openContext({ ...withSecret, WEBEX_ENVIRONMENT: dates.environment ?? "" });
    const opening = openSession(context.settings.readConfig(), context, freshRun);
    const error = await opening.catch((reason: unknown) => reason);
    assert.ok(error instanceof Error);
    const hasAskedWebex = network.asked.some(({ path }) => path === "/v1/access_token");
    return { error, hasAskedWebex, dispatched: listDispatches(network.asked) };
  }

  test("asks Webex nothing and starts a fresh run in its place", async () => {
    const { error, hasAskedWebex, dispatched } = await refuse(
      { storedAt: "05:00", queuedAt: "04:00" },
      fresh,
    );
    assert.ok(error instanceof StaleTokenError);
    assert.match(error.message, /is stale: .*: a fresh run was started by dispatch$/);
    assert.deepEqual([hasAskedWebex, dispatched], [false, started]);
  });

  test("starts none where it was given none to start", async () => {
    const { error, dispatched } = await refuse({ storedAt: "05:00", queuedAt: "04:00" }, null);
    assert.ok(error instanceof StaleTokenError);
    assert.match(error.message, /a fresh run gets the new value$/);
    assert.deepEqual(dispatched, []);
  });

  test("or may be, starts one when Webex refuses it, and keeps the refusal as the cause", async () => {
    const { error, dispatched } = await refuse(
      { storedAt: "04:30", queuedAt: "04:00", environment: "acme" },
      fresh,
    );
    assert.ok(error instanceof StaleTokenError);
    assert.ok(error.cause instanceof GrantError);
    assert.deepEqual(dispatched, started);
  });

  test("is another one than a run whose token Webex refuses: that starts none", async () => {
    const { error, dispatched } = await refuse({ storedAt: "03:00", queuedAt: "04:00" }, fresh);
    assert.ok(error instanceof GrantError);
    assert.deepEqual(dispatched, []);
  });
});

describe("a run in a session", () => {
  /** A run whose session counts how often it is closed. */
  async function run(work: () => Promise<string>, open: () => Promise<void> = async () => undefined) {
    let closed = 0;
    const close = () => {
      closed += 1;
    };
    const session = createSession(answerWebex(() => null).client, { close });
    const ending = await runInSession(async () => {
      await open();
      return { session };
    }, work);
    return { ending, closed };
  }
  const fail = () => Promise.reject(new Error("away"));

  test("closes it, whatever became of the run", async () => {
    const done = await run(async () => "done");
    assert.ok("found" in done.ending);
    assert.deepEqual([done.ending.found, done.closed], ["done", 1]);
    const failed = await run(fail);
    assert.ok("error" in failed.ending && failed.ending.opened !== null);
    assert.deepEqual([String(failed.ending.error), failed.closed], ["Error: away", 1]);
  });

  test("that never opened ends with why", async () => {
    const { ending, closed } = await run(async () => "done", fail);
    assert.ok("error" in ending);
    assert.deepEqual([ending.opened, String(ending.error), closed], [null, "Error: away", 0]);
  });
});
