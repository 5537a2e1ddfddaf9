import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { parseDelegations } from "../../src/delegation/expiring.ts";
import { parseKept } from "../../src/delegation/kept.ts";
import { createTokenFile } from "../../src/disk/token-file.ts";
import { formatCell } from "../../src/lib/csv.ts";
import type { InputProblem } from "../../src/lib/problem.ts";
import { parseMappings } from "../../src/membership/mapping.ts";
import { defaultPolicy, parsePolicy } from "../../src/membership/policy.ts";
import { parseRecord, type RunRecord } from "../../src/membership/record.ts";
import { emptyHistory, extendHistory, parseHistory } from "../../src/report/history.ts";
import { formatRecord } from "../../src/report/record-json.ts";
import { extendState, parseState } from "../../src/report/state.ts";
import { childOf, childrenOf, parseDocument, textOf } from "../../src/webex/xml.ts";
import { check } from "./check.ts";
import { hostileBytes, listHugeTexts, measureCpu } from "./hostile-texts.ts";
import { policies } from "./organisations.ts";

/** Of the processor: for a file of some kilobytes, and for one of a megabyte. */
const boundMs = { small: 1_000, huge: 10_000 };

const rooms =
  'group,room,mode,until,note\nNOC,"NOC, on call",sync,2027-01-31,x\n# gone,for now\nann@acme.example,Lobby,audit,,\n';
const delegations = "host,delegate,until,note\nann@acme.example,bob@acme.example,2027-01-31,\n";
const policy = JSON.stringify(defaultPolicy, null, 2);
const record: RunRecord = {
  version: 1,
  command: "sync",
  status: "changed",
  startedAt: "2026-11-22T05:17:09Z",
  finishedAt: "2026-11-22T05:17:31Z",
  digest: null,
  totals: { rooms: 1, added: 1, removed: 0, held: 0, failed: 0, kept: 0 },
  rooms: [
    {
      roomId: "a room",
      title: "NOC",
      groups: ["NOC"],
      mode: "sync",
      lines: [2],
      before: 1,
      after: 2,
      added: [{ personId: "somebody", displayName: "Ann", email: null }],
      removed: [],
      held: [],
      failed: [],
      kept: [],
      missing: [],
    },
  ],
  problems: [],
  notices: [],
  token: { refreshed: true, rotated: true, refreshTokenExpiresAt: null },
};
const state = JSON.stringify({
  version: 1,
  names: [{ column: "room", name: "NOC", id: "a room" }],
  delegations: [{ file: "mappings/delegations.csv", host: "ann@acme.example", delegate: "bob@acme.example" }],
});
const history = JSON.stringify(extendHistory(emptyHistory, record, "runs/2026-11-22-1.md"));
const xml =
  "<serv:message><serv:header><serv:result>SUCCESS</serv:result></serv:header><a><b>1</b><b>2</b></a></serv:message>";

/** Each problem of a file names the line where it is, or is about the file as a whole. */
function assertPlaces(bytes: Buffer, problems: readonly InputProblem[], mayBeWhole: boolean): void {
  const lines = bytes.toString("utf8").split(/\r\n|\n|\r/).length;
  for (const { line, message } of problems) {
    assert.ok(message.length > 10, message);
    if (line === null) assert.ok(mayBeWhole, message);
    else
      assert.ok(
        Number.isInteger(line) && line >= 1 && line <= lines + 1,
        `line ${line} of ${lines}: ${message}`,
      );
  }
}

function isUnpolluted(): boolean {
  return Reflect.get({}, "isAdmin") === undefined && Reflect.get([], "isAdmin") === undefined;
}

/** What reads a file, on which no input may crash or hang it; `judge` looks at what it says. */
const readers: readonly (readonly [name: string, valid: readonly string[], read: (bytes: Buffer) => void])[] =
  [
    [
      "rooms.csv",
      [rooms],
      (bytes) => {
        const { problems, mappings } = parseMappings(bytes);
        assertPlaces(bytes, problems, true);
        // Comments are kept, as one of them may be meant for a row. A file with problems is not applied.
        const rows = problems.length === 0 ? mappings.filter(({ kind }) => kind !== "comment") : [];
        for (const { group, room } of rows) assert.ok(group !== "" && room !== "");
      },
    ],
    [
      "delegations.csv",
      [delegations],
      (bytes) => {
        const { problems, grants } = parseDelegations(bytes);
        assertPlaces(bytes, problems, true);
        for (const { host, delegate } of grants) assert.notEqual(host, delegate);
      },
    ],
    [
      "policy.json",
      [policy],
      (bytes) => {
        const { problems, policy: found } = parsePolicy(bytes);
        assertPlaces(bytes, problems, true);
        assert.equal(found === null, problems.length > 0);
      },
    ],
    [
      "a run's record",
      [formatRecord(record)],
      (bytes) => {
        const reading = parseRecord(bytes.toString("utf8"));
        if ("refusal" in reading) assert.ok(reading.refusal.length > 10, reading.refusal);
        else assert.equal(reading.record.version, 1);
      },
    ],
    [
      "state.json",
      [state],
      (bytes) => {
        const found = parseState(bytes.toString("utf8"));
        assert.ok(found.damage === null || found.damage.length > 0);
        const { kept, damage } = parseKept(found.rest.delegations);
        assert.ok(damage === null || kept.length === 0);
        // Whatever was there: what is written instead can be read.
        const next = extendState(found, [{ column: "room", name: "Lobby", id: "another" }]);
        assert.ok(next !== null && parseState(next).damage === null);
      },
    ],
    [
      "history.json",
      [history],
      (bytes) => {
        const found = parseHistory(bytes.toString("utf8"));
        assert.ok(found.notice === null || found.history === emptyHistory);
        extendHistory(found.history, record, "runs/2026-11-22-1.md");
      },
    ],
    [
      "a reply in XML",
      [xml],
      (bytes) => {
        let document: unknown;
        try {
          document = parseDocument(bytes.toString("utf8"));
        } catch (error) {
          assert.ok(error instanceof Error && error.message.length > 10);
          return;
        }
        textOf(document, "message", "header", "result");
        for (const child of childrenOf(childOf(document, "message", "a"), "b")) textOf(child);
      },
    ],
  ];

