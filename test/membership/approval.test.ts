import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApprovalComment, asksForApproval, decideApproval } from "../../src/membership/approval.ts";

const digest = "0123456789ab";

/** Decides about a good comment, with these differences. */
function decide(
  body: string,
  {
    issue,
    ...more
  }: Partial<Omit<ApprovalComment, "issue">> & { issue?: Partial<ApprovalComment["issue"]> } = {},
) {
  const comment = {
    login: "will",
    isBot: false,
    posted: body,
    body,
    permission: "write",
    ...more,
    issue: { isPullRequest: false, isOpen: true, isOwn: true, body: "mark", ...issue },
  };
  return decideApproval(comment, (text) => (text === "mark" ? "" : null));
}

test("the word, one digest and one line are an approval, and nothing else is", () => {
  for (const body of [
    `/approve ${digest}`,
    `/approve\t ${digest} \t`,
    `/approve ${digest}\r\n\n`,
    `/Approve ${digest.toUpperCase()}`,
  ])
    assert.deepEqual(decide(body), { kind: "approved", digest, organisation: "" }, JSON.stringify(body));
  for (const body of [
    "/approve",
    `/approve${digest}`,
    `/approve ${digest}0`,
    `/approve ${digest.slice(1)}`,
    `/approve ${digest}\n.`,
    `/approve\n${digest}`,
    `/approve x${digest}`,
    `/approve ${digest} please`,
  ])
    assert.notEqual(decide(body).kind, "approved", JSON.stringify(body));
});

test("a comment asks when it begins with the word, whatever follows", () => {
  const asking = ["/approve", "/approve\n", "/approve \u202e", "/approve!"];
  const others = [
    "",
    " /approve",
    "/approved",
    "/approve-all",
    "/approve_all",
    "please /approve",
    "x\n/approve",
  ];
  assert.deepEqual(asking.map(asksForApproval), [true, true, true, true]);
  assert.deepEqual([...new Set(others.map(asksForApproval))], [false]);
});

test("what is not for Rollcall is ignored, before anybody is told anything", () => {
  const body = `/approve ${digest}`;
  const permission = "none";
  assert.deepEqual(
    [
      decide("Hello", { permission }),
      decide(body, { permission, issue: { isPullRequest: true } }),
      decide(body, { permission, issue: { isOwn: false } }),
      decide(body, { permission, issue: { body: "something else" } }),
      decide(body, { permission, isBot: true }),
    ],
    [
      { kind: "ignored", why: "it does not begin with /approve" },
      ...Array.from({ length: 3 }, () => ({
        kind: "ignored",
        why: "it is not on the tracking issue that Rollcall opened",
      })),
      { kind: "ignored", why: "a bot wrote it" },
    ],
  );
});

test("only who may write is followed, on an open issue, with an unedited comment", () => {
  const body = `/approve ${digest}`;
  const why = (more: Parameters<typeof decide>[1], text = body) => {
    const decision = decide(text, more);
    return decision.kind === "refused" ? decision.why : decision.kind;
  };
  assert.deepEqual(
    ["admin", "write", "maintain", "read", "none", ""].map((permission) => why({ permission })),
    ["approved", "approved", "not-allowed", "not-allowed", "not-allowed", "not-allowed"],
  );
  assert.equal(why({ issue: { isOpen: false } }), "closed");
  assert.equal(why({ posted: "/approve" }), "edited");
  assert.equal(why({}, "/approve"), "malformed");
  // The first of several reasons; strangers learn only that they may not.
  assert.equal(why({ permission: "read", issue: { isOpen: false }, posted: "/approve" }), "not-allowed");
});
