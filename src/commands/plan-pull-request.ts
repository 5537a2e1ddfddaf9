import { type Context, exitCodeOf } from "../cli/context.ts";
import type { Repository, RepositoryAccess } from "../config/actions.ts";
import type { Paths } from "../config/paths.ts";
import type { ReportTarget } from "../config/settings.ts";
import { compareGrants } from "../delegation/compare-grants.ts";
import { type ListedDelegation, parseDelegations } from "../delegation/expiring.ts";
import { createGithubClient, type GithubClient } from "../github/client.ts";
import { type Contents, readContents } from "../github/contents.ts";
import { maxHeadBytes, type PullRequest, readHeadFile, readPullRequest } from "../github/pull-request.ts";
import { writeStickyComment } from "../github/sticky-comment.ts";
import { toDateString } from "../lib/date.ts";
import type { FileProblem, Problem } from "../lib/problem.ts";
import { buildRecord, extendRecord } from "../membership/build-record.ts";
import { compareLastDays, comparePlans, comparePolicies } from "../membership/compare-plans.ts";
import { checkLimits } from "../membership/limits.ts";
import { endMappings, type Mapping, parseMappings } from "../membership/mapping.ts";
import { type Observation, observe } from "../membership/observe.ts";
import { planChanges } from "../membership/plan.ts";
import { type Policy, parsePolicy } from "../membership/policy.ts";
import { findIdleProtections } from "../membership/protection.ts";
import type { RunRecord } from "../membership/record.ts";
import { createRenderer, isSameNote, markNote } from "../report/renderer.ts";
import { InputError } from "../run/inputs.ts";
import type { DelegationsOutcome } from "../run/keep-delegations.ts";
import { runMembership } from "../run/membership.ts";
import { type Memory, readMemory } from "../run/memory.ts";
import type { LoadedDelegations, LoadedTask, MembershipTask } from "../run/reconcile.ts";

interface Findings {
  readonly access: RepositoryAccess;
  pull: PullRequest | null;
  proposal: Proposal | null;
  /** What a sync would do without the pull request; null when the default branch's own files have faults. */
  present: RunRecord | null;
  /** What becomes of the delegations with the pull request and without it; null where nothing is kept. */
  grants: { readonly proposed: DelegationsOutcome | null; readonly present: DelegationsOutcome | null };
}

const noGrants = { proposed: null, present: null };

/**
 * Plans what a pull request proposes and writes the plan as one comment on it. Returns the exit code.
 * The code is the default branch's: of the pull request only the mappings and the policy are read, as data.
 */
export async function runPullRequestPlan(number: number, context: Context): Promise<number> {
  const { settings, runner } = context;
  const access = settings.requireRepository();
  runner.mask(access.token);
  const findings: Findings = { access, pull: null, proposal: null, present: null, grants: noGrants };
  const { status } = await runMembership(createTask(number, findings, context), context);
  return exitCodeOf(status, true);
}

function createTask(number: number, findings: Findings, context: Context): MembershipTask {
  const { paths, log, count, now } = context;
  const { repository, token } = findings.access;
  return {
    command: "plan",
    approval: null,
    async note(record) {
      const { pull } = findings;
      // Without the pull request there is nothing to write a comment on; the record says why.
      if (pull === null) return;
      const body = renderComment(record, pull, findings, context);
      const isSame = (other: string) => isSameNote(body, other);
      const comment = {
        number: pull.number,
        marker: markNote("planComment", record.organisation),
        body,
        isSame,
      };
      const change = await writeStickyComment(findings.access, comment);
      log(`The comment on pull request ${pull.number}: ${change}`);
    },
    async load() {
      const github = createGithubClient(repository.apiUrl, token);
      const pull = await readPullRequest(github, repository, number);
      findings.pull = pull;
      const proposal = await readProposal(github, repository, pull, paths);
      findings.proposal = proposal;
      const { head, base } = proposal;
      if (head.policy === null || head.problems.length > 0) throw new InputError(head.problems);
      const { policy } = head;
      const today = toDateString(now());
      let memory: Promise<Memory> | null = null;
      const recall = (target: ReportTarget) => {
        memory ??= readMemory(target, context);
        return memory;
      };
      const proposed = endMappings(head.mappings, today);
      const present = endMappings(base.mappings, today);
      const decide: LoadedTask["decide"] = async (reader, target) => {
        const memory = await recall(target);
        // One observation for both: what differs between the two plans is due to the pull request alone.
        const sides = [proposed.mappings, present.mappings] as const;
        const [observed, beside] = await observe(reader, sides, { log, count, memory: memory.names });
        const findIdle = (of: Policy) => findIdleProtections(reader, of, observed);
        if (base.policy !== null && base.problems.length === 0)
          findings.present = recordPlan(beside, base.policy, await findIdle(base.policy), now());
        const notices = [...memory.notices, ...explainBase(proposal, pull), ...proposed.notices];
        const plan = planChanges(observed, policy);
        const problems = [...plan.problems, ...(await findIdle(policy))];
        return { ...plan, problems, names: observed.names, ownerKey: observed.owner.key, notices };
      };
      // Read once: the names and the delegations are in the same file.
      return { policy, rows: [], delegations: readGrants(proposal, policy, { findings, recall }), decide };
    },
  };
}

