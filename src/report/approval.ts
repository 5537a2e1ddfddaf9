import type { Refusal } from "../membership/approval.ts";
import type { RunStatus } from "../membership/record.ts";
import { codeSpan, joinMarkdown, linkTo, type Markdown, md } from "./markdown.ts";
import { countOf, describeChanges } from "./words.ts";

const refusals: Readonly<Record<Refusal, Markdown>> = {
  "not-allowed": md`Only people who may write to this repository can approve.`,
  closed: md`This issue is closed: nothing in it waits any more. If something waits later, Rollcall opens a new issue.`,
  edited: md`The comment was edited after it was posted. Write a new one.`,
  malformed: md`The comment must be one line: ${codeSpan("/approve")} and the 12 characters that this issue shows, nothing else.`,
};

/** Answers a comment that is not followed. */
export function describeRefusal(why: Refusal): Markdown {
  return md`Nothing was approved. ${refusals[why]}`;
}

/** Answers a comment that could not be checked. */
export function describeUncheckedComment(runUrl: string | null): Markdown {
  return md`Nothing was approved: ${linkRun(md`this run`, runUrl)} could not check the comment. Write it again in a while.`;
}

/** How the run that a comment started has ended; `status` is null for one that did not end by itself. */
export interface ApprovedRun {
  readonly approved: string;
  readonly status: RunStatus | null;
  readonly added: number;
  readonly removed: number;
  readonly held: number;
  readonly failed: number;
  /** Of what is held now; null when nothing is. */
  readonly digest: string | null;
}

/** Answers an approval when the run that it started has ended. */
export function describeApprovedRun(run: ApprovedRun, runUrl: string | null): Markdown {
  const { approved, status, added, removed, held, failed, digest } = run;
  const approval = codeSpan(approved);
  if (status === null)
    return md`⚠️ ${linkRun(md`The run`, runUrl)} that ${approval} started did not come to its end, so it is not known what was applied. The next run of Sync tells what is still held.`;
  const see = runUrl === null ? [] : [md`${linkTo(md`See the run`, runUrl)}.`];
  const changes = describeChanges("sync", added, removed);
  const rest = [
    ...(changes === null ? [] : [md`${changes}.`]),
    ...(failed > 0 ? [md`${countOf(failed, "change")} failed.`] : []),
    ...see,
  ];
  if (status === "failed")
    return joinMarkdown([md`❌ An error stopped the run that ${approval} started.`, ...rest], " ");
  if (digest !== null) {
    const others = md`${countOf(held, "change")} ${held === 1 ? md`is` : md`are`} held`;
    const advice = md`Look at the list again, and approve that code if it is right.`;
    return joinMarkdown(
      [
        md`✋ ${approval} is not the code of what is held now, so none of it was applied.`,
        md`${others} with the code ${codeSpan(digest)}. ${advice}`,
        ...rest,
      ],
      " ",
    );
  }
  const icon = status === "partial" ? md`⚠️` : md`✅`;
  return joinMarkdown([md`${icon} Nothing is held any more.`, ...rest], " ");
}

function linkRun(text: Markdown, runUrl: string | null): Markdown {
  return runUrl === null ? text : linkTo(text, runUrl);
}
