import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SandboxOptions } from "../../sandbox/server.ts";
import { loadContracts } from "../support/contract.ts";
import { emailOf, organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

const check = loadContracts();

const policy = {
  protect: { people: ["ada@acme.example"] },
  limits: { removalsPerRoom: { count: 1, share: 0 } },
};

const acme = {
  ...organisation({
    groups: { oncall: ["ada", "bob"], eng: ["bob", "ada"], few: ["bob"] },
    rooms: [
      { title: "NOC", members: ["bob", "old"], moderators: ["bob"] },
      { title: "Lab", members: ["ada", "bob"] },
      { title: "Attic", members: ["ada", "bob"] },
      { title: "Watch", members: ["bob"] },
      { title: "Free", members: ["old"] },
      { title: "Crowd", members: ["bob", "old", "older", "gus"] },
    ],
    people: {
      ada: { displayName: "Ada", moreEmails: ["ada.lovelace@acme.example"] },
      gus: { email: "gus@partner.example", organisation: "partner" },
      older: {},
      twin: { moreEmails: ["same@acme.example"] },
      twain: { moreEmails: ["same@acme.example"] },
    },
  }),
  meetings: {
    site: "acme.webex.com",
    users: [
      { person: "rollcall" },
      { person: "ada", delegates: [emailOf("bob"), emailOf("old")] },
      { person: "bob", delegates: [emailOf("ada")] },
      { person: "old", delegates: [emailOf("ada")] },
    ],
  },
};

const rows = [
  "oncall,NOC,,",
  "ada@acme.example,NOC,,",
  "few,Lab,,",
  "oncall,Watch,audit,",
  "few,Crowd,,",
  "ADA.Lovelace@acme.example,Crowd,,2020-01-01",
];

const delegations = `host,delegate,until,note
ada@acme.example,bob@acme.example,2099-12-31,
bob@acme.example,ada@acme.example,,
`;

interface Answer {
  readonly person: { readonly personId: string; readonly displayName: string; readonly emails: string[] };
  readonly spaces: readonly {
    readonly roomId: string;
    readonly title: string;
    readonly decision: string;
    readonly reason: string | null;
    readonly since: unknown;
    readonly rows: unknown;
  }[];
  readonly delegations: unknown;
  readonly protectedBy: unknown;
}

async function start(lines: readonly string[] = rows, options: SandboxOptions = {}): Promise<Story> {
  const files = { "mappings/policy.json": JSON.stringify(policy), "mappings/delegations.csv": delegations };
  const story = await startStory(acme, lines, { ...options, github: { files } });
  for (const [file, text] of Object.entries(files)) await story.folder.write(file, text);
  return story;
}

/** Asks, on a person's machine or on a runner. */
async function ask(story: Story, args: readonly string[], kind: "local" | "github" = "local") {
  const { sandbox, folder } = story;
  const before = { requests: sandbox.requests.length, commits: sandbox.github.commits.length };
  await folder.write(".summary.md", "");
  await folder.write("why.json", "");
  const env =
    kind === "local"
      ? sandbox.environment({ WEBEX_TOKEN_FILE: "token" })
      : sandbox.githubEnvironment({ GITHUB_STEP_SUMMARY: `${folder.path}/.summary.md` });
  const result = await folder.run(["why", ...args, "--json", "why.json"], env);
  const text = await folder.read("why.json");
  const answer: Answer | null = text === "" ? null : JSON.parse(text);
  const requests = sandbox.requests.slice(before.requests);
  assert.deepEqual(
    requests.flatMap((exchange) => check?.(exchange) ?? []),
    [],
  );
  const writes = requests.filter(
    ({ half, method, path }) => half === "webex" && method !== "GET" && !path.includes("access_token"),
  );
  assert.deepEqual([writes, sandbox.github.commits.length - before.commits], [[], 0], "it reads only");
  return { ...result, answer, text, requests, summary: await folder.read(".summary.md") };
}

const decisions = (answer: Answer | null) =>
  Object.fromEntries(
    (answer?.spaces ?? []).map(({ title, decision, reason }) => [
      title,
      reason === null ? decision : `${decision}: ${reason}`,
    ]),
  );

describe("why", { concurrency: 2 }, () => {
  test("says where somebody is and would be, because of which rows, and what they may schedule", async () => {
    await using story = await start();
    const { sandbox } = story;
    const end = await ask(story, ["--person", "Ada.Lovelace@acme.example"]);
    assert.equal(end.code, 0, end.stderr);
    assert.deepEqual(end.answer, {
      version: 1,
      command: "why",
      person: {
        personId: sandbox.personId("ada"),
        displayName: "Ada",
        emails: ["ada@acme.example", "ada.lovelace@acme.example"],
      },
      spaces: [
        {
          roomId: sandbox.roomId("Attic"),
          title: "Attic",
          isMember: true,
          isModerator: false,
          rows: [],
          decision: "unmanaged",
          reason: null,
          since: null,
        },
        {
          roomId: sandbox.roomId("Lab"),
          title: "Lab",
          isMember: true,
          isModerator: false,
          rows: [],
          decision: "stays",
          reason: "listed",
          since: null,
        },
        {
          roomId: sandbox.roomId("NOC"),
          title: "NOC",
          isMember: false,
          isModerator: false,
          rows: [
            { line: 2, group: "oncall" },
            { line: 3, group: "ada@acme.example" },
          ],
          decision: "would-be-added",
          reason: null,
          since: null,
        },
        {
          roomId: sandbox.roomId("Watch"),
          title: "Watch",
          isMember: false,
          isModerator: false,
          rows: [{ line: 5, group: "oncall" }],
          decision: "frozen",
          reason: "audit",
          since: null,
        },
      ],
      delegations: [
        { host: "ada@acme.example", delegate: "bob@acme.example", until: "2099-12-31", line: 2 },
        { host: "ada@acme.example", delegate: "old@acme.example", until: null, line: null },
        { host: "bob@acme.example", delegate: "ada@acme.example", until: null, line: 3 },
      ],
      protectedBy: [{ key: "protect.people", value: "ada@acme.example" }],
    });
    assert.match(
      end.stdout,
      /NOC: would be added, because of line 2 \(oncall\), line 3 \(ada@acme\.example\)/,
    );
    assert.match(end.stdout, /bob@acme\.example may schedule for them until 2099-12-31, kept by line 2/);
  });

  test("says what would be removed, what waits, and what a moderator is", async () => {
    await using story = await start();
    assert.deepEqual(decisions((await ask(story, ["--person", emailOf("old")])).answer), {
      Crowd: "held: removals-per-room",
      Free: "unmanaged",
      NOC: "would-be-removed",
    });
    const bob = await ask(story, ["--person", emailOf("bob")]);
    assert.deepEqual(decisions(bob.answer), {
      Attic: "unmanaged",
      Crowd: "stays",
      Lab: "stays",
      NOC: "stays",
      Watch: "stays",
    });
    assert.match(bob.stdout, /NOC: stays, because of line 2 \(oncall\); a moderator there/);
    const gus = await ask(story, ["--person", "GUS@partner.example"]);
    assert.deepEqual(decisions(gus.answer), { Crowd: "stays: external" });
  });

  test("says of a frozen space that nobody is added or removed there", async () => {
    await using story = await start(["oncall,NOC", "on-call,NOC"]);
    const end = await ask(story, ["--person", emailOf("old")]);
    assert.equal(decisions(end.answer).NOC, "frozen");
    assert.match(end.stdout, /no group is named "on-call"/);
  });

  test("takes an id, and one space by title, id or link", async () => {
    await using story = await start();
    const { sandbox } = story;
    const ada = sandbox.personId("ada");
    const uuid = Buffer.from(ada, "base64url").toString().split("/").at(-1) ?? "";
    for (const person of [ada, uuid]) {
      const { answer } = await ask(story, ["--person", person, "--space", "Lab"]);
      assert.deepEqual([answer?.person.personId, decisions(answer)], [ada, { Lab: "stays: listed" }]);
    }
    const byId = await ask(story, ["--person", emailOf("ada"), "--space", sandbox.roomId("Attic")]);
    assert.deepEqual(decisions(byId.answer), { Attic: "unmanaged" });
    const nowhere = await ask(story, ["--person", emailOf("ada"), "--space", "Free"]);
    assert.deepEqual([nowhere.code, nowhere.answer?.spaces], [0, []]);
    assert.match(nowhere.stdout, /not in Free, and no row says so/);
  });

  const refusals: readonly [name: string, args: readonly string[], message: RegExp][] = [
    ["nobody bears the address", ["--person", "oldd@acme.example"], /did you mean "old@acme\.example"\?/],
    ["nobody has the id", ["--person", "00000000-0000-4000-8000-000000000000"], /nobody has the id/],
    ["several bear the address", ["--person", "same@acme.example"], /2 people bear .*give the id/],
    ["it is no address", ["--person", "Ada"], /neither an e-mail address nor the id of a person/],
    ["there is no such space", ["--person", emailOf("ada"), "--space", "Labb"], /did you mean "Lab"\?/],
    ["nobody is named", [], /needs --person/],
  ];
  for (const [name, args, message] of refusals) {
    test(`fails when ${name}`, async () => {
      await using story = await start();
      const end = await ask(story, args);
      assert.deepEqual([end.code, end.text, end.stdout], [1, "", ""]);
      assert.match(end.stderr, message);
    });
  }

  for (const kind of ["local", "github"] as const) {
    test(`names the latest run that added somebody, and none that was undone (${kind})`, async () => {
      await using story = await start();
      const options = { local: kind === "local" };
      const first = await story.run(["sync"], options);
      assert.equal(first.rooms.NOC?.added?.join(), "Ada");
      story.sandbox.removeFromRoom("NOC", "ada");
      const second = await story.run(["sync"], options);
      const since = async () =>
        (await ask(story, ["--person", emailOf("ada"), "--space", "NOC"], kind)).answer?.spaces[0]?.since;
      const files =
        kind === "github"
          ? [...story.sandbox.github.files().keys()]
          : await import("node:fs/promises").then(({ readdir }) =>
              readdir(`${story.folder.path}/reports/runs`),
            );
      const record =
        files
          .filter((file) => /\d{4}-\d\d-\d\d-.*\.json$/.test(file))
          .sort()
          .at(-1) ?? "";
      const [, date, run] = /(\d{4}-\d\d-\d\d)-(.+)\.json$/.exec(record) ?? [];
      assert.equal(second.rooms.NOC?.added?.join(), "Ada");
      assert.deepEqual(await since(), { run, date });
      if (kind === "local") {
        const file = `reports/runs/${record}`;
        await story.folder.write("mappings/policy.json", "{}");
        assert.equal((await story.run(["restore", "--record", file], options)).code, 0);
        story.sandbox.addToRoom("NOC", "ada");
        assert.equal(await since(), null);
      }
    });
  }

  test("puts the answer into the step's summary on a runner, and nothing into the repository", async () => {
    await using story = await start();
    const end = await ask(story, ["--person", emailOf("ada"), "--leaving"], "github");
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.summary, /^# Ada \(ada@acme\.example, ada\.lovelace@acme\.example\)$/m);
    assert.match(end.summary, /^- \[ \] rooms\.csv, line 3: ada@acme\.example in NOC$/m);
  });

  test("lists for somebody who leaves all that holds them, to tick off", async () => {
    await using story = await start();
    story.sandbox.setModerator("Lab", "ada", true);
    const { stdout, answer } = await ask(story, ["--person", emailOf("ada"), "--leaving"]);
    assert.equal(
      stdout.replaceAll("@acme.example", ""),
      `Ada (ada, ada.lovelace)

Rows to delete
  [ ] rooms.csv, line 3: ada in NOC
  [ ] rooms.csv, line 7: ADA.Lovelace in Crowd
  [ ] delegations.csv, line 2: bob may schedule for ada
  [ ] delegations.csv, line 3: ada may schedule for bob
  [ ] policy.json, protect.people: ada

Groups to leave
  [ ] oncall: brings them into NOC, Watch

Spaces to hand over
  [ ] Lab: they are its last moderator; make somebody else one first

Spaces to leave by hand
  [ ] Attic: no row names this space

Delegations to end in Webex
  [ ] old may schedule for them: npm run delegate -- --mode remove --host ada --delegate old
`,
    );
    assert.equal(decisions(answer).Lab, "stays: last-moderator");
  });

  test("says what it does not know without a site, and is none the worse for it", async () => {
    await using story = await start();
    const env = story.sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
    delete env.WEBEX_SITE_URL;
    const { code, stdout } = await story.folder.run(["why", "--person", emailOf("ada")], env);
    assert.equal(code, 0);
    assert.match(stdout, /who may schedule meetings for whom is not known: WEBEX_SITE_URL is not set/);
  });
});
