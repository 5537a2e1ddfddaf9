import * as v from "valibot";
import { findJsonFault, parseJson } from "../lib/json.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { quoteText } from "../lib/text.ts";
import { identityOf } from "../lib/webex-id.ts";
import { modes } from "./mapping.ts";

/** How a run ended, worst last: where several apply, `failed` wins over `partial`, and `partial` over `held`. */
export const runStatusSchema = v.picklist(["converged", "changed", "held", "partial", "failed"]);

/** Why a change waits for approval; where several apply, the first in this order is named. */
const heldReasonSchema = v.picklist([
  "unverified-record",
  "unmapped-room",
  "moderator-addition",
  "team-general-space",
  "empty-group",
  "empties-room",
  "removals-per-room",
  "removals-per-run",
  "revocations-per-run",
]);

const keptReasonSchema = v.picklist([
  "self",
  "last-moderator",
  "moderator",
  "bot",
  "device",
  "external",
  "listed",
  "unknown",
  "changed",
  "add-only",
  "audit",
]);

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const date = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/));

const id = v.pipe(v.string(), v.minLength(1));

const texts = v.array(v.string());

/** A person as Webex described them at the time of the run: null where Webex did not tell. */
const person = { personId: id, displayName: v.nullable(v.string()), email: v.nullable(v.string()) };

/** Why changes wait, with the numbers: one entry for each reason among them. */
const holdsSchema = v.exactOptional(
  v.array(v.strictObject({ reason: heldReasonSchema, message: v.string() })),
);

const roomSchema = v.strictObject({
  roomId: id,
  title: v.string(),
  groups: texts,
  people: v.exactOptional(texts),
  mode: v.picklist(modes),
  lines: v.array(count),
  /** Members before and after the run; null when the room's member list could not be read. */
  before: v.nullable(count),
  after: v.nullable(count),
  added: v.array(v.strictObject(person)),
  removed: v.array(v.strictObject({ ...person, wasModerator: v.boolean() })),
  /** `action` is there only where an addition is held, which a restore may do. */
  held: v.array(
    v.strictObject({ ...person, action: v.exactOptional(v.literal("add")), reason: heldReasonSchema }),
  ),
  holds: holdsSchema,
  failed: v.array(
    v.strictObject({
      personId: id,
      // Records may lack the names of a change that failed: there is nothing of it to restore.
      displayName: v.optional(person.displayName, null),
      email: v.optional(person.email, null),
      action: v.picklist(["add", "remove"]),
      error: v.string(),
      trackingId: v.nullable(v.string()),
    }),
  ),
  kept: v.array(v.strictObject({ ...person, reason: keptReasonSchema })),
  /** In `audit` rooms only. */
  missing: v.array(v.strictObject(person)),
  /** Present only when the room, or its removals, were left alone: why. */
  frozen: v.exactOptional(v.string()),
});

const delegationsSchema = v.strictObject({
  backend: v.picklist(["rest", "xml"]),
  holds: holdsSchema,
  hosts: v.array(
    v.strictObject({
      host: v.string(),
      /** Null when the list could not be read: unknown is never empty. */
      before: v.nullable(texts),
      after: v.nullable(texts),
      added: texts,
      removed: texts,
      held: v.array(v.strictObject({ delegate: v.string(), reason: heldReasonSchema })),
      error: v.exactOptional(v.string()),
    }),
  ),
});

export const recordSchema = v.strictObject({
  version: v.literal(1),
  command: v.picklist(["sync", "plan", "restore"]),
  /** Present only where there are several: the one of this run. */
  organisation: v.exactOptional(v.string()),
  /** Present only where a run was restored, or that was planned: the file of its record. */
  undoes: v.exactOptional(v.string()),
  status: runStatusSchema,
  /** UTC, ISO 8601, whole seconds. */
  startedAt: date,
  finishedAt: date,
  /** Names all that is held, for `--approve`; null when nothing is. */
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
  delegations: v.exactOptional(delegationsSchema),
  problems: v.array(
    v.strictObject({ line: v.nullable(count), column: v.nullable(v.string()), message: v.string() }),
  ),
  notices: v.optional(texts, []),
  token: v.nullable(
    v.strictObject({
      refreshed: v.boolean(),
      rotated: v.boolean(),
      refreshTokenExpiresAt: v.nullable(v.string()),
    }),
  ),
});

/** The record of one run: what `--json` writes, what the report is rendered from, what `restore` undoes. */
export type RunRecord = ReadonlyDeep<v.InferOutput<typeof recordSchema>>;

export type RunStatus = RunRecord["status"];

export type RoomRecord = RunRecord["rooms"][number];

export type HeldReason = RoomRecord["held"][number]["reason"];

export type Hold = NonNullable<RoomRecord["holds"]>[number];

export type KeptReason = RoomRecord["kept"][number]["reason"];

/** A person as a record holds them; all texts are data from outside. */
export type RecordedPerson = RoomRecord["missing"][number];

export type FailedChange = RoomRecord["failed"][number];

/** The part of a person that a record holds. */
export function pickPerson({ personId, displayName, email }: RecordedPerson): RecordedPerson {
  return { personId, displayName, email };
}

/** What a person is called in a text: their name, or their address, or at least their id. */
export function labelOf({ displayName, email, personId }: RecordedPerson): string {
  return displayName || email || personId;
}

const kindSchema = v.object({ version: v.unknown(), command: v.unknown() });

/** Reads a record whole or says why not: undoing a part of a run would leave rooms as they never were. */
export function parseRecord(text: string): { readonly record: RunRecord } | { readonly refusal: string } {
  const json = text.replace(/^\uFEFF/, "");
  const input = parseJson(json);
  if (input === undefined) {
    const fault = findJsonFault(json);
    const where = fault ? ` (line ${fault.line}, character ${fault.character}: ${fault.found})` : "";
    return { refusal: `it is incomplete or not valid JSON${where}; use the file as the run wrote it` };
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
    return { refusal: `${v.getDotPath(issue) ?? "the record"} is not valid: ${issue.message}` };
  }
  const mismatch = findMismatch(parsed.output);
  return mismatch === null ? { record: parsed.output } : { refusal: mismatch };
}

/** Finds what was cut out of a record, as its totals still count it, or put into it. */
function findMismatch({ totals, rooms }: RunRecord): string | null {
  const counted = {
    rooms: rooms.length,
    added: rooms.reduce((sum, room) => sum + room.added.length, 0),
    removed: rooms.reduce((sum, room) => sum + room.removed.length, 0),
  };
  for (const name of ["rooms", "added", "removed"] as const) {
    if (totals[name] !== counted[name])
      return `it is incomplete: totals.${name} is ${totals[name]}, but it lists ${counted[name]}`;
  }
  const seen = new Set<string>();
  for (const { roomId, title } of rooms) {
    const key = identityOf(roomId, "ROOM");
    if (seen.has(key)) return `it names the space ${quoteText(title)} twice`;
    seen.add(key);
  }
  return null;
}

function quoteValue(value: unknown): string {
  return typeof value === "string" ? quoteText(value) : typeof value === "number" ? String(value) : "missing";
}
