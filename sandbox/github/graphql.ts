import { bodyField, type Reply, textField } from "../router.ts";
import type { Changes } from "./git.ts";
import type { Github } from "./github.ts";

/** What keeps commits from a branch, and the error that GitHub answers with then. */
export type Protection = "branch protection" | "ruleset";

// Classic protection and rulesets answer with different types: Thinkmill/keystatic issue 1598.
const protectionErrors: Readonly<Record<Protection, { type: string; message: string }>> = {
  "branch protection": {
    type: "BRANCH_PROTECTION_RULE_VIOLATION",
    message: "Changes must be made through a pull request.",
  },
  ruleset: {
    type: "UNPROCESSABLE",
    message: "Repository rule violations found\n\nChanges must be made through a pull request.\n\n",
  },
};

// An error of GraphQL comes with HTTP 200.
function graphqlError(type: string, message: string): Reply {
  const path = ["createCommitOnBranch"];
  return { status: 200, body: { data: { createCommitOnBranch: null }, errors: [{ type, path, message }] } };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readChanges(fileChanges: unknown): Changes {
  const changes = new Map<string, string | null>();
  for (const addition of list(bodyField(fileChanges, "additions"))) {
    const contents = textField(addition, "contents") ?? "";
    changes.set(textField(addition, "path") ?? "", Buffer.from(contents, "base64").toString("utf8"));
  }
  for (const deletion of list(bodyField(fileChanges, "deletions"))) {
    changes.set(textField(deletion, "path") ?? "", null);
  }
  return changes;
}

/** Answers `createCommitOnBranch` with its input in `variables.input`. */
export function createCommitOnBranch(github: Github, variables: unknown): Reply {
  const { repository, fullName, protection } = github;
  const input = bodyField(variables, "input");
  const branch = textField(bodyField(input, "branch"), "branchName") ?? "";
  const isHere = textField(bodyField(input, "branch"), "repositoryNameWithOwner") === fullName;
  const head = isHere ? repository.head(branch) : undefined;
  if (!head) return graphqlError("NOT_FOUND", `Could not resolve to a Branch with the name '${branch}'.`);
  if (textField(input, "expectedHeadOid") !== head.oid) {
    const message = `Expected branch to point to "${head.oid}" but it did not. Pull and try again.`;
    return graphqlError("STALE_DATA", message);
  }
  if (protection)
    return graphqlError(protectionErrors[protection].type, protectionErrors[protection].message);
  const changes = readChanges(bodyField(input, "fileChanges"));
  const absent = [...changes].find(([path, text]) => text === null && !head.files.has(path));
  if (absent) {
    return graphqlError("UNPROCESSABLE", `A file that doesn't exist can't be deleted: "${absent[0]}".`);
  }
  const message = bodyField(input, "message");
  const text = [textField(message, "headline"), textField(message, "body")].filter(Boolean).join("\n\n");
  const { oid } = repository.commit(branch, text, changes);
  const commit = { oid, url: `${github.serverUrl}/${fullName}/commit/${oid}` };
  return { status: 200, body: { data: { createCommitOnBranch: { commit } } } };
}
