import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import type { Group } from "../../src/membership/directory.ts";
import { listGroupMembers, listGroups } from "../../src/webex/groups.ts";
import { user } from "../support/builders.ts";
import { openClient, openWebex } from "../support/open-webex.ts";
import { type Received, type Script, startScript } from "../support/scripted-server.ts";

const keys = ["ann", "bob", "cat", "dan", "eve"];
const acme: Organisation = {
  name: "acme",
  people: keys.map((key) => ({ key, displayName: key, email: `${key}@acme.example` })),
  groups: [
    { name: "all", members: keys },
    { name: "empty", members: [] },
    { name: "nested", members: ["ann"], nestedGroups: ["all"] },
    { name: "twin", members: ["bob"] },
    { name: "twin", members: ["cat"] },
  ],
  rooms: [],
};

async function start(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(acme, options);
  const { client } = await openWebex(sandbox);
  const idOf = (name: string): Group => ({ key: "", id: sandbox.groupId(name), displayName: name });
  return {
    sandbox,
    async names() {
      const { items, ...listing } = await listGroups(client);
      return { ...listing, names: items.map((group) => group.displayName) };
    },
    async members(name: string) {
      const { heads, members } = await listGroupMembers(client, idOf(name), (id, type, label) => {
        return { key: id, personId: id, displayName: label, type };
      });
      const names = members.items.map(({ displayName, type }) => `${type} ${displayName}`);
      return { memberSize: heads.at(-1)?.memberSize, complete: members.complete, names };
    },
    counts: () =>
      sandbox.requests.map(({ path }) => new URLSearchParams(path.split("?")[1]).get("startIndex")),
  };
}

const allGroups = { complete: true, names: ["all", "empty", "nested", "twin", "twin"] };
const listings: readonly [fact: string, options: SandboxOptions][] = [
  ["in one page", {}],
  ["in pages smaller than requested", { pageCaps: { groups: 2 } }],
  ["when totalResults counts only one page", { pageCaps: { groups: 2 }, groupTotalIsPageCount: true }],
  ["when the pages overlap", { pageCaps: { groups: 2 }, duplicatesAcrossPages: true }],
];
for (const [fact, options] of listings) {
  test(`all groups are listed ${fact}, including those with the same name`, async () => {
    const { sandbox, names } = await start(options);
    await using _ = sandbox;
    assert.deepEqual(await names(), allGroups);
  });
}

test("a listing of groups with a failed page is incomplete and says why", async () => {
  const { sandbox, names } = await start({ pageCaps: { groups: 2 } });
  await using _ = sandbox;
  sandbox.fault({ route: "GET /groups", status: 403, after: 1 });
  const { complete, names: listed } = await names();
  assert.deepEqual([complete, listed], [false, ["all", "empty"]]);
});

const everybody = keys.map((key) => `user ${key}`);
const readings: readonly [
  fact: string,
  options: SandboxOptions,
  group: string,
  size: number,
  names: readonly string[],
][] = [
  ["a group's members are read in one page", {}, "all", 5, everybody],
  [
    "pages smaller than requested are read to the end",
    { pageCaps: { groupMembers: 2 } },
    "all",
    5,
    everybody,
  ],
  [
    "a member on two pages counts once",
    { pageCaps: { groupMembers: 2 }, duplicatesAcrossPages: true },
    "all",
    5,
    everybody,
  ],
  ["an empty group may lack the list of members", {}, "empty", 0, []],
  ["an empty group may have an empty list", { membersOmittedWhenEmpty: false }, "empty", 0, []],
  ["a nested group is listed as a group", {}, "nested", 2, ["user ann", "group all"]],
  [
    "the size shows that Webex left out members",
    { groupMembersMissing: ["cat"] },
    "all",
    5,
    ["user ann", "user bob", "user dan", "user eve"],
  ],
  [
    "the size shows that Webex cut the list short",
    { groupMembersCut: 2 },
    "all",
    5,
    ["user ann", "user bob"],
  ],
  [
    "the size shows that small pages left out members",
    { pageCaps: { groupMembers: 3 }, groupMembersByPageSize: true },
    "all",
    5,
    ["user bob", "user cat", "user dan", "user eve"],
  ],
];
for (const [fact, options, group, memberSize, names] of readings) {
  test(fact, async () => {
    const { sandbox, members } = await start(options);
    await using _ = sandbox;
    assert.deepEqual(await members(group), { memberSize, complete: true, names });
  });
}

test("members are requested in pages of 500, the maximum, and only until all have arrived", async () => {
  const { sandbox, members, counts } = await start();
  await using _ = sandbox;
  await members("all");
  assert.deepEqual(counts().filter(Boolean), ["1"]);
  assert.match(sandbox.requests.at(-1)?.path ?? "", /\/members\?startIndex=1&count=500$/);
});

