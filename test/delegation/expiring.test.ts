import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeEnding,
  editDelegationsFile,
  findExpired,
  findRemovedRows,
  formatRows,
  listRows,
  parseDelegations,
} from "../../src/delegation/expiring.ts";
import { type HostPlan, planHost, refuseHost } from "../../src/delegation/plan.ts";
import type { DelegationRequest } from "../../src/delegation/request.ts";
import { mail, outcome, pair, row } from "../support/delegations.ts";

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

test("a file of nothing but blanks is a new file", () => {
  assert.equal(
    editDelegationsFile(" \n\n", { set: [ann], takeOut: [] }),
    `${header}ann@acme.example,eve@acme.example,2026-12-01,\n`,
  );
});

test("a file without a place for its fault is not edited either", () => {
  const text = `${header}#${"x".repeat(5 * 1024 * 1024)}`;
  assert.throws(
    () => editDelegationsFile(text, { set: [ann], takeOut: [] }),
    /^Error: delegations\.csv was not changed, because it has a fault: the file is larger than 5 MiB/,
  );
});

test("a note is written on one line, without white space around it", () => {
  const text = editDelegationsFile(header, {
    set: [{ ...ann, note: " asked\r\n for\tby octo " }],
    takeOut: [],
  });
  assert.equal(text, `${header}ann@acme.example,eve@acme.example,2026-12-01,asked for by octo\n`);
});

test("a column without a name stays empty, and one that is not there is not added", () => {
  const text = "delegate,,host\nEVE@acme.example,,ann@acme.example\n";
  const set = [
    { ...ann, until: null },
    { ...pair("ben/cat"), until: null, note: "assistant" },
  ];
  assert.equal(
    editDelegationsFile(text, { set, takeOut: [] }),
    `${text}cat@acme.example,,ben@acme.example\n`,
  );
});

test("taking a row out changes no other byte, also where the last line has no end", () => {
  const text = `${header}ann@acme.example,eve@acme.example,2026-12-01,\rben@acme.example,cat@acme.example,,`;
  assert.equal(
    editDelegationsFile(text, { set: [], takeOut: [ann] }),
    `${header}ben@acme.example,cat@acme.example,,`,
  );
});

test("a row over several lines is taken out as a whole, and the rows around it stay", () => {
  const before = "ben@acme.example,cat@acme.example,,";
  const after = "dan@acme.example,cat@acme.example,,";
  const long = 'ann@acme.example,eve@acme.example,2026-12-01,"one\ntwo\nthree"';
  const text = `${header}${before}\n${long}\n${after}\n`;
  assert.equal(editDelegationsFile(text, { set: [], takeOut: [ann] }), `${header}${before}\n${after}\n`);
});

test("only a row that was asked for goes, and a row that is not there takes nothing with it", () => {
  const text = `${header}ben@acme.example,cat@acme.example,,\n`;
  assert.equal(editDelegationsFile(text, { set: [], takeOut: [{ ...pair("dan/cat"), until: null }] }), null);
  assert.equal(
    editDelegationsFile(text, { set: [], takeOut: [ann, { ...pair("ben/cat"), until: null }] }),
    header,
  );
});

test("rows without an end need no column for the last day", () => {
  const set = [{ ...pair("ann/eve"), until: null, note: "" }];
  assert.equal(
    editDelegationsFile("host,delegate", { set, takeOut: [] }),
    "host,delegate\nann@acme.example,eve@acme.example\n",
  );
});

test("a row with a fault is not read, although its host and delegate still count as listed", () => {
  const { grants, problems } = parse(
    `${header}ann@acme.example,eve@acme.example,soon,\nann@acme.example,eve@acme.example,,\nben@acme.example,cat@acme.example,,x\n`,
  );
  assert.deepEqual(grants, [{ ...row("ben/cat", null, 4), note: "x" }]);
  assert.deepEqual(
    problems.map(({ line }) => line),
    [2, 3],
  );
});

