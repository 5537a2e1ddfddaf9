import * as v from "valibot";
import type { RepositoryAccess } from "../config/actions.ts";
import { errorMessage } from "../lib/text.ts";
import { createGithubClient, type GithubClient, isOwn, listPages, readViewer, statusOf } from "./client.ts";
import { hintAt } from "./permissions.ts";

export type IssueState =
  | {
      readonly kind: "open";
      readonly title: string;
      readonly body: string;
      /** True when the existing body says the same, so that nothing need be written. */
      readonly isSame: (other: string) => boolean;
    }
  | { readonly kind: "closed"; readonly lastWord: string };

/** Opens, updates or closes the one own issue. @throws on refusal. https://docs.github.com/en/rest/issues/issues */
export async function keepTrackingIssue(
  place: RepositoryAccess,
  marker: string,
  state: IssueState,
): Promise<void> {
  const github = createGithubClient(place.repository.apiUrl, place.token);
  const here = { owner: place.repository.owner, repo: place.repository.name };
  const [own, ...duplicates] = await findOwn(github, place, marker);
  const request = { repeatable: true };
  const close = async (issue_number: number, state_reason: "completed" | "not_planned") => {
    await github.issues.update({ ...here, issue_number, state: "closed", state_reason, request });
  };
  for (const { number } of duplicates) await close(number, "not_planned");
  if (state.kind === "closed") {
    if (!own) return;
    await github.issues.createComment({ ...here, issue_number: own.number, body: state.lastWord });
    await close(own.number, "completed");
    return;
  }
  const { title, body } = state;
  if (!own) await github.issues.create({ ...here, title, body });
  else if (own.title !== title || !state.isSame(own.body))
    await github.issues.update({ ...here, issue_number: own.number, title, body, request });
}

interface OwnIssue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
}

const issueSchema = v.object({
  number: v.number(),
  title: v.optional(v.string(), ""),
  body: v.nullish(v.string()),
  user: v.nullish(v.object({ login: v.string() })),
  /** Pull requests are listed as well. */
  pull_request: v.nullish(v.unknown()),
});

async function findOwn(
  github: GithubClient,
  { repository }: RepositoryAccess,
  marker: string,
): Promise<readonly OwnIssue[]> {
  const query = { state: "open", sort: "created", direction: "asc" };
  const route = `GET /repos/${repository.owner}/${repository.name}/issues`;
  const issues = await listPages(github, route, query, issueSchema);
  const marked = issues.filter((issue) => !issue.pull_request && issue.body?.includes(marker));
  // Asked only when there is a candidate: on a quiet day one request is enough.
  if (marked.length === 0) return [];
  const viewer = await readViewer(github, repository);
  return marked
    .filter((issue) => isOwn({ login: issue.user?.login, body: issue.body }, viewer, marker))
    .map(({ number, title, body }) => ({ number, title, body: body ?? "" }));
}

/** Explains a refused issue in a sentence for the person who reads the run. */
export function explainIssueFailure(error: unknown): string {
  const said = errorMessage(error);
  const hint =
    statusOf(error) === 410
      ? "; issues are turned off in this repository's settings"
      : hintAt(error, '; give the workflow "permissions: issues: write"');
  return `the issue that tells what needs a person could not be kept up to date: ${said}${hint}`;
}
