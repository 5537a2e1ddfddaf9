import assert from "node:assert/strict";
import { test } from "node:test";
import type { Organisation } from "../../sandbox/organisation.ts";
import { startSandbox } from "../../sandbox/server.ts";
import type { Listing } from "../../src/lib/listing.ts";
import type { WebexClient, WebexReply } from "../../src/webex/client.ts";
import { createRestReader } from "../../src/webex/delegation-rest.ts";
import { createXmlReader } from "../../src/webex/delegation-xml.ts";
import { createWebexReader } from "../../src/webex/directory.ts";
import { WebexError } from "../../src/webex/errors.ts";
import { readTokens } from "../../src/webex/oauth-token.ts";
import { createXmlClient } from "../../src/webex/xml-client.ts";
import { openWebex } from "../support/open-webex.ts";
import { startScript } from "../support/scripted-server.ts";
import { cases, check } from "./check.ts";
import { assertNoCrash, type Change, changeReply, changes } from "./hostile-replies.ts";
import { hostileBytes } from "./hostile-texts.ts";

const acme: Organisation = {
  name: "acme",
  owner: "ann",
  people: ["ann", "bob", "cat"].map((key) => ({ key, displayName: key, email: `${key}@acme.example` })),
  groups: [{ name: "noc", members: ["ann", "bob"] }],
  rooms: [{ title: "NOC", members: ["ann", "cat"] }],
  meetings: { users: [{ person: "ann", delegates: ["bob@acme.example"] }, { person: "bob" }] },
};

/** A client that answers from what a real one was answered, with one reply changed. */
interface Replayed {
  readonly client: WebexClient;
  /** Changes the replies of the next calls. */
  set(change: Change | null): void;
}

function replay(real: WebexClient): Replayed {
  const known = new Map<string, Promise<WebexReply>>();
  let current: Change | null = null;
  let asked = 0;
  return {
    set(change) {
      [current, asked] = [change, 0];
    },
    client: {
      ...real,
      async send(request) {
        const key = JSON.stringify(request);
        const answer = known.get(key) ?? real.send(request);
        known.set(key, answer);
        const reply = await answer;
        asked += 1;
        // A walk that never ends would go on with the true answers.
        const isMet = current !== null && asked - 1 === current.request % 3;
        return isMet && current ? { ...reply, body: changeReply(reply.body, current) } : reply;
      },
    },
  };
}

function isListing(found: unknown): found is Listing<unknown> {
  return typeof found === "object" && found !== null && "complete" in found;
}

test("each reader of Webex ends with an answer, an incomplete one that says why, or an error that names the request", async (t) => {
  await using sandbox = await startSandbox(acme);
  const { client, set } = replay((await openWebex(sandbox)).client);
  const reader = createWebexReader(client);
  const rest = createRestReader({ client, siteUrl: "acme.webex.com", scopes: null });
  const [room] = (await reader.listRooms()).items;
  assert.ok(room !== undefined);
  const group = { key: "", id: sandbox.groupId("noc"), displayName: "noc" };
  const people = ["ann", "bob"].map((key) => sandbox.personId(key));
  const calls: readonly (readonly [name: string, call: () => Promise<unknown>])[] = [
    ["the token's owner", () => reader.readOwner()],
    ["groups", () => reader.listGroups()],
    ["few groups", () => reader.listFewGroups(1)],
    ["a group by its name", () => reader.findGroup("noc")],
    ["a group by its id", () => reader.readGroup(group.id)],
    ["the members of a group", async () => (await reader.listGroupMembers(group)).members],
    ["spaces", () => reader.listRooms()],
    ["a space by its id", () => reader.readRoom(room.id)],
    ["the members of a space", () => reader.listRoomMembers(room)],
    ["people", () => reader.lookUpPeople(people)],
    ["who has an address", () => reader.findHolders("bob@acme.example")],
    ["whether anybody has an address", () => reader.hasAddress("bob@acme.example")],
    ["the users of the site", () => rest.listUsers()],
    ["a user of the site", () => rest.findUser("bob@acme.example")],
    ["delegates", () => rest.readDelegates("ann@acme.example")],
  ];
  for (const [name, call] of calls) {
    await t.test(name, async () => {
      await call();
      await check(
        [changes],
        async (change) => {
          set(change);
          try {
            const found = await call();
            if (isListing(found) && !found.complete) assert.ok(found.reason.length > 10, found.reason);
          } catch (error) {
            assertNoCrash(error);
            assert.ok(error instanceof WebexError, error.stack);
            assert.match(error.message, /^\[[A-Z]+\] \/\w+/);
          } finally {
            set(null);
          }
          assert.equal(Reflect.get({}, "isAdmin"), undefined);
        },
        Math.ceil(cases / 2),
      );
    });
  }
});

