import { type ApiRequest, parameter, Refusal, type Routes } from "../router.ts";
import { cutPage, positive } from "./pages.ts";
import { pageCap, type Quirks } from "./quirks.ts";
import { type Group, keyOf, type World } from "./world.ts";

interface GroupMember {
  readonly id: string;
  readonly type: string;
  readonly displayName: string;
}

const filterPattern = /^displayName (eq|sw) "((?:[^"\\]|\\.)*)"$/;

/** True for the groups that the filter lets through; `displayName` with `eq` or `sw` is all that Webex knows. */
function readFilter(filter: string | null): (group: Group) => boolean {
  if (filter === null) return () => true;
  const match = filterPattern.exec(filter);
  if (match?.[2] === undefined) throw new Refusal(400, "Invalid filter.");
  const name = match[2].replace(/\\(.)/g, "$1");
  return match[1] === "eq" ? (group) => group.name === name : (group) => group.name.startsWith(name);
}

/** `/groups` and their members, paged by `startIndex` and `count`. */
export function groupRoutes(world: World, quirks: Quirks): Routes {
  const missing = new Set(quirks.groupMembersMissing ?? []);

  function showGroup(group: Group) {
    return {
      id: group.id,
      displayName: group.name,
      orgId: world.orgId,
      created: "2026-01-02T03:04:05.678Z",
      lastModified: "2026-01-02T03:04:05.678Z",
      memberSize: group.members.length + group.nested.length,
    };
  }

  function findGroup(request: ApiRequest): Group {
    const key = keyOf(parameter(request, "groupId"), "SCIM_GROUP");
    const group = world.groups.find((candidate) => key?.split(":")[0] === candidate.uuid);
    if (!group) throw new Refusal(404, "Could not find a group with provided ID.");
    return group;
  }

  function membersOf(group: Group): GroupMember[] {
    const people = group.members
      .filter((person) => !missing.has(person.key))
      .map((person) => ({ id: person.id, type: "user", displayName: person.displayName }));
    const nested = group.nested.map((name) => ({
      id: world.group(name).id,
      type: "group",
      displayName: name,
    }));
    return [...people, ...nested].slice(0, quirks.groupMembersCut);
  }

  function listMembers(request: ApiRequest) {
    const group = findGroup(request);
    const count = Math.min(positive(request, "count", 500), pageCap(quirks, "groupMembers"));
    const all = membersOf(group);
    const { items } = cutPage(all, positive(request, "startIndex", 1) - 1, count, quirks);
    if (quirks.groupMembersByPageSize && count < all.length) items.shift();
    const omitted = all.length === 0 && (quirks.membersOmittedWhenEmpty ?? true);
    return { status: 200, body: omitted ? showGroup(group) : { ...showGroup(group), members: items } };
  }

  return {
    "GET /groups": (request) => {
      const groups = world.groups.filter(readFilter(request.url.searchParams.get("filter")));
      const startIndex = positive(request, "startIndex", 1);
      const itemsPerPage = Math.min(positive(request, "count", 100), pageCap(quirks, "groups"));
      const { items } = cutPage(groups, startIndex - 1, itemsPerPage, quirks);
      const totalResults = quirks.groupTotalIsPageCount ? items.length : groups.length;
      return { status: 200, body: { totalResults, startIndex, itemsPerPage, groups: items.map(showGroup) } };
    },
    "GET /groups/{groupId}": (request) => ({ status: 200, body: showGroup(findGroup(request)) }),
    "GET /groups/{groupId}/members": listMembers,
    "GET /groups/{groupId}/Members": listMembers,
  };
}
