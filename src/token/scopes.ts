/** What the token is wanted for, beside the memberships, which it always is. */
export type Feature = "memberships" | "delegates" | "xml";

/** The features by their names on the command line. */
export const features = ["memberships", "delegates", "xml"] as const satisfies readonly Feature[];

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
  // The last one tells who is on the site, who is active, and who may host.
  delegates: ["meeting:admin_preferences_read", "meeting:admin_preferences_write", "spark-admin:people_read"],
  xml: ["spark:all"],
};

/** Bundles all of a user's own scopes, and is asked for without any of them. */
const bundle = "spark:all";

/** The scopes to ask for, so that the features work. */
export function listScopes(wanted: readonly Feature[]): readonly string[] {
  const scopes = [...new Set(wanted.flatMap((feature) => scopesOf[feature]))];
  return scopes.includes(bundle) ? scopes.filter((scope) => scope === bundle || !isBundled(scope)) : scopes;
}

/** The scopes that the features need and that were not granted. */
export function findMissingScopes(wanted: readonly Feature[], granted: readonly string[]): readonly string[] {
  const hasBundle = granted.includes(bundle);
  return listScopes(wanted).filter((scope) => !granted.includes(scope) && !(hasBundle && isBundled(scope)));
}

function isBundled(scope: string): boolean {
  return scope.startsWith("spark:");
}
