import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCsv } from "../../src/lib/csv.ts";

const columns = { required: ["host", "delegate", "until"], optional: ["note"] } as const;

function read(content: string | Uint8Array) {
  const { rows, problems } = parseCsv(Buffer.from(content), columns);
  return { rows: rows.map(({ line, cells }) => ({ line, cells })), problems };
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
      {
        line: 2,
        column: "delegate",
        message: "the cell is empty; fill in the delegate or remove the line",
        character: 3,
      },
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
    message: "more than 1000 lines are broken; fix these first, the rest of the file is unread",
  });
});

test("a file with bare carriage returns and an invalid byte is read", () => {
  const bytes = Buffer.from(`host,delegate,until\r${"\r".repeat(300_000)}a,b,\xe9`, "latin1");
  assert.deepEqual(read(bytes), {
    rows: [{ line: 300_002, cells: { host: "a", delegate: "b", until: "é", note: "" } }],
    problems: [
      {
        line: 300_002,
        column: null,
        message: "character 5 is not valid UTF-8; save the file as UTF-8",
        character: 5,
      },
    ],
  });
});

const places: readonly [fact: string, text: string, line: number, character: number | undefined][] = [
  ["the first cell", "host,delegate,until\n,b,c", 2, 1],
  ["a later cell, whatever blanks are before it", "host,delegate,until\na, ,c", 2, 4],
  ["a cell after a quoted one with commas", 'host,delegate,until\n"a,""x""",,c', 2, 11],
  ["a cell after one that takes two code units a character", "host,delegate,until\n😀😀,,c", 2, 4],
  [
    "a cell that begins on a later line than its row has no place",
    'host,delegate,until\n"a\nb",,c',
    2,
    undefined,
  ],
  ["a column of the header", "host,delegate,colour", 1, 15],
  ["a quote that is not closed", 'host,delegate,until\na,"b,c', 2, 3],
];
for (const [fact, text, line, character] of places) {
  test(`a fault is placed by line and character: ${fact}`, () => {
    const [problem] = read(text).problems;
    assert.deepEqual([problem?.line, problem?.character], [line, character]);
  });
}

const notCsv: readonly [fact: string, content: string | Uint8Array, message: RegExp][] = [
  [
    "a pointer of Git LFS",
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    /^the file is a pointer of Git LFS, .* remove the file's rule from \.gitattributes/,
  ],
  ["a workbook", Buffer.from("PK\x03\x04rest"), /^the file is a workbook or an archive/],
  ["an old workbook", Buffer.from("d0cf11e0a1b1", "hex"), /^the file is a workbook or an archive/],
  ["a compressed file", Buffer.from("1f8b08", "hex"), /^the file is compressed/],
];
for (const [fact, content, message] of notCsv) {
  test(`a file that is something else is named as that: ${fact}`, () => {
    const { rows, problems } = read(content);
    assert.deepEqual(rows, []);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? "", message);
  });
}

test("comment lines are told with their first cell, hash included", () => {
  const text = "\uFEFF# who\nhost,delegate,until\n#noc , NOC\n#\n";
  assert.deepEqual(parseCsv(Buffer.from(text), columns).comments, [
    { line: 1, cell: "# who" },
    { line: 3, cell: "#noc" },
    { line: 4, cell: "#" },
  ]);
});
