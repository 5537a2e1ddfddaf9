import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRecord, type RunRecord } from "../../src/membership/record.ts";
import { formatRecord } from "../../src/report/record-json.ts";
import { eventfulRun, room, runRecord } from "../report/build-record.ts";

const read = (change: object) => parseRecord(JSON.stringify({ ...eventfulRun, ...change }));

test("a record that was written can be read again, whatever happened in the run", () => {
  for (const record of [eventfulRun, runRecord([]), runRecord([], { status: "failed", token: null })])
    assert.deepEqual(parseRecord(formatRecord(record)), { record });
  const restore = { ...eventfulRun, command: "restore", undoes: "reports/runs/one.json" } as const;
  assert.deepEqual(parseRecord(formatRecord(restore)), { record: restore });
});

test("a record with everything that the contract names can be read again", () => {
  const nobody = { personId: "person-x", displayName: null, email: null };
  const record: RunRecord = {
    ...runRecord([
      room("NOC", {
        people: ["ada@example.com"],
        held: [{ ...nobody, reason: "moderator-addition" }],
        kept: [{ ...nobody, reason: "changed" }],
        missing: [nobody],
      }),
    ]),
    delegations: {
      backend: "xml",
      hosts: [
        {
          host: "ann@example.com",
          before: null,
          after: [],
          added: [],
          removed: ["bob@example.com"],
          held: [{ delegate: "eve@example.com", reason: "revocations-per-run" }],
          error: "503",
        },
      ],
    },
  };
  assert.deepEqual(parseRecord(formatRecord(record)), { record });
});

test("a record of the first releases can be read: without notices, and without the names of failed changes", () => {
  const { notices: _, ...record } = eventfulRun;
  const failure = { personId: "person-Eve", action: "add", error: "403 Forbidden", trackingId: null };
  const rooms = record.rooms.map((one) => (one.title === "Leads" ? { ...one, failed: [failure] } : one));
  const parsed = parseRecord(JSON.stringify({ ...record, rooms }));
  assert.ok("record" in parsed, "refusal" in parsed ? parsed.refusal : "");
  assert.deepEqual(parsed.record.notices, []);
  assert.deepEqual(parsed.record.rooms.find(({ title }) => title === "Leads")?.failed, [
    { ...failure, displayName: null, email: null },
  ]);
});

test("a record holds what the contract names and nothing else, and is written whatever is wrong with it", () => {
  const noc = { ...room("NOC", { before: -1 }), feed: "secret" };
  const written: unknown = JSON.parse(formatRecord(runRecord([noc], { startedAt: "yesterday" })));
  assert.deepEqual(written, runRecord([room("NOC", { before: -1 })], { startedAt: "yesterday" }));
});

test("every cut of a record is refused", () => {
  const text = formatRecord(eventfulRun).trimEnd();
  for (let length = 0; length < text.length; length += 37)
    assert.ok("refusal" in parseRecord(text.slice(0, length)), `${length} of ${text.length}`);
});

test("what is not the record of a run that changed something is refused with what it is instead", () => {
  const refusals = [
    parseRecord("null"),
    parseRecord("[]"),
    read({ version: 2 }),
    read({ version: undefined }),
    read({ command: "plan" }),
    read({ command: "delegate" }),
    read({ totals: { ...eventfulRun.totals, added: 7 } }),
    read({ rooms: eventfulRun.rooms.slice(1) }),
    read({ startedAt: "yesterday" }),
    read({ version: null }),
    read({ version: "2" }),
    parseRecord(""),
    parseRecord("{"),
  ].map((parsed) => ("refusal" in parsed ? parsed.refusal : "read"));
  assert.deepEqual(refusals, [
    "it is not the record of a run",
    "it is not the record of a run",
    "its version is 2, and this release reads 1",
    "it is not the record of a run",
    "it is the record of a plan or a dry run, which changed nothing",
    'it is the record of "delegate"; only runs of sync and restore can be undone',
    "it is incomplete: totals.added is 7, but it lists 2",
    "it is incomplete: totals.rooms is 6, but it lists 5",
    'startedAt is not valid: Invalid format: Expected /^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$/ but received "yesterday"',
    "its version is missing, and this release reads 1",
    'its version is "2", and this release reads 1',
    "it is incomplete or not valid JSON (line 1, character 1: the end of the file); use the file as the run wrote it",
    "it is incomplete or not valid JSON (line 1, character 2: the end of the file); use the file as the run wrote it",
  ]);
});

test("a record that an editor saved with a byte order mark can be read", () => {
  assert.deepEqual(parseRecord(`\uFEFF${formatRecord(eventfulRun)}`), { record: eventfulRun });
  const marked = { ...eventfulRun, notices: ["a\uFEFFb"] };
  assert.deepEqual(parseRecord(formatRecord(marked)), { record: marked });
  const broken = parseRecord("\uFEFF{");
  assert.match("refusal" in broken ? broken.refusal : "", /line 1, character 2: the end of the file/);
});

test("a record that names a space twice is refused, as one of the two would be lost", () => {
  const uuid = "aaaaaaaa-0000-11f0-9000-0000000000a1";
  const spelt = [uuid, Buffer.from(`ciscospark://us/ROOM/${uuid}`).toString("base64url")];
  const twice = runRecord(spelt.map((roomId) => room("NOC", { roomId })));
  assert.deepEqual(parseRecord(formatRecord(twice)), { refusal: 'it names the space "NOC" twice' });
});
