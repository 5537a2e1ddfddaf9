import assert from "node:assert/strict";
import { test } from "node:test";
import { endMappings, isDue, parseMappings } from "../../src/membership/mapping.ts";

const notClosed = 'is not closed; close it, or write "" for a quote inside a quoted cell';

function read(content: string | Uint8Array) {
  return parseMappings(typeof content === "string" ? new TextEncoder().encode(content) : content);
}

/** The problems, each as `line column: message`. */
function listProblems(content: string | Uint8Array): string[] {
  return read(content).problems.map(({ line, column, message }) => `${line} ${column}: ${message}`);
}

const sync = { mode: "sync" } as const;
const comment = { room: "", mode: "audit", kind: "comment" } as const;
const wellFormed: readonly [fact: string, content: string, mappings: object[]][] = [
  ["a header without rows maps nothing", "group,room\n", []],
  ["the first sample's two columns work", "group,room\nG,R\n", [{ group: "G", room: "R", ...sync, line: 2 }]],
  [
    "a byte-order mark is no part of the header",
    "\uFEFFgroup,room\nG,R",
    [{ group: "G", room: "R", ...sync, line: 2 }],
  ],
  ["CRLF ends a line", "group,room\r\nG,R\r\n", [{ group: "G", room: "R", ...sync, line: 2 }]],
  [
    "a space after the comma is no part of the cell",
    "group, room\nG, R \n",
    [{ group: "G", room: "R", ...sync, line: 2 }],
  ],
  [
    "a space before a quote is no part of the cell",
    'group,room\nG, "R, S" \n',
    [{ group: "G", room: "R, S", ...sync, line: 2 }],
  ],
  [
    "columns may stand in any order",
    "note,mode,room,group\nwhy,audit,R,G\n",
    [{ group: "G", room: "R", mode: "audit", line: 2, note: "why" }],
  ],
  [
    "a row without a mode is in sync mode",
    "group,room,mode\nG,R,\nH,S,add-only",
    [
      { group: "G", room: "R", ...sync, line: 2 },
      { group: "H", room: "S", mode: "add-only", line: 3 },
    ],
  ],
  [
    "a row's line is the one it starts on, also after blank lines, comments and cells of several lines",
    'group,room,note\n\n# it\'s "odd\nG,R,"two\r\nlines"\n \t\nH,R,\n',
    [
      { group: "G", room: "R", ...sync, line: 4, note: "two lines" },
      { group: "H", room: "R", ...sync, line: 7 },
      { group: "# it's \"odd", ...comment, line: 3 },
    ],
  ],
  [
    "a number sign begins a comment only at the start of a line",
    'group,room\n#G,R\n"#G",R #1\n#',
    [
      { group: "#G", room: "R #1", ...sync, line: 3 },
      { group: "#G", ...comment, line: 2 },
      { group: "#", ...comment, line: 4 },
    ],
  ],
  [
    "a doubled quote in a quoted cell is one quote",
    'group,room\n"5"" disk",R',
    [{ group: '5" disk', room: "R", ...sync, line: 2 }],
  ],
  [
    "cells are composed (NFC)",
    "group,room\nCafe\u0301,U\u0308",
    [{ group: "Caf\u00E9", room: "\u00DC", ...sync, line: 2 }],
  ],
  [
    "one group may feed several rooms, and one room may be fed by several groups",
    "group,room\nG,R\nG,S\nH,R",
    [
      { group: "G", room: "R", ...sync, line: 2 },
      { group: "G", room: "S", ...sync, line: 3 },
      { group: "H", room: "R", ...sync, line: 4 },
    ],
  ],
  [
    "every kind of space is a space, and what cannot be seen is no part of a cell",
    "group,room\nNOC\u00A0On-call\u200B,\u202AWar\u2009room\u202C",
    [{ group: "NOC On-call", room: "War room", ...sync, line: 2 }],
  ],
  [
    "lines of nothing but commas, and columns without name and content, are as good as absent",
    'group,room,,\n,,,\nG,R,,\n"","",,\n , ,,\n,\n',
    [{ group: "G", room: "R", ...sync, line: 3 }],
  ],
  [
    "a row may have an end and a note",
    "group,room,until,note\nG,R,2026-12-31,ticket 7\nH,R,,",
    [
      { group: "G", room: "R", ...sync, line: 2, until: "2026-12-31", note: "ticket 7" },
      { group: "H", room: "R", ...sync, line: 3 },
    ],
  ],
  [
    "names that differ in case are different names",
    "group,room\nG,R\ng,R",
    [
      { group: "G", room: "R", ...sync, line: 2 },
      { group: "g", room: "R", ...sync, line: 3 },
    ],
  ],
];
for (const [fact, content, mappings] of wellFormed) {
  test(fact, () => assert.deepEqual(read(content), { mappings, problems: [] }));
}

