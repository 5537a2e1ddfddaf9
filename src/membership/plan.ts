import type { Problem } from "../lib/problem.ts";
import { compareStrings } from "../lib/text.ts";
import type { RoomDiff } from "./diff.ts";
import type { KnownPerson, Owner, PersonKind, RoomMember } from "./directory.ts";
import type { Observation } from "./observe.ts";
import type { Policy } from "./policy.ts";
import type { KeptReason, RecordedPerson } from "./record.ts";
import type { DesiredRoom } from "./resolve.ts";

/** Somebody to add; `key` is the decoded person id. */
export interface Addition extends RecordedPerson {
  readonly key: string;
  /** Present where they are added with the right to moderate: an undo gives back what a removal took. */
  readonly asModerator?: true;
}

/** Somebody to remove, with the membership that would end. */
export interface Removal extends RecordedPerson {
  readonly key: string;
  readonly membershipId: string;
  readonly wasModerator: boolean;
}

/** What should happen in one room, before any limit is looked at. */
export interface RoomPlan {
  readonly feed: DesiredRoom;
  readonly before: number | null;
  readonly additions: readonly Addition[];
  readonly removals: readonly Removal[];
  readonly kept: readonly (RecordedPerson & { readonly reason: KeptReason })[];
  readonly missing: readonly RecordedPerson[];
  /** Members who stay whatever is removed, without the token's owner and bots: the room's people. */
  readonly stayingCount: number;
  readonly hasEmptyGroup: boolean;
  /** Why the room, or its removals, were left alone; null when the plan is whole. */
  readonly frozen: string | null;
}

/** Decides for every room who is added, who removed and who kept. Pure: the same observation gives the same plan. */
export function planChanges(
  observation: Observation,
  policy: Policy,
): { readonly rooms: readonly RoomPlan[]; readonly problems: readonly Problem[] } {
  const plans = observation.differences.map((difference) => planRoom(difference, observation, policy));
  const problems = [...observation.problems, ...plans.flatMap((plan) => plan.problems)];
  return {
    rooms: plans
      .map(({ problems: _, ...plan }) => plan)
      .sort((a, b) => firstLine(a.feed) - firstLine(b.feed)),
    problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || compareStrings(a.message, b.message)),
  };
}

function planRoom(
  difference: RoomDiff,
  { owner, people }: Observation,
  policy: Policy,
): RoomPlan & { readonly problems: readonly Problem[] } {
  const { feed, obstacle, uncertainties } = difference;
  const isUncertain = uncertainties.length > 0;
  const verdicts = judgeSurplus(difference, owner, people, policy);
  const unclear = verdicts.filter(({ kind, reason }) => kind === null && reason === "bot");
  const removable = verdicts.filter((verdict) => verdict.reason === null);
  // Where nobody is removed for want of certainty, nobody was looked up either: what they are is no reason then.
  const kept = verdicts.flatMap((verdict) =>
    verdict.reason === null || (isUncertain && unclear.includes(verdict))
      ? []
      : [{ ...describeMember(verdict.member, people), reason: verdict.reason }],
  );
  const absent = difference.absent.map((person) => ({
    key: person.key,
    ...describe(person, people.get(person.key)),
  }));
  const problems: Problem[] = [];
  const log = (message: string) => problems.push({ line: feed.lines[0] ?? null, column: "room", message });
  if (obstacle && obstacle !== feed.obstacle)
    log(`nothing is changed in room "${feed.room.title}": ${obstacle}`);
  if (unclear.length > 0 && !isUncertain) {
    const names = unclear.map(({ member }) => member.displayName).sort();
    log(
      `Webex does not say whether these members of room "${feed.room.title}" are people, so they stay: ${names.join(", ")}`,
    );
  }
  return {
    feed,
    before: difference.before,
    additions: feed.mode === "audit" ? [] : sortPeople(absent),
    removals: isUncertain
      ? []
      : sortPeople(
          removable.map(({ member }) => ({
            key: member.key,
            ...describeMember(member, people),
            membershipId: member.membershipId,
            wasModerator: member.isModerator,
          })),
        ),
    kept: sortPeople(kept),
    missing: feed.mode === "audit" ? sortPeople(absent.map(({ key: _, ...person }) => person)) : [],
    stayingCount:
      difference.presentCount + verdicts.filter((verdict) => staysAsPerson(verdict, owner)).length,
    hasEmptyGroup: difference.hasEmptyGroup,
    frozen: obstacle ?? (isUncertain ? `not surely known: ${uncertainties.join(", ")}` : null),
    problems,
  };
}

