import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeChange } from "../../src/delegation/plan.ts";
import { createXmlReader, createXmlWriter } from "../../src/webex/delegation-xml.ts";
import { element } from "../../src/webex/xml.ts";
import { createXmlClient, type XmlClientOptions } from "../../src/webex/xml-client.ts";
import { type Received, type Script, startScript } from "../support/scripted-server.ts";

function succeed(content = ""): Script {
  return {
    body: `<s:message xmlns:s="s"><s:header><s:response><s:result>SUCCESS</s:result></s:response></s:header><s:body><s:bodyContent>${content}</s:bodyContent></s:body></s:message>`,
  };
}

function refuse(exceptionId: string, reason = "as the test says"): Script {
  return {
    body: `<s:message xmlns:s="s"><s:header><s:response><s:result>FAILURE</s:result><s:reason>${reason}</s:reason><s:exceptionID>${exceptionId}</s:exceptionID></s:response></s:header></s:message>`,
  };
}

function operationOf({ body }: Pick<Received, "body">): string {
  return /binding\.user\.(\w+)"/.exec(body)?.[1] ?? "";
}

/** A client of a server that answers each authentication with a ticket, and all else as the test says. */
async function open(
  answer: (operation: string, index: number, request: Received) => Script,
  options: Partial<XmlClientOptions> = {},
) {
  const masked: string[] = [];
  const pauses: number[] = [];
  let tickets = 0;
  let others = 0;
  const server = await startScript((request) => {
    const operation = operationOf(request);
    if (operation !== "AuthenticateUser") return answer(operation, others++, request);
    return succeed(`<u:sessionTicket xmlns:u="u">ticket-${++tickets}</u:sessionTicket>`);
  });
  const client = createXmlClient({
    url: `${server.url}/WBXService/XMLService`,
    siteName: "acme",
    webExId: "admin@acme.example",
    accessToken: "secret-access-token",
    mask: (secret) => masked.push(secret),
    sleep: async (ms) => pauses.push(ms),
    ...options,
  });
  return {
    client,
    server,
    masked,
    pauses,
    operations: () => server.requests.map(operationOf),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

const getUser = { operation: "GetUser", content: [element("webExId", "ann@acme.example")] } as const;
const setUser = { operation: "SetUser", content: [element("webExId", "ann@acme.example")] } as const;

test("one ticket serves all requests, is masked before its use, and replaces the access token", async () => {
  await using webex = await open(() => succeed("<u>1</u>"));
  assert.deepEqual(await Promise.all([webex.client.send(getUser), webex.client.send(getUser)]), [
    { u: "1" },
    { u: "1" },
  ]);
  assert.deepEqual(webex.operations(), ["AuthenticateUser", "GetUser", "GetUser"]);
  assert.deepEqual(webex.masked, ["ticket-1"]);
  const [first, second] = webex.server.requests;
  assert.match(first?.body ?? "", /<accessToken>secret-access-token<\/accessToken>/);
  assert.match(
    second?.body ?? "",
    /<siteName>acme<\/siteName><webExID>admin@acme\.example<\/webExID><sessionTicket>ticket-1<\/sessionTicket>/,
  );
  assert.doesNotMatch(second?.body ?? "", /secret-access-token/);
  assert.match(String(second?.headers["content-type"]), /^text\/xml/);
});

test("a FAILURE inside of a 200 is an error with its exception id and its meaning", async () => {
  await using webex = await open(() => refuse("000001", "Access denied &amp; more"));
  await assert.rejects(webex.client.send(getUser), {
    name: "WebexError",
    message:
      "[POST] XML GetUser: 200: FAILURE 000001: Access denied & more (access denied: the token's owner must be administrator of the site)",
    exceptionId: "000001",
  });
});

test("000045 waits a minute and repeats, writes too; within bounds", async () => {
  await using webex = await open((_, index) => (index < 2 ? refuse("000045") : succeed()), {});
  await webex.client.send(setUser);
  assert.deepEqual([webex.pauses, webex.operations().length], [[60_000, 60_000], 4]);

  await using busy = await open(() => refuse("000045"), { maxWaits: 3 });
  await assert.rejects(
    busy.client.send(getUser),
    /FAILURE 000045.*the rate limit is reached; run again later/,
  );
  await assert.rejects(busy.client.send(getUser), /000045/);
  assert.equal(busy.pauses.length, 3);
});

test("a dead ticket is renewed once, whatever id its failure has; a second refusal is final", async () => {
  await using webex = await open((_, index) =>
    index === 1 ? refuse("030049", "ticket is expired") : succeed(),
  );
  await webex.client.send(getUser);
  await webex.client.send(setUser);
  assert.deepEqual(webex.operations(), [
    "AuthenticateUser",
    "GetUser",
    "SetUser",
    "AuthenticateUser",
    "SetUser",
  ]);
  assert.deepEqual(webex.masked, ["ticket-1", "ticket-2"]);

  await using dead = await open(() => refuse("030002"));
  await assert.rejects(dead.client.send(getUser), /FAILURE 030002/);
  assert.deepEqual(dead.operations(), ["AuthenticateUser", "GetUser", "AuthenticateUser", "GetUser"]);
});

test("a failure with a known meaning renews no ticket", async () => {
  await using webex = await open(() => refuse("030001"));
  await assert.rejects(webex.client.send(getUser), /the site has no such user/);
  assert.deepEqual(webex.operations(), ["AuthenticateUser", "GetUser"]);
});

test("a reading is repeated after passing faults, a write is not", async () => {
  for (const fault of [
    { status: 503 },
    refuse("000035"),
    ((response) => response.destroy()) satisfies Script,
  ]) {
    await using webex = await open((_, index) => (index === 0 ? fault : succeed()));
    await webex.client.send(getUser);
    assert.deepEqual(webex.pauses, [1000]);
    await using writing = await open((_, index) => (index === 0 ? fault : succeed()));
    await assert.rejects(writing.client.send(setUser));
    assert.deepEqual(writing.pauses, []);
  }
});

test("whatever does not say SUCCESS is no success", async () => {
  const odd: [Script, RegExp][] = [
    [{ body: "" }, /not well-formed/],
    [{ body: "<html>" }, /not well-formed/],
    [{ body: "<html></html>" }, /neither SUCCESS nor FAILURE/],
    [{ body: "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>" }, /declares a document type/],
    [{ status: 302, headers: { location: "https://elsewhere.example" } }, /: 302: /],
  ];
  for (const [script, expected] of odd) {
    await using webex = await open(() => script);
    await assert.rejects(webex.client.send(getUser), expected);
    assert.equal(webex.server.requests.length, 2);
  }
});

test("a reply of more than 32 MiB is cut off", async () => {
  await using webex = await open(() => succeed("x".repeat(33 * 1024 * 1024)));
  await assert.rejects(webex.client.send(setUser), /no answer/);
});

test("after a stop nothing is sent", async () => {
  await using webex = await open(() => succeed(), { stop: AbortSignal.abort() });
  await assert.rejects(webex.client.send(getUser), /not sent, because the run was stopped/);
  assert.equal(webex.server.requests.length, 0);
});

function userOf(id: string, rest = ""): string {
  return `<u:webExId xmlns:u="u">${id}</u:webExId>${rest}`;
}

test("an absent list of delegates means none, but only in an answer about the host", async () => {
  const answers = [
    userOf("ANN@acme.example"),
    userOf(
      "ann@acme.example",
      "<schedulingPermission>Bob@acme.example; cat&amp;co@acme.example;</schedulingPermission>",
    ),
    userOf("ben@acme.example"),
    "",
  ];
  await using webex = await open((_, index) => succeed(answers[index]));
  const reader = createXmlReader(webex.client, "admin@acme.example");
  assert.deepEqual(await reader.readDelegates("ann@acme.example"), []);
  assert.deepEqual(await reader.readDelegates("ann@acme.example"), [
    "Bob@acme.example",
    "cat&co@acme.example",
  ]);
  await assert.rejects(reader.readDelegates("ann@acme.example"), /it is about another user/);
  await assert.rejects(reader.readDelegates("ann@acme.example"), /it names no user/);
});

test("only a site administrator who may write passes the proof", async () => {
  const privilege = (siteAdmin: boolean, roSiteAdmin: string) =>
    userOf("admin@acme.example", `<privilege><siteAdmin>${siteAdmin}</siteAdmin>${roSiteAdmin}</privilege>`);
  for (const [content, passes] of [
    [privilege(true, ""), true],
    [privilege(true, "<roSiteAdmin>false</roSiteAdmin>"), true],
    [privilege(true, "<roSiteAdmin>true</roSiteAdmin>"), false],
    [privilege(false, ""), false],
    [userOf("admin@acme.example"), false],
  ] as const) {
    await using webex = await open(() => succeed(content));
    const proof = createXmlReader(webex.client, "admin@acme.example").proveAccess(true);
    await (passes ? proof : assert.rejects(proof, /is not an administrator of the site/));
  }
});

test("a write reads the list right before, merges, and holds nothing else of the account", async () => {
  await using webex = await open((operation) =>
    operation === "GetUser"
      ? succeed(
          userOf(
            "ann@acme.example",
            "<schedulingPermission>a&amp;b@acme.example;old@acme.example</schedulingPermission>",
          ),
        )
      : succeed(),
  );
  const sent = await createXmlWriter(webex.client, mergeChange).changeDelegates(
    {
      host: "ann@acme.example",
      before: ["old@acme.example"],
      add: ["c@acme.example"],
      remove: ["old@acme.example"],
      after: ["c@acme.example"],
      makeRoom: [],
    },
    () => undefined,
  );
  assert.deepEqual(
    [sent.before, sent.after],
    [
      ["a&b@acme.example", "old@acme.example"],
      ["a&b@acme.example", "c@acme.example"],
    ],
  );
  assert.match(
    webex.server.requests.at(-1)?.body ?? "",
    /SetUser"><webExId>ann@acme\.example<\/webExId><schedulingPermission>a&amp;b@acme\.example;c@acme\.example<\/schedulingPermission><\/bodyContent>/,
  );
});

test("users are read page by page, and a list that ends early is not whole", async () => {
  const page = (start: number, count: number, total: number) => {
    const users = Array.from(
      { length: count },
      (_, index) =>
        `<user><webExId>u${start + index}@acme.example</webExId><active>ACTIVATED</active></user>`,
    );
    return succeed(`${users.join("")}<matchingRecords><total>${total}</total></matchingRecords>`);
  };
  await using webex = await open((_, index) => (index === 0 ? page(1, 2, 3) : page(3, 1, 3)));
  const whole = await createXmlReader(webex.client, "admin@acme.example").listUsers();
  assert.deepEqual([whole.complete, whole.items.length], [true, 3]);
  assert.match(
    webex.server.requests[2]?.body ?? "",
    /<serv:startFrom>3<\/serv:startFrom><serv:maximumNum>500</,
  );

  await using short = await open((_, index) => (index === 0 ? page(1, 2, 3) : page(3, 0, 3)));
  const cut = await createXmlReader(short.client, "admin@acme.example").listUsers();
  assert.deepEqual(!cut.complete && cut.reason, "only 2 of 3 users arrived");

  await using none = await open(() => refuse("000015"));
  assert.deepEqual(await createXmlReader(none.client, "admin@acme.example").listUsers(), {
    complete: true,
    items: [],
  });
});

test("a user without a host's privilege may not host, and one who is not activated is not active", async () => {
  const facts =
    "<privilege><host>false</host></privilege><active>DEACTIVATED</active><firstName>Ann</firstName><lastName>O&apos;Neil</lastName>";
  const answers = [succeed(userOf("ann@acme.example", facts)), refuse("030001"), refuse("000001")];
  await using webex = await open((_, index) => answers[index] ?? {});
  const reader = createXmlReader(webex.client, "admin@acme.example");
  assert.deepEqual(await reader.findUser("ann@acme.example"), {
    address: "ann@acme.example",
    displayName: "Ann O'Neil",
    isActive: false,
    canHost: false,
  });
  assert.equal(await reader.findUser("ann@acme.example"), null);
  await assert.rejects(reader.findUser("ann@acme.example"), /000001/);
});

test("HTTP's own 429 is waited out as it asks, for a writing too: nothing was done", async () => {
  const limited = (seconds: string): Script => ({ status: 429, headers: { "retry-after": seconds } });
  await using webex = await open((_, index) => (index === 0 ? limited("7") : succeed("<u>1</u>")));
  assert.deepEqual(await webex.client.send(setUser), { u: "1" });
  assert.deepEqual(webex.pauses, [7000]);
  await using hour = await open(() => limited("3600"));
  await assert.rejects(hour.client.send(getUser), /429: the rate limit is reached; run again later/);
  assert.deepEqual(hour.pauses, []);
});
