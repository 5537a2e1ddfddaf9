import type { Listing } from "../src/lib/listing.ts";
import { createComparison, type GroupReading } from "../src/membership/diff.ts";
import type { GroupMember, KnownPerson, Owner, Room, RoomMember } from "../src/membership/directory.ts";
import { checkLimits } from "../src/membership/limits.ts";
import { noNames } from "../src/membership/names.ts";
import { planChanges } from "../src/membership/plan.ts";
import { defaultPolicy } from "../src/membership/policy.ts";
import { resolveMappings } from "../src/membership/resolve.ts";
import type { Row } from "./measure.ts";

const owner: Owner = { key: "PEOPLE/owner", email: "owner@x.example", displayName: "Owner", orgKey: "o" };

function personAt(index: number): GroupMember {
  return { key: `PEOPLE/p${index}`, personId: `p${index}`, displayName: `Person ${index}`, type: "user" };
}

function asMember({ key, personId, displayName }: GroupMember, roomId: string): RoomMember {
  const membershipId = `${personId}:${roomId}`;
  const email = `${personId}@x.example`;
  return {
    key,
    personId,
    membershipId,
    displayName,
    email,
    orgKey: "o",
    isModerator: false,
    suggestedKind: null,
  };
}

/** Measures what is decided once everything is read: rows, differences, plan and limits. One member in a hundred is wrong. */
export function measurePlan(rooms: number, membersPerRoom: number): Row {
  const people = Array.from({ length: 50_000 }, (_, index) => personAt(index));
  const at = (index: number) => people[index % people.length] ?? personAt(index);
  const complete = <T>(items: readonly T[]): Listing<T> => ({ complete: true, items });
  const groups = Array.from({ length: rooms }, (_, index) => {
    return { key: `SCIM_GROUP/g${index}`, id: `g${index}`, displayName: `Group ${index}` };
  });
  const allRooms = Array.from({ length: rooms }, (_, index): Room => {
    const id = `r${index}`;
    const title = `Room ${index}`;
    return { key: `ROOM/${id}`, id, title, orgKey: "o", generalOfTeamId: null, isModerated: false };
  });
  const readings = new Map<string, GroupReading>();
  const listings: Listing<RoomMember>[] = [];
  const drift = Math.round(membersPerRoom / 200);
  for (const [index, group] of groups.entries()) {
    const wanted = Array.from({ length: membersPerRoom }, (_, nth) => at(index * 7 + nth));
    readings.set(group.key, {
      group,
      complete: true,
      members: new Map(wanted.map((one) => [one.key, one])),
    });
    const strangers = Array.from({ length: drift }, (_, nth) => at(index * 7 + membersPerRoom + nth));
    const present = [...wanted.slice(drift), ...strangers];
    const self = { ...asMember(at(0), `r${index}`), key: owner.key, personId: "owner" };
    listings.push(complete([self, ...present.map((one) => asMember(one, `r${index}`))]));
  }
  const known: ReadonlyMap<string, KnownPerson> = new Map(
    people.map((one) => [one.key, { displayName: one.displayName, emails: [], kind: "person" }]),
  );
  const mappings = groups.map(({ displayName }, index) => {
    return { group: displayName, room: `Room ${index}`, mode: "sync", line: index + 2 } as const;
  });

  const startedAt = performance.now();
  const beholder = { owner, memory: noNames };
  const resolution = resolveMappings(mappings, complete(groups), complete(allRooms), beholder);
  const comparison = createComparison(resolution, readings, owner);
  for (const [index, room] of allRooms.entries()) comparison.add(room, listings[index] ?? complete([]));
  const found = comparison.conclude();
  const plan = planChanges(
    {
      owner,
      names: resolution.names,
      people: known,
      lookUpFailure: null,
      ...found,
      compareAgain: () => Promise.reject(new Error("a plan looks once")),
    },
    defaultPolicy,
  );
  const checked = checkLimits(plan.rooms, defaultPolicy);
  const ms = performance.now() - startedAt;
  const count = (of: "additions" | "removals") =>
    checked.rooms.reduce((sum, room) => sum + room[of].length, 0);
  return {
    memberships: (rooms * membersPerRoom).toLocaleString("en"),
    "additions and removals planned": (count("additions") + count("removals")).toLocaleString("en"),
    "rows, differences, plan and limits (at most 1,000 ms)": `${ms.toFixed(0)} ms`,
  };
}