test("a failed page of members makes the list incomplete", async () => {
  const { sandbox, members } = await start({ pageCaps: { groupMembers: 2 } });
  await using _ = sandbox;
  sandbox.fault({ route: "GET /groups/{groupId}/members", status: 404, after: 1 });
  assert.deepEqual(await members("all"), { memberSize: 5, complete: false, names: ["user ann", "user bob"] });
});

/** The members of a group as a server answers that the sandbox cannot be. */
async function readScript(answer: (request: Received, index: number, url: string) => Script) {
  let url = "";
  await using server = await startScript((request, index) => answer(request, index, url));
  url = server.url;
  const { client } = openClient({ baseUrl: `${url}/v1`, attempts: 1 });
  const eng: Group = { key: "", id: "a/b", displayName: "eng" };
  const reading = await listGroupMembers(client, eng, (id, type) => user(id, type));
  return { ...reading, paths: server.requests.map(({ path }) => path) };
}

test("a missing size is unknown, and the list ends with the first empty page", async () => {
  const reading = await readScript((_, index) => ({
    body: index === 0 ? { members: [{ id: "ada", type: "user" }] } : {},
  }));
  const head = { key: null, displayName: null, memberSize: null, lastModified: null };
  assert.deepEqual(reading, {
    heads: [head, head],
    members: { complete: true, items: [user("ada")] },
    paths: [
      "/v1/groups/a%2Fb/members?startIndex=1&count=500",
      "/v1/groups/a%2Fb/members?startIndex=2&count=500",
    ],
  });
});

test("a Link header to the next page is followed", async () => {
  const reading = await readScript((_, index, url) =>
    index === 0
      ? {
          headers: { link: `<${url}/v1/groups/x/members?cursor=1>; rel="next"` },
          body: { memberSize: 2, members: [{ id: "ada", type: "user" }] },
        }
      : { body: { memberSize: 2, members: [{ id: "bob" }] } },
  );
  assert.deepEqual(reading.members, { complete: true, items: [user("ada"), user("bob", "")] });
  assert.equal(reading.paths[1], "/v1/groups/x/members?cursor=1");
});

test("a Link header to another place makes the list incomplete", async () => {
  const { members } = await readScript(() => ({
    headers: { link: '<https://evil.example/v1/groups>; rel="next"' },
    body: { memberSize: 1, members: [{ id: "ada", type: "user" }] },
  }));
  assert.equal(members.complete, false);
});

test("Link headers that go round in circles make the list incomplete after few requests", async () => {
  const { members, paths } = await readScript((_, index, url) => ({
    headers: { link: `<${url}/v1/groups/x/members?cursor=${index % 2}>; rel="next"` },
    body: { memberSize: 2, members: [{ id: "ada", type: "user" }] },
  }));
  assert.equal(members.complete, false);
  assert.ok(paths.length <= 10, `${paths.length} requests`);
});

test("members in an undocumented form make the list incomplete, never empty", async () => {
  const { members } = await readScript(() => ({ body: { memberSize: 0, members: [{ name: "ada" }] } }));
  const empty = await readScript(() => ({ body: { memberSize: 0, members: [{ id: "", type: "user" }] } }));
  assert.deepEqual(empty.members, members, "an empty id would be added as somebody without a name");
  assert.deepEqual(members, {
    complete: false,
    items: [],
    reason: "1 of its members came without an id",
  });
});

test("each page tells what it says of the group; of a member only the id is needed, and shows what it is", async () => {
  const idOf = (type: string, key: string) =>
    Buffer.from(`ciscospark://us/${type}/${key}`).toString("base64url");
  const ada = idOf("PEOPLE", "ada");
  const ops = idOf("SCIM_GROUP", "ops");
  const head = { id: idOf("SCIM_GROUP", "eng:acme"), displayName: "eng", memberSize: 3 };
  const { heads, members } = await readScript((_, index) => ({
    body:
      index === 0
        ? { ...head, lastModified: "1", members: [{ id: ada, type: null, displayName: null }] }
        : { ...head, lastModified: "2", members: [{ id: ops }, { id: "x", type: "user" }] },
  }));
  const told = { key: "SCIM_GROUP/eng:acme", displayName: "eng", memberSize: 3 };
  assert.deepEqual(heads, [
    { ...told, lastModified: "1" },
    { ...told, lastModified: "2" },
  ]);
  assert.deepEqual(
    members.items.map(({ displayName: id, type }) => [id, type]),
    [
      [ada, "user"],
      [ops, "group"],
      ["x", "user"],
    ],
  );
});
