import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { When } from "../../sandbox/faults.ts";
import type { Sandbox, SandboxOptions } from "../../sandbox/server.ts";
import { parseRecord } from "../../src/membership/record.ts";
import { loadContracts } from "../support/contract.ts";
import { emailOf, organisation } from "../support/organisation.ts";
import { type Ending, type Story, startStory } from "../support/story.ts";

const check = loadContracts();

const self = "Rollcall: self";

const dayMs = 24 * 60 * 60 * 1000;

/** A day so many days from today, in UTC. */
const day = (offset: number) => new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10);

/** Groups "eng" and "ops", and who has more to them than a name. */
const acme = organisation({
  groups: { eng: ["ann"], ops: ["bob"], "desk@acme.example": ["cat"], "ghost@acme.example": ["dan"] },
  rooms: { NOC: ["ann", "old", "gus"], Lab: ["ann"] },
  people: {
    con: { moreEmails: ["con.tractor@acme.example", "c.tractor@acme.example"] },
    off: { loginEnabled: false },
    new: { invitePending: true },
    one: { moreEmails: ["two@acme.example"] },
    two: {},
    bot: { email: "helper@webex.bot", type: "bot" },
    gus: { email: "gus@partner.example", organisation: "partner" },
    pat: { email: "pat@partner.example", organisation: "partner" },
    desk: {},
  },
});

const start = (rows: readonly string[], options: SandboxOptions = {}) => startStory(acme, rows, options);

const local = { local: true };

const messages = ({ record }: Ending) => record.problems.map(({ message }) => message);

const asked = ({ requests }: Ending) =>
  requests.flatMap(({ path }) => (path.startsWith("/people?email=") ? [decodeURIComponent(path)] : []));

function assertAsDocumented({ requests }: Ending): void {
  assert.deepEqual(
    requests.flatMap((exchange) => check?.(exchange) ?? []),
    [],
  );
}