const faulty: readonly [fact: string, content: string | Uint8Array, problems: string[]][] = [
  [
    "an empty file lacks its header",
    "",
    ['1 null: the file is empty; its first line must name the columns "group", "room"'],
  ],
  [
    "a file of comments lacks its header",
    "# nothing\n\n",
    ['1 null: the file is empty; its first line must name the columns "group", "room"'],
  ],
  [
    "a missing column is named",
    "room\nR",
    ['1 group: the column "group" is missing; the first line must name it'],
  ],
  [
    "a misspelt column is named with the right one, and its cells are checked",
    "Grup,room\n,R",
    [
      '1 Grup: no column is named "Grup"; did you mean "group"?',
      "2 group: the cell is empty; fill in the group or remove the line",
    ],
  ],
  [
    "a column's name is in lower case",
    "Group,Room\nG,R",
    [
      '1 Group: no column is named "Group"; did you mean "group"?',
      '1 Room: no column is named "Room"; did you mean "room"?',
    ],
  ],
  [
    "an unknown column like no other is named with all that there are",
    "group,room,colour\nG,R,red",
    ['1 colour: no column is named "colour"; the columns are "group", "room", "mode", "until", "note"'],
  ],
  [
    "a column without a name is told once when something stands in it",
    "group,room,,\nG,R,,\nH,R,x,\nI,R,y,z",
    [
      '3 null: column 3 has no name in the header, but here it holds "x"; name the column or empty it',
      '4 null: column 4 has no name in the header, but here it holds "z"; name the column or empty it',
    ],
  ],
  [
    "a repeated column is an error",
    "group,room,room\nG,R,R",
    ['1 room: the column "room" is there twice; remove one of them'],
  ],
  [
    "semicolons are no commas",
    "group;room\nG;R",
    ["1 null: the cells are separated by semicolons; separate them by commas"],
  ],
  [
    "vertical bars are no commas",
    "group|room\nG|R",
    ["1 null: the cells are separated by vertical bars; separate them by commas"],
  ],
  [
    "a separator is named when the cells are quoted, instead of the quotes",
    '"group";"room"\n"G";"R, S"\n"H";"R"',
    ["1 null: the cells are separated by semicolons; separate them by commas"],
  ],
  [
    "a separator is named when whole lines are quoted",
    '"group;room"\n"G;R"',
    ["1 null: the cells are separated by semicolons; separate them by commas"],
  ],
  [
    "a row with another separator than the header says so, quoted or not",
    'group,room\nG;R\n"G";"R"\nG\tR',
    [
      "2 null: the row has 1 cell, but the header names 2 columns; its cells are separated by semicolons; separate them by commas",
      "3 null: the cells are separated by semicolons; separate them by commas",
      "4 null: the row has 1 cell, but the header names 2 columns; its cells are separated by tabs; separate them by commas",
    ],
  ],
  [
    "typographic quotes quote nothing",
    "group,room\n“Sales, East”,R",
    [
      '2 null: the row has 3 cells, but the header names 2 columns; put a cell that holds a comma in double quotes of the plain kind ("): “ quotes nothing',
    ],
  ],
  [
    "a column in typographic quotes is named with what is wrong about it",
    "“group”,room",
    [
      '1 “group”: no column is named "“group”"; did you mean "group"? "group" has nothing where U+201C U+201D is written',
    ],
  ],
  [
    "a date that is not in the calendar is named, beside the row's other faults",
    "group,room,mode,until\nG,R,snyc,31.12.2026\nG,S,,2026-02-29",
    [
      '2 mode: no mode is named "snyc"; did you mean "sync"? (a mode is sync, add-only or audit)',
      '2 until: "31.12.2026" is not a date; write the last day as YYYY-MM-DD',
      '3 until: "2026-02-29" is not a date; write the last day as YYYY-MM-DD',
    ],
  ],
  [
    "tabs are no commas",
    "group\troom\nG\tR",
    ["1 null: the cells are separated by tabs; separate them by commas"],
  ],
  [
    "a file without a header is an error",
    "NOC On-call,War room\n",
    [
      '1 NOC On-call: no column is named "NOC On-call"; the columns are "group", "room", "mode", "until", "note"',
      '1 War room: no column is named "War room"; did you mean "room"?',
      '1 group: the column "group" is missing; the first line must name it',
    ],
  ],
  [
    "empty cells are named by their columns",
    "group,room\nG,\n \u00A0,R\n\u200B,R",
    [
      "2 room: the cell is empty; fill in the room or remove the line",
      "3 group: the cell is empty; fill in the group or remove the line",
      "4 group: the cell is empty; fill in the group or remove the line",
    ],
  ],
  [
    "a row with too many cells is an error",
    "group,room\nG,R, S",
    [
      "2 null: the row has 3 cells, but the header names 2 columns; put a cell that holds a comma in double quotes",
    ],
  ],
  [
    "a row with too few cells is an error, even when the missing ones are optional",
    "group,room,mode,note\nG,R",
    ["2 null: the row has 2 cells, but the header names 4 columns; add the missing cells, empty ones too"],
  ],
  [
    "a row that quotes have merged with the next says so",
    'group,room\n"G,R\nH,S"',
    [
      "2 null: the row has 1 cell, but the header names 2 columns; its quotes go on until line 3: add the closing quote if one is missing",
    ],
  ],
  [
    "a repeated pair names both lines, whatever its mode",
    "group,room,mode\nG,R,\n\nG,R ,audit",
    ["4 null: lines 2 and 4 hold the same group and space; remove one of them"],
  ],
  [
    "an unknown mode is named with the nearest and all valid ones, also beside an empty cell",
    "group,room,mode\n,R,snyc\nG,S,remove\nH,S,Audit",
    [
      "2 group: the cell is empty; fill in the group or remove the line",
      '2 mode: no mode is named "snyc"; did you mean "sync"? (a mode is sync, add-only or audit)',
      '3 mode: no mode is named "remove" (a mode is sync, add-only or audit)',
      '4 mode: no mode is named "Audit"; did you mean "audit"? (a mode is sync, add-only or audit)',
    ],
  ],
  [
    "rows of one room must agree on the mode",
    "group,room,mode\nG,R,audit\nH,R,\nI,R,audit",
    [
      '3 mode: the space "R" has mode "audit" on line 2 but "sync" on line 3; write one mode on all its lines',
    ],
  ],
  [
    "an unclosed quote is reported where it opens, and the rows it swallows are checked",
    'group,room\n"G\n1",R\nH,"S\nI,\n"J",T',
    [
      `4 null: the quote at character 3 ${notClosed}`,
      "5 room: the cell is empty; fill in the room or remove the line",
    ],
  ],
  [
    "a quote that is not closed at the end of the file is reported on its own line of the row",
    'group,room\n"two\nlines","R\nH,S',
    [`3 null: the quote at character 8 ${notClosed}`],
  ],
  [
    "a quote inside an unquoted cell is an error, counted in characters",
    'group,room\n😀 5" disk,R\n,R',
    [
      '2 null: character 4 is a quote inside a cell; put the whole cell in quotes and write "" for the quote',
      "3 group: the cell is empty; fill in the group or remove the line",
    ],
  ],
  [
    "text after a closing quote is an error",
    'group,room\nG,"R" 2\n"G""" 3,R\n"H"I,S',
    [
      '2 null: text follows the closing quote at character 5; write "" for a quote inside a quoted cell',
      '3 null: text follows the closing quote at character 5; write "" for a quote inside a quoted cell',
      '4 null: text follows the closing quote at character 3; write "" for a quote inside a quoted cell',
    ],
  ],
  [
    "a broken header is all that can be said",
    '"group,room\nG',
    [`1 null: the quote at character 1 ${notClosed}`],
  ],
  [
    "a NUL byte is an error, and its line is checked",
    "group,room\nG\0,\n",
    [
      "2 null: character 2 is a NUL byte; remove it",
      "2 room: the cell is empty; fill in the room or remove the line",
    ],
  ],
  [
    "bytes that are not UTF-8 are reported once, where they begin, and the other faults as well",
    Buffer.from("group,room\nZ\xFCrich,R\nZ\xF6rich,R\n,R", "latin1"),
    [
      "2 null: character 2 is not valid UTF-8; save the file as UTF-8",
      "4 group: the cell is empty; fill in the group or remove the line",
    ],
  ],
  [
    "characters, not bytes, are counted before an invalid byte",
    Buffer.concat([Buffer.from("group,room\r\nZürich,"), Buffer.from([0xe2, 0x82])]),
    ["2 null: character 8 is not valid UTF-8; save the file as UTF-8"],
  ],
  [
    "UTF-16 with a byte-order mark is recognised",
    Buffer.from("\uFEFFgroup,room\n", "utf16le"),
    ['1 null: the file is not UTF-8 but looks like UTF-16; save it as UTF-8 (in Excel: "CSV UTF-8")'],
  ],
  [
    "UTF-16 without a byte-order mark is recognised",
    Buffer.from("group,room\n", "utf16le"),
    ['1 null: the file is not UTF-8 but looks like UTF-16; save it as UTF-8 (in Excel: "CSV UTF-8")'],
  ],
  [
    "a file over 5 MiB is refused",
    new Uint8Array(5 * 1024 * 1024 + 1),
    ["null null: the file is larger than 5 MiB; split it or remove what does not belong there"],
  ],
];
for (const [fact, content, problems] of faulty) {
  test(fact, () => assert.deepEqual(listProblems(content), problems));
}

