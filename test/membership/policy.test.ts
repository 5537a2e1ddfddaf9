import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultPolicy, parsePolicy } from "../../src/membership/policy.ts";

const written = {
  limits: {
    removalsPerRoom: { count: 3, share: 0.25 },
    removalsPerRun: { count: 25, share: 0.2 },
    revocationsPerRun: { count: 10, share: 0.2 },
    emptyGroup: "hold",
  },
  protect: { moderators: true, bots: true, externals: true, people: [] },
  delegation: { backend: "rest" },
  report: { heartbeatDays: 1, tokenWarningDays: 14, notify: null },
};

function listMessages(text: string): string[] {
  const { policy, problems } = parsePolicy(text);
  assert.equal(policy, null);
  return problems.map(({ message }) => message);
}

test("the default policy is the one of the documentation", () => {
  assert.deepEqual(defaultPolicy, written);
});

test("an empty object, the defaults written out, and a byte-order mark give the default policy", () => {
  for (const text of [
    "{}",
    '{"limits":{},"protect":{},"report":{}}',
    JSON.stringify(written),
    "\uFEFF{}\n",
  ]) {
    assert.deepEqual(parsePolicy(text), { policy: written, problems: [] });
  }
});

test("a key that is set leaves the defaults of all others", () => {
  assert.deepEqual(parsePolicy('{ "limits": { "removalsPerRoom": { "count": 0 } } }'), {
    policy: { ...written, limits: { ...written.limits, removalsPerRoom: { count: 0, share: 0.25 } } },
    problems: [],
  });
});

test("every key can be set, to the ends of its range", () => {
  const policy = {
    limits: {
      removalsPerRoom: { count: 0, share: 0 },
      removalsPerRun: { count: 1_000_000, share: 1 },
      revocationsPerRun: { count: 0, share: 1 },
      emptyGroup: "apply",
    },
    protect: { moderators: false, bots: false, externals: false, people: ["ada@example.com"] },
    delegation: { backend: "xml" },
    report: { heartbeatDays: 365, tokenWarningDays: 90, notify: "NOC" },
  };
  assert.deepEqual(parsePolicy(JSON.stringify(policy)), { policy, problems: [] });
});

test("addresses are trimmed, in lower case and each there once", () => {
  const text = `{"protect":{"people":[" Ada@Example.com ","ada@example.com","o'brien+x@a-b.co.uk","jürg@zürich.example"]}}`;
  assert.deepEqual(parsePolicy(text).policy?.protect.people, [
    "ada@example.com",
    "o'brien+x@a-b.co.uk",
    "jürg@zürich.example",
  ]);
});

test("all faults are named in one go, each with its path, what was found and what is allowed", () => {
  const text = JSON.stringify({
    limits: {
      removalsPerRoom: { count: 1.5, share: 25 },
      removalsPerRun: { count: -1, share: null },
      revocationsPerRun: { count: 1, share: 1.01 },
      emptyGroup: "Hold",
    },
    protect: {
      moderators: "yes",
      bots: 1,
      externals: {},
      people: ["ada", "a@b", 7, "@x.ch", "a b@x.ch", "a@x.ch,b@x.ch"],
    },
    delegation: { backend: "REST" },
    report: { heartbeatDays: 366, tokenWarningDays: "14", notify: " " },
  });
  assert.deepEqual(listMessages(text), [
    "limits.removalsPerRoom.count is 1.5; it must be a whole number, 0 or more",
    "limits.removalsPerRoom.share is 25; it must be a number from 0 to 1 (0.25 means 25 %)",
    "limits.removalsPerRun.count is -1; it must be a whole number, 0 or more",
    "limits.removalsPerRun.share is null; it must be a number from 0 to 1 (0.25 means 25 %)",
    "limits.revocationsPerRun.share is 1.01; it must be a number from 0 to 1 (0.25 means 25 %)",
    'limits.emptyGroup is "Hold"; it must be "hold" or "apply"',
    'protect.moderators is "yes"; it must be true or false',
    "protect.bots is 1; it must be true or false",
    "protect.externals is an object; it must be true or false",
    'protect.people[0] is "ada"; it must be an e-mail address',
    'protect.people[1] is "a@b"; it must be an e-mail address',
    "protect.people[2] is 7; it must be an e-mail address",
    'protect.people[3] is "@x.ch"; it must be one person\'s e-mail address, not a pattern',
    'protect.people[4] is "a b@x.ch"; it must be an e-mail address',
    'protect.people[5] is "a@x.ch,b@x.ch"; it must be an e-mail address',
    'delegation.backend is "REST"; it must be "rest" or "xml"',
    "report.heartbeatDays is 366; it must be a whole number of days from 0 to 365",
    'report.tokenWarningDays is "14"; it must be a whole number of days from 0 to 365',
    'report.notify is ""; it must be null, or the title, the id or the link of a space',
  ]);
});

