import { identityOf } from "../lib/webex-id.ts";
import type { RoomOutcome } from "./apply.ts";
import type { MembershipReader } from "./directory.ts";
import type { FailedChange } from "./record.ts";

/** Asks who the people are whom nobody could add: only an addition that worked has told it. */
export async function describeFailed(
  outcomes: ReadonlyMap<string, RoomOutcome>,
  reader: Pick<MembershipReader, "lookUpPeople">,
): Promise<ReadonlyMap<string, RoomOutcome>> {
  const unknown = [...outcomes.values()].flatMap(({ failed }) => failed.filter(isUnknown));
  if (unknown.length === 0) return outcomes;
  const { people } = await reader.lookUpPeople([...new Set(unknown.map(({ personId }) => personId))].sort());
  const describe = (change: FailedChange): FailedChange => {
    const known = isUnknown(change) ? people.get(identityOf(change.personId, "PEOPLE")) : undefined;
    if (known === undefined) return change;
    return {
      ...change,
      displayName: known.displayName || change.displayName,
      email: known.emails[0] ?? null,
    };
  };
  const described = [...outcomes].map(([key, outcome]) => {
    return [key, { ...outcome, failed: outcome.failed.map(describe) }] as const;
  });
  return new Map(described);
}

function isUnknown({ action, email }: FailedChange): boolean {
  return action === "add" && email === null;
}