/** What delegations.csv keeps on both sides. */
function readGrants(
  { head, base }: Proposal,
  policy: Policy,
  { findings, recall }: { readonly findings: Findings; readonly recall: LoadedDelegations["recall"] },
): LoadedDelegations {
  const readAgain =
    ({ grants }: Side) =>
    async () => {
      if (grants === null) throw new Error("delegations.csv is not there; nothing is revoked");
      return grants;
    };
  return {
    grants: head.grants ?? [],
    recall,
    readAgain: readAgain(head),
    beside: {
      policy: base.policy ?? policy,
      grants: base.grants ?? [],
      readAgain: readAgain(base),
      compare(proposed, present) {
        findings.grants = { proposed, present: base.problems.length === 0 ? present : null };
      },
    },
  };
}

function recordPlan(
  observation: Observation,
  policy: Policy,
  more: readonly Problem[],
  now: Date,
): RunRecord {
  const { rooms, problems } = planChanges(observation, policy);
  const facts = {
    command: "plan",
    startedAt: now,
    finishedAt: now,
    problems: [...problems, ...more],
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
  pull: PullRequest,
  { access, proposal, present: rooms, grants }: Findings,
  { actions, paths }: Context,
): string {
  const { owner, name, serverUrl } = access.repository;
  const nothing = { ...record, rooms: [], problems: [] };
  const present = rooms && grants.present ? extendRecord(rooms, grants.present) : rooms;
  // The comment has a table of them.
  const changes = new Set(grants.proposed?.changes);
  const notices = record.notices.filter((notice) => !changes.has(notice));
  const head = pull.headRepository ?? `${owner}/${name}`;
  const [before, after] = [proposal?.base.policy ?? null, proposal?.head.policy ?? null];
  const lastDays = compareLastDays(proposal?.head.mappings ?? [], proposal?.base.mappings ?? []);
  return createRenderer().renderPlanComment({
    record: { ...record, notices },
    effect: record.status === "failed" ? null : comparePlans(record, present ?? nothing, lastDays),
    grants: compareGrants(
      { rows: proposal?.head.grants ?? [], hosts: record.delegations?.hosts ?? [] },
      { rows: proposal?.base.grants ?? [], hosts: grants.present?.delegations?.hosts ?? [] },
    ),
    policyChanges: before && after ? comparePolicies(after, before) : [],
    headSha: pull.headSha,
    // Plain, because GitHub's table view of a CSV has no lines to lead to.
    mappingsAddress: `${serverUrl}/${head}/blob/${pull.headSha}/${paths.mappings}?plain=1`,
    runUrl: actions.runUrl,
  });
}

interface Side {
  readonly mappings: readonly Mapping[];
  /** Null when the policy cannot be read. */
  readonly policy: Policy | null;
  /** The rows of delegations.csv; null where there is no such file. */
  readonly grants: readonly ListedDelegation[] | null;
  readonly problems: readonly FileProblem[];
}

interface Proposal {
  readonly head: Side;
  readonly base: Side;
}

/** Reads both sides through the API: nothing of the pull request is checked out or run. */
async function readProposal(
  github: GithubClient,
  repository: Repository,
  pull: PullRequest,
  paths: Paths,
): Promise<Proposal> {
  const { owner, name: repo } = repository;
  const readHead = (path: string) => readHeadFile(github, repository, pull, path);
  const readBase = (path: string) => readContents(github, { owner, repo, path, ref: pull.defaultBranch });
  const [head, base] = await Promise.all([
    readSide(readHead, paths, { where: "the pull request's head", mayBeNew: false }),
    // A pull request may bring the first rows of another organisation.
    readSide(readBase, paths, { where: pull.defaultBranch, mayBeNew: paths.organisation !== null }),
  ]);
  return { head, base };
}

async function readSide(
  read: (path: string) => Promise<Contents>,
  { mappings, policy, isPolicyNamed, repository: { delegations } }: Paths,
  { where, mayBeNew }: { readonly where: string; readonly mayBeNew: boolean },
): Promise<Side> {
  const [csv, json, rows] = await Promise.all([read(mappings), read(policy), read(delegations)]);
  const problems: FileProblem[] = [];
  const add = (file: string, found: readonly Problem[]) =>
    problems.push(...found.map((problem) => ({ ...problem, file })));

  const reading = csv.kind === "file" ? parseMappings(csv.bytes) : null;
  const isNew = mayBeNew && csv.kind === "missing";
  add(mappings, reading?.problems ?? (isNew ? [] : [explainContents(csv, where)]));
  // A missing policy means the defaults, unless it was named.
  const isStandard = json.kind === "missing" && !isPolicyNamed;
  const text = json.kind === "file" ? json.bytes : isStandard ? "{}" : null;
  const parsed = text === null ? null : parsePolicy(text);
  add(policy, parsed?.problems ?? [explainContents(json, where)]);
  const listed = rows.kind === "file" ? parseDelegations(rows.bytes) : null;
  const isUnreadable = listed === null && rows.kind !== "missing";
  add(delegations, listed?.problems ?? (isUnreadable ? [explainContents(rows, where)] : []));
  return {
    mappings: reading?.mappings ?? [],
    policy: parsed?.policy ?? null,
    grants: listed?.grants ?? null,
    problems,
  };
}

function explainContents(contents: Contents, where: string): Problem {
  const explain = (message: string) => ({ line: null, column: null, message });
  switch (contents.kind) {
    case "too-large": {
      const mebibytes = (contents.size / 1024 / 1024).toFixed(1);
      const max = maxHeadBytes / 1024 / 1024;
      return explain(`the file has ${mebibytes} MiB at ${where}; at most ${max} MiB is read: split it`);
    }
    case "no-file":
      return explain(`it is no file at ${where} but of type "${contents.type}"`);
    default:
      return explain(`there is no such file at ${where}`);
  }
}
