import * as v from "valibot";
import type { Config } from "../config/settings.ts";
import type { Listing } from "../lib/listing.ts";
import { judgeGroup } from "../membership/diff.ts";
import type { Group, GroupListing, MembershipReader, Owner } from "../membership/directory.ts";
import type { Mapping } from "../membership/mapping.ts";
import type { NameMemory } from "../membership/names.ts";
import { judgeAddresses, readHolders } from "../membership/observe.ts";
import { findPeople, listRowAddresses } from "../membership/person-rows.ts";
import { type DesiredRoom, resolveMappings } from "../membership/resolve.ts";
import type { Check } from "../report/checklist.ts";
import type { WebexFacts } from "../report/webex-facts.ts";
import type { Session } from "../run/session.ts";
import type { WebexClient } from "../webex/client.ts";
import { createRestReader, readDelegateEmails } from "../webex/delegation-rest.ts";
import { createWebexReader } from "../webex/directory.ts";
import { WebexError } from "../webex/errors.ts";
import { check, conclude, type Finding, obtain, ok, skip, wrong } from "./doctor-checks.ts";

const askAdministrator =
  "Make the token's owner an administrator who may see groups (Control Hub, Users, Roles)";

/** Checks, and what they settled by the way. */
export interface Findings {
  readonly checks: readonly Check[];
  readonly facts: WebexFacts;
}

/** Checks the token's owner, and every room and group that the mappings name. */
export async function checkMappings(
  client: WebexClient,
  mappings: readonly Mapping[],
  memory: NameMemory,
): Promise<Findings> {
  const reader = createWebexReader(client);
  const [who, owner] = await obtain("owner", "Token's owner", "Log in again: npm run login", async () => {
    const found = await reader.readOwner();
    return [ok(found.email === null ? found.displayName : `${found.displayName} <${found.email}>`), found];
  });
  if (owner === null) return { checks: [who], facts: {} };
  const [groups, rooms, holders] = await Promise.all([
    reader.listGroups(),
    reader.listRooms(),
    readHolders(reader, listRowAddresses(mappings)),
  ]);
  const beholder = { owner, memory, addresses: judgeAddresses(holders, owner) };
  const desired = await checkDesired(resolveMappings(mappings, groups, rooms, beholder), { reader, owner });
  const hasNamesakes = new Set(groups.items.map(({ displayName }) => displayName)).size < groups.items.length;
  return {
    checks: [
      who,
      checkListing("groups", "Groups", groups, askAdministrator),
      checkListing("rooms", "Spaces", rooms, "Try again later"),
      ...desired.checks,
    ],
    facts: { ...(hasNamesakes && { groupNamesRepeat: true }), ...desired.facts },
  };
}

function checkListing(id: string, title: string, listing: Listing<unknown>, remedy: string): Check {
  const count = `${listing.items.length} visible`;
  if (!listing.complete)
    return conclude(id, title, wrong(`${count}, but not all were read: ${listing.reason}`, remedy));
  // Somebody without the right is shown an empty list.
  if (listing.items.length === 0 && id === "groups")
    return conclude(id, title, wrong("none is visible", remedy));
  return conclude(id, title, ok(count));
}

interface View {
  readonly reader: MembershipReader;
  readonly owner: Owner;
}

async function checkDesired(
  { desired, problems }: ReturnType<typeof resolveMappings>,
  view: View,
): Promise<Findings> {
  const unresolved = problems.map(({ line, column, message }): Check => {
    const title = `Mappings, line ${line}${column === null ? "" : `, ${column}`}`;
    const remedy =
      column === "group"
        ? "Correct the name in rooms.csv"
        : "Correct the title, or add the owner to the space";
    return conclude("mapping", title, wrong(message, remedy));
  });
  const fed = new Map(desired.flatMap(({ groups }) => groups.map((group) => [group.key, group] as const)));
  const ofRooms = desired.map((feed) =>
    check("room", `Space "${feed.room.title}"`, "Try again later", () => lookAtRoom(feed, view)),
  );
  const listings: GroupListing[] = [];
  const ofGroups = [...fed.values()].map((group) =>
    check("group", `Group "${group.displayName}"`, askAdministrator, async () => {
      const listing = await view.reader.listGroupMembers(group);
      listings.push(listing);
      return judgeGroupListing(group, listing);
    }),
  );
  const [rooms, groups] = await Promise.all([Promise.all(ofRooms), Promise.all(ofGroups)]);
  return { checks: [...unresolved, ...foldFine(rooms, groups)], facts: readGroupFacts(listings) };
}

