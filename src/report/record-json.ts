import type { Problem } from "../lib/problem.ts";
import type { FailedChange, RecordedPerson, RoomRecord, RunRecord } from "../membership/record.ts";
import type { TokenRecord } from "../token/store.ts";

type Key =
  | keyof RunRecord
  | keyof RunRecord["totals"]
  | keyof RoomRecord
  | keyof RecordedPerson
  | keyof RoomRecord["removed"][number]
  | keyof RoomRecord["held"][number]
  | keyof FailedChange
  | keyof Problem
  | keyof TokenRecord;

/** Every key of a record in the contract's order; the type sees to it that none is forgotten. */
const order: Readonly<Record<Key, true>> = {
  version: true,
  command: true,
  undoes: true,
  status: true,
  startedAt: true,
  finishedAt: true,
  digest: true,
  totals: true,
  rooms: true,
  roomId: true,
  title: true,
  groups: true,
  mode: true,
  lines: true,
  before: true,
  after: true,
  added: true,
  removed: true,
  held: true,
  failed: true,
  kept: true,
  missing: true,
  frozen: true,
  personId: true,
  displayName: true,
  email: true,
  wasModerator: true,
  reason: true,
  action: true,
  error: true,
  trackingId: true,
  problems: true,
  line: true,
  column: true,
  message: true,
  notices: true,
  token: true,
  refreshed: true,
  rotated: true,
  refreshTokenExpiresAt: true,
};

/** Writes a run record as the contract has it: keys in its order, two spaces, a final newline. */
export function formatRecord(record: RunRecord): string {
  return `${JSON.stringify(record, Object.keys(order), 2)}\n`;
}