describe("a row with a person's address", { concurrency: 2 }, () => {
  test("brings that one person, by any of the addresses, and once", async () => {
    const rows = [
      ...["eng,NOC", "Con.Tractor@ACME.example,NOC", "con@acme.example,NOC"],
      ...["new@acme.example,Lab", "eng,Lab"],
    ];
    await using story = await start(rows);
    const planned = await story.run(["plan"]);
    assert.deepEqual([planned.code, planned.writes], [0, []]);
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, messages(end)], [0, []]);
    assert.deepEqual(end.writes, ["add con to NOC: 200", "add new to Lab: 200", "remove old from NOC: 204"]);
    const [noc, lab] = end.record.rooms;
    assert.deepEqual(noc?.groups, ["eng"]);
    assert.deepEqual(noc?.people, ["Con.Tractor@ACME.example", "con@acme.example"]);
    assert.deepEqual([lab?.groups, lab?.people, lab?.lines], [["eng"], ["new@acme.example"], [5, 6]]);
    assert.deepEqual(noc?.added, [
      { personId: story.sandbox.personId("con"), displayName: "Con", email: "con@acme.example" },
    ]);
    assert.ok("record" in parseRecord(await story.folder.read("record.json")));
    assertAsDocumented(end);
    const again = await story.run(["sync"]);
    assert.deepEqual([again.code, again.record.status, again.writes], [0, "converged", []]);
    assert.equal(asked(again).length, 3, "each address is asked for once");
  });

  test("does without rights of an administrator, who alone is told of accounts", async () => {
    const scope = "spark:rooms_read spark:memberships_read spark:memberships_write spark:people_read";
    await using story = await start(["con@acme.example,Lab", "ann@acme.example,Lab"], {
      scope: `${scope} identity:groups_read`,
    });
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [0, ["add con to Lab: 200"]]);
  });

  interface Case {
    readonly name: string;
    readonly row: string;
    readonly problem: string | RegExp;
  }

  const unclear: readonly Case[] = [
    {
      name: "nobody's",
      row: "olt@acme.example",
      problem:
        '"olt@acme.example" is the address of nobody in the organisation, and of no member of the space; did you mean "old@acme.example"?',
    },
    {
      name: "a deactivated person's",
      row: "off@acme.example",
      problem: /^"off@acme\.example" is the address of a deactivated account/,
    },
    {
      name: "two people's",
      row: "two@acme.example",
      problem:
        /^"two@acme\.example" is the address of 2 people: One \(one@acme\.example, two@acme\.example\); Two/,
    },
    {
      name: "a bot's",
      row: "helper@webex.bot",
      problem: '"helper@webex.bot" is the address of a bot, not of a person',
    },
    {
      name: "that of somebody of another organisation who is not in the space",
      row: "pat@partner.example",
      problem: /^"pat@partner\.example" is the address of nobody in the organisation, and of no member/,
    },
    {
      name: "both a group's name and somebody's",
      row: "desk@acme.example",
      problem: /^"desk@acme\.example" is a group's name, and somebody's address, too; write the group's id/,
    },
  ];

  for (const { name, row, problem } of unclear) {
    test(`freezes its space, and no other, when the address is ${name}`, async () => {
      await using story = await start(["eng,NOC", "ops,Lab", `${row},NOC`]);
      const end = await story.run(["sync"], local);
      assert.deepEqual([end.code, end.record.status], [3, "partial"]);
      assert.deepEqual(end.writes, ["add bob to Lab: 200", "remove ann from Lab: 204"]);
      const [found, ...others] = end.record.problems;
      assert.deepEqual([found?.line, found?.column, others], [4, "group", []]);
      if (typeof problem === "string") assert.equal(found?.message, problem);
      else assert.match(found?.message ?? "", problem);
      assert.equal(end.rooms.NOC?.frozen, "line 4 names no one person");
      assert.equal(end.record.rooms.find(({ title }) => title === "NOC")?.people, undefined);
      assertAsDocumented(end);
    });
  }

  test("names the nearest address in the space's groups as well, of people who are not in it", async () => {
    await using story = await start(["ops,Lab", "bop@acme.example,Lab"]);
    const end = await story.run(["plan"], local);
    assert.match(messages(end).join(), /; did you mean "bob@acme\.example"\?$/);
  });

  test("is a group when nobody bears its name as an address", async () => {
    await using story = await start(["ghost@acme.example,Lab,add-only"]);
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [0, ["add dan to Lab: 200"]]);
    const [lab] = end.record.rooms;
    assert.deepEqual([lab?.groups, lab?.people], [["ghost@acme.example"], undefined]);
  });

  test("keeps somebody of another organisation who is in the space, whatever the policy says", async () => {
    await using story = await start(["eng,NOC", "Gus@partner.example,NOC"]);
    await story.folder.write("mappings/policy.json", '{"protect":{"externals":false}}');
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [0, ["remove old from NOC: 204"]]);
    assert.deepEqual(end.record.rooms[0]?.people, ["Gus@partner.example"]);
  });

  test("freezes its space when Webex cannot be asked whose the address is", async () => {
    await using story = await start(["eng,NOC", "con@acme.example,NOC"]);
    story.sandbox.fault({ route: "GET /people", match: isAbout("con"), status: 403, times: 9 });
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.match(messages(end).join(), /^"con@acme\.example" could not be looked up: .*403/);
  });

  test("without a space spares that person everywhere, as the row may be meant for any", async () => {
    await using story = await start(["eng,NOC", "old@acme.example,Nok", "gus@partner.example,Nok"]);
    await story.folder.write("mappings/policy.json", '{"protect":{"externals":false}}');
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.ok(
      messages(end).includes(
        'this row leads to no space, but "old@acme.example" may be among the people in "NOC"; they stay there until the row is right',
      ),
    );
  });

  test("that once was a group's name freezes when the group is gone and somebody bears it", async () => {
    await using story = await start(["ghost@acme.example,Lab", "ann@acme.example,Lab"]);
    assert.equal((await story.run(["sync"], local)).code, 0);
    story.sandbox.renameGroup("ghost@acme.example", "other");
    story.sandbox.changePerson("old", { moreEmails: ["ghost@acme.example"] });
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.writes], [3, []]);
    assert.match(messages(end).join(), /"ghost@acme\.example" led to a group on earlier runs/);
  });
});

function isAbout(key: string): NonNullable<When["match"]> {
  return ({ url }) => url.searchParams.get("email") === emailOf(key);
}

