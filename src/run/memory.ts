import { readFile } from "node:fs/promises";
import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { parseKept } from "../delegation/kept.ts";
import { errorMessage } from "../lib/text.ts";
import { createNameMemory, type NameMemory } from "../membership/names.ts";
import { parseTold, type Told } from "../report/message.ts";
import { describeLoss, parseState } from "../report/state.ts";

/** What earlier runs have kept for this one. */
export interface Memory {
  readonly names: NameMemory;
  /** The grants that delegations.csv kept. */
  readonly delegations: ReturnType<typeof parseKept>;
  /** What the policy's space was told last. */
  readonly told: Told | null;
  /** What people have to know of it. */
  readonly notices: readonly string[];
}

/**
 * Reads the memory from where reports are kept.
 * @throws when it cannot be read: without it a name may lead to a stranger's space, and nobody would know.
 */
export async function readMemory(target: ReportTarget, { paths }: Context): Promise<Memory> {
  const { reports } = target.kind === "branch" ? paths.repository : paths.disk;
  const read = target.kind === "branch" ? await openBranchFile(target) : readDiskFile;
  const path = `${reports}/state.json`;
  try {
    const state = parseState(await read(path));
    const hasHistory = state.isStored || (await read(`${reports}/history.json`)) !== undefined;
    const loss = describeLoss(state, hasHistory);
    const delegations = parseKept(state.rest.delegations);
    const told = parseTold(state.rest.told);
    return { names: createNameMemory(state.names), delegations, told, notices: loss === null ? [] : [loss] };
  } catch (error) {
    throw new Error(
      `${path} cannot be read, so it is not known where names led before, and nothing was changed: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}

type ReadText = (path: string) => Promise<string | undefined>;

const readDiskFile: ReadText = (path) =>
  readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });

type BranchTarget = Extract<ReportTarget, { kind: "branch" }>;

async function openBranchFile(target: BranchTarget): Promise<ReadText> {
  const [{ createGithubClient }, { readContents, UnknownCommit }] = await Promise.all([
    import("../github/client.ts"),
    import("../github/contents.ts"),
  ]);
  const { owner, name: repo, apiUrl } = target.repository;
  const github = createGithubClient(apiUrl, target.token);
  const readAt = async (ref: string, path: string): Promise<string | undefined> => {
    const contents = await readContents(github, { owner, repo, path, ref });
    if (contents.kind === "missing") return undefined;
    // What is there and is no text is a damaged memory, not a missing one.
    return contents.kind === "file" ? contents.bytes.toString("utf8") : "";
  };
  return (path) =>
    readAt(target.branch, path).catch(async (error: unknown) => {
      if (!(error instanceof UnknownCommit)) throw error;
      // A plan has not looked where its report would go, and a tag or a pull request holds no reports.
      const { checkReportBranch } = await import("../github/commit.ts");
      return await readAt((await checkReportBranch(target)).branch, path);
    });
}
