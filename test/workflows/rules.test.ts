import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import {
  holdsSecret,
  isSetUp,
  type Job,
  readJobs,
  readProposeAction,
  readSecretJobs,
  readSetUpAction,
  readTokenJobs,
  readWorkflow,
  readWorkflows,
  type Step,
} from "./read-workflows.ts";

/** The jobs, those with a secret last. */
function sortByToken(jobs: readonly Job[]): readonly Job[] {
  return [...jobs].sort((one, other) => Number(holdsSecret(one)) - Number(holdsSecret(other)));
}

async function readActions() {
  return [await readSetUpAction(), await readProposeAction()];
}

/** Every step of every workflow and of the actions they use, with where it stands. */
async function readSteps(): Promise<readonly { readonly where: string; readonly step: Step }[]> {
  const actions = await readActions();
  return [
    ...(await readJobs()).flatMap(({ where, job }) => job.steps.map((step) => ({ where, step }))),
    ...actions.flatMap(({ path, action }) => action.runs.steps.map((step) => ({ where: path, step }))),
  ];
}

test("the workflows are those that README.md names", async () => {
  const ids = (await readWorkflows()).map(({ id }) => id);
  assert.deepEqual(ids, [
    ...["approve", "check", "delegate", "discover", "doctor", "plan"],
    ...["release", "restore", "sync", "update", "why"],
  ]);
});

