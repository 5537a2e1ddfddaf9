import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Fault } from "../../sandbox/faults.ts";
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
}

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
    faults: [{ route, match: ({ url }) => url.pathname.endsWith("TOKEN"), status: 422, times: 99 }],
  },
  {
    name: "in which everything else goes wrong",
    code: 3,
    faults: [
      { route: "POST /memberships", status: 403 },
      { route: "DELETE /memberships/{membershipId}", status: 400 },
      { route: "POST /graphql", status: 403, times: 9 },
    ],
  },
];

describe("no secret is told to anybody", { concurrency: 2 }, () => {
  for (const { name, code, faults, options } of cases) {
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
      const ending = await story.run(["sync"], { ...options, env });
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
