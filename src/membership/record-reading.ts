import * as v from "valibot";
import { quoteText } from "../lib/did-you-mean.ts";
import { findJsonFault } from "../lib/json.ts";
import type { RunRecord } from "./record.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const instant = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/));
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
  startedAt: instant,
  finishedAt: instant,
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
