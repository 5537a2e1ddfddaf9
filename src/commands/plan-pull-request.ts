import type { Context, Options } from "../cli/context.ts";
import { readSurroundings, type Surroundings } from "../config/actions.ts";
import { requireGithubPlace } from "../config/settings.ts";
import { createGithubClient } from "../github/client.ts";
import { type PullRequest, readPullRequest } from "../github/pull-request.ts";
import { createRunner } from "../github/runner.ts";
import { writeOwnComment } from "../github/sticky-comment.ts";
import type { GithubPlace } from "../github-place.ts";
import { buildRecord } from "../membership/build-record.ts";
import { comparePlans, comparePolicies } from "../membership/compare-plans.ts";
import type { MembershipReader } from "../membership/directory.ts";
import { checkLimits } from "../membership/limits.ts";
import { type Observation, observeBoth } from "../membership/observe.ts";
import { planChanges } from "../membership/plan.ts";
import type { Policy } from "../membership/policy.ts";
import type { RunRecord } from "../membership/record.ts";
import { messageOf } from "../message-of.ts";
import { createNoteRenderer, isSameNote, noteMarkers } from "../report/notes.ts";
import { InputError, nameMappingsFile } from "../run/inputs.ts";
import { type MembershipTask, runMembership } from "../run/membership.ts";
import { readTemplate } from "../run/publish.ts";
import { exitCodeOf } from "./exit-code.ts";
import { type Proposal, readProposal } from "./proposal.ts";

/** What became known on the way to the plan, as far as the way went. */
interface Findings {
  pull: PullRequest | null;
  proposal: Proposal | null;
  /** What a sync would do without the pull request; null when the default branch's own files are faulty. */
  present: RunRecord | null;
}

/**
 * Plans what a pull request proposes and writes the plan as one comment on it. The code is the default branch's; of
 * the pull request only the mappings and the policy are read, as data. Returns the exit code.
 */
export async function runPullRequestPlan(options: Options, context: Context): Promise<number> {
  const place = requireGithubPlace(context.env);
  const surroundings = readSurroundings(context.env);
  const runner = await createRunner(surroundings);
  runner.mask(place.token);
  const findings: Findings = { pull: null, proposal: null, present: null };
  const record = await runMembership(createTask(place, findings, options, context), options, context);
  const planCode = exitCodeOf(record.status, true);
  // Without the pull request there is nothing to write a comment on; the run has told why.
  if (findings.pull === null) return planCode;
  const { number } = findings.pull;
  const body = renderComment(record, findings, findings.pull, place, surroundings, options);
  const marker = noteMarkers.planComment;
  const isSame = (other: string) => isSameNote(body, other);
  try {
    const change = await writeOwnComment(place, { number, marker, body, isSame });
    context.tell(`The comment on pull request ${number}: ${change}`);
    return planCode;
  } catch (error) {
    const message = messageOf(error);
    context.tell(message);
    runner.warn(message);
    return exitCodeOf("failed", true);
  }
}

function createTask(
  place: GithubPlace,
  findings: Findings,
  options: Options,
  context: Context,
): MembershipTask {
  return {
    command: "plan",
    async load() {
      const github = createGithubClient(place.repository.apiUrl, place.token);
      const pull = await readPullRequest(github, place.repository, Number(options["pull-request"]));
      findings.pull = pull;
      const proposal = await readProposal(github, place.repository, pull, options);
      findings.proposal = proposal;
      const { head, base } = proposal;
      if (head.policy === null || head.problems.length > 0) throw new InputError(head.problems);
      const { policy } = head;
      const decide = async (reader: MembershipReader) => {
        // One observation for both: what differs between the two plans is due to the pull request alone.
        const { first, second } = await observeBoth(reader, head.mappings, base.mappings, context.tell);
        if (base.policy !== null && base.problems.length === 0)
          findings.present = recordPlan(second, base.policy, context.now());
        const notices = explainBase(proposal, pull);
        return { ...planChanges(first, policy), ownerKey: first.owner.key, notices };
      };
      return { policy, grants: [], decide };
    },
  };
}

/** What a sync would do by these mappings. */
function recordPlan(observation: Observation, policy: Policy, now: Date): RunRecord {
  const { rooms, problems } = planChanges(observation, policy);
  const facts = {
    command: "plan",
    startedAt: now,
    finishedAt: now,
    problems,
    notices: [],
    token: null,
  } as const;
  return buildRecord(facts, checkLimits(rooms, policy), null);
}

function explainBase({ base }: Proposal, { defaultBranch }: PullRequest): readonly string[] {
  if (base.problems.length === 0) return [];
  return [
    `The files on ${defaultBranch} have errors themselves, so nothing is synchronised there: everything below counts as this pull request's.`,
  ];
}

function renderComment(
  record: RunRecord,
  { proposal, present }: Findings,
  pull: PullRequest,
  { repository }: GithubPlace,
  { runUrl }: Surroundings,
  options: Options,
): string {
  const nothing = { ...record, rooms: [], problems: [] };
  const head = pull.headRepository ?? `${repository.owner}/${repository.name}`;
  const [before, after] = [proposal?.base.policy ?? null, proposal?.head.policy ?? null];
  return createNoteRenderer(readTemplate).renderPlanComment({
    record,
    effect: record.status === "failed" ? null : comparePlans(record, present ?? nothing),
    policyChanges: before && after ? comparePolicies(after, before) : [],
    headSha: pull.headSha,
    // Plain, because GitHub's table view of a CSV has no lines to lead to.
    mappingsAddress: `${repository.serverUrl}/${head}/blob/${pull.headSha}/${nameMappingsFile(options)}?plain=1`,
    runUrl,
  });
}
