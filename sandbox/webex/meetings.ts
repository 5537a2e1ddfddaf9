import type { Person, World } from "./world.ts";

/** A Webex Meetings site with its users; without a list everybody of the organisation is on it, as a host. */
export interface OrganisationMeetings {
  /** Without a scheme. Default: `<organisation>.webex.com`. */
  readonly site?: string;
  readonly users?: readonly OrganisationSiteUser[];
}

/** A user of the site; `delegates` are addresses as Webex spells them. */
export interface OrganisationSiteUser {
  /** The person's key. */
  readonly person: string;
  readonly delegates?: readonly string[];
  /** Default: true. */
  readonly isActive?: boolean;
  /** Default: true; a user who may not host is on the site as an attendee. */
  readonly mayHost?: boolean;
}

/** A user of the site in the sandbox. */
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

  /** The user with that person's key; an error when nobody on the site has it. */
  user(key: string): SiteUser {
    const user = this.users.find((candidate) => candidate.person.key === key);
    if (!user) throw new Error(`nobody on the site has the key "${key}"`);
    return user;
  }
}
