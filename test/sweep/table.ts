import { readFile, writeFile } from "node:fs/promises";
import { renderTable } from "../../bench/page.ts";
import { mishapNames, type Verdict } from "./combination.ts";
import { sweptNames } from "./commands.ts";

const page = new URL("../../docs/reliability.md", import.meta.url);
const [start, end] = ["<!-- sweep:start -->", "<!-- sweep:end -->"];

/** True when no promise was broken. */
export function isKept({ wrongChanges, token, record, broken }: Verdict): boolean {
  return wrongChanges.length + broken.length === 0 && token !== "lost" && record !== "lost";
}

/** A table with a row for each command, and one with a row for each mishap. */
export function renderOutcomes(verdicts: readonly Verdict[]): string {
  const count = (column: string, names: readonly string[], nameOf: (verdict: Verdict) => string) =>
    names.flatMap((name) => {
      const some = verdicts.filter((verdict) => nameOf(verdict) === name);
      return some.length === 0 ? [] : [countOutcomes({ [column]: name }, some)];
    });
  const ofCommands = count("command", sweptNames, ({ combination }) => combination.command);
  const ofMishaps = count("what happened", mishapNames, ({ combination }) => combination.mishap);
  return [
    renderTable([...ofCommands, countOutcomes({ command: "**all**" }, verdicts)]),
    renderTable([...ofMishaps, countOutcomes({ "what happened": "**all**" }, verdicts)]),
  ].join("\n\n");
}

function countOutcomes(
  first: Readonly<Record<string, string>>,
  verdicts: readonly Verdict[],
): Record<string, string> {
  const count = (isMeant: (verdict: Verdict) => boolean) => String(verdicts.filter(isMeant).length);
  return {
    ...first,
    runs: String(verdicts.length),
    "same result": count(({ outcome }) => outcome === "same result"),
    "partial, told": count(({ outcome }) => outcome === "partial"),
    "failed, nothing changed": count(({ outcome }) => outcome === "failed unchanged"),
    "failed on the way, told": count(({ outcome }) => outcome === "failed changed"),
    killed: count(({ outcome }) => outcome === "killed"),
    "record with the run only": count(({ record }) => record === "with the run"),
    "token to be stored by hand": count(({ token }) => token === "recovered by hand"),
    "answer with the token lost": count(({ token }) => token === "cannot be survived"),
    "**wrong changes**": count(({ wrongChanges }) => wrongChanges.length > 0),
    "**lost tokens**": count(({ token }) => token === "lost"),
    "**lost records**": count(({ record }) => record === "lost"),
    "**untold, untrue or stuck**": count(({ broken }) => broken.length > 0),
  };
}

/** Puts the text between the marks of docs/reliability.md. */
export async function writePage(text: string): Promise<void> {
  const old = await readFile(page, "utf8");
  const [before, after] = [old.indexOf(start) + start.length, old.indexOf(end)];
  await writeFile(page, `${old.slice(0, before)}\n${text}\n${old.slice(after)}`);
}
