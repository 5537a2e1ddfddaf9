import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { type Story, startStory } from "../support/story.ts";

const file = "reports/state.json";
const rooms = "mappings/rooms.csv";

/** Two spaces of different people; only NOC is Rollcall's, the other is a stranger's. */
const acme = () =>
  organisation({
    groups: { noc: ["ann", "bob"], ops: ["cyd"] },
    rooms: { NOC: ["ann", "bob"], Lobby: ["eve", "mia"] },
  });

const stateOf = ({ sandbox }: Story) => sandbox.github.files().get(file) ?? "";

describe("names have a memory", { concurrency: 2 }, () => {
  test("the first run keeps where names lead, and a quiet second one writes nothing", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox } = story;
    const first = await story.run(["sync"]);
    assert.deepEqual([first.code, first.commits, first.record.notices], [0, 1, []]);
    assert.deepEqual(JSON.parse(stateOf(story)), {
      version: 1,
      names: [
        { column: "group", name: "noc", id: sandbox.groupId("noc") },
        { column: "room", name: "NOC", id: sandbox.roomId("NOC") },
      ],
    });
    const second = await story.run(["sync"]);
    assert.deepEqual([second.code, second.commits], [0, 0]);
  });

  test("a memory above 1 MiB, which GitHub leaves out of its answer, is read and kept as any other", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox } = story;
    await story.run(["sync"]);
    const { version, names } = JSON.parse(stateOf(story));
    const earlier = Array.from({ length: 9000 }, (_, at) => {
      return { column: "room", name: `Space ${at}`, id: `${sandbox.roomId("Lobby")}${at}` };
    });
    sandbox.github.writeFile(
      file,
      `${JSON.stringify({ version, names: [...names, ...earlier] }, null, 2)}\n`,
    );
    assert.ok(stateOf(story).length > 1024 * 1024);
    const quiet = await story.run(["sync"]);
    assert.deepEqual([quiet.code, quiet.commits, quiet.record.notices], [0, 0, []]);
    sandbox.swapTitles("NOC", "Lobby");
    const swapped = await story.run(["sync"]);
    assert.deepEqual([swapped.code, swapped.writes], [3, []]);
    const kept = JSON.parse(stateOf(story)).names.length;
    assert.equal(kept, earlier.length + 2);
  });

  test("two spaces that swap their titles: nobody is added to the stranger's, and nobody removed", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    const [noc, lobby] = [sandbox.roomId("NOC"), sandbox.roomId("Lobby")];
    sandbox.swapTitles("NOC", "Lobby");
    const swapped = await story.run(["sync"]);
    assert.deepEqual([swapped.code, swapped.record.status, swapped.writes], [3, "partial", []]);
    assert.deepEqual(sandbox.members("NOC"), ["eve", "mia", "rollcall"]);
    assert.equal(swapped.record.rooms[0]?.frozen, "the title on line 2 led to another space on earlier runs");
    const [problem] = swapped.record.problems;
    assert.deepEqual([problem?.line, problem?.column], [2, "room"]);
    for (const id of [noc, lobby]) assert.ok(problem?.message.includes(id));
    assert.match(problem?.message ?? "", /\(now titled "Lobby"\)/);
    const page = sandbox.github.files().get("reports/README.md") ?? "";
    for (const id of [noc, lobby]) assert.ok(page.includes(id));

    // It stays so on every run, and is learnt by none.
    const again = await story.run(["sync"]);
    assert.deepEqual([again.code, again.writes], [3, []]);

    await folder.write(rooms, `group,room\nnoc,${noc}\n`);
    sandbox.removeFromRoom("Lobby", "bob");
    const right = await story.run(["sync"]);
    assert.deepEqual([right.code, right.writes], [0, ["add bob to NOC: 200"]]);
    assert.deepEqual(sandbox.members("Lobby"), ["ann", "bob", "rollcall"]);
  });

  test("the people of a row whose title has moved are spared where they are", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    const noc = sandbox.roomId("NOC");
    sandbox.swapTitles("NOC", "Lobby");
    await folder.write(rooms, `group,room\nnoc,NOC\nops,${noc}\n`);
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [3, ["add cyd to NOC: 200"]]);
    assert.deepEqual(sandbox.members("Lobby"), ["ann", "bob", "cyd", "rollcall"]);
  });

  test("a group that takes another's name freezes the space until the cell holds the id", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    sandbox.renameGroup("noc", "noc (old)");
    sandbox.renameGroup("ops", "noc");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, end.writes], [3, "partial", []]);
    assert.deepEqual(sandbox.members("NOC"), ["ann", "bob", "rollcall"]);
    const { message = "" } = end.record.problems[0] ?? {};
    assert.ok(message.includes(sandbox.groupId("noc")));
    assert.match(message, /"noc" led to another group on earlier runs.*\(now named "noc \(old\)"\)/);
    await folder.write(rooms, `group,room\n${sandbox.groupId("noc (old)")},NOC\n`);
    const right = await story.run(["sync"]);
    assert.deepEqual([right.code, right.writes, right.record.problems], [0, [], []]);
  });

  test("a row that ended keeps nobody's space managed but its own", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    sandbox.swapTitles("NOC", "Lobby");
    await folder.write(rooms, "group,room,until\nnoc,NOC,2024-01-31\n");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.deepEqual(sandbox.members("NOC"), ["eve", "mia", "rollcall"]);
  });

  test("a row that was taken out and comes back later does not meet a stranger's space", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    await folder.write(rooms, `group,room\nnoc,${sandbox.roomId("NOC")}\n`);
    await story.run(["sync"]);
    sandbox.swapTitles("NOC", "Lobby");
    await folder.write(rooms, "group,room\nnoc,NOC\n");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.writes], [3, []]);
  });

  test("plan, the plan of a pull request and a dry run freeze likewise, and learn nothing", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    assert.deepEqual([(await story.run(["plan"])).commits, stateOf(story)], [0, ""]);
    await story.run(["sync"]);
    const before = stateOf(story);
    sandbox.swapTitles("NOC", "Lobby");
    await folder.write(rooms, "group,room\nnoc,NOC\nops,Lobby\nops,NOC\n");
    for (const args of [["plan"], ["sync", "--dry-run"]]) {
      const end = await story.run(args);
      assert.deepEqual([end.code, end.record.status, end.rooms.NOC?.added], [0, "partial", undefined]);
    }
    const csv = "group,room\nnoc,NOC\nops,NOC\n";
    const number = sandbox.github.pulls.open({ files: { [rooms]: csv } });
    const plan = await story.run(["plan", "--pull-request", String(number)]);
    assert.deepEqual([plan.code, plan.rooms.NOC?.added], [0, undefined]);
    assert.match(plan.summary, /led to another space on earlier runs/);
    assert.equal(stateOf(story), before);
  });

  test("a new name alone leads to a commit of the memory", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    await story.run(["sync"]);
    await folder.write(rooms, `group,room\n${sandbox.groupId("noc")},NOC\n`);
    assert.equal((await story.run(["sync"])).commits, 0);
    sandbox.renameGroup("noc", "crew");
    await folder.write(rooms, "group,room\ncrew,NOC\n");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, end.commits], [0, "converged", 1]);
    assert.deepEqual(sandbox.github.commits.at(-1)?.paths, [file]);
    assert.ok(stateOf(story).includes('"crew"'));
  });

  test("on a person's machine the memory lies beside the report", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox, folder } = story;
    const local = { local: true };
    await story.run(["sync"], local);
    assert.match(await folder.read(file), /"name": "NOC"/);
    sandbox.swapTitles("NOC", "Lobby");
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [3, []]);
  });

  test("a memory that is lost or damaged is told, and the run goes by what names lead to now", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox } = story;
    await story.run(["sync"]);
    const whole = stateOf(story);
    sandbox.github.writeFile(file, null);
    const lost = await story.run(["sync"]);
    assert.deepEqual([lost.code, stateOf(story)], [0, whole]);
    assert.match(
      lost.record.notices.join(),
      /state\.json is missing, although earlier runs have left reports/,
    );
    sandbox.github.writeFile(file, whole.slice(0, 40));
    const damaged = await story.run(["sync"]);
    assert.deepEqual([damaged.code, stateOf(story)], [0, whole]);
    assert.match(damaged.record.notices.join(), /state\.json could not be read \(the file as a whole\)/);
    assert.deepEqual((await story.run(["sync"])).record.notices, []);
  });

  test("a memory that GitHub does not show stops the run: nobody knows where names led", async () => {
    await using story = await startStory(acme(), ["noc,NOC"]);
    const { sandbox } = story;
    await story.run(["sync"]);
    sandbox.swapTitles("NOC", "Lobby");
    const route = "GET /repos/{owner}/{repo}/contents/{path}";
    const match = ({ url }: { readonly url: URL }) => url.pathname.endsWith("/state.json");
    sandbox.fault({ route, status: 403, match });
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, end.writes], [1, "failed", []]);
    assert.match(
      end.stderr,
      /reports\/state\.json cannot be read, so it is not known where names led before/,
    );
  });
});
