import assert from "node:assert/strict";
import { test } from "node:test";
import { falseAnswers } from "../../../sandbox/faults.ts";
import { startSandbox } from "../../../sandbox/server.ts";
import type { Quirks } from "../../../sandbox/webex/quirks.ts";
import { MalformedXml, readXml } from "../../../sandbox/webex/xml-document.ts";
import { loadContracts } from "../../support/contract.ts";
import { address, site } from "../../support/delegation-story.ts";
import { requestToken, signIn } from "../client.ts";

const acme = site({ ann: ["cat"], cat: [] }, { dan: { mayHost: false }, eve: { isActive: false } });

const options = "/meetingPreferences/schedulingOptions";

const target = (name: string) => `?userEmail=${encodeURIComponent(address(name))}&siteUrl=acme.webex.com`;

const namespaces =
  'xmlns:serv="http://www.webex.com/schemas/2002/06/service" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';

async function start(quirks: Quirks = {}) {
  const sandbox = await startSandbox(acme, quirks);
  const token = String((await requestToken(sandbox)).body.access_token);
  const post = async (body: string, type = "text/xml") => {
    const response = await fetch(`${sandbox.url}/WBXService/XMLService`, {
      method: "POST",
      headers: { "content-type": type },
      body,
    });
    return { status: response.status, text: await response.text() };
  };
  const ask = async (operation: string, content: string, credential = "") => {
    const context = `<siteName>acme</siteName><webExID>${address("rollcall")}</webExID>${credential}`;
    const body = `<bodyContent xsi:type="java:com.webex.service.binding.user.${operation}">${content}</bodyContent>`;
    return await post(
      `<serv:message ${namespaces}><header><securityContext>${context}</securityContext></header><body>${body}</body></serv:message>`,
    );
  };
  const authenticate = async () => {
    const { text } = await ask("AuthenticateUser", `<accessToken>${token}</accessToken>`);
    return `<sessionTicket>${/<use:sessionTicket>(.*?)</.exec(text)?.[1]}</sessionTicket>`;
  };
  return { sandbox, post, ask, authenticate };
}

test("meeting preferences answer as the contract says", async () => {
  const { sandbox } = await start();
  await using _ = sandbox;
  const check = loadContracts();
  const call = await signIn(sandbox);
  const emails = [address("cat")];
  assert.deepEqual((await call("GET", options + target("ann"))).body.delegateEmails, emails);
  assert.equal("delegateEmails" in (await call("GET", options + target("cat"))).body, false);
  const inserted = await call("POST", `${options}/delegateEmails/insert${target("cat")}`, {
    emails: [address("ann")],
  });
  assert.deepEqual([inserted.status, inserted.body], [200, { emails: [address("ann")] }]);
  assert.equal(
    (await call("POST", `${options}/delegateEmails/delete${target("ann")}`, { emails })).status,
    204,
  );
  assert.equal((await call("GET", options + target("nobody"))).status, 404);
  assert.deepEqual(sandbox.requests.flatMap(check), []);
});

test("an insertion refuses lists in one text, people who cannot host, and the 21st delegate", async () => {
  const { sandbox } = await start();
  await using _ = sandbox;
  const call = await signIn(sandbox);
  const insert = async (emails: readonly string[]) =>
    (await call("POST", `${options}/delegateEmails/insert${target("ann")}`, { emails })).status;
  assert.equal(await insert([`${address("ann")}, ${address("cat")}`]), 400);
  assert.equal(await insert([address("dan")]), 400);
  sandbox.meetings.user("ann").delegates = Array.from({ length: 20 }, (_, index) => address(`d${index}`));
  assert.equal(await insert([address("cat")]), 400);
});

test("userEmail is honoured, ignored or refused; without the scopes it is ignored", async () => {
  const outcomes: [Quirks, number, unknown][] = [
    [{}, 200, [address("cat")]],
    [{ userEmail: "ignored" }, 200, undefined],
    [{ scope: "spark:all" }, 200, undefined],
    [{ userEmail: "refused" }, 403, undefined],
  ];
  for (const [quirks, status, delegates] of outcomes) {
    const { sandbox } = await start(quirks);
    await using _ = sandbox;
    const answer = await (await signIn(sandbox))("GET", options + target("ann"));
    assert.deepEqual([answer.status, answer.body.delegateEmails], [status, delegates]);
  }
});

test("an administrator is told who is on the site, as host or attendee, and who may log in", async () => {
  const { sandbox } = await start();
  await using _ = sandbox;
  const { body } = await (await signIn(sandbox))("GET", "/people?max=100");
  const people = body.items as { displayName: string; siteUrls: string[]; loginEnabled: boolean }[];
  assert.deepEqual(
    people.map(({ displayName, siteUrls, loginEnabled }) => [displayName, siteUrls, loginEnabled]),
    [
      ["rollcall", ["acme.webex.com"], true],
      ["ann", ["acme.webex.com"], true],
      ["cat", ["acme.webex.com"], true],
      ["dan", ["acme.webex.com#attendee"], true],
      ["eve", ["acme.webex.com"], false],
    ],
  );
});

