/** A page that a person has to visit, and what to enter there. */
export interface Page {
  readonly url: string;
  readonly lines: readonly string[];
}

interface TokenKind {
  readonly title: string;
  readonly purpose: string;
  readonly days: number;
  /** By GitHub's names, each with write access. */
  readonly permissions: readonly string[];
}

/** A refresh token is worth its store: the report reminds people to replace it once a year. */
const yearly = 365;

const kinds = {
  "set-up": {
    title: "set-up",
    purpose: "Sets Rollcall up: npm run setup",
    days: 1,
    permissions: [
      "actions",
      "actions_variables",
      "administration",
      "contents",
      "environments",
      "pull_requests",
      "secrets",
    ],
  },
  environments: {
    title: "login store",
    purpose: "Stores the refresh token that Webex sends, in the environment's secret",
    days: yearly,
    permissions: ["environments"],
  },
  secrets: {
    title: "login store",
    purpose: "Stores the refresh token that Webex sends, in the repository's secret",
    days: yearly,
    permissions: ["secrets"],
  },
} as const satisfies Readonly<Record<string, TokenKind>>;

/** GitHub takes no longer name. */
const maxName = 40;

/**
 * The page for a new fine-grained token, with everything filled in that its address can hold: all but the repository.
 * https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens
 */
export function tokenPage(serverUrl: string, fullName: string, kind: keyof typeof kinds): Page {
  const [owner = "", repository = ""] = fullName.split("/");
  const { title, purpose, days, permissions } = kinds[kind];
  const name = `Rollcall ${title} ${repository}`.slice(0, maxName);
  const url = new URL(`${serverUrl}/settings/personal-access-tokens/new`);
  url.search = new URLSearchParams({
    name,
    description: purpose,
    target_name: owner,
    expires_in: String(days),
    ...Object.fromEntries(permissions.map((permission) => [permission, "write"])),
  }).toString();
  return {
    url: url.href,
    lines: [
      `Repository access:  Only select repositories, ${repository}`,
      "Then press Generate token. Should the page come up empty, enter:",
      `Token name:         ${name}`,
      `Resource owner:     ${owner}`,
      `Expiration:         ${days} ${days === 1 ? "day" : "days"}`,
      `Permissions:        ${permissions.map(describePermission).join(", ")}`,
    ],
  };
}

function describePermission(name: string): string {
  const words = name.replace("actions_variables", "variables").replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}: Read and write`;
}
