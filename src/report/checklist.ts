import * as v from "valibot";
import type { Paint } from "../lib/text.ts";
import { cleanText, escapeMarkdown, messageLength } from "./markdown.ts";
import { formatBySchema } from "./record-json.ts";

const checklistSchema = v.strictObject({
  version: v.literal(1),
  ok: v.boolean(),
  checks: v.array(
    v.strictObject({
      id: v.string(),
      title: v.string(),
      /** `skipped`: does not apply here. */
      state: v.picklist(["ok", "wrong", "skipped"]),
      detail: v.string(),
      /** What to do about it; null unless something is wrong. */
      remedy: v.nullable(v.string()),
    }),
  ),
});

export type Check = Readonly<v.InferOutput<typeof checklistSchema>["checks"][number]>;

const signs = { ok: "✓", wrong: "✗", skipped: "–" } as const;

const colours = { ok: "green", wrong: "red", skipped: "dim" } as const;

/** Writes one line for each check, followed by what to do about it. */
export function renderChecklist(checks: readonly Check[], paint: Paint): string {
  const lines = checks.flatMap(({ title, state, detail, remedy }) => [
    `${paint(colours[state], signs[state])} ${cleanText(title)}: ${cleanText(detail)}`,
    ...(remedy === null ? [] : [`    → ${cleanText(remedy)}`]),
  ]);
  return [...lines, "", describeChecks(checks)].join("\n");
}

/** Writes the checks as a Markdown list for a step summary. */
export function renderChecklistMarkdown(checks: readonly Check[]): string {
  const marks = { ok: "✅", wrong: "❌", skipped: "➖" } as const;
  const lines = checks.map(({ title, state, detail, remedy }) => {
    const cure = remedy === null ? "" : `<br>→ ${escapeMarkdown(remedy, messageLength)}`;
    return `- ${marks[state]} **${escapeMarkdown(title, messageLength)}**: ${escapeMarkdown(detail, messageLength)}${cure}`;
  });
  return ["## Doctor", "", ...lines, "", describeChecks(checks), ""].join("\n");
}

/** Writes the checks for programs. */
export function formatChecks(checks: readonly Check[]): string {
  return formatBySchema(checklistSchema, { version: 1, ok: !hasFault(checks), checks });
}

/** True when something is wrong. */
export function hasFault(checks: readonly Check[]): boolean {
  return checks.some(({ state }) => state === "wrong");
}

function describeChecks(checks: readonly Check[]): string {
  const wrong = checks.filter(({ state }) => state === "wrong").length;
  if (wrong === 0) return "Nothing is wrong.";
  return wrong === 1 ? "1 thing is wrong." : `${wrong} things are wrong.`;
}
