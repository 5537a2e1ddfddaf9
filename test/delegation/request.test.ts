import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest, type RequestTexts } from "../../src/delegation/request.ts";

const today = "2026-11-22";
const nothing: RequestTexts = { mode: null, hosts: null, delegates: null, until: null };

function parse(texts: Partial<RequestTexts>) {
  return parseRequest({ ...nothing, ...texts }, today);
}

test("without options the mode is show, without hosts", () => {
  assert.deepEqual(parse({}), {
    request: { mode: "show", hosts: [], delegates: [], until: null },
    faults: [],
  });
});

test("commas, semicolons, spaces and new lines separate addresses, which become lower case and unique", () => {
  const { request } = parse({
    mode: "add",
    hosts: " Ann@acme.example,ben@acme.example;\nANN@acme.example ",
    delegates: "eve@acme.example\r\n\tfay@acme.example;;EVE@acme.example",
    until: today,
  });
  assert.deepEqual(request, {
    mode: "add",
    hosts: ["ann@acme.example", "ben@acme.example"],
    delegates: ["eve@acme.example", "fay@acme.example"],
    until: today,
  });
});

test("--delegate none empties a list with replace only", () => {
  const hosts = "ann@acme.example";
  assert.deepEqual(parse({ mode: "replace", hosts, delegates: "None" }).request?.delegates, []);
  const refused: [Partial<RequestTexts>, string][] = [
    [
      { mode: "replace", hosts },
      "--mode replace needs the delegates: --delegate <email>, or --delegate none to take all away",
    ],
    [
      { mode: "replace", hosts, delegates: " , " },
      "--mode replace needs the delegates: --delegate <email>, or --delegate none to take all away",
    ],
    [
      { mode: "replace", hosts, delegates: "none,eve@acme.example" },
      "--delegate none goes with no other delegate",
    ],
    [{ mode: "add", hosts, delegates: "none" }, "--delegate none goes with --mode replace only"],
    [{ mode: "remove", hosts, delegates: "none" }, "--delegate none goes with --mode replace only"],
  ];
  for (const [texts, fault] of refused) assert.deepEqual(parse(texts), { request: null, faults: [fault] });
});

test("options that would do nothing together are an error", () => {
  const hosts = "ann@acme.example";
  const delegates = "eve@acme.example";
  const refused: [Partial<RequestTexts>, string][] = [
    [{ hosts, delegates }, "--delegate needs --mode add, remove or replace; show changes nothing"],
    [{ mode: "add", delegates }, "--mode add needs the hosts: --host <email>"],
    [{ mode: "remove", hosts }, "--mode remove needs the delegates: --delegate <email>"],
    [{ mode: "shov" }, '--mode "shov" is none of show, add, remove, replace'],
    [{ mode: "remove", hosts, delegates, until: "2026-12-01" }, "--until goes with --mode add only"],
  ];
  for (const [texts, fault] of refused) assert.deepEqual(parse(texts), { request: null, faults: [fault] });
});

test("all errors are reported together, with the wrong value", () => {
  assert.deepEqual(
    parse({ mode: "add", hosts: "ann, ben@acme", delegates: "<eve@acme.example>", until: "2026-02-30" }),
    {
      request: null,
      faults: [
        '--host "ann" is not an e-mail address',
        '--host "ben@acme" is not an e-mail address',
        '--delegate "<eve@acme.example>" is not an e-mail address',
        '--until "2026-02-30" is not a date; write the last day as YYYY-MM-DD',
      ],
    },
  );
});

test("a last day in the past is refused, and today is allowed", () => {
  const asked = { mode: "add", hosts: "ann@acme.example", delegates: "eve@acme.example" };
  assert.deepEqual(parse({ ...asked, until: "2026-11-21" }).faults, [
    "--until 2026-11-21 is over (today is 2026-11-22, UTC)",
  ]);
  assert.deepEqual(parse({ ...asked, until: today }).faults, []);
});

test("more delegates than Webex allows per host are refused, but not for remove", () => {
  const many = Array.from({ length: 21 }, (_, index) => `d${index}@acme.example`).join(",");
  const hosts = "ann@acme.example";
  const fault = "21 delegates are named, but Webex allows a host at most 20; name fewer";
  assert.deepEqual(parse({ mode: "add", hosts, delegates: many }).faults, [fault]);
  assert.deepEqual(parse({ mode: "replace", hosts, delegates: many }).faults, [fault]);
  assert.deepEqual(parse({ mode: "remove", hosts, delegates: many }).faults, []);
  const most = many.slice(many.indexOf(",") + 1);
  assert.deepEqual(parse({ mode: "add", hosts, delegates: most }).faults, []);
});
