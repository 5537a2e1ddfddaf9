import type { RoomRecord, RunRecord } from "../../src/membership/record.ts";
import type { Scenario } from "./scenario.ts";
import type { Deeds } from "./witness.ts";
import { emailOf, ownerKey, type Snapshot, type World } from "./world.ts";

/** A run in which nothing went wrong and nothing changed, and what it left behind. */
export interface QuietRun {
  readonly record: RunRecord;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly deeds: Deeds;
  readonly code: number;
  /** The held changes were approved, so limits do not bind. */
  readonly isApproved: boolean;
}

/** How the record names somebody in a space: `space person`. */
export type NameOf = (roomId: string, personId: string) => string;

type List = "added" | "removed" | "held" | "kept";

/** The people in one list of a record, as `space person`, sorted. */
export function listOf(record: RunRecord, list: List, nameOf: NameOf): string[] {
  return record.rooms
    .flatMap((room) => room[list].map(({ personId }) => nameOf(room.roomId, personId)))
    .sort();
}

/** What is wrong after a quiet run of sync: every space is as declared, less what is held or kept for a reason. */
export function judgeQuiet(run: QuietRun, world: World, scenario: Scenario, nameOf: NameOf): string[] {
  const { record, before, after, deeds } = run;
  const wrongs: string[] = [];
  const rooms = new Map(record.rooms.map((room) => [world.spaceOf(room.roomId), room]));
  for (const [space, state] of after.entries()) {
    const was = before[space];
    if (!state || !was) continue;
    const room = rooms.get(space);
    const judged = judgeSpace(
      { snapshot: before, space, room, was: was.members, is: state.members, moderators: was.moderators },
      world,
      scenario,
    );
    wrongs.push(...judged.map((wrong) => `space ${space + 1}: ${wrong}`));
  }
  for (const list of ["added", "removed"] as const) {
    const [told, done] = [listOf(record, list, nameOf), [...deeds[list]].sort()];
    if (String(told) !== String(done)) wrongs.push(`the record says ${list}: ${told}; but it was ${done}`);
  }
  const held = record.rooms.flatMap(({ held }) => held).length;
  const heldGrants = record.delegations?.hosts.flatMap((host) => host.held).length ?? 0;
  if (record.totals.held !== held + heldGrants)
    wrongs.push("the total of what is held is not what is listed");
  if ((record.digest === null) !== (record.totals.held === 0))
    wrongs.push("the digest does not go with what is held");
  if (!run.isApproved) wrongs.push(...judgeLimits(deeds, scenario.policy));
  if (run.code === 0 && record.totals.held + record.totals.failed > 0)
    wrongs.push("exit 0, although something is held or failed");
  if (run.code === 1)
    wrongs.push(`exit 1 without any fault: ${record.problems.map(({ message }) => message)}`);
  return [...wrongs, ...judgeGrants(record, world)];
}

interface Space {
  readonly snapshot: Snapshot;
  readonly space: number;
  readonly room: RoomRecord | undefined;
  readonly was: ReadonlySet<string>;
  readonly is: ReadonlySet<string>;
  readonly moderators: ReadonlySet<string>;
}

