import * as v from "valibot";
import { delegationRecordSchema } from "../delegation/record.ts";
import { parseJson } from "../lib/json.ts";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { recordSchema } from "../membership/record.ts";
import { type Told, toldSchema } from "./message.ts";
import { formatBySchema } from "./record-json.ts";

const run = {
  /** The workflow run's id, with its attempt behind a hyphen from the second on. */
  runId: v.pipe(v.string(), v.regex(/^\d{1,20}(-\d{1,4})?$/)),
  runUrl: v.nullable(v.pipe(v.string(), v.url())),
};

const owedReportSchema = v.variant("kind", [
  v.strictObject({
    kind: v.literal("membership"),
    ...run,
    record: recordSchema,
    /** Present where the run told the policy's space something, or that all is settled. */
    told: v.exactOptional(v.nullable(toldSchema)),
  }),
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

/** What the latest of these runs told that told something; undefined where none did. */
export function findTold(reports: readonly OwedReport[]): Told | null | undefined {
  return reports
    .flatMap((one) => (one.kind === "membership" && one.told !== undefined ? [one.told] : []))
    .at(-1);
}

/** Writes the reports that are owed as a run's artifact keeps them. */
export function formatOwed(reports: readonly OwedReport[]): string {
  return formatBySchema(owedSchema, { version: 1, reports });
}

/** Reads them again; null when the text is not what `formatOwed` writes. */
export function parseOwed(text: string): readonly OwedReport[] | null {
  const parsed = v.safeParse(owedSchema, parseJson(text));
  return parsed.success ? parsed.output.reports : null;
}