/** Nobody reads a thousand lines that say the same: what is fine is counted, what is not has its own line. */
function foldFine(rooms: readonly Check[], groups: readonly Check[]): readonly Check[] {
  const isFine = ({ state }: Check) => state === "ok";
  const counts = [countFine(rooms.filter(isFine), "space"), countFine(groups.filter(isFine), "group")];
  const fine = counts.flatMap((count) => count ?? []).join(" and ");
  return [
    ...(fine === "" ? [] : [conclude("mapped", "In the mappings", ok(`${fine}: fine`))]),
    ...[...rooms, ...groups].filter((one) => !isFine(one)),
  ];
}

function countFine({ length }: readonly unknown[], what: string): string | null {
  return length === 0 ? null : `${length.toLocaleString("en")} ${what}${length === 1 ? "" : "s"}`;
}

function readGroupFacts(listings: readonly GroupListing[]): WebexFacts {
  const whole = listings.filter(({ members }) => members.complete);
  const sizes = whole.flatMap(({ heads, members }) =>
    heads.flatMap(({ memberSize }) => (memberSize === null ? [] : [memberSize === members.items.length])),
  );
  const nests = whole.some(({ members }) => members.items.some(({ type }) => type === "group"));
  return {
    ...(sizes.length > 0 && { memberSizeCounts: sizes.every(Boolean) }),
    ...(nests && { groupsNest: true }),
  };
}

/** Looks at what is open about Webex and costs one request each. */
export async function readFacts(client: WebexClient): Promise<WebexFacts> {
  const [groups, expiry] = await Promise.all([
    client.send({ method: "GET", path: "/groups", query: { startIndex: 1, count: 1 } }).catch(() => null),
    client.send({ method: "GET", path: "/authorizations/tokenExpiry" }).then(
      () => true,
      (error: unknown) => (error instanceof WebexError && error.status === 403 ? false : null),
    ),
  ]);
  const hasMore = v.is(v.object({ totalResults: v.pipe(v.number(), v.minValue(2)) }), groups?.body);
  return {
    ...(groups !== null && hasMore && { groupPagesLinked: groups.link !== null }),
    ...(expiry !== null && { tokenExpiryAnswers: expiry }),
  };
}

async function lookAtRoom({ room, people }: DesiredRoom, { reader, owner }: View): Promise<Finding> {
  const members = await reader.listRoomMembers(room);
  const self = members.items.find((member) => member.key === owner.key);
  const name = owner.email ?? owner.displayName;
  if (!members.complete) {
    return wrong(
      `its members could not be read: ${members.reason}`,
      `Add ${name} to the space, or try again later`,
    );
  }
  if (!self) return wrong("the token's owner is not in it", `Add ${name} to the space`);
  if (room.isModerated && !self.isModerator) {
    return wrong(
      "it is moderated, and the token's owner does not moderate it",
      `Make ${name} a moderator of it`,
    );
  }
  const [fault] = findPeople(people, members.items).faults;
  if (fault) {
    const { line, address } = fault.row;
    return wrong(`line ${line}: "${address}" ${fault.reason}`, "Correct the address in rooms.csv");
  }
  const role = room.isModerated ? "the owner moderates it" : "the owner is in it";
  return ok(`${members.items.length} members, ${role}`);
}

function judgeGroupListing(group: Group, listing: GroupListing): Finding {
  const reading = judgeGroup(group, listing);
  if (!reading.complete) {
    return wrong(
      `not known to be complete: ${reading.reason}`,
      "Take nested groups out of it, or try again later",
    );
  }
  return ok(`all ${reading.members.size} members read`);
}

/** Checks the Webex Meetings site, and whether the token may change other people's delegates there. */
export async function checkDelegation({ client, scopes }: Session, { siteUrl }: Config): Promise<Findings> {
  if (siteUrl === null) {
    const off = skip("site", "Meetings site", "WEBEX_SITE_URL is not set, so delegation is off");
    return { checks: [off], facts: {} };
  }
  const site = await check("site", "Meetings site", "Check WEBEX_SITE_URL", async () => {
    const owner = await createWebexReader(client).readOwner();
    if (owner.email === null)
      return { state: "skipped", detail: "the token's owner has no address to ask with" };
    await readDelegateEmails(client, { userEmail: owner.email, siteUrl });
    return ok(`${siteUrl} answers`);
  });
  const remedy =
    "Let a full administrator of the organisation, who is also administrator of the site, log in: npm run login";
  const rights = await check("delegation", "Delegation rights", remedy, async () => {
    await createRestReader({ client, siteUrl, scopes }).proveAccess(true);
    return ok("the token may read and change delegates");
  });
  return { checks: [site, rights], facts: rights.state === "ok" ? { userEmailCounts: true } : {} };
}
