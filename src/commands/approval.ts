import * as v from "valibot";
import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import {
  answerComment,
  type CommentEvent,
  reactToComment,
  readApprovalComment,
  readCommentEvent,
} from "../github/approval-comment.ts";
import { errorMessage } from "../lib/text.ts";
import { decideApproval, type Refusal } from "../membership/approval.ts";
import { runStatusSchema } from "../membership/record.ts";
import {
  type ApprovedRun,
  describeApprovedRun,
  describeRefusal,
  describeUncheckedComment,
} from "../report/approval.ts";
import { readMark } from "../report/renderer.ts";

/**
 * Decides about the comment that started the workflow: reacts to it, and sets the outputs `digest` and `organisation`
 * where it is to be followed. With `--outcome` answers it, once the run has ended. Returns the exit code.
 */
export async function runApproval({ outcome }: OptionsOf<"approval">, context: Context): Promise<number> {
  const event = await readCommentEvent(context.actions.eventPath);
  if (outcome === undefined) return await decide(event, context);
  const answer = describeApprovedRun(readOutcome(outcome), context.actions.runUrl);
  context.print(answer);
  await answerComment(context.settings.requireRepository(), event, answer);
  return 0;
}

const reactions = {
  "not-allowed": "-1",
  closed: "confused",
  edited: "confused",
  malformed: "confused",
} as const;

async function decide(event: CommentEvent, context: Context): Promise<number> {
  const { settings, actions, runner, log, print } = context;
  const access = settings.requireRepository();
  runner.mask(access.token);
  /** What is only said must not stop what is done: a locked conversation takes no reaction. */
  const attempt = async (work: Promise<void>) => {
    await work.catch((error: unknown) => {
      log(`the comment could not be answered: ${errorMessage(error)}`);
    });
  };
  const refuse = async (reaction: (typeof reactions)[Refusal], answer: string) => {
    print(answer);
    await attempt(reactToComment(access, event, reaction));
    await attempt(answerComment(access, event, answer));
  };
  try {
    const comment = await readApprovalComment(access, event, actions.appClientId);
    const decision = decideApproval(comment, (body) => readMark("trackingIssue", body));
    if (decision.kind === "ignored") {
      print(`The comment asks nothing of Rollcall: ${decision.why}.`);
    } else if (decision.kind === "refused") {
      await refuse(reactions[decision.why], describeRefusal(decision.why));
    } else {
      print(`The comment approves ${decision.digest}.`);
      await attempt(reactToComment(access, event, "eyes"));
      runner.setOutputs({ digest: decision.digest, organisation: decision.organisation });
    }
    return 0;
  } catch (error) {
    log(`the comment could not be checked: ${errorMessage(error)}`);
    await refuse("confused", describeUncheckedComment(actions.runUrl));
    return 1;
  }
}

const numberSchema = v.optional(
  v.pipe(
    v.string(),
    v.transform((text) => Number(text) || 0),
  ),
  "0",
);

const digestSchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/));

/** What GitHub writes for `toJSON(needs)`; a run that was cut off has left no outputs. */
const outcomeSchema = v.object({
  decide: v.object({ outputs: v.object({ digest: digestSchema }) }),
  sync: v.object({
    outputs: v.object({
      status: v.optional(v.fallback(v.nullable(runStatusSchema), null), null),
      added: numberSchema,
      removed: numberSchema,
      held: numberSchema,
      failed: numberSchema,
      digest: v.optional(v.fallback(v.nullable(digestSchema), null), null),
    }),
  }),
});

function readOutcome(text: string): ApprovedRun {
  const { decide, sync } = v.parse(outcomeSchema, JSON.parse(text));
  return { approved: decide.outputs.digest, ...sync.outputs };
}