for (const [name, valid, read] of readers) {
  test(`${name}: no input crashes or hangs the reader, and every rejection has a place`, () =>
    check([hostileBytes(valid)], (bytes) => {
      const { ms } = measureCpu(() => read(bytes));
      assert.ok(ms < boundMs.small, `${ms} ms`);
      assert.ok(isUnpolluted());
    }));

  test(`${name}: nor does a mass of anything`, () => {
    for (const [what, text] of listHugeTexts()) {
      for (const whole of [`${valid[0]}${text}`, `"${text}`]) {
        const { ms } = measureCpu(() => read(Buffer.from(whole)));
        assert.ok(ms < boundMs.huge, `${what}: ${ms} ms`);
      }
    }
  });
}

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollcall-"));
});
after(() => rm(folder, { recursive: true }));

test("the token file: any content is one token, or is refused and left as it is", () =>
  check(
    [hostileBytes(["Abc-123_P0A1_99\n"])],
    async (bytes) => {
      const path = join(folder, "token");
      await writeFile(path, bytes);
      const store = createTokenFile(path, null);
      const load = store.exclusively(() => store.load());
      const found = await load.catch((error: unknown) => error);
      if (found instanceof Error) assert.match(found.message, /the token file/);
      else assert.deepEqual(found, { refreshToken: bytes.toString("utf8").trim(), isStored: true });
      assert.deepEqual(await readFile(path), bytes);
    },
    100,
  ));

const cell = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => text.trim() !== "" && !/^\s*#/.test(text));
const plainCell = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ,"';äöü-]{0,18}[A-Za-z0-9]$/);

test("rooms.csv: what is written well is read as it was written", () =>
  check(
    [
      fc.uniqueArray(
        fc.record({
          group: plainCell,
          room: plainCell,
          until: fc.constantFrom("", "2027-01-31"),
          note: cell,
        }),
        { maxLength: 8, selector: ({ group, room }) => `${group}\n${room}`.replace(/\s+/g, " ") },
      ),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
    ],
    (rows, lineEnd, hasMark) => {
      const lines = rows.map(({ group, room, until, note }) =>
        [group, room, "sync", until, note].map(formatCell).join(","),
      );
      const text = `${hasMark ? "\uFEFF" : ""}${["group,room,mode,until,note", ...lines].join(lineEnd)}${lineEnd}`;
      const { mappings, problems } = parseMappings(Buffer.from(text));
      fc.pre(problems.every(({ message }) => !/separat|semicolon|tabs|same group/.test(message)));
      assert.deepEqual(problems, []);
      assert.deepEqual(
        mappings.map(({ group, room, until }) => [group, room, until ?? ""]),
        rows.map(({ group, room, until }) => [group, room, until]),
      );
    },
  ));

test("policy.json: what is written well is read as it was written", () =>
  check([policies], (given) => {
    const text = JSON.stringify(given);
    assert.deepEqual(parsePolicy(text), { policy: JSON.parse(text), problems: [] });
  }));

test("state.json and history.json: what was written is read again", () =>
  check(
    [
      fc.uniqueArray(
        fc.record({
          column: fc.constantFrom("group" as const, "room" as const),
          name: plainCell,
          id: plainCell,
        }),
        { selector: ({ column, name }) => `${column} ${name}`, minLength: 1 },
      ),
    ],
    (names) => {
      const next = extendState(parseState(undefined), names);
      const found = parseState(next ?? "");
      assert.equal(found.damage, null);
      assert.equal(extendState(found, names), null);
      const { history: again, notice } = parseHistory(history);
      assert.equal(notice, null);
      assert.equal(JSON.stringify(again), history);
    },
  ));
