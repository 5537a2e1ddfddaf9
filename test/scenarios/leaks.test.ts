import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Fault } from "../../sandbox/faults.ts";
import type { Exchange } from "../../sandbox/http.ts";
import type { ApiRequest } from "../../sandbox/router.ts";
import { organisation } from "../support/organisation.ts";
import { type Ending, type RunOptions, type Story, startStory } from "../support/story.ts";

/** All text that a run left anywhere but in its token file, by place. */
async function collectTexts(story: Story, ending: Ending): Promise<Map<string, string>> {
  const texts = new Map([
    ["stdout", ending.stdout],
    ["stderr", ending.stderr],
  ]);
  const entries = await readdir(story.folder.path, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== "token") texts.set(file, await readFile(file, "utf8"));
  }
  for (const { oid, message, files } of story.sandbox.github.commits) {
    texts.set(oid, message);
    for (const [path, text] of files) texts.set(`${oid}:${path}`, text);
  }
  return texts;
}

interface Case {
  readonly name: string;
  readonly code: number;
  readonly faults: readonly Fault[];
  readonly options?: RunOptions;
  /** What can pass is repeated for a minute, unless the run is to end. */
  readonly args?: readonly string[];
}

const always = { times: Number.POSITIVE_INFINITY } as const;

const route = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const cases: readonly Case[] = [
  { name: "that succeeds", code: 0, faults: [] },
  { name: "that succeeds on a person's machine", code: 0, faults: [], options: { local: true } },
  { name: "whose token is refused", code: 1, faults: [{ route: "POST /access_token", status: 400 }] },
  {
    name: "whose token's answer is lost",
    code: 1,
    faults: [{ route: "POST /access_token", truncate: true, keep: 0.2 }],
  },
  {
    name: "whose token's answer is cut short behind the tokens",
    code: 3,
    faults: [{ route: "POST /access_token", truncate: true, keep: 0.7 }],
  },
  {
    name: "whose token's answer is not as documented",
    code: 1,
    faults: [{ route: "POST /access_token", status: 200, body: { token: "x" } }],
  },
  {
    name: "whose secret cannot be written",
    code: 1,
    faults: [{ ...always, route, match: ({ url }) => url.pathname.endsWith("TOKEN"), status: 422 }],
    args: ["--max-minutes", "0.1"],
  },
  {
    name: "in which everything else goes wrong",
    code: 3,
    faults: [
      { route: "POST /memberships", status: 403 },
      { route: "DELETE /memberships/{membershipId}", status: 400 },
      { ...always, route: "POST /graphql", status: 403 },
    ],
    args: ["--max-minutes", "0.2"],
  },
];

describe("no secret is told to anybody", { concurrency: 2 }, () => {
  for (const { name, code, faults, options, args = [] } of cases) {
    test(`sample fault 15: a run ${name} shows none, but to the runner to be masked`, async () => {
      await using story = await startStory(
        organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } }),
        ["eng,NOC", "eng,Nowhere"],
      );
      const { sandbox, folder } = story;
      const right = "group,room\neng,NOC\n";
      if (code === 0) await folder.write("mappings/rooms.csv", right);
      if (code === 0) sandbox.github.writeFile("mappings/rooms.csv", right);
      for (const fault of faults) sandbox.fault(fault);
      const env = { GITHUB_ACTIONS: "true", ...options?.env };
      const ending = await story.run(["sync", ...args], { ...options, env });
      assert.equal(ending.code, code, ending.stderr);

      const texts = await collectTexts(story, ending);
      const masked = [...ending.stdout.matchAll(/^::add-mask::(.*)$/gm)].map(([, secret]) => secret);
      texts.set("stdout", ending.stdout.replace(/^::add-mask::.*$/gm, ""));
      for (const secret of sandbox.secrets()) {
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
          const places = [...texts].filter(([, text]) => text.includes(form)).map(([place]) => place);
          assert.deepEqual(places, []);
        }
      }
      // Whatever the run was given, and whatever it received, is masked.
      const received = ending.requests.some(
        ({ route, status }) => route === "POST /access_token" && status === 200,
      );
      const given = options?.local
        ? [sandbox.secrets()[0]]
        : [sandbox.secrets()[0], sandbox.github.token, sandbox.github.secretsToken];
      const issued = received && !name.includes("documented") ? sandbox.secrets().slice(2, 4) : [];
      for (const secret of [...given, sandbox.secrets()[1], ...issued]) {
        assert.ok(masked.includes(secret), `masked: ${masked}`);
      }
    });
  }
});