test("the XML API takes only well-formed documents with declared prefixes", async () => {
  const malformed = [
    "",
    "<a>",
    "<a></b>",
    "<a>&b;</a>",
    "<a>b & c</a>",
    "<a b=c></a>",
    '<a b="1" b="2"></a>',
    "<s:a></s:a>",
    '<a xsi:type="b"></a>',
    "<a></a><b></b>",
    "<a></a>text",
    "<!DOCTYPE a><a></a>",
    "<a>\u0001</a>",
  ];
  for (const text of malformed) await assert.rejects(readXml(text), MalformedXml, text);
  const read = await readXml(
    '<?xml version="1.0" encoding="UTF-8"?>\n<s:a xmlns:s="s"><b/>1 &lt; 2 &#x26; &#51;</s:a>',
  );
  assert.deepEqual([read.name, read.children.length, read.text], ["a", 1, "1 < 2 & 3"]);

  const { sandbox, post } = await start();
  await using _ = sandbox;
  const { status, text } = await post("<a>&b;</a>");
  assert.deepEqual([status, /FAILURE.*Malformed/.test(text)], [200, true]);
  assert.equal((await post("{}", "application/json")).status, 415);
});

test("the XML API takes what Cisco's own examples send", async () => {
  const { sandbox, ask, authenticate } = await start();
  await using _ = sandbox;
  const ticket = await authenticate();
  await ask("GetUser", `<webExId>${address("ann")}</webExId>`, ticket);
  const sent = String(sandbox.requests.at(-1)?.body);
  const example = sent.replace(/ xmlns:serv="[^"]*"/, "").replace(/^/, '\n  <?xml version="1.0"?>\n');
  assert.notEqual(example.indexOf("xmlns:xsi"), -1);
  // A body of bytes comes without a type.
  const response = await fetch(`${sandbox.url}/WBXService/XMLService`, {
    method: "POST",
    body: Buffer.from(example),
  });
  assert.equal(sandbox.requests.at(-1)?.headers["content-type"], undefined);
  assert.match(await response.text(), /SUCCESS.*cat@acme\.example/);
});

test("the XML API can answer HTTP 429 as well", async () => {
  const { sandbox, ask } = await start();
  await using _ = sandbox;
  sandbox.fault({ route: "POST /XMLService", ...falseAnswers["429"] });
  assert.equal((await ask("GetUser", "")).status, 429);
  assert.equal((await ask("GetUser", "")).status, 200);
});

test("FAILURE comes inside of HTTP 200, with an exception id", async () => {
  const { sandbox, ask, authenticate } = await start({
    xmlRefusals: [{ operation: "GetUser", exceptionId: "000045" }],
  });
  await using _ = sandbox;
  const ticket = await authenticate();
  const idOf = async (name: string, credential: string) => {
    const { status, text } = await ask("GetUser", `<webExId>${address(name)}</webExId>`, credential);
    assert.equal(status, 200);
    return /<serv:exceptionID>(\d+)/.exec(text)?.[1];
  };
  assert.equal(await idOf("ann", ticket), "000045");
  assert.equal(await idOf("ann", ticket), undefined);
  assert.equal(await idOf("nobody", ticket), "030001");
  assert.equal(await idOf("ann", "<sessionTicket>none</sessionTicket>"), "030049");
});

test("a ticket dies after so many requests, and none is given without spark:all", async () => {
  const { sandbox, ask, authenticate } = await start({ ticketUses: 1 });
  await using _ = sandbox;
  const ticket = await authenticate();
  const look = async () => (await ask("GetUser", `<webExId>${address("cat")}</webExId>`, ticket)).text;
  // Nobody is a delegate of cat, so there is no such element.
  assert.doesNotMatch(await look(), /FAILURE|schedulingPermission/);
  assert.match(await look(), /Session ticket is expired/);

  const poor = await start({ scope: "spark:people_read" });
  await using _poor = poor.sandbox;
  assert.equal(await poor.authenticate(), "<sessionTicket>undefined</sessionTicket>");
});

test("SetUser replaces the whole list, and takes nothing else of the account", async () => {
  const { sandbox, ask, authenticate } = await start();
  await using _ = sandbox;
  const ticket = await authenticate();
  const id = `<webExId>${address("ann")}</webExId>`;
  await ask(
    "SetUser",
    `${id}<schedulingPermission>a&amp;b@acme.example;c@acme.example</schedulingPermission>`,
    ticket,
  );
  assert.deepEqual(sandbox.meetings.user("ann").delegates, ["a&b@acme.example", "c@acme.example"]);
  assert.match((await ask("SetUser", `${id}<active>DEACTIVATED</active>`, ticket)).text, /FAILURE/);
  await ask("SetUser", `${id}<schedulingPermission></schedulingPermission>`, ticket);
  assert.deepEqual(sandbox.meetings.user("ann").delegates, []);
});
