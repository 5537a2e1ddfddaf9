import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { toDateString } from "../lib/date.ts";
import { rememberFacts, type WebexFacts } from "../report/webex-facts.ts";

/**
 * Keeps what was settled about Webex in the memory that runs have left; returns the file that got something new.
 * @throws when the branch or the folder does not take it.
 */
export async function keepFacts(
  facts: WebexFacts,
  target: ReportTarget,
  { paths, now }: Context,
): Promise<string | null> {
  const today = toDateString(now());
  const path = `${(target.kind === "branch" ? paths.repository : paths.disk).reports}/state.json`;
  if (target.kind === "folder") {
    const text = await readFile(path, "utf8").catch(() => undefined);
    const next = rememberFacts(text, facts, today);
    if (next !== null) await replaceFile(path, next);
    return next === null ? null : path;
  }
  const { checkReportBranch, commitReport } = await import("../github/commit.ts");
  const branch = await checkReportBranch(target);
  const commit = await commitReport(branch, path, (text) => {
    const next = rememberFacts(text, facts, today);
    return next === null
      ? null
      : { files: [{ path, text: next }], headline: "Rollcall: what doctor settled about Webex" };
  });
  return commit === null ? null : path;
}
