import type { ApiRequest, Routes } from "../router.ts";
import { parameter, Refusal } from "../router.ts";
import type { Meetings } from "./meetings.ts";
import { answerPage } from "./pages.ts";
import type { Quirks } from "./quirks.ts";
import { beginning, type Person, type World } from "./world.ts";

// https://developer.webex.com/docs/api/v1/people/list-people
const maximumIds = 85;

/** An administrator is told on which sites a person may host, or only attend, and who may log in. */
function showAccount({ email, loginEnabled, invitePending = false }: Person, meetings: Meetings | null) {
  const user = meetings?.find(email);
  const siteUrls = meetings && user ? [user.mayHost ? meetings.site : `${meetings.site}#attendee`] : [];
  return {
    ...(meetings && { siteUrls }),
    loginEnabled: loginEnabled ?? user?.isActive ?? true,
    invitePending,
  };
}

function describePerson(person: Person) {
  return {
    id: person.id,
    emails: [person.email, ...person.moreEmails],
    displayName: person.displayName,
    orgId: person.orgId,
    type: person.type,
    created: beginning,
  };
}

/** Two people may have one address: where one has it as an alias, or for a while after it was given on. */
function bears({ email, moreEmails }: Person, address: string): boolean {
  return [email, ...moreEmails].some((one) => one.toLowerCase() === address.toLowerCase());
}

/** `/people`: who somebody is; an administrator is told more, also about the site. */
export function peopleRoutes(
  world: World,
  meetings: Meetings | null,
  quirks: Quirks,
  isAdministrator: (request: ApiRequest) => boolean,
): Routes {
  const viewFor = (request: ApiRequest) => {
    const isTold = isAdministrator(request);
    return (person: Person) => ({
      ...describePerson(person),
      ...(isTold && person.orgId === world.orgId && showAccount(person, meetings)),
    });
  };
  const unseen = new Set(quirks.unseenPeople ?? []);

  function listByIds(request: ApiRequest, ids: readonly string[]) {
    if (ids.length > maximumIds) throw new Refusal(400, `At most ${maximumIds} ids are allowed.`);
    const people: Person[] = [];
    const notFoundIds: string[] = [];
    for (const id of ids) {
      const person = world.findPerson(id);
      if (person && !unseen.has(person.key)) people.push(person);
      else notFoundIds.push(id);
    }
    const page = answerPage(request, "people", people, quirks, viewFor(request));
    return notFoundIds.length === 0 ? page : { ...page, body: { ...page.body, notFoundIds } };
  }

  return {
    "GET /people": (request) => {
      const query = request.url.searchParams;
      const ids = query.get("id");
      if (ids) return listByIds(request, ids.split(","));
      const email = query.get("email");
      const displayName = query.get("displayName");
      if (!email && !displayName && !(meetings && isAdministrator(request)))
        throw new Refusal(400, "Email or displayName should be specified.");
      // An address finds nobody of another organisation.
      const people = [...world.people].filter(
        (person) =>
          person.orgId === world.orgId &&
          (!email || bears(person, email)) &&
          (!displayName || person.displayName?.startsWith(displayName)) &&
          !unseen.has(person.key),
      );
      return answerPage(request, "people", people, quirks, viewFor(request));
    },
    "GET /people/me": (request) => ({ status: 200, body: viewFor(request)(world.owner) }),
    "GET /people/{personId}": (request) => {
      const person = world.findPerson(parameter(request, "personId"));
      if (!person || unseen.has(person.key)) {
        throw new Refusal(404, "Could not find a person with provided ID.");
      }
      return { status: 200, body: viewFor(request)(person) };
    },
  };
}
