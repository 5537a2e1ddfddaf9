import * as v from "valibot";
import { type RunRecord, recordSchema } from "../membership/record.ts";

/** Writes a run record as the contract has it: keys in its order and no others, two spaces, a final newline. */
export function formatRecord(record: RunRecord): string {
  // Read by its schema for the order of the keys only: a record with a fault must be written, too.
  return `${JSON.stringify(v.safeParse(recordSchema, record).output, null, 2)}\n`;
}