test("two rows with an empty cell are two empty cells, and not one pair twice", () => {
  const faults = (text: string) => parse(header + text).problems.map(({ message }) => message);
  const emptyHost = "the cell is empty; fill in the host or remove the line";
  const emptyDelegate = "the cell is empty; fill in the delegate or remove the line";
  assert.deepEqual(faults(",eve@acme.example,,\n,eve@acme.example,,\n"), [emptyHost, emptyHost]);
  assert.deepEqual(faults("ann@acme.example,,,\nann@acme.example,,,\n"), [emptyDelegate, emptyDelegate]);
  assert.deepEqual(faults(",,,x\n"), [emptyHost, emptyDelegate]);
});

test("what ends soonest is told first, and on the same day by host and delegate", () => {
  const grants = [
    row("ben/cat", "2026-11-24"),
    row("ann/zoe", "2026-11-24"),
    row("dan/cat", "2026-11-23"),
    row("ann/cat", "2026-11-24"),
    row("ann/dan"),
  ];
  assert.deepEqual(
    describeEnding(grants, "2026-11-22").map((line) => line.replaceAll("@acme.example", "").slice(0, 35)),
    [
      "cat may schedule meetings for dan u",
      "cat may schedule meetings for ann u",
      "zoe may schedule meetings for ann u",
      "cat may schedule meetings for ben u",
    ],
  );
});

function request(more: Partial<DelegationRequest>): DelegationRequest {
  return { mode: "add", hosts: [mail("ann")], delegates: [mail("cat")], until: null, ...more };
}

/** The plan for ann, who has these delegates. */
function planFor(of: DelegationRequest, ...before: readonly string[]): HostPlan {
  return planHost({ host: mail("ann"), mode: of.mode, delegates: of.delegates }, before.map(mail));
}

test("a grant with a last day becomes a row with the note, for each host that is not refused", () => {
  const asked = request({ hosts: ["ann", "ben", "dan"].map(mail), until: "2026-12-01" });
  const plans = [
    planFor(asked),
    refuseHost({ host: mail("ben"), mode: "add", delegates: asked.delegates }, [], "not active"),
    planHost({ host: mail("dan"), mode: "add", delegates: asked.delegates }, []),
  ];
  assert.deepEqual(listRows(asked, plans, [], "asked for by octo"), {
    rows: [
      { ...pair("ann/cat"), until: "2026-12-01", note: "asked for by octo" },
      { ...pair("dan/cat"), until: "2026-12-01", note: "asked for by octo" },
    ],
    notices: [],
  });
});

test("a row is added only where another last day is listed, or none", () => {
  const asked = request({ until: "2026-12-01" });
  const rowsWith = (listed: string | null) =>
    listRows(asked, [planFor(asked, "cat")], [row("ann/cat", listed)], "").rows.length;
  assert.deepEqual([rowsWith("2026-12-01"), rowsWith("2026-12-02"), rowsWith(null)], [0, 1, 1]);
});

test("somebody who gets an end for the first time is told so", () => {
  const asked = request({ until: "2026-12-01" });
  const noticesOf = (plan: HostPlan, listed: Parameters<typeof listRows>[2]) =>
    listRows(asked, [plan], listed, "").notices;
  const told = [
    "ann@acme.example: cat@acme.example was a delegate without an end; from now on it ends after 2026-12-01",
  ];
  assert.deepEqual(noticesOf(planFor(asked, "CAT"), []), told);
  assert.deepEqual(noticesOf(planFor(asked, "cat"), [row("ann/cat")]), told);
  assert.deepEqual(noticesOf(planFor(asked, "cat"), [row("ann/cat", "2026-11-30")]), []);
  assert.deepEqual(noticesOf(planFor(asked, "dan"), []), []);
});

test("a grant without an end adds no row, and tells of a row that would end it", () => {
  const asked = request({});
  assert.deepEqual(listRows(asked, [planFor(asked)], [row("ann/cat", "2026-11-30")], ""), {
    rows: [],
    notices: [
      "ann@acme.example: cat@acme.example is still listed in delegations.csv and will be revoked after 2026-11-30; take that row out to keep the delegate",
    ],
  });
  const silent = { rows: [], notices: [] };
  assert.deepEqual(listRows(asked, [planFor(asked)], [row("ann/cat")], ""), silent);
  assert.deepEqual(listRows(asked, [planFor(asked)], [row("ben/cat", "2026-11-30")], ""), silent);
});

