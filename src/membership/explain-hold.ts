import { quoteText } from "../lib/text.ts";
import type { RoomPlan } from "./plan.ts";
import type { RemovalLimit } from "./policy.ts";
import type { HeldReason, Hold } from "./record.ts";

/** What a limit was compared with: the removals of a room or a run, and the members that its share is of. */
export interface Measured {
  readonly planned: number;
  readonly limit: RemovalLimit;
  readonly members: number;
}

/** Says with its numbers why each kind of held change of a room waits, in the order in which it is held. */
export function explainHolds(
  { emptyGroups }: RoomPlan,
  held: readonly { readonly reason: HeldReason; readonly action?: "add" | undefined }[],
  { room, run }: { readonly room: Measured; readonly run: Measured },
): readonly Hold[] {
  const reasons = [...new Set(held.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const changes = held.filter((change) => change.reason === reason);
    const additions = changes.filter(({ action }) => action === "add").length;
    const noun = additions === 0 ? "removal" : additions === changes.length ? "addition" : "change";
    const planned = `${count(changes.length, noun)} planned`;
    const message = ((): string => {
      switch (reason) {
        case "removals-per-room":
          return `${planned}; the limit for this space is ${describeLimit(room, "member")}`;
        case "removals-per-run":
          return `${count(run.planned, "removal")} planned in all spaces together; the limit for one run is ${describeLimit(run, "member")}`;
        case "empty-group":
          return `${planned}; ${nameGroups(emptyGroups)} no members`;
        default:
          return `${planned}; ${causes[reason]}`;
      }
    })();
    return { reason, message };
  });
}

const causes = {
  "empties-room": "nobody but the token's owner and bots would be left",
  "team-general-space": "this is a team's General space, and removal would take them out of the whole team",
  "unverified-record": "the record was changed after Rollcall committed it, or somebody else committed it",
  "unmapped-room": "no row of rooms.csv names this space",
  "moderator-addition": "they would come back as a moderator",
  "revocations-per-run": "the limit of revocations for one run is lower",
} as const;

/** Says with its numbers why revocations wait; the limit's share is of the grants that delegations.csv keeps. */
export function explainRevocations(measured: Measured): string {
  return `${count(measured.planned, "revocation")} planned; the limit for one run is ${describeLimit(measured, "grant")}`;
}

/** "3 (the larger of 3 and 25 % of 10 members)": the most that goes through. */
function describeLimit({ limit, members }: Measured, noun: "member" | "grant"): string {
  const share = Number((limit.share * 100).toFixed(2));
  return `${format(maxOf(limit, members))} (the larger of ${format(limit.count)} and ${share} % of ${count(members, noun)})`;
}

/** The most that a limit lets through; 0.29 * 100 is less than 29 in binary, hence the millionth. */
export function maxOf({ count, share }: RemovalLimit, members: number): number {
  return Math.floor(Math.max(count, share * members + 1e-6));
}

function nameGroups(names: readonly string[]): string {
  const quoted = names.map(quoteText);
  return quoted.length === 1 ? `its group ${quoted[0]} has` : `its groups ${quoted.join(", ")} have`;
}

function count(number: number, noun: string): string {
  return `${format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function format(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}