interface Verdict {
  readonly member: RoomMember;
  /** Why the member stays; null when nothing protects them. */
  readonly reason: KeptReason | null;
  /** Null when nobody said what the member is; whoever is not known to be a person stays. */
  readonly kind: PersonKind | null;
}

function staysAsPerson({ member, reason, kind }: Verdict, owner: Owner): boolean {
  return reason !== null && member.key !== owner.key && (kind === "person" || kind === "guest");
}

function judgeSurplus(
  { feed, surplus, moderatorCount }: RoomDiff,
  owner: Owner,
  people: ReadonlyMap<string, KnownPerson>,
  policy: Policy,
): readonly Verdict[] {
  const verdicts = surplus.map((member): Verdict => {
    const kind = member.kind ?? people.get(member.key)?.kind ?? null;
    return { member, reason: protect(member, kind), kind };
  });
  // With `protect.moderators` off several moderators might go at once; if no other would be left, all of them stay.
  const going = verdicts.filter(({ member, reason }) => reason === null && member.isModerator);
  if (going.length === 0 || going.length < moderatorCount) return verdicts;
  return verdicts.map((verdict) =>
    going.includes(verdict) ? { ...verdict, reason: "last-moderator" } : verdict,
  );

  function protect(member: RoomMember, kind: PersonKind | null): KeptReason | null {
    if (member.key === owner.key) return "self";
    if (member.isModerator && moderatorCount === 1) return "last-moderator";
    if (member.isModerator && policy.protect.moderators) return "moderator";
    if (kind === "bot" && policy.protect.bots) return "bot";
    if (kind === "guest") return "external";
    if (policy.protect.externals && isExternal(member)) return "external";
    if (isListed(member.email) || isListed(people.get(member.key)?.email)) return "listed";
    if (feed.mode !== "sync") return feed.mode;
    return kind === "person" || kind === "bot" ? null : "bot";
  }

  function isListed(email: string | null | undefined): boolean {
    return typeof email === "string" && policy.protect.people.includes(email.toLowerCase());
  }

  /** Somebody of another organisation than the room's, or of none that is known, may be barred from coming back. */
  function isExternal(member: RoomMember): boolean {
    const home = feed.room.orgKey ?? owner.orgKey;
    return home === null || member.orgKey !== home;
  }
}

function describeMember(member: RoomMember, people: ReadonlyMap<string, KnownPerson>): RecordedPerson {
  return describe(member, {
    displayName: member.displayName,
    email: member.email ?? people.get(member.key)?.email ?? null,
  });
}

function describe(
  person: { readonly personId: string; readonly displayName: string },
  known: Pick<KnownPerson, "displayName" | "email"> | undefined,
): RecordedPerson {
  return {
    personId: person.personId,
    displayName: known?.displayName || person.displayName,
    email: known?.email ?? null,
  };
}

/** Rooms are told in the order in which rooms.csv names them. */
function firstLine(feed: DesiredRoom): number {
  return Math.min(...feed.lines, Number.MAX_SAFE_INTEGER); // a room that is restored has no line
}

function sortPeople<T extends RecordedPerson>(people: readonly T[]): readonly T[] {
  return [...people].sort(
    (a, b) =>
      compareStrings(a.displayName ?? "", b.displayName ?? "") || compareStrings(a.personId, b.personId),
  );
}
