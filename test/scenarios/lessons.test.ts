import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { falseAnswers, graphqlErrors } from "../../sandbox/faults.ts";
import type { ApiRequest } from "../../sandbox/router.ts";
import type { Sandbox, SandboxOptions } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

// The kinds of faults that were found from outside, as far as no other test shows them by the real command:
// docs/reliability.md names the test of each kind.

/** Ann is to come, Old is to go; Bob stays. */
function startNoc(options: SandboxOptions = {}): Promise<Story> {
  return startStory(
    organisation({
      groups: { eng: ["ann", "bob"], other: ["bob"] },
      rooms: { NOC: ["bob", "old"], Other: ["bob"] },
    }),
    ["eng,NOC"],
    options,
  );
}

function assertConverged({ sandbox }: Story): void {
  assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
}

describe("one answer that passes is not final", { concurrency: 2 }, () => {
  for (const [name, answer] of [
    ["a 403 that asks to wait", { status: 403, headers: { "retry-after": "1" } }],
    ["a 404", falseAnswers["404"]],
    ["an internal error inside a 200", graphqlErrors.internal],
  ] as const) {
    test(`the report and its record are committed after ${name}`, async () => {
      await using story = await startNoc();
      story.sandbox.fault({ route: "POST /graphql", ...answer });
      const ending = await story.run(["sync"]);
      assert.deepEqual([ending.code, ending.commits], [0, 1], ending.stderr);
      const paths = story.sandbox.github.commits.flatMap((commit) => commit.paths);
      assert.ok(paths.some((path) => /^reports\/runs\/.*\.json$/.test(path), String(paths)));
    });
  }
});

describe("a leftover is believed only when it is the younger one", { concurrency: 2 }, () => {
  const cases: readonly [fact: string, age: number, isNewer: boolean][] = [
    ["older than the token's file is not used, and kept", -60, false],
    ["younger than the token's file is the token", 60, true],
  ];
  for (const [fact, seconds, isNewer] of cases) {
    test(`token.next that is ${fact}`, async () => {
      await using story = await startNoc();
      const { sandbox, folder } = story;
      const [current, other] = [sandbox.currentRefreshToken, "a-token-that-was-spent"];
      await folder.write("token", isNewer ? other : current);
      await folder.write("token.next", isNewer ? current : other);
      const now = Date.now() / 1000;
      await utimes(join(folder.path, "token.next"), now + seconds, now + seconds);
      const ending = await story.run(["sync"], { local: true });
      assert.equal(ending.code, 0, ending.stderr);
      assert.equal((await folder.read("token")).trim(), sandbox.currentRefreshToken);
      assert.equal((await folder.read("token.previous")).trim(), other);
    });
  }
});

describe("two clocks are never compared", { concurrency: 2 }, () => {
  for (const environment of ["", "webex"]) {
    for (const minutes of [-10, 10]) {
      const fact = minutes < 0 ? "fast" : "slow";
      test(`a runner whose clock is ten minutes ${fact} takes no token for stale (${environment || "repository"})`, async () => {
        await using story = await startNoc({
          clockOffsetMs: minutes * 60_000,
          github: { environments: environment ? [environment] : [] },
        });
        for (const expected of ["changed", "converged"]) {
          const ending = await story.run(["sync"], { env: { WEBEX_ENVIRONMENT: environment } });
          assert.deepEqual([ending.code, ending.record.status], [0, expected], ending.stderr);
          assert.ok(!ending.requests.some(({ route }) => route.includes("dispatches")));
        }
      });
    }
  }
});