describe("the second look at people", { concurrency: 2 }, () => {
  interface Case {
    readonly name: string;
    readonly when: When;
    readonly change: (sandbox: Sandbox) => void;
    readonly code: number;
    readonly removed: readonly string[];
    readonly kept?: readonly string[];
    readonly problem?: RegExp;
  }

  // NOC holds Ann, Old and Sam; the rows name Ann's and Con's addresses, and Con is still to come.
  const cases: readonly Case[] = [
    {
      name: "who got the address of a row meanwhile stays",
      when: { route: "POST /memberships" },
      change: (sandbox) => {
        sandbox.changePerson("ann", { email: "ann.new@acme.example" });
        sandbox.changePerson("old", { moreEmails: [emailOf("ann")] });
      },
      code: 3,
      removed: ["Sam"],
      kept: ["Old: changed"],
      problem: /shows in none of its groups: Ann;/,
    },
    {
      name: "nobody is removed when an address leads to nobody any more, for anybody may be the person",
      when: { route: "POST /memberships" },
      change: (sandbox) => sandbox.changePerson("ann", { email: "ann.new@acme.example" }),
      code: 3,
      removed: [],
      kept: ["Old: changed", "Sam: changed"],
      problem:
        /^nobody was removed from space "NOC", because a second look was in doubt \(line 2 names no one/,
    },
    {
      name: "nobody is removed when two people have an address now",
      when: { route: "POST /memberships" },
      change: (sandbox) => sandbox.changePerson("old", { moreEmails: [emailOf("ann")] }),
      code: 3,
      removed: [],
      kept: ["Old: changed", "Sam: changed"],
      problem: /second look was in doubt/,
    },
    {
      name: "who is declared all the time stays, and the others go",
      when: { route: "POST /memberships" },
      change: () => undefined,
      code: 0,
      removed: ["Old", "Sam"],
    },
  ];

  for (const { name, when, change, code, removed, kept, problem } of cases) {
    test(name, async () => {
      await using story = await startSecondLook();
      story.sandbox.fault({ ...when, changeBefore: () => change(story.sandbox) });
      const end = await story.run(["sync"], local);
      assert.equal(end.code, code);
      assert.deepEqual(end.rooms.NOC?.removed ?? [], removed);
      assert.deepEqual(end.rooms.NOC?.kept, [...[self], ...(kept ?? [])]);
      if (problem) assert.match(messages(end).join(), problem);
      else assert.deepEqual(messages(end), []);
    });
  }

  test("nobody is removed when /people cannot be asked again", async () => {
    await using story = await startSecondLook();
    story.sandbox.fault({ route: "GET /people", match: isAbout("ann"), after: 1, status: 403, times: 9 });
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.rooms.NOC?.removed], [3, undefined]);
    assert.match(messages(end).join(), /second look was in doubt/);
  });

  test("each address is asked for again after the second list of members, and once for many spaces", async () => {
    await using story = await startSecondLook();
    const end = await story.run(["sync"], local);
    const steps = end.requests.flatMap(({ method, path }) =>
      path.startsWith("/people?email=ann") || (method === "GET" && path.startsWith("/memberships?"))
        ? [path.startsWith("/people") ? "ann?" : "members"]
        : [],
    );
    assert.deepEqual(steps.slice(0, 4), ["ann?", "members", "members", "ann?"]);
    assert.equal(asked(end).filter((path) => path.includes(emailOf("con"))).length, 2);
  });

  async function startSecondLook(): Promise<Story> {
    const two = organisation({ groups: {}, people: { con: {} }, rooms: { NOC: ["ann", "old", "sam"] } });
    return await startStory(two, ["ann@acme.example,NOC", "con@acme.example,NOC"]);
  }
});

