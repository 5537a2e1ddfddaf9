import type { Half } from "../http.ts";
import { Refusal } from "../router.ts";
import { consentOperations, consentRoutes } from "./consent.ts";
import { groupRoutes } from "./groups.ts";
import { type Meetings, preferencesRoutes } from "./meetings.ts";
import { membershipRoutes } from "./memberships.ts";
import { messageRoutes } from "./messages.ts";
import type { Tokens } from "./oauth.ts";
import { peopleRoutes } from "./people.ts";
import type { Quirks } from "./quirks.ts";
import { roomRoutes, teamRoutes } from "./rooms.ts";
import { lacksScope, mayUse } from "./scopes.ts";
import type { World } from "./world.ts";

// Operations without a bearer.
const open = new Set(["POST /access_token", ...consentOperations]);

/** The Webex half of the server: the operations the project may use, and 405 for writes it must never make. */
export function createWebex(world: World, meetings: Meetings | null, tokens: Tokens, quirks: Quirks): Half {
  return {
    name: "webex",
    prefixes: ["/v1"],
    routes: {
      "POST /access_token": (request) => tokens.answer(request),
      ...consentRoutes(world, tokens, tokens.grants),
      ...peopleRoutes(world, meetings, quirks, ({ headers }) =>
        tokens.scopesOf(headers.authorization).includes("spark-admin:people_read"),
      ),
      ...(meetings && preferencesRoutes(world, meetings, tokens, quirks)),
      ...groupRoutes(world, quirks),
      ...roomRoutes(world, quirks),
      ...membershipRoutes(world, quirks),
      ...teamRoutes(world, quirks),
      ...messageRoutes(world),
    },
    authorise(request, route) {
      if (open.has(route)) return;
      const { authorization } = request.headers;
      if (!tokens.accepts(authorization)) {
        throw new Refusal(
          401,
          "The request requires a valid access token set in the Authorization request header.",
        );
      }
      if (!mayUse(route, tokens.scopesOf(authorization))) throw new Refusal(403, lacksScope);
    },
    headers: (trackingId) => ({ trackingid: trackingId }),
    errorBody: ({ message, detail }, trackingId) => ({
      message,
      errors: [{ description: detail }],
      trackingId,
    }),
  };
}