/** A proxy whose tunnels all lead to the sandbox, wherever they were to lead. */
async function startProxy(sandbox: Sandbox) {
  const target = Number(new URL(sandbox.url).port);
  const places: string[] = [];
  const proxy = createServer((client: Socket) => {
    client.on("error", () => undefined);
    client.once("data", (head) => {
      places.push(/^CONNECT (\S+)/.exec(head.toString())?.[1] ?? head.toString());
      const there = connect(target, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      there.on("error", () => client.destroy());
      client.pipe(there).pipe(client);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    places,
    [Symbol.dispose]: () => void proxy.close(),
  };
}

test("behind a company's proxy every request goes through it: nothing else leads anywhere", async () => {
  await using story = await startNoc();
  using proxy = await startProxy(story.sandbox);
  // Nothing listens there: a request that goes past the proxy fails.
  const away = (path: string) => `http://127.0.0.1:9${path}`;
  const ending = await story.run(["sync"], {
    env: {
      HTTP_PROXY: proxy.url,
      WEBEX_API_URL: away("/v1"),
      GITHUB_API_URL: away("/api/v3"),
      GITHUB_GRAPHQL_URL: away("/api/graphql"),
      GITHUB_SERVER_URL: away(""),
    },
  });
  assert.equal(ending.code, 0, ending.stderr);
  assertConverged(story);
  assert.deepEqual([...new Set(proxy.places)], ["127.0.0.1:9"]);
});

describe("what only informs may be missing", { concurrency: 2 }, () => {
  /** Takes these fields from the first item of a list. */
  const blank =
    (list: string, ...names: readonly string[]) =>
    (body: unknown) => {
      const answer: Record<string, unknown> = { ...Object(body) };
      const [first, ...rest]: readonly unknown[] = Array.isArray(answer[list]) ? answer[list] : [];
      const nothing = Object.fromEntries(names.map((name) => [name, null]));
      return { ...answer, [list]: [{ ...Object(first), ...nothing }, ...rest] };
    };
  const cases = [
    ["GET /memberships", "items", ["personDisplayName", "personEmail", "created"]],
    ["GET /people", "items", ["displayName", "nickName", "created", "avatar"]],
    ["GET /groups/{groupId}/members", "members", ["displayName"]],
    ["GET /groups", "groups", ["displayName", "created", "usage"]],
    ["GET /rooms", "items", ["title", "lastActivity", "created"]],
  ] as const;
  for (const [route, list, names] of cases) {
    test(`${names.join(", ")} of the first one in ${route} is null, and the run is as ever`, async () => {
      // What the rows name is not the first in its list.
      await using story = await startStory(
        organisation({
          groups: { another: ["zoe"], eng: ["ann", "bob"] },
          rooms: { Another: ["zoe"], NOC: ["bob", "old"] },
        }),
        ["eng,NOC"],
      );
      const target = { group: story.sandbox.groupId("eng"), room: story.sandbox.roomId("NOC") };
      const edit = (body: unknown) => {
        const answer: Record<string, unknown> = Object(body);
        const items: readonly unknown[] = Array.isArray(answer[list]) ? answer[list] : [];
        const isMeant = (item: unknown) => Object.values(target).includes(String(Object(item).id));
        const sorted = [...items].sort((a, b) => Number(isMeant(a)) - Number(isMeant(b)));
        return blank(list, ...names)({ ...answer, [list]: sorted });
      };
      story.sandbox.fault({ route, times: 99, edit });
      const ending = await story.run(["sync"], { local: true });
      assert.deepEqual([ending.code, ending.record.problems], [0, []], ending.stderr);
      assertConverged(story);
    });
  }
});

test("a secret that a refusal echoes is in nothing that leaves the run, in whatever form", async () => {
  await using story = await startNoc();
  const { sandbox } = story;
  const body = { message: "", trackingId: "ECHO_1" };
  const match = ({ headers }: ApiRequest) => {
    const secrets = [headers.authorization ?? "", sandbox.currentRefreshToken, sandbox.github.secretsToken];
    const encode = (text: string) => Buffer.from(text).toString("base64");
    body.message = `Refused: ${secrets.flatMap((one) => [one, encode(one), encodeURIComponent(one)]).join(" ")}`;
    return true;
  };
  sandbox.fault({ route: "POST /memberships", match, status: 403, body });
  // Whatever the run prints, writes and commits is searched by `run` itself.
  const ending = await story.run(["sync"]);
  assert.equal(ending.code, 3);
  const [failure] = ending.record.rooms.flatMap(({ failed }) => failed);
  assert.match(failure?.error ?? "", /Refused: /);
  assert.ok(ending.summary.includes("ECHO"), ending.summary);
});

test("a checkout with CRLF writes the same report", async () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const copy = await mkdtemp(`${root}node_modules/.rollcall-`);
  try {
    await cp(`${root}src`, `${copy}/src`, { recursive: true });
    for (const file of await readdir(`${copy}/src`, { recursive: true })) {
      if (!/\.(ts|hbs|json)$/.test(file)) continue;
      const path = join(copy, "src", file);
      await writeFile(path, (await readFile(path, "utf8")).replace(/\r?\n/g, "\r\n"));
    }
    const reports: string[] = [];
    for (const source of [root, `${copy}/`]) {
      await using story = await startNoc();
      const { sandbox, folder } = story;
      const csv = await folder.read("mappings/rooms.csv");
      if (source !== root) await folder.write("mappings/rooms.csv", csv.replaceAll("\n", "\r\n"));
      const env = { PATH: process.env.PATH, ...sandbox.environment({ WEBEX_TOKEN_FILE: "token" }) };
      const args = ["--import", import.meta.resolve("tsx"), `${source}src/main.ts`, "sync"];
      await promisify(execFile)(process.execPath, args, { cwd: folder.path, env });
      reports.push(await folder.read("reports/README.md"));
    }
    const [plain = "", other = ""] = reports.map((text) => text.replace(/\d{4}-\d\d-\d\d[^|\n]*/g, ""));
    assert.ok(!other.includes("\r"));
    assert.equal(other, plain);
  } finally {
    await rm(copy, { recursive: true });
  }
});

test("docs/reliability.md names tests that exist", async () => {
  const root = new URL("../../", import.meta.url);
  const page = await readFile(new URL("docs/reliability.md", root), "utf8");
  const [, table = ""] = page.split("## Which test shows which kind");
  const rows = table.split("\n").filter((line) => line.startsWith("| ") && line.includes("`test/"));
  assert.ok(rows.length >= 30, `${rows.length} rows`);
  for (const row of rows) {
    for (const [, file = "", name = ""] of row.matchAll(/`(test\/[\w/-]+\.test\.ts)`(?:: "([^"]+)")?/g)) {
      const text = await readFile(new URL(file, root), "utf8");
      assert.ok(text.includes(name), `${name} in ${file}`);
    }
  }
});
