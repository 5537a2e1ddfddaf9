import type { ReportTarget } from "../../src/config/settings.ts";

interface Place {
  readonly branch?: string;
  /** Whether REPORT_BRANCH names it. Default: no, the run is on it. */
  readonly isNamed?: boolean;
  /** Where GitHub is. */
  readonly url?: string;
  /** Where its pages are. Default: there as well. */
  readonly serverUrl?: string;
}

/** The branch of acme/spaces to which reports are committed. */
export function reportBranch({
  branch = "main",
  isNamed = false,
  url = "https://github.example",
  serverUrl = url,
}: Place = {}): Extract<ReportTarget, { readonly kind: "branch" }> {
  const repository = { owner: "acme", name: "spaces", apiUrl: url, graphqlUrl: `${url}/graphql`, serverUrl };
  return { kind: "branch", branch, isNamed, token: "not-a-token", repository };
}
