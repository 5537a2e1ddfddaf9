import type { RepositoryAccess } from "../config/actions.ts";
import { commitReport, ReportRefused } from "../github/commit.ts";
import type { OpenPull, RepositorySetup } from "../github/repository-setup.ts";
import { appendSuggestions, type Directory, renderSuggestions } from "../report/discovery.ts";
import { ownersFile } from "./doctor-github.ts";
import { fillOwners, type Names } from "./setup-steps.ts";

/** What the set-up proposes; a part that needs no change is null. */
export interface Draft {
  readonly names: Names;
  readonly directory: Directory | null;
  readonly owners: { readonly maintainers: string; readonly workspaceOwners: string } | null;
}

/**
 * Proposes rows and code owners in a pull request; null where nothing would change. A branch that is there already, from
 * a set-up that was stopped, is used again. @throws what GitHub refuses.
 */
export async function propose(
  draft: Draft,
  { repository, token }: RepositoryAccess,
  setup: RepositorySetup,
  base: string,
): Promise<OpenPull | null> {
  if (draft.owners === null && !draft.directory?.suggestions.length) return null;
  const { branch, mappingsFile } = draft.names;
  const isNew = !(await setup.hasBranch(branch));
  const changes = async (csv: string | undefined, read: (path: string) => Promise<string | undefined>) => {
    const owners = draft.owners && fillIn(await read(ownersFile), draft.owners);
    const rows = draft.directory && addRows(csv, draft.directory);
    return [
      ...(owners === null ? [] : [{ path: ownersFile, text: owners }]),
      ...(rows === null ? [] : [{ path: mappingsFile, text: rows }]),
    ];
  };
  await setup.makeBranch(branch, base);
  const place = { repository, token, branch, isNamed: true };
  let isChanged = !isNew;
  await commitReport(place, mappingsFile, async (csv, { read }) => {
    const files = await changes(csv, read);
    isChanged ||= files.length > 0;
    return files.length === 0 ? null : { files, headline: "Set Rollcall up" };
  }).catch((error: unknown) => {
    // What it says of reports would mislead here.
    throw error instanceof ReportRefused && error.cause instanceof Error ? error.cause : error;
  });
  if (!isChanged) return null;
  return await setup.openPull({
    branch,
    base,
    title: "Set Rollcall up",
    body: describe(draft),
  });
}

function fillIn(text: string | undefined, owners: NonNullable<Draft["owners"]>): string | null {
  if (text === undefined) return null;
  const filled = fillOwners(text, owners.maintainers, owners.workspaceOwners);
  return filled === text ? null : filled;
}

function addRows(csv: string | undefined, directory: Directory): string | null {
  if (directory.suggestions.length === 0) return null;
  if (csv === undefined || csv.trim() === "") return renderSuggestions(directory);
  const { text, added } = appendSuggestions(Buffer.from(csv), directory);
  return added === 0 ? null : text;
}

function describe({ directory, owners, names: { mappingsFile } }: Draft): string {
  const rows = directory?.suggestions.length ?? 0;
  return [
    ...(rows === 0
      ? []
      : [
          `**${mappingsFile}**: ${rows === 1 ? "one row" : `${rows} rows`} for groups and spaces that seem to belong together; the note of each says why. ` +
            "They are in mode `audit`, which only reports who is missing and who is in none of the groups: merging them changes nobody. Delete what is wrong. " +
            "Later, `add-only` adds people, and `sync` also removes those who are in none of the groups.",
        ]),
    ...(directory?.cut ? [directory.cut] : []),
    ...(owners === null
      ? []
      : [
          `**${ownersFile}**: who approves code and policy, and who approves who belongs in which space. It may well be different people: change the line of \`/mappings/\` here.`,
        ]),
  ].join("\n\n");
}
