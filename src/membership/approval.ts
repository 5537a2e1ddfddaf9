/** What is known of a comment that may be an approval, read after it was posted. */
export interface ApprovalComment {
  readonly login: string;
  readonly isBot: boolean;
  /** What it said when it was posted, and what it says now. */
  readonly posted: string;
  readonly body: string;
  readonly issue: {
    readonly isPullRequest: boolean;
    readonly isOpen: boolean;
    /** Rollcall itself opened it. */
    readonly isOwn: boolean;
    readonly body: string;
  };
  /** What its author may do in the repository: `admin`, `write`, `read` or `none`. */
  readonly permission: string;
}

/** Why a comment that asks for an approval is not followed. */
export type Refusal = "not-allowed" | "closed" | "edited" | "malformed";

export type ApprovalDecision =
  | { readonly kind: "approved"; readonly digest: string; readonly organisation: string }
  | { readonly kind: "refused"; readonly why: Refusal }
  /** Nothing was asked of Rollcall, so it says nothing. */
  | { readonly kind: "ignored"; readonly why: string };

/** True where a comment begins with the word `/approve`, whatever follows. */
export function asksForApproval(body: string): boolean {
  return /^\/approve(?![\w-])/i.test(body);
}

/** The whole comment is the word and one digest, on one line: anything more may mean something else. */
function readDigest(body: string): string | null {
  const [, digest] = /^\/approve[ \t]+([0-9a-f]{12})[ \t]*(?:\r?\n)*$/i.exec(body) ?? [];
  return digest?.toLowerCase() ?? null;
}

/**
 * Decides what a comment means. Strangers learn nothing but that they may not. `findOrganisation` reads the mark of the
 * tracking issue; null where there is none.
 */
export function decideApproval(
  comment: ApprovalComment,
  findOrganisation: (body: string) => string | null,
): ApprovalDecision {
  const { issue, posted, body, isBot, permission } = comment;
  if (!asksForApproval(posted)) return { kind: "ignored", why: "it does not begin with /approve" };
  const organisation = issue.isOwn && !issue.isPullRequest ? findOrganisation(issue.body) : null;
  if (organisation === null)
    return { kind: "ignored", why: "it is not on the tracking issue that Rollcall opened" };
  if (isBot) return { kind: "ignored", why: "a bot wrote it" };
  if (permission !== "admin" && permission !== "write") return { kind: "refused", why: "not-allowed" };
  if (!issue.isOpen) return { kind: "refused", why: "closed" };
  if (body !== posted) return { kind: "refused", why: "edited" };
  const digest = readDigest(body);
  return digest === null ? { kind: "refused", why: "malformed" } : { kind: "approved", digest, organisation };
}