describe("a row with a last day", { concurrency: 2 }, () => {
  test("is announced for seven days, and brings its person up to that day", async () => {
    const rows = [
      `con@acme.example,Lab,,${day(0)}`,
      `eng,Lab,,${day(7)}`,
      `ops,Lab,,${day(8)}`,
      `new@acme.example,Lab,,${day(1)}`,
    ];
    await using story = await start(rows);
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status], [0, "changed"]);
    assert.deepEqual(end.writes, ["add bob to Lab: 200", "add con to Lab: 200", "add new to Lab: 200"]);
    assert.deepEqual(end.record.notices, [
      `line 2 of the mappings, "con@acme.example" in "Lab", holds until ${day(0)} (today is the last day)`,
      `line 3 of the mappings, "eng" in "Lab", holds until ${day(7)} (7 days left)`,
      `line 5 of the mappings, "new@acme.example" in "Lab", holds until ${day(1)} (1 day left)`,
    ]);
  });

  test("brings nobody from the next day on, is not resolved, and asks to be deleted where that can be done", async () => {
    const rows = [
      "eng,Lab,,",
      `con@acme.example,Lab,,${day(-1)}`,
      `ghosts and goblins,Lab,,${day(-1)}`,
      `nobody@acme.example,Lab,,2020-01-01`,
    ];
    await using story = await start(rows);
    story.sandbox.addToRoom("Lab", "con");
    const end = await story.run(["sync"]);
    assert.deepEqual([end.code, end.record.status, messages(end)], [0, "changed", []]);
    assert.deepEqual([end.writes, asked(end)], [["remove con from Lab: 204"], []]);
    const [lab] = end.record.rooms;
    assert.deepEqual([lab?.groups, lab?.people, lab?.lines], [["eng"], undefined, [2, 3, 4, 5]]);
    const editor = `${story.sandbox.url}/acme/spaces/edit/main/mappings/rooms.csv`;
    assert.equal(
      end.record.notices[0],
      `line 3 of the mappings, "con@acme.example" in "Lab", ended on ${day(-1)} and brings nobody any more; delete the line: ${editor}`,
    );
    assert.equal(end.record.notices.length, 3);
    const page = story.sandbox.github.files().get("reports/README.md") ?? "";
    for (const text of [page, end.summary])
      assert.match(text, /ended on .* and brings nobody any more; delete the line: \[edit the file\]\(http/);
    assert.equal((await story.run(["sync"])).record.status, "converged");
  });

  test("the removals that follow go through limits and protections", async () => {
    const rows = [`old@acme.example,NOC,,${day(-1)}`, "ann@acme.example,NOC,,"];
    await using story = await start(rows);
    await story.folder.write(
      "mappings/policy.json",
      '{"limits":{"removalsPerRoom":{"count":0,"share":0}},"protect":{"people":["ann@acme.example"]}}',
    );
    const held = await story.run(["sync"], local);
    assert.deepEqual([held.code, held.writes], [2, []]);
    assert.deepEqual(held.rooms.NOC?.held, ["Old: removals-per-room"]);
    await story.folder.write("mappings/policy.json", '{"protect":{"people":["old@acme.example"]}}');
    const spared = await story.run(["sync"], local);
    assert.deepEqual([spared.code, spared.rooms.NOC?.kept], [0, ["Gus: external", "Old: listed", self]]);
  });

  test("a space whose rows have all ended stays managed, is no empty group, and is not emptied unasked", async () => {
    await using story = await start([`eng,Lab,,${day(-3)}`]);
    const end = await story.run(["sync"], local);
    assert.deepEqual([end.code, end.rooms.Lab?.held], [2, ["Ann: empties-room"]]);
    const approved = await story.run(["sync", "--approve", end.record.digest ?? ""], local);
    assert.deepEqual([approved.code, approved.writes], [0, ["remove ann from Lab: 204"]]);
  });
});

test("a plan on a pull request shows what a person's row does", async () => {
  const base = "group,room,mode,until,note\neng,NOC,add-only,,\n";
  await using story = await startStory(acme, [], { github: { files: { "mappings/rooms.csv": base } } });
  const { github } = story.sandbox;
  const head = `${base}con@acme.example,NOC,add-only,${day(30)},contractor\n`;
  const number = github.pulls.open({ files: { "mappings/rooms.csv": head } });
  const end = await story.run(["plan", "--pull-request", String(number)]);
  assert.equal(end.code, 0);
  const body = github.issues.find(number).comments.at(-1)?.body ?? "";
  assert.match(
    body,
    /^@@ NOC ← eng, con@acme\.example \(lines 2, 3\) @@\n! now also fed by con@acme\.example\n! until \d{4}-\d\d-\d\d: con@acme\.example\n\+ Con \(con@acme\.example\)$/m,
  );
  assert.ok(body.includes(`! until ${day(30)}: con@acme.example\n`));
});

test("restore undoes what a person's row brought", async () => {
  await using story = await start(["ann@acme.example,Lab", "con@acme.example,Lab"]);
  await story.run(["sync"], local);
  const record = (await import("node:fs/promises"))
    .readdir(`${story.folder.path}/reports/runs`)
    .then((files) => files.find((file) => file.endsWith(".json")) ?? "");
  const end = await story.run(["restore", "--record", `reports/runs/${await record}`], local);
  assert.deepEqual([end.code, end.writes], [0, ["remove con from Lab: 204"]]);
});