function judgeSpace(
  { snapshot, space, room, was, is, moderators }: Space,
  world: World,
  scenario: Scenario,
): string[] {
  const rows = world.rowsOf(space);
  const isUntouched = was.size === is.size && [...was].every((key) => is.has(key));
  const isBarred =
    !was.has(ownerKey) || (scenario.spaces[space]?.isModerated === true && !moderators.has(ownerKey));
  if (rows.length === 0 || room === undefined) {
    const isMissed = rows.length > 0 && !world.hasMoved && !isBarred;
    return [
      ...(isUntouched ? [] : ["was changed, although no row leads there"]),
      ...(isMissed ? ["its rows were left alone"] : []),
    ];
  }
  if (room.frozen !== undefined) {
    const isExplained = world.hasMoved || isBarred;
    const hasLost = [...was].some((key) => !is.has(key));
    return [
      ...(isExplained ? [] : [`is frozen for no reason: ${room.frozen}`]),
      ...(hasLost ? ["lost somebody while it was frozen"] : []),
    ];
  }
  const wanted = world.wanted(space);
  const wrongs: string[] = [];
  const [{ mode } = { mode: "sync" }] = rows;
  if (mode === "audit") {
    if (!isUntouched) wrongs.push("was changed, although it is only audited");
    const missing = [...wanted].filter((key) => !was.has(key)).length;
    if (room.missing.length !== missing) wrongs.push("the record does not list who is missing");
  } else {
    const absent = [...wanted].filter((key) => !is.has(key));
    if (absent.length > 0) wrongs.push(`lacks ${absent}`);
  }
  // A row that leads to no space that the owner sees may have been meant for this one.
  const spared = new Set(
    world.rows
      .filter(
        (row) =>
          row.isThere &&
          world.holds(row) &&
          // Where names have changed hands, a row that goes by names may be frozen and mean any space.
          ((world.hasMoved && row.writes === "names") ||
            !(snapshot[world.spaceOfRow(row) ?? -1]?.members.has(ownerKey) ?? false)),
      )
      .flatMap((row) => [...world.peopleOf(row)]),
  );
  const kinds = (key: string) => scenario.people[world.keys.indexOf(key) - 1] ?? "person";
  const byPerson = new Map([...room.kept, ...room.held].map((one) => [one.email, one.reason]));
  for (const key of is) {
    if (wanted.has(key) || spared.has(key)) continue;
    const reason = byPerson.get(emailOf(key));
    const { policy } = scenario;
    const reasons: Readonly<Record<string, boolean>> = {
      self: key === ownerKey,
      "last-moderator": moderators.has(key),
      moderator: moderators.has(key) && policy.moderators,
      bot: kinds(key) === "bot",
      external: kinds(key) === "guest",
      listed: world.protectedAddresses.includes(emailOf(key)),
      "add-only": mode === "add-only",
      audit: mode === "audit",
      "empty-group":
        policy.emptyGroup === "hold" &&
        rows.some((row) => world.holds(row) && world.peopleOf(row).size === 0),
      "removals-per-room":
        room.held.length > Math.max(policy.perRoom, policy.share * new Set([...was, ...wanted]).size),
      "removals-per-run": true,
      "empties-room": [...is].every(
        (other) =>
          other === ownerKey ||
          kinds(other) === "bot" ||
          room.held.some(({ email }) => email === emailOf(other)),
      ),
    };
    if (reason === undefined) wrongs.push(`${key} is still there, and the record gives no reason`);
    else if (reasons[reason] !== true) wrongs.push(`${key} is still there as "${reason}", which is not so`);
  }
  if (room.held.length > 0 && room.removed.length > 0)
    wrongs.push("a part of its removals was held, and a part not");
  return wrongs;
}

function judgeLimits(
  { removed, mostMembers }: Deeds,
  { perRoom, perRun, share }: Scenario["policy"],
): string[] {
  const bySpace = new Map<string, number>();
  for (const name of removed) {
    const [space = ""] = name.split(" ");
    bySpace.set(space, (bySpace.get(space) ?? 0) + 1);
  }
  const limit = (count: number, members: number) => Math.max(count, share * members + 1e-6);
  const wrongs = [...bySpace]
    .filter(([space, count]) => count > limit(perRoom, mostMembers[Number(space)] ?? 0))
    .map(([space, count]) => `${count} were removed from space ${Number(space) + 1}, more than its limit`);
  const all = mostMembers.reduce((sum, most) => sum + most, 0);
  if (removed.length > limit(perRun, all))
    wrongs.push(`${removed.length} were removed, more than the run's limit`);
  return wrongs;
}

/** Webex has every grant that the file lists, and none whose row has expired, unless its revocation is held. */
function judgeGrants({ delegations }: RunRecord, world: World): string[] {
  const delegates = world.delegates();
  return world.grants.flatMap((row) => {
    if (!row.isThere) return [];
    const isGranted = delegates.get(row.host)?.includes(row.delegate) ?? false;
    const isHeld = delegations?.hosts.some(
      ({ host, held }) => host === row.host && held.some((one) => one.delegate === row.delegate),
    );
    if (world.holds(row) && !isGranted)
      return [`${row.delegate} is not a delegate of ${row.host}, as a row says`];
    if (!world.holds(row) && isGranted && !isHeld)
      return [`${row.delegate} is still a delegate of ${row.host}, although the row has expired`];
    return [];
  });
}