const issued = {
  access_token: "access",
  expires_in: 1209599,
  refresh_token: "refresh",
  refresh_token_expires_in: 7775999,
  scope: "spark:people_read",
};

test("an answer with tokens is read whatever else it holds, and its end is a date or not known", () =>
  check([changes], (change) => {
    try {
      const path = "/access_token";
      const {
        accessToken,
        refreshToken,
        refreshTokenExpiresAt: end,
      } = readTokens({ body: changeReply(issued, change), date: Date.parse("2026-11-22T05:17:09Z") }, path);
      assert.ok(accessToken.length > 0 && (refreshToken === null || refreshToken.length > 0));
      assert.ok(end === null || !Number.isNaN(end.getTime()), "an end that is no date");
    } catch (error) {
      assert.ok(error instanceof WebexError, String(error));
      assertNoCrash(error);
      assert.match(error.message, /^\[POST\] \/access_token/);
    }
  }));

const xml = [
  '<s:message xmlns:s="s" xmlns:u="u"><s:header><s:response><s:result>SUCCESS</s:result></s:response></s:header>',
  "<s:body><s:bodyContent><u:sessionTicket>ticket</u:sessionTicket><u:webExId>ann@acme.example</u:webExId>",
  "<u:schedulingPermission>bob@acme.example;cat@acme.example</u:schedulingPermission>",
  "<u:privilege><u:host>true</u:host><u:siteAdmin>true</u:siteAdmin></u:privilege><u:active>ACTIVATED</u:active>",
  "<u:user><u:webExId>ann@acme.example</u:webExId><u:email>ann@acme.example</u:email></u:user>",
  "<u:matchingRecords><u:total>1</u:total></u:matchingRecords></s:bodyContent></s:body></s:message>",
].join("\n");

test("each reader of the XML interface ends with an answer, or an error that names the operation", async () => {
  let answer: Buffer = Buffer.from(xml);
  await using server = await startScript(() => (response) => void response.end(answer));
  const open = () => {
    const client = createXmlClient({
      url: `${server.url}/WBXService/XMLService`,
      siteName: "acme",
      webExId: "ann@acme.example",
      accessToken: "access",
      mask: () => undefined,
      sleep: async () => undefined,
    });
    return createXmlReader(client, "ann@acme.example");
  };
  assert.deepEqual(await open().readDelegates("ann@acme.example"), ["bob@acme.example", "cat@acme.example"]);
  assert.deepEqual((await open().listUsers()).complete, true);
  await check([hostileBytes([xml])], async (bytes) => {
    answer = bytes;
    const reader = open();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => reader.proveAccess(true),
      () => reader.findUser("ann@acme.example"),
      () => reader.readDelegates("ann@acme.example"),
      () => reader.listUsers(),
    ];
    for (const call of calls) {
      const found = await call().catch((error: unknown) => {
        assertNoCrash(error);
        assert.match(error.message, /^\[POST\] XML \w+: |is not an administrator of the site/);
      });
      if (isListing(found) && !found.complete) assert.ok(found.reason.length > 10, found.reason);
    }
  });
});
