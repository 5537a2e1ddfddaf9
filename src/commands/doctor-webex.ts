import type { Config } from "../config/settings.ts";
import type { Listing } from "../lib/listing.ts";
import { judgeGroup } from "../membership/diff.ts";
import type { Group, MembershipReader, Owner } from "../membership/directory.ts";
import type { Mapping } from "../membership/mapping.ts";
import type { NameMemory } from "../membership/names.ts";
import { judgeAddresses, readHolders } from "../membership/observe.ts";
import { findPeople, listRowAddresses } from "../membership/person-rows.ts";
import { type DesiredRoom, resolveMappings } from "../membership/resolve.ts";
import type { Check } from "../report/checklist.ts";
import type { Session } from "../run/session.ts";
import type { WebexClient } from "../webex/client.ts";
import { createRestReader, readDelegateEmails } from "../webex/delegation-rest.ts";
import { createWebexReader } from "../webex/directory.ts";
import { check, conclude, type Finding, obtain, ok, skip, wrong } from "./doctor-checks.ts";

const askAdministrator =
  "Make the token's owner an administrator who may see groups (Control Hub, Users, Roles)";

/** Checks the token's owner, and every room and group that the mappings name. */
export async function checkMappings(
  client: WebexClient,
  mappings: readonly Mapping[],
  memory: NameMemory,
): Promise<readonly Check[]> {
  const reader = createWebexReader(client);
  const [who, owner] = await obtain("owner", "Token's owner", "Log in again: npm run login", async () => {
    const found = await reader.readOwner();
    return [ok(found.email === null ? found.displayName : `${found.displayName} <${found.email}>`), found];
  });
  if (owner === null) return [who];
  const [groups, rooms, holders] = await Promise.all([
    reader.listGroups(),
    reader.listRooms(),
    readHolders(reader, listRowAddresses(mappings)),
  ]);
  const beholder = { owner, memory, addresses: judgeAddresses(holders, owner) };
  return [
    who,
    checkListing("groups", "Groups", groups, askAdministrator),
    checkListing("rooms", "Spaces", rooms, "Try again later"),
    ...(await checkDesired(resolveMappings(mappings, groups, rooms, beholder), { reader, owner })),
  ];
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
): Promise<readonly Check[]> {
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
  const ofGroups = [...fed.values()].map((group) =>
    check("group", `Group "${group.displayName}"`, askAdministrator, () => lookAtGroup(group, view)),
  );
  return [...unresolved, ...(await Promise.all([...ofRooms, ...ofGroups]))];
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

async function lookAtGroup(group: Group, { reader }: View): Promise<Finding> {
  const reading = judgeGroup(group, await reader.listGroupMembers(group));
  if (!reading.complete) {
    return wrong(
      `not known to be complete: ${reading.reason}`,
      "Take nested groups out of it, or try again later",
    );
  }
  return ok(`all ${reading.members.size} members read`);
}

/** Checks the Webex Meetings site, and whether the token may change other people's delegates there. */
export async function checkDelegation(
  { client, scopes }: Session,
  { siteUrl }: Config,
): Promise<readonly Check[]> {
  if (siteUrl === null)
    return [skip("site", "Meetings site", "WEBEX_SITE_URL is not set, so delegation is off")];
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
  return [site, rights];
}
