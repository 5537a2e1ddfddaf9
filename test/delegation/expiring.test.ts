import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeEnding,
  editDelegationsFile,
  findExpired,
  parseDelegations,
} from "../../src/delegation/expiring.ts";

const header = "host,delegate,until,note\n";

const ann = { host: "ann@acme.example", delegate: "eve@acme.example", until: "2026-12-01", note: "" };

function parse(text: string) {
  return parseDelegations(Buffer.from(text));
}

test("an empty file has no delegations", () => {
  assert.deepEqual(parse(header), { grants: [], problems: [] });
});

test("addresses become lower case, rows keep their line, and the note is optional", () => {
  assert.deepEqual(parse("# who\r\nuntil,Delegate,host\r\n").problems.length > 0, true);
  assert.deepEqual(parse("until,delegate,host\r\n2026-12-01, EVE@acme.example ,Ann@acme.example\r\n"), {
    grants: [{ ...ann, line: 2 }],
    problems: [],
  });
});

test("a row without a last day has no end: it never expires and nobody is warned of it", () => {
  const grants = parse("host,delegate,note\nann@acme.example,eve@acme.example,assistant\n").grants;
  assert.deepEqual(grants, [{ ...ann, until: null, note: "assistant", line: 2 }]);
  assert.deepEqual(parse(`${header}ann@acme.example,eve@acme.example,,\n`).grants, [
    { ...ann, until: null, line: 2 },
  ]);
  assert.deepEqual([findExpired(grants, "2999-12-31"), describeEnding(grants, "2999-12-31")], [[], []]);
});

test("a row without an end may be given one, and stays without where there is nothing to set", () => {
  const text = `${header}ann@acme.example,eve@acme.example,,assistant\n`;
  assert.equal(
    editDelegationsFile(text, { set: [ann], takeOut: [] }),
    `${header}ann@acme.example,eve@acme.example,2026-12-01,assistant\n`,
  );
  assert.equal(editDelegationsFile(text, { set: [{ ...ann, until: null }], takeOut: [] }), null);
});

test("addresses are compared without what nobody can see, and bytes that are not UTF-8 are an error", () => {
  assert.equal(parse(`${header}ann@acme.example\u200B,ANN@acme.example,,\n`).problems.length, 1);
  const bytes = Buffer.from(`${header}j\xFCrg@acme.example,eve@acme.example,,\n`, "latin1");
  assert.deepEqual(
    parseDelegations(bytes).problems.map(({ line, message, character }) => [line, message, character]),
    [[2, "character 2 is not valid UTF-8; save the file as UTF-8", 2]],
  );
});

test("all faults are told with line and column", () => {
  const rows = [
    "ann,eve@acme.example,2026-12-01,",
    "ann@acme.example,ANN@acme.example,2026-12-01,",
    "ann@acme.example,eve@acme.example,1.12.2026,",
    "ann@acme.example,eve@acme.example,2026-12-01,",
    "Ann@acme.example,eve@acme.example,2026-12-02,",
    "ann@acme.example,,2026-12-01,",
  ];
  assert.deepEqual(
    parse(header + rows.join("\n")).problems.map(
      ({ line, column, message }) => `${line} ${column} ${message}`,
    ),
    [
      '2 host "ann" is not an e-mail address',
      "3 delegate a host is never their own delegate; remove the line",
      '4 until "1.12.2026" is not a date; write the last day as YYYY-MM-DD',
      "5 null lines 4 and 5 hold the same host and delegate; remove one of them",
      "6 null lines 4 and 6 hold the same host and delegate; remove one of them",
      "7 delegate the cell is empty; fill in the delegate or remove the line",
    ],
  );
});

test("a delegation is valid on its last day, and the warning starts seven days before", () => {
  const grants = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-29", "2026-11-30"].map((until) => ({
    ...ann,
    until,
  }));
  assert.deepEqual(
    findExpired(grants, "2026-11-22").map((grant) => grant.until),
    ["2026-11-21"],
  );
  const said = "eve@acme.example may schedule meetings for ann@acme.example until";
  assert.deepEqual(describeEnding(grants, "2026-11-22"), [
    `${said} 2026-11-22 (today is the last day)`,
    `${said} 2026-11-23 (1 day left)`,
    `${said} 2026-11-29 (7 days left)`,
  ]);
});

test("the first delegation creates the file, and the same one again changes nothing", () => {
  const text = editDelegationsFile(undefined, { set: [ann], takeOut: [] });
  assert.equal(text, `${header}ann@acme.example,eve@acme.example,2026-12-01,\n`);
  assert.equal(editDelegationsFile(text ?? "", { set: [ann], takeOut: [] }), null);
  assert.equal(editDelegationsFile(undefined, { set: [], takeOut: [ann] }), null);
});

test("an edit keeps comments, other rows, the column order and the line endings as people wrote them", () => {
  const rows = [
    "\uFEFF# ends in winter",
    "until,host,delegate,note",
    '2026-12-31,Ben@acme.example,"cat@acme.example" ,"two\r\nlines"',
    "",
    '2026-11-30,ann@acme.example,dan@acme.example,"a ""quoted"" note, kept"',
  ];
  const text = rows.join("\r\n");
  const edit = {
    set: [
      { ...ann, note: "asked for by\nocto, on call" },
      { ...ann, delegate: "dan@acme.example", note: "" },
    ],
    takeOut: [{ host: "ben@ACME.example", delegate: "CAT@acme.example", until: "2026-12-31" }],
  };
  assert.equal(
    editDelegationsFile(text, edit),
    [
      "\uFEFF# ends in winter",
      "until,host,delegate,note",
      "",
      '2026-12-01,ann@acme.example,eve@acme.example,"asked for by octo, on call"',
      '2026-12-01,ann@acme.example,dan@acme.example,"a ""quoted"" note, kept"',
      "",
    ].join("\r\n"),
  );
});

test("a row whose last day was changed meanwhile is not taken out", () => {
  const text = `${header}ann@acme.example,eve@acme.example,2026-12-24,\n`;
  assert.equal(editDelegationsFile(text, { set: [], takeOut: [ann] }), null);
  const takeOut = [{ ...ann, until: "2026-12-24" }];
  assert.equal(editDelegationsFile(text, { set: [], takeOut }), header);
});

test("a missing final line break is added before a new row, and unknown columns stay empty", () => {
  assert.equal(
    editDelegationsFile("host,delegate,until\nben@acme.example,cat@acme.example,2026-12-31", {
      set: [ann],
      takeOut: [],
    }),
    "host,delegate,until\nben@acme.example,cat@acme.example,2026-12-31\nann@acme.example,eve@acme.example,2026-12-01\n",
  );
});

test("a file with errors is not edited, because a new row might never be read", () => {
  assert.throws(
    () => editDelegationsFile("host,until\n", { set: [ann], takeOut: [] }),
    /delegations\.csv was not changed, because it has a fault: line 1: the column "delegate" is missing/,
  );
  assert.throws(
    () => editDelegationsFile("host,delegate\n", { set: [ann], takeOut: [] }),
    /delegations\.csv was not changed, because it has no column "until" for the last day; add it/,
  );
});