test("a host gets no row for themselves", () => {
  const asked = request({ delegates: [mail("ann"), mail("cat")], until: "2026-12-01" });
  const { rows } = listRows(asked, [planFor(asked)], [], "");
  assert.deepEqual(
    rows.map(({ delegate }) => delegate),
    [mail("cat")],
  );
});

test("only add lists rows", () => {
  for (const mode of ["show", "remove", "replace"] as const) {
    const asked = request({ mode, until: "2026-12-01" });
    assert.deepEqual(listRows(asked, [planFor(asked, "cat")], [], ""), { rows: [], notices: [] });
  }
});

test("remove takes out the rows of those who are gone, or were found gone, and of nobody else", () => {
  const rows = [row("ann/cat"), row("ann/dan"), row("ann/eve"), row("ben/cat")];
  const asked = request({ mode: "remove", delegates: [mail("cat"), mail("dan")] });
  const removed = (after: readonly string[] | null, gone: readonly string[] = []) =>
    formatRows(
      findRemovedRows(
        asked,
        [
          outcome({
            host: mail("ann"),
            after: after === null ? null : after.map(mail),
            removed: gone.map(mail),
          }),
        ],
        rows,
      ),
    );
  const [catRow, danRow] = ["ann@acme.example,cat@acme.example,", "ann@acme.example,dan@acme.example,"];
  assert.equal(removed([]), `${catRow} ${danRow}`);
  assert.equal(removed(["DAN"]), catRow);
  assert.equal(removed(["cat", "dan"]), "");
  assert.equal(removed(null, ["CAT"]), catRow, "where nobody could look, what Webex accepted counts");
  assert.equal(removed(null), "");
  assert.deepEqual(findRemovedRows(asked, [], rows), []);
});

test("replace takes out the rows of those who were not named and are gone", () => {
  const rows = [row("ann/cat"), row("ann/dan"), row("ann/eve")];
  const outcomes = [outcome({ host: mail("ann"), after: [mail("eve")] })];
  const asked = request({ mode: "replace", delegates: [mail("CAT")] });
  assert.deepEqual(findRemovedRows(asked, outcomes, rows), [row("ann/dan")]);
});

test("show and add take no row out", () => {
  const outcomes = [outcome({ host: mail("ann") })];
  for (const mode of ["show", "add"] as const) {
    assert.deepEqual(findRemovedRows(request({ mode, delegates: [] }), outcomes, [row("ann/cat")]), []);
  }
});

test("rows are written for a person as they stand in the file", () => {
  assert.equal(
    formatRows([row("ann/cat", "2026-12-01"), row("ben/dan")]),
    "ann@acme.example,cat@acme.example,2026-12-01 ben@acme.example,dan@acme.example,",
  );
});

test("a row may come and another go in one edit", () => {
  const text = `${header}ben@acme.example,cat@acme.example,,\n`;
  assert.equal(
    editDelegationsFile(text, { set: [ann], takeOut: [{ ...pair("ben/cat"), until: null }] }),
    `${header}ann@acme.example,eve@acme.example,2026-12-01,\n`,
  );
});

test("one row with a last day among others is enough to need the column", () => {
  const set = [{ ...pair("ben/cat"), until: null, note: "" }, ann];
  assert.throws(() => editDelegationsFile("host,delegate\n", { set, takeOut: [] }), /no column "until"/);
});

test("a host who is refused gets no row, also for somebody who is their delegate already", () => {
  const asked = request({ until: "2026-12-01" });
  const refused = refuseHost(
    { host: mail("ann"), mode: "add", delegates: asked.delegates },
    [mail("cat")],
    "inactive",
  );
  assert.deepEqual(listRows(asked, [refused], [], ""), { rows: [], notices: [] });
});
