import * as v from "valibot";
import { findJsonFault } from "../lib/json.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import type { TokenRecord } from "../token/store.ts";
import type { Mode } from "./mapping.ts";

/** How a run ended, worst first where several apply: failed, partial, held, changed, converged. */
export type RunStatus = "converged" | "changed" | "held" | "partial" | "failed";

/** Why a removal waits for approval; where several apply, the first in this order is named. */
export type HeldReason =
  | "team-general-space"
  | "empty-group"
  | "empties-room"
  | "removals-per-room"
  | "removals-per-run";

/** Why somebody who is in no feeding group stays in the room. */
export type KeptReason =
  | "self"
  | "last-moderator"
  | "moderator"
  | "bot"
  | "external"
  | "listed"
  | "add-only"
  | "audit";

/** A person as Webex described them at the time of the run; all texts are data from outside. */
export interface RecordedPerson {
  readonly personId: string;
  readonly displayName: string;
  /** Null when Webex has not told the address: a group's member list does not hold it. */
  readonly email: string | null;
}

/** One failed change, with Webex's tracking id where it gave one. */
export interface FailedChange extends RecordedPerson {
  readonly action: "add" | "remove";
  readonly error: string;
  readonly trackingId: string | null;
}

/** What one run saw and did in one room. */
export interface RoomRecord {
  readonly roomId: string;
  readonly title: string;
  readonly groups: readonly string[];
  readonly mode: Mode;
  /** The lines of rooms.csv that feed this room. */
  readonly lines: readonly number[];
  /** Members before and after the run; null when the room's member list could not be read. */
  readonly before: number | null;
  readonly after: number | null;
  readonly added: readonly RecordedPerson[];
  readonly removed: readonly (RecordedPerson & { readonly wasModerator: boolean })[];
  readonly held: readonly (RecordedPerson & { readonly reason: HeldReason })[];
  readonly failed: readonly FailedChange[];
  readonly kept: readonly (RecordedPerson & { readonly reason: KeptReason })[];
  /** In `audit` rooms: people of the groups who are not in the room. */
  readonly missing: readonly RecordedPerson[];
  /** Present only when the room, or its removals, were left alone: why. `problems` tells what to do. */
  readonly frozen?: string;
}

/** The record of one run: what `--json` writes, what the report is rendered from, what `restore` undoes. */
export interface RunRecord {
  readonly version: 1;
  readonly command: "sync" | "plan" | "restore";
  /** Present only where a run was undone, or that was planned: the file of its record. */
  readonly undoes?: string;
  readonly status: RunStatus;
  /** UTC, ISO 8601, whole seconds. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Names all removals that are held, for `--approve`; null when none is. */
  readonly digest: string | null;
  readonly totals: {
    readonly rooms: number;
    readonly added: number;
    readonly removed: number;
    readonly held: number;
    readonly failed: number;
    readonly kept: number;
  };
  readonly rooms: readonly RoomRecord[];
  readonly problems: readonly Problem[];
  /** Things worth knowing that need no repair, e.g. that an approval named another digest. */
  readonly notices: readonly string[];
  readonly token: TokenRecord | null;
}

/** The part of a person that a record holds. */
export function pickPerson({ personId, displayName, email }: RecordedPerson): RecordedPerson {
  return { personId, displayName, email };
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const date = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/));

const id = v.pipe(v.string(), v.minLength(1));

const person = { personId: id, displayName: v.string(), email: v.nullable(v.string()) };

