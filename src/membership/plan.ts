import { foldAddress } from "../lib/email.ts";
import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { compareStrings } from "../lib/text.ts";
import type { RoomDiff } from "./diff.ts";
import type { KnownPerson, Owner, PersonKind, RoomMember } from "./directory.ts";
import type { Observation } from "./observe.ts";
import type { Policy } from "./policy.ts";
import { type HeldReason, type KeptReason, labelOf, type RecordedPerson, type RoomRecord } from "./record.ts";
import type { DesiredRoom } from "./resolve.ts";

/** Somebody to add; `key` is the decoded person id. */
export interface Addition extends RecordedPerson {
  readonly key: string;
  /** Present where they are added with the right to moderate: an undo gives back what a removal took. */
  readonly asModerator?: true;
}

export interface Removal extends RecordedPerson {
  readonly key: string;
  readonly membershipId: string;
  readonly wasModerator: boolean;
}

export type KeptMember = RoomRecord["kept"][number];

export interface RoomPlan {
  readonly feed: DesiredRoom;
  readonly before: number | null;
  readonly additions: readonly Addition[];
  readonly removals: readonly Removal[];
  readonly kept: readonly KeptMember[];
  readonly missing: readonly RecordedPerson[];
  /** Members who stay whatever is removed, without the token's owner and bots: the room's people. */
  readonly stayingCount: number;
  /** The names of its groups that have no members. */
  readonly emptyGroups: readonly string[];
  /** Present where all that is planned for the room waits for approval, whatever it is. */
  readonly doubt?: HeldReason;
  /** Null when the plan is whole. */
  readonly frozen: string | null;
}

/** Plans a room again, with members that were listed just now. */
export type PlanAgain = (feed: DesiredRoom, members: Listing<RoomMember>) => Promise<RoomPlan>;

/** Decides for every room who is added, who removed and who kept. Pure: the same observation gives the same plan. */
export function planChanges(
  observation: Observation,
  policy: Policy,
): {
  readonly rooms: readonly RoomPlan[];
  readonly problems: readonly Problem[];
  readonly planAgain: PlanAgain;
} {
  const plans = observation.differences.map((difference) => planRoom(difference, observation, policy));
  const problems = [...observation.problems, ...plans.flatMap((plan) => plan.problems)];
  return {
    rooms: plans
      .map(({ problems: _, ...plan }) => plan)
      .sort((a, b) => firstLine(a.feed) - firstLine(b.feed)),
    problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || compareStrings(a.message, b.message)),
    planAgain: (feed, members) =>
      observation.compareAgain(feed, members).then((difference) => planRoom(difference, observation, policy)),
  };
}

function planRoom(
  difference: RoomDiff,
  { owner, people, lookUpFailure }: Observation,
  policy: Policy,
): RoomPlan & { readonly problems: readonly Problem[] } {
  const { feed, obstacle, uncertainties } = difference;
  const isUncertain = uncertainties.length > 0;
  const verdicts = judgeSurplus(difference, owner, people, policy);
  const removals = verdicts.flatMap(({ member, reason }) => {
    const { key, membershipId, isModerator } = member;
    if (isUncertain || reason !== null || membershipId === null) return [];
    return [{ key, ...describeMember(member, people), membershipId, wasModerator: isModerator }];
  });
  const absent = difference.absent.map((person) => ({
    key: person.key,
    ...describe(person, people.get(person.key)),
  }));
  // Where nothing is wanted, nothing is refused.
  const isRefused = !difference.isOpenToOwner && feed.mode !== "audit" && absent.length + removals.length > 0;
  const refusal = isRefused
    ? `it is moderated, and ${owner.email ?? owner.displayName} is not one of its moderators`
    : null;
  const unknown = isUncertain || isRefused ? [] : verdicts.filter(isUnexplained);
  const problems: Problem[] = [];
  const log = (message: string) => problems.push({ line: feed.lines[0] ?? null, column: "room", message });
  if (obstacle && obstacle !== feed.obstacle)
    log(`nothing is changed in space "${feed.room.title}": ${obstacle}`);
  if (refusal)
    log(`nothing is changed in space "${feed.room.title}": ${refusal}; make them a moderator there`);
  if (unknown.length > 0) log(explainUnknown(feed.room.title, unknown, people, lookUpFailure));
  return {
    feed,
    before: difference.before,
    additions: feed.mode === "audit" || isRefused ? [] : sortPeople(absent),
    removals: isRefused ? [] : sortPeople(removals),
    kept: sortPeople(verdicts.flatMap((verdict) => keep(verdict, difference, people))),
    missing: feed.mode === "audit" ? sortPeople(absent.map(({ key: _, ...person }) => person)) : [],
    stayingCount:
      difference.presentCount + verdicts.filter((verdict) => staysAsPerson(verdict, owner)).length,
    emptyGroups: difference.emptyGroups,
    frozen:
      obstacle ?? refusal ?? (isUncertain ? `not known for certain: ${uncertainties.join(", ")}` : null),
    problems,
  };
}

