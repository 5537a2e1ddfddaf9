import type { Context } from "../cli/context.ts";
import type { ReportTarget } from "../config/settings.ts";
import { errorMessage, quoteText, withoutFullStop } from "../lib/text.ts";
import { noNames } from "../membership/names.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { findRoom } from "../membership/resolve.ts";
import { decideMessage, type Told } from "../report/message.ts";
import { findTold } from "../report/owed.ts";
import { createWebexReader } from "../webex/directory.ts";
import { sendMessage } from "../webex/messages.ts";
import { createOwedReports } from "./owed.ts";
import type { Session } from "./session.ts";

/** What became of the message of a run. */
export interface Notification {
  /** What to remember as told; undefined where it stays as it is. */
  readonly told: Told | null | undefined;
  /** Why the space could not be told; null when it was, or there was nothing to say. */
  readonly notice: string | null;
}

/** Who is told, and what they know. */
interface Listener extends Pick<Policy["report"], "tokenWarningDays"> {
  readonly space: string;
  /** What was told last, as the memory has it. */
  readonly told: Told | null;
  /** Where reports are kept. */
  readonly target: ReportTarget;
}

/** Tells the policy's space what is new. Never throws: a message is no part of what the run has to do. */
export async function notify(
  record: RunRecord,
  { space, tokenWarningDays, told, target }: Listener,
  session: Session,
  context: Context,
): Promise<Notification> {
  const { actions, paths } = context;
  const { repositoryUrl, reportBranch, runUrl } = actions;
  const isOnGithub = repositoryUrl !== null && reportBranch !== null;
  const page = `${paths.repository.reports}/README.md`;
  const reportAddress = isOnGithub ? `${repositoryUrl}/blob/${reportBranch}/${page}` : null;
  const decide = (before: Told | null) =>
    decideMessage({ record, space, tokenWarningDays, told: before, reportAddress, runUrl });
  const nothing: Notification = { told: undefined, notice: null };
  if (decide(told) === null) return nothing;
  // A run whose report could not be committed has left what it told with the report that it owes.
  const owed = findTold(await createOwedReports(target, context).find());
  const message = decide(owed === undefined ? told : owed);
  if (message === null) return nothing;
  const fail = (why: string): Notification => ({
    told: undefined,
    notice: `The space ${quoteText(space)} could not be told (report.notify): ${withoutFullStop(why)}. The next run that has something to say tries again.`,
  });
  try {
    const reader = createWebexReader(session.client);
    const [owner, rooms] = await Promise.all([reader.readOwner(), reader.listRooms()]);
    const room = findRoom(space, rooms, { owner, memory: noNames });
    if ("failure" in room) return fail(room.failure);
    await sendMessage(session.client, room.found, message.text);
    return { told: message.told, notice: null };
  } catch (error) {
    const needed = session.scopes !== null && !session.scopes.some((scope) => allowing.has(scope));
    return fail(
      needed ? `${errorMessage(error)}; the Webex login lacks spark:messages_write` : errorMessage(error),
    );
  }
}

const allowing = new Set(["spark:messages_write", "spark:all"]);
