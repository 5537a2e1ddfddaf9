import type { OrganisationMeetings, OrganisationSiteUser } from "../organisation.ts";
import { type ApiRequest, bodyField, Refusal, type Reply, type Routes } from "../router.ts";
import type { Tokens } from "./oauth.ts";
import type { Quirks } from "./quirks.ts";
import { lacksScope } from "./scopes.ts";
import type { Person, World } from "./world.ts";

export interface SiteUser {
  readonly person: Person;
  delegates: readonly string[];
  isActive: boolean;
  mayHost: boolean;
}

/** The state of the sandbox's Webex Meetings site, which both of its APIs serve. */
export class Meetings {
  readonly site: string;
  readonly #users = new Map<string, SiteUser>();

  constructor(world: World, name: string, meetings: OrganisationMeetings = {}) {
    this.site = meetings.site ?? `${name}.webex.com`;
    const everybody = [...world.people].filter(
      ({ type, orgId }) => type === "person" && orgId === world.orgId,
    );
    const users: readonly OrganisationSiteUser[] =
      meetings.users ?? everybody.map((person) => ({ person: person.key }));
    for (const { person: key, delegates = [], isActive = true, mayHost = true } of users) {
      const person = world.person(key);
      this.#users.set(person.email.toLowerCase(), { person, delegates, isActive, mayHost });
    }
  }

  /** In the order of their addresses. */
  get users(): SiteUser[] {
    return [...this.#users].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, user]) => user);
  }

  find(address: string): SiteUser | undefined {
    return this.#users.get(address.trim().toLowerCase());
  }

  user(key: string): SiteUser {
    const user = this.users.find((candidate) => candidate.person.key === key);
    if (!user) throw new Error(`nobody on the site has the key "${key}"`);
    return user;
  }
}

const maxDelegates = 20;

const notPermitted = "Not permitted to view or change other user's preferences.";

const options = "/meetingPreferences/schedulingOptions";

function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** `/meetingPreferences/schedulingOptions`: who may schedule meetings for whom. */
export function preferencesRoutes(world: World, meetings: Meetings, tokens: Tokens, quirks: Quirks): Routes {
  /** Whom a request is about: without the administrator's scopes, silently, the caller. */
  function target(request: ApiRequest, scope: string): SiteUser {
    const { searchParams } = request.url;
    const email = searchParams.get("userEmail");
    // Without a site Webex takes the administrator's own, which here is another one.
    if (searchParams.get("siteUrl") !== meetings.site) throw new Refusal(404, "Site not found.");
    const isAdmin = tokens.scopesOf(request.headers.authorization).includes(scope);
    const treatment = quirks.userEmail ?? (isAdmin ? "honoured" : "ignored");
    const isOwn = email === null || sameAddress(email, world.owner.email);
    if (treatment === "refused" && !isOwn) throw new Refusal(403, lacksScope, {}, notPermitted);
    const user = meetings.find(treatment === "ignored" || email === null ? world.owner.email : email);
    if (!user) throw new Refusal(404, "The requested user could not be found on the site.");
    return user;
  }

  function readEmails(request: ApiRequest): string[] {
    const emails = bodyField(request.body, "emails");
    if (!Array.isArray(emails) || emails.length === 0) throw new Refusal(400, "emails cannot be empty");
    return emails.map((email) => {
      if (typeof email !== "string" || !/^[^\s,;@]+@[^\s,;@]+$/.test(email)) {
        throw new Refusal(400, `Invalid email: ${email}`);
      }
      return email;
    });
  }

  function insert(request: ApiRequest): Reply {
    const user = target(request, "meeting:admin_preferences_write");
    const emails = readEmails(request);
    const fresh = emails.filter((email) => !user.delegates.some((one) => sameAddress(one, email)));
    for (const email of fresh) {
      const delegate = meetings.find(email);
      if (!delegate?.mayHost) throw new Refusal(400, `${email} is not a host on this site.`);
    }
    if (user.delegates.length + fresh.length > maxDelegates) throw new Refusal(400, "Too many delegates.");
    if (!quirks.delegatesWithoutEffect) user.delegates = [...user.delegates, ...fresh];
    return { status: 200, body: { emails: quirks.insertEchoes ? emails : user.delegates } };
  }

  function remove(request: ApiRequest): Reply {
    const user = target(request, "meeting:admin_preferences_write");
    const emails = readEmails(request);
    if (!quirks.delegatesWithoutEffect) {
      user.delegates = user.delegates.filter((one) => !emails.some((email) => sameAddress(one, email)));
    }
    return { status: 204 };
  }

  return {
    [`GET ${options}`]: (request) => {
      const { delegates } = target(request, "meeting:admin_preferences_read");
      return {
        status: 200,
        body: {
          enabledJoinBeforeHost: false,
          joinBeforeHostMinutes: 10,
          enabledAutoShareRecording: false,
          enabledWebexAssistantByDefault: false,
          ...(delegates.length > 0 && { delegateEmails: delegates }),
        },
      };
    },
    [`POST ${options}/delegateEmails/insert`]: insert,
    [`POST ${options}/delegateEmails/delete`]: remove,
  };
}