test("every unknown key is named with its path, with the nearest key or all there are", () => {
  assert.deepEqual(listMessages('{"limits":{"removalPerRoom":{},"emptygroup":"hold"},"colour":1,"a b":2}'), [
    'limits.removalPerRoom is not a key of the policy; did you mean "removalsPerRoom"?',
    'limits.emptygroup is not a key of the policy; did you mean "emptyGroup"?',
    'colour is not a key of the policy; the keys there are "limits", "protect", "delegation", "report"',
    '["a b"] is not a key of the policy; the keys there are "limits", "protect", "delegation", "report"',
  ]);
});

test("keys that name parts of JavaScript are unknown keys like others, and change nothing", () => {
  assert.deepEqual(listMessages('{"__proto__":{"limits":{}},"constructor":1}'), [
    '__proto__ is not a key of the policy; the keys there are "limits", "protect", "delegation", "report"',
    'constructor is not a key of the policy; the keys there are "limits", "protect", "delegation", "report"',
  ]);
});

const wrongKinds: readonly [text: string, message: string][] = [
  ["[]", "the policy is a list; it must be an object, { … }"],
  ["null", "the policy is null; it must be an object, { … }"],
  ['"hold"', 'the policy is "hold"; it must be an object, { … }'],
  ['{"limits":[]}', "limits is a list; it must be an object, { … }"],
  ['{"limits":{"removalsPerRun":25}}', "limits.removalsPerRun is 25; it must be an object, { … }"],
  [
    '{"limits":{"removalsPerRun":{"count":1e999}}}',
    "limits.removalsPerRun.count is Infinity; it must be a whole number, 0 or more",
  ],
  ['{"protect":{"people":"a@x.ch"}}', 'protect.people is "a@x.ch"; it must be a list of e-mail addresses'],
];
for (const [text, message] of wrongKinds) {
  test(`a value of the wrong kind is an error: ${text}`, () =>
    assert.deepEqual(listMessages(text), [message]));
}

const people = (...addresses: readonly string[]) => JSON.stringify({ protect: { people: addresses } });

for (const pattern of [
  "*@acme.com",
  "@acme.com",
  "ann@*.acme.com",
  "a?n@acme.com",
  "%@acme.com",
  ".*@acme.com",
  "^ann@acme.com$",
  "ann|bob@acme.com",
  "/ann@acme.com/",
  "{ann,bob}@acme.com",
]) {
  test(`a pattern protects nobody, so it is an error: ${pattern}`, () => {
    assert.deepEqual(listMessages(people(pattern)), [
      `protect.people[0] is "${pattern}"; it must be one person's e-mail address, not a pattern`,
    ]);
  });
}

test("an address is taken without what nobody can see of it", () => {
  assert.deepEqual(
    parsePolicy(people("ann@acme.com\u200B", "\u00A0Ju\u0308rg@acme.com")).policy?.protect.people,
    ["ann@acme.com", "jürg@acme.com"],
  );
});

const repeated: readonly [fact: string, text: string, line: number, path: string][] = [
  ["a key at the top", '{"protect":{},\n"limits":{},\n"protect":{"people":["a@x.ch"]}}', 3, "protect"],
  ["a key in a section", '{"limits":{"emptyGroup":"hold",\n\n"emptyGroup":"apply"}}', 3, "limits.emptyGroup"],
  ["a key that is spelt with an escape", '{"limits":{},"\\u006cimits":{}}', 1, "limits"],
  [
    "a key with the same value",
    '{"limits":{"removalsPerRun":{"count":1,"count":1}}}',
    1,
    "limits.removalsPerRun.count",
  ],
];
for (const [fact, text, line, path] of repeated) {
  test(`a key that is written twice is an error with its path: ${fact}`, () => {
    const { policy, problems } = parsePolicy(text);
    assert.deepEqual(
      [policy, problems.map((problem) => [problem.line, problem.message])],
      [null, [[line, `${path} is written twice; remove one of the two`]]],
    );
  });
}

test("a key of one name in two sections, and equal items of a list, are written once each", () => {
  const text =
    '{"limits":{"removalsPerRoom":{"count":1},"removalsPerRun":{"count":1}},"protect":{"people":["a@x.ch","a@x.ch"]}}';
  assert.deepEqual(parsePolicy(text).problems, []);
});

