/** What a token may do, by the names that GitHub's documentation uses. */
export type Permissions = Readonly<Record<string, "read" | "write">>;

export interface TokenGrant {
  readonly kind: "installation" | "fine-grained";
  readonly login: string;
  readonly permissions: Permissions;
  /** The client id of the GitHub App whose token it is, if it is one's. */
  readonly app?: string;
  /** The answer to what it may not do: GitHub is known to give both. Default: 403. */
  readonly refusedWith?: 403 | 404;
  /** As GitHub's header has it, such as `2026-12-01 05:17:10 UTC`. Default: it does not expire. */
  readonly expires?: string;
  /** May pass the rules of a ruleset. Default: false. */
  readonly mayBypass?: boolean;
  /** Not approved by the organisation yet: a private repository is not seen. Default: false. */
  readonly isPending?: boolean;
}

export const allPermissions: Permissions = {
  actions: "write",
  contents: "write",
  environments: "write",
  issues: "write",
  pull_requests: "write",
  secrets: "write",
  actions_variables: "write",
  administration: "write",
};

/** What the operations take: one permission of each line, for reading as GET does or else for writing. */
const needed: readonly [operations: RegExp, ...anyOf: string[]][] = [
  [/\/actions\/secrets/, "secrets"],
  [/\/environments\/\{environment_name\}\/secrets/, "environments"],
  [/\/environments\/\{environment_name\}\/variables/, "environments"],
  [/\/actions\/variables/, "actions_variables"],
  [/(PUT|POST) .*\/environments\/|PATCH \/repos\/\{owner\}\/\{repo\}$/, "administration"],
  [/\/environments|\/actions/, "actions"],
  [/\/issues/, "issues", "pull_requests"],
  [/\/pulls/, "pull_requests"],
  [/\/(branches|git|contents|commits)/, "contents"],
  [/./, "metadata"],
];

/** The permissions of which an operation takes any, as `contents=write`. */
export function acceptedPermissions(route: string): string[] {
  const [, ...anyOf] = needed.find(([operations]) => operations.test(route)) ?? [];
  const access = route.startsWith("GET ") ? "read" : "write";
  return anyOf.map((name) => `${name}=${access}`);
}

/** Whether a token may use an operation that takes any of these permissions. */
export function isPermitted({ permissions }: TokenGrant, accepted: readonly string[]): boolean {
  return accepted.some((one) => {
    const [name = "", access] = one.split("=");
    const granted = name === "metadata" ? "read" : permissions[name];
    return granted === "write" || granted === access;
  });
}

/** What GitHub says to a token that may not. */
export function refusalFor({ kind }: TokenGrant): string {
  const what = kind === "installation" ? "integration" : "personal access token";
  return `Resource not accessible by ${what}`;
}
