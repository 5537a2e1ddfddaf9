export type Feature = "memberships" | "delegates" | "messages" | "xml";

export const features = ["memberships", "delegates", "messages", "xml"] as const satisfies readonly Feature[];

/** https://developer.webex.com/docs/integrations#scopes */
const scopesOf: Readonly<Record<Feature, readonly string[]>> = {
  memberships: [
    "spark:rooms_read",
    "spark:memberships_read",
    "spark:memberships_write",
    "spark:team_memberships_write",
    "spark:people_read",
    "identity:groups_read",
  ],
  // The last scope tells who is on the site, who is active, and who may host.
  delegates: ["meeting:admin_preferences_read", "meeting:admin_preferences_write", "spark-admin:people_read"],
  messages: ["spark:messages_write"],
  xml: ["spark:all"],
};

/** Includes all other scopes of a user, which are then left out of the request. */
const bundle = "spark:all";

/** What decides which features a set-up uses: its Meetings site, and what the policy wants told and how. */
export interface FeatureNeeds {
  readonly siteUrl: string | null;
  readonly policy: {
    readonly report: { readonly notify: string | null };
    readonly delegation: { readonly backend: "rest" | "xml" };
  };
}

/** Lists the features that a set-up uses. */
export function findFeatures({ siteUrl, policy }: FeatureNeeds): readonly Feature[] {
  const delegates =
    policy.delegation.backend === "xml" ? (["delegates", "xml"] as const) : ["delegates" as const];
  return [
    "memberships",
    ...(siteUrl === null ? [] : delegates),
    ...(policy.report.notify === null ? [] : (["messages"] as const)),
  ];
}

/** Lists the scopes to ask for, so that the features work. */
export function listScopes(wanted: readonly Feature[]): readonly string[] {
  const scopes = [...new Set(wanted.flatMap((feature) => scopesOf[feature]))];
  return scopes.includes(bundle) ? scopes.filter((scope) => scope === bundle || !isBundled(scope)) : scopes;
}

/** Lists the scopes that the features need and that were not granted. */
export function findMissingScopes(wanted: readonly Feature[], granted: readonly string[]): readonly string[] {
  const hasBundle = granted.includes(bundle);
  return listScopes(wanted).filter((scope) => !granted.includes(scope) && !(hasBundle && isBundled(scope)));
}

function isBundled(scope: string): boolean {
  return scope.startsWith("spark:");
}
