import * as v from "valibot";
import { delegationRecordSchema } from "../delegation/record.ts";
import { parseJson } from "../lib/json.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { recordSchema } from "../membership/record.ts";
import { formatBySchema } from "./record-json.ts";

const run = {
  /** The workflow run's id, with its attempt behind a hyphen from the second on. */
  runId: v.pipe(v.string(), v.regex(/^\d{1,20}(-\d{1,4})?$/)),
  runUrl: v.nullable(v.pipe(v.string(), v.url())),
};

const owedReportSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("membership"), ...run, record: recordSchema }),
  v.strictObject({
    kind: v.literal("delegation"),
    ...run,
    siteUrl: v.nullable(v.string()),
    tokenWarningDays: v.number(),
    record: delegationRecordSchema,
  }),
]);

const owedSchema = v.strictObject({ version: v.literal(1), reports: v.array(owedReportSchema) });

/** What a run would have committed: its record, from which a later run renders the report. */
export type OwedReport = ReadonlyDeep<v.InferOutput<typeof owedReportSchema>>;

/** Writes the reports that are owed as a run's artifact keeps them. */
export function formatOwed(reports: readonly OwedReport[]): string {
  return formatBySchema(owedSchema, { version: 1, reports });
}

/** Reads them again; null when the text is not what `formatOwed` writes. */
export function parseOwed(text: string): readonly OwedReport[] | null {
  const parsed = v.safeParse(owedSchema, parseJson(text));
  return parsed.success ? parsed.output.reports : null;
}
