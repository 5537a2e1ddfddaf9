import { type ApiRequest, parameter, Refusal, type Routes } from "../router.ts";
import { cutPage, positive } from "./pages.ts";
import { pageCap, type Quirks } from "./quirks.ts";
import { beginning, type Group, keyOf, type Person, type World } from "./world.ts";

interface GroupMember {
  readonly id: string;
  readonly type: string;
  readonly displayName: string | null;
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

const machines = new Set(["place", "device"]);

function showMember({ id, type, displayName }: Person): GroupMember {
  return { id, type: machines.has(type) ? "machine" : "user", displayName };
}

// Silently: https://developer.webex.com/docs/api/v1/groups
const maxIncluded = 500;

/** `/groups` and their members, paged by `startIndex` and `count`. */
export function groupRoutes(world: World, quirks: Quirks): Routes {
  const missing = new Set(quirks.groupMembersMissing ?? []);

  function showGroup(group: Group) {
    return {
      id: group.id,
      displayName: group.name,
      orgId: world.orgId,
      created: beginning,
      lastModified: group.lastModified,
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
    const people = group.members.filter((person) => !missing.has(person.key)).map(showMember);
    const nested = group.nested.map(({ id, name }) => ({ id, type: "group", displayName: name }));
    return [...people, ...nested].slice(0, quirks.groupMembersCut);
  }

  function showWhole(request: ApiRequest) {
    if (request.url.searchParams.get("includeMembers") !== "true") return showGroup;
    return (group: Group) => ({ ...showGroup(group), members: membersOf(group).slice(0, maxIncluded) });
  }

  function linkTo(request: ApiRequest, startIndex: number, count: number, total: number) {
    if (!quirks.groupLinks || startIndex > total) return {};
    const next = new URL(request.url);
    next.searchParams.set("startIndex", String(startIndex));
    next.searchParams.set("count", String(count));
    return { headers: { link: `<${next.href}>; rel="next"` } };
  }

  function listMembers(request: ApiRequest) {
    const group = findGroup(request);
    const count = Math.min(positive(request, "count", 500), pageCap(quirks, "groupMembers"));
    const startIndex = positive(request, "startIndex", 1);
    const all = membersOf(group);
    const { items } = cutPage(all, startIndex - 1, count, quirks);
    const link = linkTo(request, startIndex + count, count, all.length);
    if (quirks.groupMembersByPageSize && count < all.length) items.shift();
    const omitted = all.length === 0 && (quirks.membersOmittedWhenEmpty ?? true);
    const body = omitted ? showGroup(group) : { ...showGroup(group), members: items };
    return { status: 200, ...link, body };
  }

  return {
    "GET /groups": (request) => {
      const groups = world.groups.filter(readFilter(request.url.searchParams.get("filter")));
      const startIndex = positive(request, "startIndex", 1);
      const itemsPerPage = Math.min(positive(request, "count", 100), pageCap(quirks, "groups"));
      const { items } = cutPage(groups, startIndex - 1, itemsPerPage, quirks);
      const totalResults = quirks.groupTotalIsPageCount ? items.length : groups.length;
      const link = linkTo(request, startIndex + itemsPerPage, itemsPerPage, groups.length);
      const body = { totalResults, startIndex, itemsPerPage, groups: items.map(showWhole(request)) };
      return { status: 200, ...link, body };
    },
    "GET /groups/{groupId}": (request) => ({ status: 200, body: showWhole(request)(findGroup(request)) }),
    "GET /groups/{groupId}/members": listMembers,
    "GET /groups/{groupId}/Members": listMembers,
  };
}
