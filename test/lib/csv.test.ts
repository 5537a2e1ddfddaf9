import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCsv } from "../../src/lib/csv.ts";

const columns = { required: ["host", "delegate", "until"], optional: ["note"] } as const;

function read(text: string) {
  return parseCsv(new TextEncoder().encode(text), columns);
}

test("a header without rows gives no rows and no problems", () => {
  assert.deepEqual(read("host,delegate,until\n"), { rows: [], problems: [] });
});

test("cells are found by column name, in any order of columns", () => {
  assert.deepEqual(read("note,until,host,delegate\n, 2026-12-31 ,a@x.example,b@x.example"), {
    rows: [
      { line: 2, cells: { host: "a@x.example", delegate: "b@x.example", until: "2026-12-31", note: "" } },
    ],
    problems: [],
  });
});

test("a missing optional column reads as empty cells", () => {
  assert.deepEqual(read("host,delegate,until\na,b,c").rows, [
    { line: 2, cells: { host: "a", delegate: "b", until: "c", note: "" } },
  ]);
});

test("a row with an empty required cell is reported and still returned for further checks", () => {
  assert.deepEqual(read("host,delegate,until\na,,c"), {
    rows: [{ line: 2, cells: { host: "a", delegate: "", until: "c", note: "" } }],
    problems: [
      { line: 2, column: "delegate", message: "the cell is empty; fill in the delegate or remove the line" },
    ],
  });
});

test("without a required column no rows are returned, but they are checked", () => {
  assert.deepEqual(read("host,delegate\na,b\nc"), {
    rows: [],
    problems: [
      { line: 1, column: "until", message: 'the column "until" is missing; the first line must name it' },
      {
        line: 3,
        column: null,
        message: "the row has 1 cell, but the header names 2 columns; add the missing cell, empty ones too",
      },
    ],
  });
});

test("a file with a thousand broken lines is not read to the end", () => {
  const { rows, problems } = read(`host,delegate,until\n${'a"b,c,d\n'.repeat(5000)}`);
  assert.deepEqual(rows, []);
  assert.equal(problems.length, 1001);
  assert.deepEqual(problems.at(-1), {
    line: 1002,
    column: null,
    message: "more than 1000 lines are broken; mend these first, the rest of the file is unread",
  });
});

test("a file with bare carriage returns and an invalid byte is read", () => {
  const bytes = Buffer.from(`host,delegate,until\r${"\r".repeat(300_000)}a,b,\xe9`, "latin1");
  assert.deepEqual(parseCsv(bytes, columns), {
    rows: [{ line: 300_002, cells: { host: "a", delegate: "b", until: "é", note: "" } }],
    problems: [
      { line: 300_002, column: null, message: "character 5 is not valid UTF-8; save the file as UTF-8" },
    ],
  });
});