interface Verdict {
  readonly member: RoomMember;
  /** Null when nothing protects the member. */
  readonly reason: KeptReason | null;
  readonly kind: PersonKind | null;
}

function staysAsPerson({ member, reason, kind }: Verdict, owner: Owner): boolean {
  return reason !== null && member.key !== owner.key && (kind === "person" || kind === "guest");
}

/** A type that Rollcall does not know is an answer, too. */
function isUnexplained({ reason, kind }: Verdict): boolean {
  return reason === "unknown" && kind !== "other";
}

/** Where nobody is removed nobody was looked up, so what they are cannot be the reason. */
function keep(
  { member, reason }: Verdict,
  { uncertainties, isUnsteady }: RoomDiff,
  people: Observation["people"],
): readonly KeptMember[] {
  const isOpen = reason === null || reason === "unknown";
  const why = uncertainties.length === 0 || !isOpen ? reason : isUnsteady ? "changed" : null;
  return why === null ? [] : [{ ...describeMember(member, people), reason: why }];
}

function explainUnknown(
  title: string,
  unknown: readonly Verdict[],
  people: Observation["people"],
  failure: string | null,
): string {
  const names = unknown.map(({ member }) => nameWithAddress(describeMember(member, people))).sort();
  const who = `who these members of space "${title}" are, so they stay: ${names.join(", ")}`;
  return failure === null
    ? `Webex does not say ${who}; remove them in Webex by hand, or list their addresses under protect.people in policy.json`
    : `Webex could not be asked ${who} (${failure}); the next run asks again`;
}

function nameWithAddress(person: RecordedPerson): string {
  return person.email && person.displayName ? `${person.displayName} (${person.email})` : labelOf(person);
}

function judgeSurplus(
  { feed, surplus, moderatorCount }: RoomDiff,
  owner: Owner,
  people: ReadonlyMap<string, KnownPerson>,
  policy: Policy,
): readonly Verdict[] {
  const verdicts = surplus.map((member): Verdict => {
    const known = people.get(member.key);
    const kind = known?.kind ?? member.suggestedKind;
    return { member, reason: protect(member, kind) ?? doubt(member, known), kind };
  });
  // With `protect.moderators` off several moderators might go at once; if no other would be left, all of them stay.
  const going = verdicts.filter(({ member, reason }) => reason === null && member.isModerator);
  if (going.length < moderatorCount) return verdicts;
  return verdicts.map((verdict) =>
    going.includes(verdict) ? { ...verdict, reason: "last-moderator" } : verdict,
  );

  function protect(member: RoomMember, kind: PersonKind | null): KeptReason | null {
    if (member.key === owner.key) return "self";
    if (member.isModerator && moderatorCount === 1) return "last-moderator";
    if (member.isModerator && policy.protect.moderators) return "moderator";
    if (kind === "bot" && policy.protect.bots) return "bot";
    if (kind === "device") return "device";
    if (kind === "guest") return "external";
    if (policy.protect.externals && isExternal(member)) return "external";
    if (addressesOf(member).some((address) => policy.protect.people.includes(address))) return "listed";
    return feed.mode === "sync" ? null : feed.mode;
  }

  /** A removal needs the directory's word for what somebody is, and an address where addresses may protect. */
  function doubt(member: RoomMember, known: KnownPerson | undefined): KeptReason | null {
    const isKnown = known?.kind === "person" || known?.kind === "bot";
    const mayBeListed = policy.protect.people.length > 0 && addressesOf(member).length === 0;
    return isKnown && !mayBeListed && member.membershipId !== null ? null : "unknown";
  }

  /** Any address of a person protects that person. */
  function addressesOf({ key, email }: RoomMember): readonly string[] {
    return [...(email === null ? [] : [email]), ...(people.get(key)?.emails ?? [])].map(foldAddress);
  }

  /** Somebody of another organisation than the room's, or of none that is known, may be barred from coming back. */
  function isExternal(member: RoomMember): boolean {
    const home = feed.room.orgKey ?? owner.orgKey;
    return home === null || member.orgKey !== home;
  }
}

function describeMember(member: RoomMember, people: ReadonlyMap<string, KnownPerson>): RecordedPerson {
  return {
    personId: member.personId,
    displayName: member.displayName || people.get(member.key)?.displayName || null,
    email: member.email ?? people.get(member.key)?.emails[0] ?? null,
  };
}

function describe(
  person: { readonly personId: string; readonly displayName: string },
  known: KnownPerson | undefined,
): RecordedPerson {
  return {
    personId: person.personId,
    displayName: known?.displayName || person.displayName || null,
    email: known?.emails[0] ?? null,
  };
}

function firstLine(feed: DesiredRoom): number {
  return Math.min(...feed.lines, Number.MAX_SAFE_INTEGER); // a room that is restored has no line
}

function sortPeople<T extends RecordedPerson>(people: readonly T[]): readonly T[] {
  return [...people].sort(
    (a, b) =>
      compareStrings(a.displayName ?? "", b.displayName ?? "") || compareStrings(a.personId, b.personId),
  );
}
