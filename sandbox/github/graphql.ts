import { type ApiRequest, bodyField, type Reply, textField } from "../router.ts";
import type { Changes } from "./git.ts";
import { byApi, type Github, type Protection } from "./github.ts";
import { isPermitted, refusalFor, type TokenGrant } from "./permissions.ts";
import { standardBase64 } from "./secrets.ts";

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

const mutation = "createCommitOnBranch";

/** An error of the mutation, which comes with HTTP 200. */
function fail(type: string, message: string): Reply {
  const error = { type, path: [mutation], locations: [{ line: 1, column: 48 }], message };
  return { status: 200, body: { data: { [mutation]: null }, errors: [error] } };
}

/** The error of a variable that does not fit its type: nothing is run, so there are no data. */
function refuseInput(value: unknown, path: readonly (string | number)[], explanation: string): Reply {
  const message =
    "Variable $input of type CreateCommitOnBranchInput! was provided invalid value for " +
    `${path.join(".")} (${explanation})`;
  const extensions = { value, problems: [{ path, explanation }] };
  const error = { message, locations: [{ line: 1, column: 10 }], extensions };
  return { status: 200, body: { errors: [error] } };
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

function checkInput(input: unknown): Reply | undefined {
  const expected = bodyField(input, "expectedHeadOid");
  if (expected === undefined || expected === null) {
    return refuseInput(input, ["expectedHeadOid"], "Expected value to not be null");
  }
  if (typeof expected !== "string" || !/^[\da-f]{40}$/i.test(expected)) {
    return refuseInput(
      input,
      ["expectedHeadOid"],
      `Could not coerce value ${JSON.stringify(expected)} to GitObjectID`,
    );
  }
  const additions = list(bodyField(bodyField(input, "fileChanges"), "additions"));
  const wrong = additions.findIndex((addition) => {
    const contents = bodyField(addition, "contents");
    return typeof contents !== "string" || !standardBase64.test(contents);
  });
  if (wrong < 0) return undefined;
  const path = ["fileChanges", "additions", wrong, "contents"];
  return refuseInput(input, path, "Could not coerce value to Base64String");
}

function createCommitOnBranch(github: Github, grant: TokenGrant, variables: unknown): Reply {
  const { repository, fullName, protection } = github;
  const input = bodyField(variables, "input");
  const refused = checkInput(input);
  if (refused) return refused;
  const target = bodyField(input, "branch");
  const named = textField(target, "repositoryNameWithOwner") ?? "";
  const branch = (textField(target, "branchName") ?? "").replace(/^refs\/heads\//, "");
  const isAllowed = isPermitted(grant, ["contents=write"]);
  if (!github.isCalled(named) || (!isAllowed && grant.refusedWith === 404)) {
    return fail("NOT_FOUND", `Could not resolve to a Repository with the name '${named}'.`);
  }
  if (!isAllowed) return fail("FORBIDDEN", refusalFor(grant));
  const head = repository.head(branch);
  if (!head) return fail("NOT_FOUND", `Could not resolve to a Branch with the name '${branch}'.`);
  const expected = textField(input, "expectedHeadOid");
  if (expected !== head.oid) {
    // As GitHub has it: what the caller expected, and two spaces.
    return fail(
      "STALE_DATA",
      `Expected branch to point to "${expected}" but it did not.  Pull and try again.`,
    );
  }
  const isBypassed = protection === "ruleset" && grant.mayBypass;
  if (protection && branch === github.defaultBranch && !isBypassed)
    return fail(protectionErrors[protection].type, protectionErrors[protection].message);
  const changes = readChanges(bodyField(input, "fileChanges"));
  const absent = [...changes].find(([path, text]) => text === null && !head.files.has(path));
  if (absent) {
    return fail("UNPROCESSABLE", `A file that doesn't exist can't be deleted: "${absent[0]}".`);
  }
  const message = bodyField(input, "message");
  const text = [textField(message, "headline"), textField(message, "body")].filter(Boolean).join("\n\n");
  const { oid } = repository.commit(branch, text, changes, byApi(grant.login));
  const commit = { oid, url: `${github.serverUrl}/${fullName}/commit/${oid}` };
  return { status: 200, body: { data: { [mutation]: { commit } } } };
}

/** Answers `POST /graphql`: the two questions that the project asks. */
export function answerGraphql(github: Github, grant: TokenGrant, request: ApiRequest): Reply {
  const query = textField(request.body, "query") ?? "";
  if (query.includes(mutation)) {
    return createCommitOnBranch(github, grant, bodyField(request.body, "variables"));
  }
  if (/\bviewer\s*\{\s*login\s*\}/.test(query)) {
    return { status: 200, body: { data: { viewer: { login: grant.login } } } };
  }
  return { status: 200, body: { errors: [{ message: "The sandbox doesn't know this query." }] } };
}