/** Whatever GitHub keeps and shows: files, messages of commits, issues, comments, artifacts. */
function collectFromGithub({ sandbox }: Story): readonly string[] {
  const { github } = sandbox;
  return [
    ...github.commits.flatMap(({ message, files }) => [message, ...files.values()]),
    ...github.issues.all.flatMap(({ title, body, comments }) => [
      title,
      body,
      ...comments.map((comment) => comment.body),
    ]),
    ...sandbox.requests.filter(isTold).map(({ body }) => JSON.stringify(body)),
  ];
}

/** A request that tells GitHub something. The client sends its secrets to Webex, which has to know them. */
function isTold({ half, method }: Exchange): boolean {
  return half === "github" && method !== "GET";
}

function assertUntold(story: Story, texts: readonly string[]): void {
  const all = [...texts, ...collectFromGithub(story)].join("\n").replace(/^::add-mask::.*$/gm, "");
  const bare = all.replaceAll("\\", "");
  for (const secret of story.sandbox.secrets()) {
    const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1);
    for (const form of [secret, encodeURIComponent(secret), base64])
      assert.ok(
        !bare.includes(form),
        `told: ${bare.slice(Math.max(0, bare.indexOf(form) - 200)).slice(0, 400)}`,
      );
  }
}

const tellings: readonly (readonly [form: string, tell: (secret: string) => string])[] = [
  ["as it is", (secret) => secret],
  ["in base64", (secret) => Buffer.from(`x:${secret}`).toString("base64")],
  ["URL-encoded", (secret) => encodeURIComponent(secret)],
];

describe("an answer that echoes a secret is told without it", { concurrency: 2 }, () => {
  for (const [form, tell] of tellings) {
    test(`the access token and GitHub's, ${form}: in no log, record, page, commit or issue`, async () => {
      await using story = await startStory(
        organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } }),
        ["eng,NOC"],
      );
      const { sandbox } = story;
      for (const route of ["POST /memberships", "DELETE /memberships/{membershipId}"]) {
        const body = { message: "" };
        const match = ({ headers }: ApiRequest) => {
          body.message = `cannot read ${tell(headers.authorization?.replace("Bearer ", "") ?? "")} of that`;
          return true;
        };
        sandbox.fault({ route, match, status: 400, body });
      }
      const errors = [{ type: "UNPROCESSABLE", message: "" }];
      const match = () => {
        for (const error of errors) error.message = `no ${tell(sandbox.github.token)} here`;
        return true;
      };
      sandbox.fault({ route: "POST /graphql", match, status: 200, body: { errors } });
      const env = { GITHUB_ACTIONS: "true" };
      const first = await story.run(["sync", "--verbose"], { env });
      assert.deepEqual([first.code, first.record.totals.failed], [3, 2]);
      assert.match(first.record.rooms[0]?.failed[0]?.error ?? "", /cannot read \S*\*\*\*\S* of that/);
      // The owed report is committed, and the issue brought up to date.
      const second = await story.run(["sync"], { env });
      assert.equal(second.commits, 1);
      assert.equal(sandbox.github.issues.all.length, 1);
      for (const { stdout, stderr, summary, record, outputs } of [first, second])
        assertUntold(story, [stdout, stderr, summary, JSON.stringify(record), JSON.stringify(outputs)]);
    });
  }

  test("a space that is named like a token shows it nowhere, not in a comment on a pull request either", async () => {
    await using story = await startStory(
      organisation({ groups: { eng: ["ann", "new"] }, rooms: { NOC: ["ann", "old"] } }),
      [],
    );
    const { sandbox, folder } = story;
    const csv = `group,room\neng,${sandbox.roomId("NOC")}\n`;
    await folder.write("mappings/rooms.csv", csv);
    sandbox.github.writeFile("mappings/rooms.csv", csv);
    sandbox.renameRoom("NOC", `_${sandbox.github.secretsToken}_ [x](y)`);
    const env = { GITHUB_ACTIONS: "true" };
    const number = sandbox.github.pulls.open({ files: { "mappings/rooms.csv": csv } });
    const planned = await story.run(["plan", "--pull-request", String(number), "--markdown", "plan.md"], {
      env,
    });
    const synced = await story.run(["sync"], { env });
    assert.deepEqual([planned.code, synced.code, synced.commits], [0, 0, 1]);
    assert.equal(sandbox.github.issues.find(number).comments.length, 1);
    const texts = [planned, synced].flatMap(({ stdout, stderr, summary, record }) => [
      stdout,
      stderr,
      summary,
      JSON.stringify(record),
    ]);
    assert.match(synced.record.rooms[0]?.title ?? "", /^_\*\*\*_/);
    assertUntold(story, [...texts, await folder.read("plan.md")]);
  });
});
