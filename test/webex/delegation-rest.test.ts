import assert from "node:assert/strict";
import { test } from "node:test";
import { planHost } from "../../src/delegation/plan.ts";
import { createRestReader, createRestWriter } from "../../src/webex/delegation-rest.ts";
import { openClient } from "../support/open-webex.ts";
import { type Received, type Script, startScript } from "../support/scripted-server.ts";

const siteUrl = "acme.webex.com";

const host = "ann+x@acme.example";

const scopes = ["meeting:admin_preferences_read", "meeting:admin_preferences_write"];

const others = { enabledJoinBeforeHost: false, joinBeforeHostMinutes: 0, enabledAutoShareRecording: false };

async function open(
  answer: (request: Received, index: number) => Script,
  granted: readonly string[] | null = scopes,
) {
  const server = await startScript(answer);
  const { client } = openClient({ baseUrl: `${server.url}/v1` });
  return {
    server,
    reader: createRestReader({ client, siteUrl, scopes: granted }),
    writer: createRestWriter({ client, siteUrl }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

test("a read names the host and the site, and an absent list is empty only if the other fields are present", async () => {
  const bodies = [{ ...others, delegateEmails: [" bob@acme.example "] }, others, { delegateEmails: [] }];
  await using webex = await open((_, index) => ({ body: bodies[index] }));
  assert.deepEqual(await webex.reader.readDelegates(host), ["bob@acme.example"]);
  assert.deepEqual(await webex.reader.readDelegates(host), []);
  await assert.rejects(
    webex.reader.readDelegates(host),
    /the reply is not as documented: enabledJoinBeforeHost/,
  );
  assert.equal(
    webex.server.requests[0]?.path,
    "/v1/meetingPreferences/schedulingOptions?userEmail=ann%2Bx%40acme.example&siteUrl=acme.webex.com",
  );
});

test("a change sends only the difference, one address per element, never the whole object", async () => {
  await using webex = await open(({ path }) =>
    path.includes("delete") ? { status: 204 } : { body: { emails: [] } },
  );
  const { change } = planHost(
    { host, mode: "replace", delegates: ["cat@acme.example", "dan@acme.example"] },
    ["bob@acme.example", "Cat@acme.example"],
  );
  assert.ok(change);
  await webex.writer.changeDelegates(change, () => undefined);
  const query = "?userEmail=ann%2Bx%40acme.example&siteUrl=acme.webex.com";
  const path = "/v1/meetingPreferences/schedulingOptions/delegateEmails";
  assert.deepEqual(
    webex.server.requests.map(({ method, path, body }) => [method, path, body]),
    [
      ["POST", `${path}/insert${query}`, '{"emails":["dan@acme.example"]}'],
      ["POST", `${path}/delete${query}`, '{"emails":["bob@acme.example"]}'],
    ],
  );
});

/** Twenty delegates who are to be replaced by one, and what a request did to whom. */
function replaceTwenty() {
  const before = Array.from({ length: 20 }, (_, index) => `d${index}@acme.example`);
  const { change } = planHost({ host, mode: "replace", delegates: ["cat@acme.example"] }, before);
  assert.ok(change);
  return { change, before };
}

function stepsOf(requests: readonly Received[]): string[] {
  return requests.map(({ method, path, body }) => {
    const verb = /delegateEmails\/(\w+)/.exec(path)?.[1] ?? method;
    return body === "" ? verb : `${verb} ${JSON.parse(body).emails.length}`;
  });
}

test("at 20 of 20 only so many are taken out first as the additions need", async () => {
  await using webex = await open(() => ({ status: 204 }));
  await webex.writer.changeDelegates(replaceTwenty().change, () => undefined);
  assert.deepEqual(stepsOf(webex.server.requests), ["delete 1", "insert 1", "delete 19"]);
});

test("what was taken out to make room is put back when the insertion fails", async () => {
  const { change, before } = replaceTwenty();
  const answer =
    (canPutBack: boolean) =>
    ({ path, method, body }: Received): Script => {
      if (method === "GET") return { body: { ...others, delegateEmails: before.slice(1) } };
      if (path.includes("delete")) return { status: 204 };
      return { status: body.includes("d0@") && canPutBack ? 200 : 403 };
    };
  await using good = await open(answer(true));
  await assert.rejects(
    good.writer.changeDelegates(change, () => undefined),
    /403.*; d0@acme\.example, taken out to make room, was put back$/,
  );
  assert.deepEqual(stepsOf(good.server.requests), ["delete 1", "insert 1", "GET", "insert 1"]);

  await using bad = await open(answer(false));
  await assert.rejects(
    bad.writer.changeDelegates(change, () => undefined),
    /403.*; and d0@acme\.example, taken out to make room, could not be put back: .*403/,
  );
});

test("an insertion whose answer got lost is looked at: where it took effect, the change goes on", async () => {
  const { change, before } = replaceTwenty();
  await using webex = await open(({ path, method }) => {
    if (method === "GET")
      return { body: { ...others, delegateEmails: [...before.slice(1), "cat@acme.example"] } };
    return { status: path.includes("delete") ? 204 : 502 };
  });
  await webex.writer.changeDelegates(change, () => undefined);
  assert.deepEqual(stepsOf(webex.server.requests), ["delete 1", "insert 1", "GET", "delete 19"]);
});

test("a write is not repeated: after a 502 the list must be read first", async () => {
  await using webex = await open(() => ({ status: 502 }));
  const { change } = planHost({ host, mode: "add", delegates: ["cat@acme.example"] }, []);
  assert.ok(change);
  await assert.rejects(
    webex.writer.changeDelegates(change, () => undefined),
    /502/,
  );
  assert.equal(webex.server.requests.length, 1);
});

test("without the administrator scopes no request is sent", async () => {
  for (const [granted, mayWrite, expected] of [
    [
      ["meeting:admin_preferences_read"],
      true,
      /the token lacks meeting:admin_preferences_write, without which/,
    ],
    [["meeting:preferences_write"], false, /the token lacks meeting:admin_preferences_read, without which/],
    [null, false, /Webex did not say which scopes the token has/],
  ] as const) {
    await using webex = await open(() => ({ status: 404 }), granted);
    await assert.rejects(webex.reader.proveAccess(mayWrite), expected);
    assert.equal(webex.server.requests.length, 0);
  }
});

test("a read that Webex must refuse proves that requests act on the named host", async () => {
  for (const status of [400, 403, 404]) {
    await using webex = await open(() => ({ status }));
    await webex.reader.proveAccess(true);
    assert.match(
      webex.server.requests[0]?.path ?? "",
      /userEmail=rollcall-targeting-check%40nobody\.invalid/,
    );
  }
  await using ignoring = await open(() => ({ body: others }));
  await assert.rejects(ignoring.reader.proveAccess(true), /it ignores which host is named/);
  // Refusals that everybody meets prove nothing.
  for (const status of [401, 503]) {
    await using webex = await open(() => ({ status }));
    await assert.rejects(webex.reader.proveAccess(true), new RegExp(`: ${status}:`));
  }
});

test("a user is on the site as a host, as an attendee, or not at all", async () => {
  const person = { emails: ["Cat@acme.example"], displayName: "Cat", type: "person" };
  const answers: [object, unknown][] = [
    [{ siteUrls: ["Acme.webex.com"] }, { isActive: true, canHost: true }],
    [{ siteUrls: ["acme.webex.com#attendee"] }, { isActive: true, canHost: false }],
    [{ siteUrls: ["other.webex.com"] }, null],
    [{ loginEnabled: "false" }, { isActive: false, canHost: null }],
    [{ loginEnabled: true }, { isActive: true, canHost: null }],
    [{ emails: ["catherine@acme.example"] }, null],
    [{ type: "bot" }, null],
  ];
  for (const [facts, expected] of answers) {
    await using webex = await open(() => ({ body: { items: [{ ...person, ...facts }] } }));
    const found = await webex.reader.findUser("cat@acme.example");
    assert.deepEqual(found && { isActive: found.isActive, canHost: found.canHost }, expected);
  }
  await using nobody = await open(() => ({ body: { items: [] } }));
  assert.equal(await nobody.reader.findUser("cat@acme.example"), null);
});
