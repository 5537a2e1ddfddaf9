import assert from "node:assert/strict";
import { test } from "node:test";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import { renderDelegationTerminal } from "../../src/report/delegation.ts";
import { createRenderer } from "../../src/report/renderer.ts";

const renderer = createRenderer();

const ann = { host: "ann@acme.example", before: [], after: [], added: [], removed: [] };

function record(facts: Partial<DelegationRecord> = {}): DelegationRecord {
  return {
    version: 1,
    command: "delegate",
    mode: "add",
    backend: "rest",
    status: "converged",
    hosts: [ann],
    token: null,
    actor: "octo-admin",
    startedAt: "2026-11-22T05:17:09Z",
    finishedAt: "2026-11-22T05:17:31Z",
    problems: [],
    notices: [],
    ...facts,
  };
}

function input(facts: Partial<DelegationRecord> = {}) {
  return {
    record: record(facts),
    isDryRun: false,
    siteUrl: "acme.webex.com",
    runUrl: "https://github.example/runs/1",
    tokenWarningDays: 14,
  };
}

test("a page lies beside its record, and says who asked, for which site and by which backend", () => {
  const [page, json] = renderer.renderDelegationFiles(input(), "1001", "reports");
  assert.deepEqual(
    [page.path, json.path],
    ["reports/delegations/2026-11-22-1001.md", "reports/delegations/2026-11-22-1001.json"],
  );
  assert.deepEqual(JSON.parse(json.text), record());
  assert.equal(
    page.text,
    [
      "# Delegation run of 2026-11-22 05:17 UTC",
      "",
      "[← All spaces](../README.md) · [record (JSON)](2026-11-22-1001.json) · [workflow run](https://github.example/runs/1)",
      "",
      "✅ **Every host is as requested; nothing had to be changed.**",
      "",
      "Mode add · site `acme.webex.com` · backend rest · requested by `octo-admin`",
      "",
      "## Who may schedule for whom",
      "",
      "| | Host | Delegates before | Delegates after | Changes |",
      "| --- | --- | --- | --- | --- |",
      "| — | `ann@acme.example` | nobody | nobody | none |",
      "",
      "## Webex login",
      "",
      "How long the Webex login stays valid is not known: this run did not use it.",
      "",
    ].join("\n"),
  );
});

test("an unknown list is told as unknown, not as nobody", () => {
  const [page] = renderer.renderDelegationFiles(
    input({ status: "partial", hosts: [{ ...ann, before: null, after: null, error: "503" }] }),
    "1",
    "reports",
  );
  assert.match(page.text, /\| ❌ \| `ann@acme\.example` \| not known \| not known \| none \|/);
  assert.match(page.text, /- \*\*`ann@acme\.example`:\*\* 503\n/);
});

test("names, addresses and errors from outside break no table, link nowhere and mention nobody", () => {
  const hostile = [
    "| x |",
    "</td><script>",
    "@everyone",
    "a`b",
    "two\nlines",
    "[x](javascript:alert(1))",
    "-->",
  ];
  const hosts = hostile.map((text) => ({
    host: text,
    before: [text],
    after: [text],
    added: [text],
    removed: [text],
    error: text,
  }));
  const users = hostile.map((text) => ({ address: text, displayName: text, canHost: true }));
  const facts = {
    status: "partial",
    hosts,
    users,
    problems: hostile,
    notices: hostile,
    actor: "| a |",
  } as const;
  const [page] = renderer.renderDelegationFiles(input(facts), "1", "reports");
  const summary = renderer.renderDelegationSummary(input(facts), "https://github.example/page", 1_000_000);
  for (const text of [page.text, summary]) {
    const outsideCode = text.replace(/(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
    assert.doesNotMatch(outsideCode, /<(?!\/?code>)\w|@\w|(?<!\\)\]\(javascript|-->/);
    let cells = 0;
    for (const line of text.split("\n")) {
      const count = line.startsWith("|") ? line.split(/(?<!\\)\|/).length : 0;
      if (count > 0 && cells > 0) assert.equal(count, cells, line);
      cells = count;
    }
  }
});

test("a long list of users is cut between rows, and the summary says so", () => {
  const users = Array.from({ length: 500 }, (_, index) => ({
    address: `user${index}@acme.example`,
    displayName: `User ${index}`,
    canHost: null,
  }));
  const summary = renderer.renderDelegationSummary(input({ mode: "show", hosts: [], users }), null, 4_000);
  assert.ok(Buffer.byteLength(summary) <= 4_000);
  assert.match(summary, /\*4\d\d more rows are not shown here\.\*/);
});

test("the terminal marks what was added, removed and kept, and says why a host is not as requested", () => {
  const text = renderDelegationTerminal(
    record({
      status: "partial",
      hosts: [
        {
          ...ann,
          before: ["a@x.example", "b@x.example"],
          after: ["b@x.example", "c@x.example"],
          added: ["c@x.example"],
          removed: ["a@x.example"],
        },
        { ...ann, before: null, after: null, error: "403" },
      ],
    }),
    false,
    (_, said) => said,
  );
  assert.deepEqual(text.split("\n"), [
    "ann@acme.example  2 → 2 delegates",
    "  + c@x.example",
    "  − a@x.example",
    "  = b@x.example",
    "",
    "ann@acme.example  ? → ? delegates",
    "  × 403",
    "",
    "partial: 1 host is not as requested. 1 delegation was added. 1 delegation was removed.",
  ]);
});