test("rows without a fault are returned beside the problems", () => {
  assert.deepEqual(read("group,room,mode\nG,R,snyc\nH,S,audit\nH,S,\nI,S,sync\n,T,").mappings, [
    { group: "H", room: "S", mode: "audit", line: 3 },
  ]);
});

test("a hostile name is quoted, cut and kept on one line in a message", () => {
  assert.deepEqual(listProblems(`group,room,mode\nG,R,"x\n::error::${"y".repeat(500)}"`), [
    `2 mode: no mode is named "x ::error::${"y".repeat(49)}…" (a mode is sync, add-only or audit)`,
  ]);
});

test("a row holds on its last day, and on none after it", () => {
  const row = { group: "G", room: "R", ...sync, line: 2, until: "2026-11-22" };
  assert.deepEqual(
    ["2026-11-21", "2026-11-22", "2026-11-23"].map((today) => isDue(row, today)),
    [true, true, false],
  );
});

test("rows that have ended are marked and told, and those that end within seven days are told", () => {
  const { mappings } = read(
    "group,room,until\nA,R,2026-11-21\nB,R,2026-11-22\nC,R,2026-11-29\nD,R,2026-11-30\nE,R,",
  );
  const ended = endMappings(mappings, "2026-11-22");
  assert.deepEqual(
    ended.mappings.map(({ group, kind }) => [group, kind]),
    [["A", "ended"], ...["B", "C", "D", "E"].map((group) => [group, undefined])],
  );
  assert.deepEqual(ended.notices, [
    'line 2 of the mappings, "A" in "R", ended on 2026-11-21 and brings nobody any more; delete the line',
    'line 3 of the mappings, "B" in "R", holds until 2026-11-22 (today is the last day)',
    'line 4 of the mappings, "C" in "R", holds until 2026-11-29 (7 days left)',
  ]);
});

test("where a line can be deleted is told of the rows that have ended, and of no others", () => {
  const { mappings } = read("group,room,until\nA,R,2026-11-21\nB,R,2026-11-22");
  const { notices } = endMappings(mappings, "2026-11-22", "https://github.example/edit");
  assert.deepEqual(
    notices.map((notice) => notice.includes("delete the line: https://github.example/edit")),
    [true, false],
  );
});

test("rows with an empty cell are told as that, not as two of a kind", () => {
  assert.deepEqual(
    listProblems("group,room\nA,\nA,\n,R\n,R").map((problem) => /the same group/.test(problem)),
    [false, false, false, false],
  );
});
