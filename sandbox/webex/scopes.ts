/** What a token needs one of, by operation; spark:all stands for every scope of the user. */
const needed: readonly [operations: RegExp, ...scopes: string[]][] = [
  [/^GET \/rooms/, "spark:rooms_read", "spark:all"],
  [/^GET \/memberships/, "spark:memberships_read", "spark:all"],
  [/^\w+ \/memberships/, "spark:memberships_write", "spark:all"],
  [/^POST \/messages/, "spark:messages_write", "spark:all"],
  [/^GET \/teams/, "spark:teams_read", "spark:all"],
  [/^GET \/team\/memberships/, "spark:team_memberships_read", "spark:all"],
  [/^\w+ \/team\/memberships/, "spark:team_memberships_write", "spark:all"],
  [/^GET \/people/, "spark:people_read", "spark-admin:people_read", "spark:all"],
  [/^GET \/groups/, "identity:groups_read", "identity:groups_rw"],
  [/^GET \/meetingPreferences/, "meeting:preferences_read", "meeting:admin_preferences_read", "spark:all"],
  [/^\w+ \/meetingPreferences/, "meeting:preferences_write", "meeting:admin_preferences_write", "spark:all"],
];

/** Whether a token with these scopes may use the operation. https://developer.webex.com/docs/integrations#scopes */
export function mayUse(route: string, scopes: readonly string[]): boolean {
  const entry = needed.find(([operations]) => operations.test(route));
  return entry === undefined || scopes.some((scope) => entry.slice(1).includes(scope));
}

/** What Webex says to a token that lacks a scope, or to somebody who lacks a role. */
export const lacksScope =
  "The server understood the request, but refused to fulfill it because the access token is missing required " +
  "scopes or the user is missing required roles or licenses.";
