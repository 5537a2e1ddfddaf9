import { compareGrants } from "../../src/delegation/compare-grants.ts";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import { comparePlans } from "../../src/membership/compare-plans.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { renderDirectory } from "../../src/report/discovery.ts";
import { decideMessage } from "../../src/report/message.ts";
import { extendOverview } from "../../src/report/overview.ts";
import { createRenderer } from "../../src/report/renderer.ts";
import type { WhyAnswer } from "../../src/report/why.ts";
import { person, reportInput, room, runRecord } from "../report/build-record.ts";

/** Texts from outside: a person's name, a space's title, and any message; and an address that a file may hold. */
export interface HostileTexts {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly address: string;
}

const renderer = createRenderer();

const repositoryUrl = "https://github.com/acme/rooms";
const runUrl = `${repositoryUrl}/actions/runs/4711`;

/** Every page of Markdown that people read, with these texts wherever a text from outside can stand. */
export function renderPages(texts: HostileTexts): ReadonlyMap<string, string> {
  const record = recordRun(texts);
  const input = reportInput(record);
  const shared = { record, repositoryUrl, runUrl, mappingsAddress: null, reportAddress: null };
  const delegation = {
    record: recordDelegation(texts),
    isDryRun: false,
    siteUrl: "acme.webex.com",
    runUrl,
    tokenWarningDays: 14,
  };
  const files = [
    ...renderer.renderFiles(input),
    ...renderer.renderDelegationFiles(delegation, "4711", "reports"),
    renderer.renderScheduling(listScheduling(texts), "reports", "mappings/delegations.csv"),
  ].filter(({ path }) => path.endsWith(".md"));
  const message = decideMessage({ ...shared, space: "Operations", tokenWarningDays: 14, told: null });
  return new Map([
    ...files.map(({ path, text }) => [path, text] as const),
    ["summary", renderer.renderSummary({ ...input, ...shared, notices: record.notices })],
    ["summary of delegations", renderer.renderDelegationSummary(delegation, null)],
    ["comment on a pull request", renderPlanComment(texts, record)],
    ["tracking issue", renderer.renderIssue(shared)],
    ["message in a space", message?.text ?? ""],
    ["status in the README", renderer.renderStatus(statusMarkers, record, "reports") ?? ""],
    ["why", renderer.renderWhy(answerWhy(texts), false)],
    ["why, for somebody who leaves", renderer.renderWhy(answerWhy(texts), true)],
    [
      "organisations",
      renderer.renderOverview(
        extendOverview(undefined, ["globex"], { record, name: "acme", tokenWarningDays: 14 }),
      ),
    ],
  ]);
}

const statusMarkers = "<!-- rollcall:status -->\n<!-- /rollcall:status -->\n";

/** The list of what exists, which is a CSV file. */
export function renderListing({ name, title, text }: HostileTexts): string {
  const place = { id: "a-group", displayName: name, key: "GROUP/a", orgKey: "ORGANIZATION/acme" };
  return renderDirectory({
    groups: [{ id: "a-group", name, size: 3 }],
    rooms: [
      { id: "a-room", name: title, size: null },
      { id: "another-room", name: text, size: 1 },
    ],
    suggestions: [
      {
        group: place,
        room: { ...place, id: "a-room", title, generalOfTeamId: null, isModerated: false },
        isSame: false,
        overlap: null,
      },
    ],
    cut: null,
  });
}