test("no script contains an expression, so input reaches it only through the environment", async () => {
  for (const { where, step } of await readSteps()) assert.doesNotMatch(step.run ?? "", /\$\{\{/, where);
});

test("every action is pinned to a commit, with its version beside it", async () => {
  const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;
  for (const { where, step } of await readSteps()) {
    if (step.uses !== undefined && !step.uses.startsWith("./")) assert.match(step.uses, pinned, where);
  }
  for (const { path, text } of [...(await readWorkflows()), ...(await readActions())]) {
    for (const line of text.split("\n").filter((candidate) => candidate.includes("@"))) {
      if (/\buses:/.test(line)) assert.match(line, / # v\d+\.\d+\.\d+$/, path);
    }
  }
});

test("one action has the same commit everywhere", async () => {
  const uses = (await readSteps())
    .flatMap(({ step }) => step.uses ?? [])
    .filter((text) => text.includes("@"));
  const names = [...new Set(uses)].map((text) => text.split("@")[0]);
  assert.deepEqual(names, [...new Set(names)]);
});

test("a checkout leaves no credentials behind for later steps", async () => {
  const checkouts = (await readSteps()).filter(({ step }) => step.uses?.startsWith("actions/checkout@"));
  assert.ok(checkouts.length >= (await readJobs()).length);
  for (const { where, step } of checkouts) assert.equal(step.with["persist-credentials"], false, where);
});

test("a workflow has no permissions, and each job only those it lists, with a reason for each", async () => {
  for (const { path, text, workflow } of await readWorkflows()) {
    assert.deepEqual(workflow.permissions, {}, path);
    const lines = text.split("\n").filter((line) => /^ {6}[a-z-]+: (read|write)\b/.test(line));
    const granted = Object.values(workflow.jobs).flatMap((job) => Object.entries(job.permissions ?? {}));
    assert.equal(lines.length, granted.length, path);
    for (const line of lines) assert.match(line, / # \w.*/, path);
  }
  for (const { where, job } of await readJobs()) assert.ok(job.permissions, where);
});

test("each workflow's permissions are no more than its command needs", async () => {
  const granted = (await readWorkflows()).map(({ id, workflow }) => [
    id,
    // Of several jobs, the one with the token comes last, for it has the most.
    Object.assign({}, ...sortByToken(Object.values(workflow.jobs)).map((job) => job.permissions)),
  ]);
  assert.deepEqual(Object.fromEntries(granted), {
    approve: { contents: "write", issues: "write", actions: "write" },
    check: { contents: "read" },
    delegate: { contents: "write", actions: "read" },
    discover: { contents: "write", "pull-requests": "write", actions: "read" },
    doctor: { contents: "write", actions: "read" },
    plan: { contents: "read", "pull-requests": "write", actions: "read" },
    release: { contents: "write", "id-token": "write", attestations: "write" },
    restore: { contents: "write", actions: "write" },
    sync: { contents: "write", issues: "write", actions: "write" },
    update: { contents: "write", "pull-requests": "write" },
    why: { contents: "read", actions: "read" },
  });
});

test("every workflow that changes something keeps the record, and what it owes, however the run ended", async () => {
  for (const id of ["approve", "delegate", "restore", "sync"]) {
    const { workflow } = await readWorkflow(id);
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    const run = steps.findIndex((step) => step.id === "rollcall");
    assert.match(steps[run]?.run ?? "", /--json rollcall-record\.json/, id);
    const kept = steps.slice(run + 1).filter(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
    assert.deepEqual(
      kept.map((step) => [step.if, step.with.path]),
      [
        ["always()", "rollcall-record.json"],
        ["always()", "rollcall-record.owed.json"],
      ],
      id,
    );
    // By this name src/run/owed.ts looks for it; the jobs of one run must not take each other's.
    assert.match(
      String(kept[1]?.with.name),
      /^rollcall-owed\$\{\{ (\S+) && format\('-\{0\}', \1\) \}\}$/,
      id,
    );
    assert.match(
      String(kept[0]?.with.name),
      /^rollcall-record\$\{\{ (\S+) && format\('-\{0\}', \1\) \}\}-/,
      id,
    );
  }
});

test("Why keeps its answer out of the repository and of the artifacts", async () => {
  const { workflow } = await readWorkflow("why");
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  assert.deepEqual(Object.keys(workflow.on), ["workflow_dispatch"]);
  assert.equal(
    steps.some(({ uses }) => uses?.startsWith("actions/upload-artifact@")),
    false,
  );
  assert.doesNotMatch(steps.find(({ id }) => id === "rollcall")?.run ?? "", /--json/);
});

test("every job has a time limit", async () => {
  for (const { where, job } of await readJobs()) assert.ok((job["timeout-minutes"] ?? 0) > 0, where);
});

/** Where a job takes its organisation from: the same expression everywhere in it. */
function findOrganisation({ steps }: Job): string {
  const { env = {} } = steps.find(({ id }) => id === "rollcall") ?? {};
  return (
    /^\$\{\{ (\S+) \}\}$/.exec(String(env.ROLLCALL_ORGANISATION))?.[1] ?? assert.fail("for no organisation")
  );
}

test("every job that is given a secret is in the environment webex, or in that of its organisation", async () => {
  const jobs = await readSecretJobs();
  assert.equal(jobs.length, 9);
  const withToken = await readTokenJobs();
  for (const { where, job } of jobs.filter((one) => !withToken.some((other) => other.where === one.where)))
    assert.equal(job.environment?.name, "webex", where);
  for (const { where, job } of withToken) {
    const name = findOrganisation(job);
    const environment = `\${{ ${name} && format('webex-{0}', ${name}) || 'webex' }}`;
    assert.equal(job.environment?.name, environment, where);
    const { env = {} } = job.steps.find(({ id }) => id === "rollcall") ?? {};
    const secretPlace = `\${{ ${name} == '' && vars.WEBEX_SECRET_PLACE != 'repository' && 'webex' || '' }}`;
    assert.equal(env.WEBEX_ENVIRONMENT, secretPlace, where);
  }
});

test("of several organisations a workflow works for each in a job of its own, and one that fails stops no other", async () => {
  for (const [id, maxParallel] of [
    ["sync", 10],
    ["plan", 10],
    ["restore", undefined],
  ] as const) {
    const { find, [id]: job } = (await readWorkflow(id)).workflow.jobs;
    assert.equal(holdsSecret(find), false, id);
    assert.equal(find?.environment, undefined, id);
    assert.equal(job?.needs, "find", id);
    const matrix = { organisation: `\${{ fromJSON(needs.find.outputs.organisations) }}` };
    const limits = maxParallel === undefined ? {} : { "fail-fast": false, "max-parallel": maxParallel };
    assert.deepEqual(job?.strategy, { ...limits, matrix }, id);
    assert.match(
      job?.name ?? "",
      /^[A-Z][a-z]+\$\{\{ matrix\.organisation && format\(' \(\{0\}\)', matrix\.organisation\) \}\}$/,
    );
  }
});

test("no secret is defined above the jobs, where every job would get it", async () => {
  for (const { path, workflow } of await readWorkflows()) {
    const { jobs: _, ...rest } = workflow;
    assert.equal(holdsSecret(rest), false, path);
  }
  for (const { where, job } of await readJobs()) {
    const { steps: _, ...rest } = job;
    assert.equal(holdsSecret(rest), false, where);
  }
});

test("all jobs with an organisation's token share one concurrency group, and no running or waiting job is cancelled", async () => {
  for (const { where, job } of await readTokenJobs()) {
    const name = findOrganisation(job);
    const group = `\${{ ${name} && format('webex-token-{0}', ${name}) || 'webex-token' }}`;
    assert.deepEqual(job.concurrency, { group, queue: "max", "cancel-in-progress": false }, where);
  }
  for (const { path, workflow } of await readWorkflows()) {
    if (JSON.stringify(workflow.jobs).includes("secrets.WEBEX_REFRESH_TOKEN"))
      assert.equal(workflow.concurrency, undefined, path);
  }
});

test("packages are installed before any step has a secret, and without install scripts", async () => {
  for (const { where, job } of await readTokenJobs()) {
    const setUp = job.steps.findIndex(isSetUp);
    assert.ok(setUp > 0, where);
    assert.equal(job.steps.slice(0, setUp + 1).some(holdsSecret), false, where);
    // Nothing but what a run needs: development tools are code too.
    assert.deepEqual(job.steps[setUp]?.with, {}, where);
    for (const step of job.steps) assert.doesNotMatch(step.run ?? "", /\bnp[mx] /, where);
  }
  const { action } = await readSetUpAction();
  assert.equal(action.inputs.development?.default, "false");
  assert.equal(action.inputs["node-version"]?.default, "24");
  assert.equal(holdsSecret(action), false);
  const installs = action.runs.steps.flatMap(({ run }) => run?.match(/npm .*/g) ?? []);
  assert.deepEqual(installs, ["npm ci --ignore-scripts", "npm ci --omit=dev --ignore-scripts"]);
});

test("only Rollcall itself and the step that exchanges the App's key get a secret", async () => {
  for (const { where, job } of await readTokenJobs()) {
    // What opens a pull request comes after it, and never gets a secret of Webex.
    const holders = job.steps.filter((step) => holdsSecret(step) && step.id !== "propose");
    assert.deepEqual(
      holders.map(({ id }) => id),
      ["app", "rollcall"],
      where,
    );
    assert.match(holders[0]?.uses ?? "", /^actions\/create-github-app-token@/, where);
    assert.equal(holders[0]?.if, "vars.ROLLCALL_APP_CLIENT_ID != ''", where);
  }
});

test("whatever talks to Webex can be told how many requests at once it may make", async () => {
  for (const { where, job } of await readTokenJobs()) {
    const { env = {} } = job.steps.find(({ id }) => id === "rollcall") ?? {};
    assert.equal(env.WEBEX_MAX_REQUESTS, `\${{ vars.WEBEX_MAX_REQUESTS }}`, where);
  }
});

test("what opens a pull request has a token for that alone, and code of no other repository is run beside it", async () => {
  const token = `\${{ secrets.PULL_REQUEST_TOKEN || github.token }}`;
  for (const id of ["discover", "update"]) {
    const { workflow } = await readWorkflow(id);
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    const step = steps.at(-1);
    assert.deepEqual([step?.uses, step?.with.token], ["./.github/actions/propose", token], id);
    const others = steps.filter((other) => other !== step && holdsSecret(other));
    for (const { run = "", env } of others.filter((other) => other.id === "commit")) {
      assert.equal(env.MAY_CHANGE_WORKFLOWS, `\${{ secrets.PULL_REQUEST_TOKEN != '' }}`, id);
      assert.doesNotMatch(run, /\b(npm|node|npx)\b/, id);
    }
  }
  assert.equal((await readProposeAction()).action.inputs.token?.default, "");
});

test("a step with the token replaces its shell with Node, so that signals reach it", async () => {
  for (const { where, job } of await readJobs()) {
    // What is given nothing has no token, and none to keep.
    const given = job.steps.filter(({ env }) => Object.keys(env).length > 0);
    for (const { run } of given.filter((step) => step.run?.includes("src/main.ts"))) {
      assert.match(
        run?.trim().split("\n").at(-1) ?? "",
        /^exec node --import tsx src\/main\.ts [a-z]+/,
        where,
      );
    }
  }
});

test("the schedule is twice a day, not on the hour", async () => {
  const { workflow } = await readWorkflow("sync");
  const [minute, hours, ...days] = workflow.on.schedule?.[0]?.cron.split(" ") ?? [];
  assert.equal(workflow.on.schedule?.length, 1);
  assert.notEqual(Number(minute) % 5, 0);
  const [first = 0, second = 0] = hours?.split(",").map(Number) ?? [];
  assert.equal(second - first, 12);
  assert.deepEqual(days, ["*", "*", "*"]);
});

test("a push starts Sync when it changes the mappings on the default branch", async () => {
  const { workflow } = await readWorkflow("sync");
  assert.deepEqual(workflow.on.push, { branches: ["main"], paths: ["mappings/**"] });
});

test("the checks have no secret, no environment and no write permission", async () => {
  const { workflow } = await readWorkflow("check");
  assert.deepEqual(Object.keys(workflow.on), ["pull_request"]);
  // Without a filter of paths: a required check of a workflow that does not start would wait for ever.
  assert.equal(workflow.on.pull_request, null);
  assert.equal(holdsSecret(workflow), false);
  const { mappings, changes, suite, code, ...others } = workflow.jobs;
  assert.deepEqual(others, {});
  for (const job of [mappings, changes, suite]) assert.deepEqual(job?.permissions, { contents: "read" });
  assert.deepEqual(code?.permissions, {});
  for (const job of Object.values(workflow.jobs)) assert.equal(job.environment, undefined);
});

test("the suite runs on the oldest Node that package.json promises and on newer ones, when code changes", async () => {
  const { workflow } = await readWorkflow("check");
  const { suite, code, mappings } = workflow.jobs;
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  const { engines }: { engines: { node: string } } = JSON.parse(text);
  assert.deepEqual(suite?.strategy, {
    "fail-fast": false,
    matrix: { "node-version": [engines.node.replace(">=", ""), "22", "24"] },
  });
  assert.equal(suite?.if, "needs.changes.outputs.code == 'true'");
  assert.deepEqual([mappings?.if, mappings?.needs], [undefined, undefined]);
  // The required check: it always reports, under a name without a matrix.
  assert.deepEqual([code?.name, code?.if, code?.needs], ["Code", "always()", ["changes", "suite"]]);
});

test("Plan starts automatically only for branches of this repository, always with the default branch's code", async () => {
  const { workflow, text } = await readWorkflow("plan");
  assert.deepEqual(Object.keys(workflow.on), ["pull_request_target", "workflow_dispatch"]);
  assert.deepEqual(workflow.on.pull_request_target?.paths, ["mappings/**"]);
  const { find, plan } = workflow.jobs;
  // A job is skipped with the one that it needs.
  assert.deepEqual([plan?.needs, plan?.if], ["find", "needs.find.outputs.organisations != '[]'"]);
  assert.equal(
    find?.if,
    "github.event_name == 'workflow_dispatch' || github.event.pull_request.head.repo.full_name == github.repository",
  );
  // Neither the head nor its merge is ever checked out, and nothing else of the event is read.
  for (const step of [find, plan].flatMap((job) => job?.steps ?? [])) assert.equal(step.with.ref, undefined);
  const read = [...text.matchAll(/github\.event\.[\w.]+/g)].map(([name]) => name);
  assert.deepEqual([...new Set(read)].sort(), [
    "github.event.pull_request.head.repo.full_name",
    "github.event.pull_request.number",
  ]);
  assert.doesNotMatch(text, /head_ref|allow-unsafe-pr-checkout|head\.sha/);
});

test("a comment reaches no script and no run name, and the job that reads it has no secret", async () => {
  const { workflow, text } = await readWorkflow("approve");
  assert.deepEqual(workflow.on, { issue_comment: { types: ["created"] } });
  // All of it else is read through the API, by the code that decides.
  const read = [...text.matchAll(/github\.event\.[\w.]+/g)].map(([name]) => name);
  assert.deepEqual(read, [
    "github.event.comment.body",
    "github.event.issue.pull_request",
    "github.event.comment.user.type",
  ]);
  const { decide, sync, answer } = workflow.jobs;
  assert.match(decide?.if ?? "", /github\.event\.comment\.body/);
  for (const job of [decide, answer]) {
    assert.equal(holdsSecret(job), false);
    assert.equal(job?.environment, undefined);
    assert.deepEqual(job?.permissions, { contents: "read", issues: "write" });
  }
  assert.deepEqual([sync?.needs, sync?.if], ["decide", "needs.decide.outputs.digest != ''"]);
  assert.deepEqual(answer?.needs, ["decide", "sync"]);
  assert.doesNotMatch(text, /author_association|\bref:/);
});

test("what Approve runs is Sync, with the digest that was approved and nothing else", async () => {
  const [approve, sync] = await Promise.all([readWorkflow("approve"), readWorkflow("sync")]);
  /** Each takes its organisation from elsewhere. */
  const unify = (job: Job): Job =>
    JSON.parse(JSON.stringify(job).replaceAll(findOrganisation(job), "ORGANISATION"));
  const describeJob = (job: Job | undefined, script: string) => {
    const {
      needs: _,
      if: __,
      outputs: ___,
      strategy: ____,
      name: _____,
      ...rest
    } = unify(job ?? assert.fail());
    // Who commented gets an answer.
    const steps = rest.steps.filter(({ name }) => !name?.startsWith("Name the organisation"));
    const run = steps.find(({ id }) => id === "rollcall") ?? assert.fail();
    const { DRY_RUN: ______, APPROVE: approval, ...env } = run.env;
    assert.match(String(approval), /^\$\{\{ (inputs\.approve|needs\.decide\.outputs\.digest) \}\}$/);
    return { ...rest, steps: steps.map((step) => (step === run ? { ...run, run: script, env } : step)) };
  };
  assert.equal(
    approve.workflow.jobs.sync?.steps.find(({ id }) => id === "rollcall")?.run,
    `exec node --import tsx src/main.ts sync --json rollcall-record.json --approve "$APPROVE"`,
  );
  assert.deepEqual(
    describeJob(approve.workflow.jobs.sync, "sync"),
    describeJob(sync.workflow.jobs.sync, "sync"),
  );
});

test("only Plan starts on pull_request_target", async () => {
  for (const { id, workflow } of await readWorkflows()) {
    assert.equal("pull_request_target" in workflow.on, id === "plan", id);
  }
});

test("run names contain nothing that people typed", async () => {
  for (const { id, workflow } of await readWorkflows()) {
    const read = [...workflow["run-name"].matchAll(/(?:inputs|github)\.[\w.-]+/g)].map(([name]) => name);
    const harmless =
      /^(inputs\.(dry_run|approve|mode|pull-request|leaving)|github\.event\.pull_request\.number)$/;
    for (const name of read) assert.match(name, harmless, id);
  }
  // The digest itself is not shown, only that there was one.
  assert.doesNotMatch((await readWorkflow("sync")).workflow["run-name"], /inputs\.approve (?!&&)/);
});