const roomSchema = v.strictObject({
  roomId: id,
  title: v.string(),
  groups: v.array(v.string()),
  mode: v.picklist(["sync", "add-only", "audit"]),
  lines: v.array(count),
  before: v.nullable(count),
  after: v.nullable(count),
  added: v.array(v.strictObject(person)),
  removed: v.array(v.strictObject({ ...person, wasModerator: v.boolean() })),
  held: v.array(
    v.strictObject({
      ...person,
      reason: v.picklist([
        "team-general-space",
        "empty-group",
        "empties-room",
        "removals-per-room",
        "removals-per-run",
      ]),
    }),
  ),
  // Names are beyond what a record has to hold of a change that failed: there is nothing of it to undo.
  failed: v.array(
    v.strictObject({
      personId: id,
      displayName: v.optional(v.string(), ""),
      email: v.optional(v.nullable(v.string()), null),
      action: v.picklist(["add", "remove"]),
      error: v.string(),
      trackingId: v.nullable(v.string()),
    }),
  ),
  kept: v.array(
    v.strictObject({
      ...person,
      reason: v.picklist([
        "self",
        "last-moderator",
        "moderator",
        "bot",
        "external",
        "listed",
        "add-only",
        "audit",
      ]),
    }),
  ),
  missing: v.array(v.strictObject(person)),
  frozen: v.exactOptional(v.string()),
});

const recordSchema = v.strictObject({
  version: v.literal(1),
  command: v.picklist(["sync", "restore"]),
  undoes: v.exactOptional(v.string()),
  status: v.picklist(["converged", "changed", "held", "partial", "failed"]),
  startedAt: date,
  finishedAt: date,
  digest: v.nullable(v.string()),
  totals: v.strictObject({
    rooms: count,
    added: count,
    removed: count,
    held: count,
    failed: count,
    kept: count,
  }),
  rooms: v.array(roomSchema),
  problems: v.array(
    v.strictObject({ line: v.nullable(count), column: v.nullable(v.string()), message: v.string() }),
  ),
  notices: v.optional(v.array(v.string()), []),
  token: v.nullable(
    v.strictObject({
      refreshed: v.boolean(),
      rotated: v.boolean(),
      refreshTokenExpiresAt: v.nullable(v.string()),
    }),
  ),
});

/** Which kind of record a text is, before anything else about it is believed. */
const kindSchema = v.object({ version: v.unknown(), command: v.unknown() });

/**
 * Reads the record of a run that changed something, or says why it cannot be undone: a record is believed as a
 * whole or not at all, for undoing a part of a run would leave rooms as they never were.
 */
export function parseRecord(text: string): { readonly record: RunRecord } | { readonly refusal: string } {
  let input: unknown;
  try {
    input = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    const fault = findJsonFault(text);
    const where = fault ? `line ${fault.line}, character ${fault.character}: ${fault.found}` : "it is empty";
    return { refusal: `it is not whole, or no JSON (${where}); take the file as the run wrote it` };
  }
  const kind = v.safeParse(kindSchema, input);
  if (!kind.success) return { refusal: "it is not the record of a run" };
  const { version, command } = kind.output;
  if (version !== 1) return { refusal: `its version is ${quoteValue(version)}, and this release reads 1` };
  if (command === "plan")
    return { refusal: "it is the record of a plan or a dry run, which changed nothing" };
  if (command !== "sync" && command !== "restore")
    return {
      refusal: `it is the record of ${quoteValue(command)}; only runs of sync and restore can be undone`,
    };
  const parsed = v.safeParse(recordSchema, input);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return { refusal: `${v.getDotPath(issue) ?? "the record"} is not as it must be: ${issue.message}` };
  }
  const mismatch = findMismatch(parsed.output);
  return mismatch === null ? { record: parsed.output } : { refusal: mismatch };
}

/** A record from which a room or a person was taken out still counts them. */
function findMismatch({ totals, rooms }: RunRecord): string | null {
  const counted = {
    rooms: rooms.length,
    added: rooms.reduce((sum, room) => sum + room.added.length, 0),
    removed: rooms.reduce((sum, room) => sum + room.removed.length, 0),
  };
  for (const name of ["rooms", "added", "removed"] as const) {
    if (totals[name] !== counted[name])
      return `it is not whole: totals.${name} is ${totals[name]}, but it lists ${counted[name]}`;
  }
  return null;
}

function quoteValue(value: unknown): string {
  return typeof value === "string" ? quoteText(value) : typeof value === "number" ? String(value) : "missing";
}