function recordRun({ name, title, text, address }: HostileTexts): RunRecord {
  const who = { ...person("Somebody"), personId: "a-person", displayName: name };
  return runRecord(
    [
      room(title, {
        roomId: "a-room",
        groups: [text],
        people: ["ann@acme.example"],
        added: [who],
        removed: [{ ...who, wasModerator: true }],
        held: [{ ...who, reason: "removals-per-room" }],
        failed: [{ ...who, action: "add", error: text, trackingId: text }],
        kept: [{ ...who, reason: "moderator" }],
        missing: [who],
      }),
      room(name, { roomId: "another-room", frozen: text, mode: "audit", missing: [who], groups: [title] }),
    ],
    {
      problems: [{ line: 3, column: "group", message: text }],
      notices: [title],
      digest: "a1b2c3d4e5f6",
      delegations: {
        backend: "rest",
        holds: [{ reason: "revocations-per-run", message: text }],
        hosts: [
          {
            host: address,
            before: [name],
            after: [name],
            added: [],
            removed: [],
            held: [{ delegate: name, reason: "revocations-per-run" }],
            error: text,
          },
        ],
      },
    },
  );
}

function recordDelegation({ name, text, title, address }: HostileTexts): DelegationRecord {
  return {
    version: 1,
    command: "delegate",
    mode: "add",
    backend: "rest",
    status: "partial",
    hosts: [
      {
        host: address,
        before: [name, title],
        after: [name],
        added: [address],
        removed: [title],
        error: text,
      },
      { host: "ben@acme.example", before: null, after: [], added: [], removed: [] },
    ],
    token: null,
    actor: "octo",
    startedAt: "2026-11-22T05:17:09Z",
    finishedAt: "2026-11-22T05:17:31Z",
    users: [{ address: name, displayName: title, canHost: true }],
    kept: [{ host: address, delegate: name, until: null, line: 2 }],
    problems: [text],
    notices: [`${address}: ${title}`],
  };
}

function listScheduling({ name, title, text, address }: HostileTexts) {
  const row = { host: address, delegate: name, until: null, note: title, line: 2 };
  return {
    hosts: [
      { host: address, delegates: [name, title], held: [title], error: text },
      { host: "ben@acme.example", delegates: null, held: [], error: null },
    ],
    grants: [row],
  };
}

/** A proposal that changes a space, a limit and a delegation, while something else is due in any case. */
function renderPlanComment({ name, title, text, address }: HostileTexts, record: RunRecord): string {
  const [changed, ...others] = record.rooms;
  const without = {
    ...record,
    rooms: [...(changed ? [{ ...changed, added: [], groups: [name] }] : []), ...others],
  };
  const old = { line: 4, column: null, message: `already there: ${title}` };
  const row = { host: address, delegate: name, until: null, note: "", line: 2 };
  const host = { host: address, added: [name], removed: [title], held: [{ delegate: text }], error: text };
  return renderer.renderPlanComment({
    record: { ...record, command: "plan", problems: [...record.problems, old] },
    effect: comparePlans(record, { ...without, problems: [old] }),
    grants: compareGrants({ rows: [row], hosts: [host] }, { rows: [], hosts: [{ ...host, added: [] }] }),
    policyChanges: [{ key: "protect", without: JSON.stringify([text]), with: JSON.stringify([name]) }],
    headSha: "0123456789abcdef",
    mappingsAddress: null,
    runUrl,
  });
}

function answerWhy({ name, title, text, address }: HostileTexts): WhyAnswer {
  const space = { roomId: "a-room", title, isMember: true, isModerator: true, since: null };
  return {
    person: { personId: "a-person", displayName: name, emails: [address] },
    spaces: [
      { ...space, rows: [{ line: 2, group: text }], decision: "stays", reason: "moderator" },
      { ...space, roomId: "another-room", title: text, rows: [], decision: "frozen", reason: null },
    ],
    delegations: [
      { host: address, delegate: name, until: null, line: 2 },
      { host: title, delegate: address, until: null, line: null },
    ],
    protectedBy: [{ key: "protect", value: text }],
    only: null,
    ownRows: [{ group: address, room: title, mode: "sync", line: 2 }],
    ownGrants: [{ host: address, delegate: name, until: null, note: text, line: 2 }],
    problems: [{ line: 3, column: "group", message: text }],
    notices: [title],
  };
}
