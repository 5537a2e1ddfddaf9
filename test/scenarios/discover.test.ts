import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { maxListed } from "../../src/run/survey.ts";
import { crowd, organisation } from "../support/organisation.ts";
import { createFolder } from "../support/run-rollcall.ts";

test("discover lists ids and sizes, and writes a rooms.csv that begins with its header and that validate and plan take", async () => {
  const people = organisation({
    groups: { "Noc, night": ["ann", "bob"], "Service Desk": ["ann"], Lonely: [] },
    rooms: { "NOC night": ["ann"], "Servce Desk": [], "# odd": [] },
  });
  await using sandbox = await startSandbox(people);
  await using folder = await createFolder();
  const env = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
  const { code, stdout, stderr } = await folder.run(["discover", "--csv", "mappings/rooms.csv"], env);
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(`#        2  Noc, night  ${sandbox.groupId("Noc, night")}`), stdout);
  assert.ok(stdout.includes(`#        1  # odd  ${sandbox.roomId("# odd")}`), stdout);
  const lines = [
    "group,room,mode,note",
    '"Noc, night",NOC night,audit,same name',
    "Service Desk,Servce Desk,audit,similar name",
  ];
  assert.deepEqual(
    stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    lines,
  );
  // GitHub shows it as a table: no comments.
  assert.equal(await folder.read("mappings/rooms.csv"), `${lines.join("\n")}\n`);
  assert.equal((await folder.run(["validate"], {})).code, 0);
  assert.equal((await folder.run(["plan"], env)).code, 0);
});

const rows = `room,mode,group,note
Night,sync,noc,ours
Desk,audit,Service Desk,
`;

async function startDiscovery(csv: string) {
  const sandbox = await startSandbox(
    organisation({
      groups: { Night: ["ann"], "Service Desk": ["ann"], "=HYPERLINK(1)": ["ann"], "Ops, =1+1": ["ann"] },
      rooms: { Night: ["ann"], Desk: [], "=HYPERLINK(1)": [], "Ops, =1+1": [] },
    }),
  );
  const folder = await createFolder(csv);
  const run = (...args: string[]) =>
    folder.run(
      ["discover", "--csv", "mappings/rooms.csv", ...args],
      sandbox.environment({ WEBEX_TOKEN_FILE: "token" }),
    );
  return {
    sandbox,
    folder,
    run,
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

test("a file with rows is not overwritten, and that is said before the token is used", async () => {
  await using story = await startDiscovery(rows);
  const { code, stderr } = await story.run();
  assert.deepEqual([code, story.sandbox.requests], [1, []]);
  assert.match(stderr, /mappings\/rooms\.csv has rows, so it is not overwritten; add --append/);
  assert.equal(await story.folder.read("mappings/rooms.csv"), rows);
});

test("--append adds what the file lacks, in its columns, and leaves a space in another mode alone", async () => {
  await using story = await startDiscovery(rows);
  const { code, stderr } = await story.run("--append");
  assert.equal(code, 0, stderr);
  const { sandbox, folder } = story;
  const ids = [sandbox.roomId("=HYPERLINK(1)"), sandbox.groupId("=HYPERLINK(1)")];
  const text = await folder.read("mappings/rooms.csv");
  assert.equal(text, `${rows}${ids[0]},audit,${ids[1]},same name\n"Ops, =1+1",audit,"Ops, =1+1",same name\n`);
  assert.match(stderr, /Not appended, because the space has rows in another mode: "Night"/);
  assert.equal((await folder.run(["validate"], {})).code, 0);
  assert.equal((await story.run("--append")).code, 0);
  assert.equal(await folder.read("mappings/rooms.csv"), text);
});

test("nothing is appended to a file with faults, or without a column for the mode", async () => {
  for (const [csv, told] of [
    ["group,room\nnoc\n", /has faults/],
    ["group,room\nnoc,Night\n", /no column "mode"/],
  ] as const) {
    await using story = await startDiscovery(csv);
    const { code, stderr } = await story.run("--append");
    assert.equal(code, 1);
    assert.match(stderr, told);
    assert.equal(await story.folder.read("mappings/rooms.csv"), csv);
  }
});

test("no cell that is written begins like a formula", async () => {
  await using story = await startDiscovery("group,room,mode,note\n");
  const { code, stderr } = await story.run();
  assert.equal(code, 0, stderr);
  const text = await story.folder.read("mappings/rooms.csv");
  // Cut as a spreadsheet may cut it: commas and semicolons outside of quotes part the cells.
  const cells = text.split("\n").flatMap((line) => line.match(/"(?:[^"]|"")*"|[^,;]+/g) ?? []);
  assert.deepEqual(
    cells.filter((cell) => /^["\s]*[=+@-]/.test(cell)),
    [],
  );
  assert.ok(text.includes(story.sandbox.groupId("=HYPERLINK(1)")));
});

test("suggests by who is in both before names, and says how many; a pair with a row is not suggested", async () => {
  const field = crowd(25);
  const people = organisation({
    groups: { Sales: field, Ops: ["ann", "bob", "cat"], Night: ["dan", "eve"] },
    rooms: { Deals: field.slice(0, 23), Sales: ["zoe"], "Run book": ["ann", "bob"], Night: ["dan", "eve"] },
  });
  await using sandbox = await startSandbox(people);
  await using folder = await createFolder("group,room,mode,note\nNight,Night,sync,\n");
  const env = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
  const { code, stdout, stderr } = await folder.run(
    ["discover", "--json", "found.json", "--csv", "new.csv"],
    env,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual((await folder.read("new.csv")).split("\n"), [
    "group,room,mode,note",
    "Sales,Deals,audit,23 of 25 people of the group are in it",
    "Ops,Run book,audit,2 of 3 people of the group are in it",
    "",
  ]);
  assert.match(stdout, /^# 2 suggestions\./m);
  const found = JSON.parse(await folder.read("found.json"));
  assert.deepEqual(found.suggestions[0].overlap, { inRoom: 23, ofGroup: 25 });
  assert.equal(found.cut, null);
  // One list of members for each group and space, and nothing else.
  const lists = sandbox.requests.filter(({ path }) => /members(hips)?\?/.test(path));
  assert.equal(lists.length, 3 + 4);
  assert.equal(await folder.read("mappings/rooms.csv"), "group,room,mode,note\nNight,Night,sync,\n");
});

test("in a larger organisation the requests are bounded, and it says what was not looked at", async () => {
  const names = crowd(maxListed + 2, "group ");
  const people = organisation({
    groups: Object.fromEntries(names.map((name) => [name, ["ann"]])),
    rooms: { "group 1502": ["ann"] },
  });
  await using sandbox = await startSandbox(people, { keepResponses: false });
  await using folder = await createFolder();
  const env = sandbox.environment({ WEBEX_TOKEN_FILE: "token" });
  const { code, stdout, stderr } = await folder.run(["discover", "--csv", "new.csv"], env);
  assert.equal(code, 0, stderr);
  const told = /The members of only 1,500 of 1,502 groups were read/;
  assert.match(stderr, told);
  assert.match(stdout, told);
  const lists = sandbox.requests.filter(({ route }) => route === "GET /groups/{groupId}/members");
  assert.equal(lists.length, maxListed);
  assert.match(await folder.read("new.csv"), /^group 1502,group 1502,audit,same name$/m);
});

test("an option without effect does not exist", async () => {
  await using folder = await createFolder();
  for (const option of ["--policy", "--reports"]) {
    const { code, stderr } = await folder.run(["discover", option, "x"], {});
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`discover has no option ${option}`));
  }
});
