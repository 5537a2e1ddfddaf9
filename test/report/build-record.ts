import type { RoomRecord, RunRecord } from "../../src/membership/record.ts";
import { parseHistory } from "../../src/report/history.ts";
import {
  createRenderer,
  type Renderer,
  type ReportFile,
  type ReportInput,
} from "../../src/report/renderer.ts";

/** A person whose id and address follow from the name. */
export function person(displayName: string): { personId: string; displayName: string; email: string | null } {
  return {
    personId: `person-${displayName}`,
    displayName,
    email: `${displayName.toLowerCase().replace(/[^a-z]/g, "")}@example.com`,
  };
}

/** A room in which all is as declared, unless told otherwise. */
export function room(title: string, facts: Partial<RoomRecord> = {}): RoomRecord {
  return {
    roomId: `room-${title}`,
    title,
    groups: [`${title} group`],
    mode: "sync",
    lines: [2],
    before: 12,
    after: 12,
    added: [],
    removed: [],
    held: [],
    failed: [],
    kept: [],
    missing: [],
    ...facts,
  };
}

/** A run over these rooms; totals, digest and status follow from them. */
export function runRecord(rooms: readonly RoomRecord[], facts: Partial<RunRecord> = {}): RunRecord {
  const count = (key: "added" | "removed" | "held" | "failed" | "kept") =>
    rooms.reduce((sum, one) => sum + one[key].length, 0);
  const totals = {
    rooms: rooms.length,
    added: count("added"),
    removed: count("removed"),
    held: count("held"),
    failed: count("failed"),
    kept: count("kept"),
  };
  const changed = totals.added + totals.removed > 0 ? "changed" : "converged";
  return {
    version: 1,
    command: "sync",
    status: totals.failed > 0 ? "partial" : totals.held > 0 ? "held" : changed,
    startedAt: "2026-11-22T05:17:09Z",
    finishedAt: "2026-11-22T05:17:31Z",
    digest: totals.held > 0 ? "a1b2c3d4e5f6" : null,
    totals,
    rooms,
    problems: [],
    notices: [],
    token: { refreshed: true, rotated: true, refreshTokenExpiresAt: "2027-02-20T05:17:10Z" },
    ...facts,
  };
}

/** The renderer with the real templates. */
export function loadRenderer(): Renderer {
  return createRenderer();
}

/** The report of a run on GitHub; without a text of history.json it is the first. */
export function reportInput(
  record: RunRecord,
  { historyText, ...facts }: Partial<ReportInput> & { readonly historyText?: string } = {},
): ReportInput {
  return {
    record,
    policy: { heartbeatDays: 1, tokenWarningDays: 14 },
    memory: parseHistory(historyText),
    runId: "4711",
    reportsDir: "reports",
    mappingsFile: "mappings/rooms.csv",
    late: [],
    rows: [],
    hasSchedulingPage: false,
    repositoryUrl: "https://github.com/acme/rooms",
    runUrl: "https://github.com/acme/rooms/actions/runs/4711",
    ...facts,
  };
}

/** The text of one file of a report; a missing one is the test's failure. */
export function textOf(files: readonly ReportFile[], path: string): string {
  const file = files.find((one) => one.path === path);
  if (!file) throw new Error(`no ${path} among ${files.map((one) => one.path).join(", ")}`);
  return file.text;
}

/** A run in which a bit of everything happened. */
export const eventfulRun = runRecord(
  [
    room("NOC", {
      groups: ["NOC On-call", "NOC leads"],
      lines: [2, 7],
      after: 13,
      added: [person("Ada"), person("Cleo")],
      removed: [{ ...person("Bob"), wasModerator: true }],
      kept: [{ ...person("Bot"), reason: "bot" }],
    }),
    room("Bridge", { held: [{ ...person("Dan"), reason: "removals-per-room" }] }),
    room("Leads", {
      failed: [
        {
          ...person("Eve"),
          action: "add",
          error: "[POST] /memberships: 403 Forbidden",
          trackingId: "ROUTER_1",
        },
      ],
    }),
    room("Audited", { mode: "audit", missing: [person("Fay")] }),
    room("Quiet"),
    room("Huge", { frozen: "499 of 500 members were listed" }),
  ],
  {
    problems: [{ line: 4, column: "group", message: 'no group is named "NOC Oncall"' }],
    notices: ["Something new."],
  },
);
