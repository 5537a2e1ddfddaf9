import { createCompiler } from "./compile-templates.ts";
import { type AttentionInput, viewAttention } from "./issue.ts";
import { type PlanCommentInput, viewPlanComment } from "./plan-comment.ts";
import { fitRows } from "./rows.ts";
import { type SetUpInput, viewSetUp } from "./set-up.ts";

const partNames = ["held", "approve", "failures", "notices"] as const;

/** The name of a template of a note, or of a part that notes share with the report. */
export type NoteTemplateName = (typeof partNames)[number] | "plan-comment" | "attention" | "set-up";

/** Renders what is told outside of the report: comments, issues, and what has to be set up. */
export interface NoteRenderer {
  /** The comment on a pull request, cut between rows to fit. */
  renderPlanComment(input: PlanCommentInput): string;
  /** The body of the one issue while something needs a person, cut between rows to fit. */
  renderAttention(input: AttentionInput): string;
  renderSetUp(input: SetUpInput): string;
}

/** GitHub refuses comments and issues of more than 65,536 characters; a character is at least one byte. */
const mostBytes = 60_000;

/** By which own notes are found again; no text from outside can hold them, for its `<` is escaped. */
export const noteMarkers = {
  planComment: "<!-- rollcall:plan -->",
  attention: "<!-- rollcall:attention -->",
} as const;

/** Compiles the templates of the notes. */
export function createNoteRenderer(readTemplate: (name: NoteTemplateName) => string): NoteRenderer {
  const compile = createCompiler(readTemplate, partNames);
  const planComment = compile("plan-comment");
  const attention = compile("attention");
  const setUp = compile("set-up");
  return {
    renderPlanComment: (input) =>
      `${noteMarkers.planComment}\n${fitRows(mostBytes, (rows) => planComment(viewPlanComment(input, rows)))}`,
    renderAttention: (input) =>
      `${noteMarkers.attention}\n${fitRows(mostBytes, (rows) => attention(viewAttention(input, rows)))}`,
    renderSetUp: (input) => setUp(viewSetUp(input)),
  };
}

/** True when two notes say the same: which run wrote them is no news. */
export function isSameNote(one: string, other: string): boolean {
  return withoutRuns(one) === withoutRuns(other);
}

function withoutRuns(note: string): string {
  return note
    .replaceAll("\r\n", "\n")
    .replace(/\/actions\/runs\/\d+/g, "/actions/runs/")
    .trim();
}
