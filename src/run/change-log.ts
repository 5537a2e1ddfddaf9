import type { Context } from "../cli/context.ts";
import type { DelegationWriter } from "../delegation/backend.ts";
import { quoteText } from "../lib/text.ts";
import type { MembershipWriter } from "../membership/apply.ts";
import { labelOf, type RecordedPerson } from "../membership/record.ts";

/** Logs each change when Webex has made it: whatever becomes of the process then, the log has it. */
export interface ChangeLog {
  watchMemberships(writer: MembershipWriter): MembershipWriter;
  watchDelegates(writer: DelegationWriter): DelegationWriter;
  /** Ends the folded group of a runner. */
  end(): void;
}

/** Opens the log of changes: folded on a runner, elsewhere for those who have asked for details. */
export function createChangeLog({ actions, runner, print, detail }: Context): ChangeLog {
  let unfold: (() => void) | null = null;
  const tell = (change: string) => {
    unfold ??= runner.fold("Changes, as they were made");
    if (actions.isRunner) print(change);
    else detail(change);
  };
  return {
    watchMemberships: (writer) => ({
      async addMember(room, person) {
        const added = await writer.addMember(room, person);
        if (added !== null) tell(`added ${nameOf(added)} to ${quoteText(room.title)}`);
        return added;
      },
      async removeMember(room, member) {
        const isRemoved = await writer.removeMember(room, member);
        if (isRemoved) tell(`removed ${nameOf(member)} from ${quoteText(room.title)}`);
        return isRemoved;
      },
    }),
    watchDelegates: (writer) => ({
      readsFirst: writer.readsFirst,
      changeDelegates: (change, accepted) =>
        writer.changeDelegates(change, (part) => {
          for (const delegate of part.add ?? []) tell(`${delegate} may now schedule for ${change.host}`);
          for (const delegate of part.remove ?? [])
            tell(`${delegate} may no longer schedule for ${change.host}`);
          accepted(part);
        }),
    }),
    end() {
      unfold?.();
      unfold = null;
    },
  };
}

function nameOf(person: RecordedPerson): string {
  const label = labelOf(person);
  return quoteText(person.email === null || label === person.email ? label : `${label} <${person.email}>`);
}
