import * as v from "valibot";
import { type RunRecord, recordSchema } from "../membership/record.ts";

/** Writes a run record as the contract has it. */
export function formatRecord(record: RunRecord): string {
  return formatBySchema(recordSchema, record);
}

/** Writes JSON with the keys of a schema in its order and no others, two spaces, a final newline. */
export function formatBySchema(schema: v.GenericSchema, record: object): string {
  // Whatever the schema finds wrong is written, too: what a run did must not get lost over its form.
  return `${JSON.stringify(v.safeParse(schema, record).output, null, 2)}\n`;
}