test("faults of all kinds are told in one go, by line and character", () => {
  const text =
    '{\n  "limits": {\n    "removalsPerRun": { "count": -1 },\n    "emptyGrup": "hold"\n  },\n  "limits": { "emptyGroup": 7 }\n}';
  assert.deepEqual(
    parsePolicy(text).problems.map(({ line, character, message }) => [line, character, message]),
    [
      [6, 3, "limits is written twice; remove one of the two"],
      [6, 15, 'limits.emptyGroup is 7; it must be "hold" or "apply"'],
    ],
  );
  assert.deepEqual(
    parsePolicy(text.replace('"limits": { "emptyGroup": 7 }', '"protect": {}')).problems.map(
      ({ line, character }) => [line, character],
    ),
    [
      [3, 25],
      [4, 5],
    ],
  );
});

test("a file that is not UTF-8 is an error: read otherwise, it would protect somebody else", () => {
  const bytes = Buffer.from(`{"protect":{"people":[\n"j\xFCrgen@acme.com"]}}`, "latin1");
  assert.deepEqual(parsePolicy(bytes), {
    policy: null,
    problems: [
      {
        line: 2,
        column: null,
        message: "character 3 is not valid UTF-8; save the file as UTF-8",
        character: 3,
      },
    ],
  });
});

test("a file that is no JSON of its own is named as what it is", () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  assert.match(listMessages(pointer)[0] ?? "", /^the file is a pointer of Git LFS/);
  assert.match(
    parsePolicy(Buffer.from("\uFEFF{}", "utf16le")).problems[0]?.message ?? "",
    /looks like UTF-16/,
  );
});

test("a secret in the place of a value is not quoted", () => {
  const secret = `ghp_${"aB3".repeat(12)}`;
  for (const text of [
    secret,
    `"${secret}"`,
    JSON.stringify({ limits: { emptyGroup: secret } }),
    JSON.stringify({ [secret]: 1 }),
  ])
    assert.ok(!JSON.stringify(parsePolicy(text)).includes(secret), text);
});

test("JSON that is nested without measure is an error like another", () => {
  assert.equal(parsePolicy(`{"limits":${"[".repeat(50_000)}${"]".repeat(50_000)}}`).policy, null);
});

const broken = "a string that is not closed on its line or has a wrong escape";
const brokenJson: readonly [fact: string, text: string, line: number, fault: string][] = [
  ["an empty file", "", 1, "character 1 is the end of the file, but a value is expected there"],
  [
    "a file that is cut short",
    '{\n  "limits": {',
    2,
    'character 14 is the end of the file, but a key in double quotes or "}" is expected there',
  ],
  [
    "a comma after the last key",
    '{\n  "limits": {},\n}',
    3,
    'character 1 is "}", but another key in double quotes is expected there',
  ],
  [
    "a comma after the last item",
    '{"protect":{"people":["a@x.ch",]}}',
    1,
    'character 32 is "]", but a value is expected there',
  ],
  [
    "a missing comma",
    '{"limits":{}\r\n "report":{}}',
    2,
    'character 2 is "report", but "," or "}" is expected there',
  ],
  [
    "a missing comma in a list",
    '{"a":["b" "c"]}',
    1,
    'character 11 is "c", but "," or "]" is expected there',
  ],
  ["a missing colon", '{"limits" {}}', 1, 'character 11 is "{", but ":" after the key is expected there'],
  [
    "single quotes",
    "{'limits':{}}",
    1,
    `character 2 is "'", but a key in double quotes or "}" is expected there`,
  ],
  [
    "a comment",
    "{\n// ours\n}",
    2,
    'character 1 is "/", but a key in double quotes or "}" is expected there',
  ],
  ["a percentage", '{"share": 25%}', 1, 'character 13 is "%", but "," or "}" is expected there'],
  ["True", '{"bots": True}', 1, 'character 10 is "True", but a value is expected there'],
  ["a number without its zero", '{"share": .5}', 1, 'character 11 is ".5", but a value is expected there'],
  [
    "a list that opens with a comma",
    '{"people": [,]}',
    1,
    'character 13 is ",", but a value or "]" is expected there',
  ],
  ["an open string", '{"a": "b\n}', 1, `character 7 is ${broken}, but a value is expected there`],
  ["a wrong escape", '{"a": "C:\\dir"}', 1, `character 7 is ${broken}, but a value is expected there`],
  [
    "text after the end",
    '{"a": [-1.5e3, true, "é"]}\n}',
    2,
    'character 1 is "}", but nothing more is expected there',
  ],
];
for (const [fact, text, line, fault] of brokenJson) {
  test(`the place of a fault in the JSON is named: ${fact}`, () => {
    const message = `the policy is not valid JSON: ${fault}`;
    const character = Number(/character (\d+)/.exec(fault)?.[1]);
    assert.deepEqual(parsePolicy(text), {
      policy: null,
      problems: [{ line, column: null, message, character }],
    });
  });
}
