import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import * as v from "valibot";
import type { Sandbox } from "../../sandbox/server.ts";
import { readTemplateWorkflows, readWorkflows, root } from "./read-workflows.ts";
import { createRemotes, type Remotes } from "./remotes.ts";
import { write, writeNpm, writeStandIns } from "./stand-ins.ts";
import { findTool, runTool } from "./tool.ts";

/** Where act is installed; null where it is not. */
export const act = await findTool("act");

/** How GitHub would start a workflow. */
export interface Trigger {
  readonly workflow: string;
  readonly event:
    | "schedule"
    | "push"
    | "workflow_dispatch"
    | "pull_request"
    | "pull_request_target"
    | "issue_comment";
  /** What the event tells; the inputs of a manual run are `inputs`. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** The repository's variables, beside those of the sandbox; an empty value removes one. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The environment's secrets, likewise. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly actor?: string;
  /** More variables for every step. */
  readonly env?: Readonly<Record<string, string>>;
  /** Only this job; default: all. */
  readonly job?: string;
}

/** What a run of a workflow left behind, beside what is in the sandbox. */
export interface WorkflowEnding {
  readonly succeeded: boolean;
  /** The steps that were run, by name, with how each ended; `if` leaves a step out. */
  readonly steps: Readonly<Record<string, string>>;
  /** All that act and the steps printed. */
  readonly log: string;
}

/** A copy of this repository, or one made from the template, which uses this one as an action. */
export type Form = "copy" | "template";

/** A repository made from this one, whose workflows act runs on this machine. */
export interface ActRepository extends AsyncDisposable {
  readonly remotes: Remotes;
  run(sandbox: Sandbox, trigger: Trigger): Promise<WorkflowEnding>;
}

const secretNames = new Set(["WEBEX_CLIENT_SECRET", "WEBEX_REFRESH_TOKEN", "SECRETS_TOKEN", "GITHUB_TOKEN"]);

/** Makes a repository as a clone would have it, with uncommitted changes, and makes it readable for act. */
export async function createActRepository(form: Form = "copy"): Promise<ActRepository> {
  const base = await mkdtemp(join(tmpdir(), "rollcall-act-"));
  const path = join(base, "repository");
  const home = join(base, "home");
  await mkdir(home);
  const files = await listFiles();
  const own = files.filter((file) => /^(src|mappings|\.github|[^/]+$)/.test(file));
  if (form === "copy") await copyFiles(own, path);
  else await copyFiles(files.filter(isOfTemplate), path, "template");
  await prepareForAct(path, form);
  await runGit(path, home, "init", "-q", "-b", "main");
  await runGit(path, home, "add", "--all");
  await runGit(path, home, "commit", "-q", "-m", "A fresh copy");
  const action = join(base, "action");
  if (form === "template") await copyFiles(own, action);
  const standIns = [
    ...(await writeStandIns(join(base, "stand-ins"))),
    ...["--local-repository", `your-organisation/rollcall@v0=${action}`],
  ];
  const npm = await writeNpm(base);
  const remotes = await createRemotes(base, home);

  return {
    remotes,
    async run(sandbox, trigger) {
      await remotes.serve(sandbox.githubEnvironment().GITHUB_SERVER_URL ?? "");
      // What is on the default branch at this moment: the mappings, and the reports of earlier runs, and no others.
      for (const folder of ["mappings", "reports"])
        await rm(join(path, folder), { recursive: true, force: true });
      for (const [file, text] of sandbox.github.files()) await write(join(path, file), text);
      const branch = trigger.variables?.REPORT_BRANCH;
      // What the stand-in for a check-out of the reports' branch brings.
      if (branch)
        for (const [file, text] of sandbox.github.files(branch))
          await write(join(base, "checkout", file), text);
      await runGit(path, home, "add", "--all");
      await runGit(path, home, "commit", "-q", "--allow-empty", "-m", "What is on GitHub");
      const settings = await writeSettings(base, sandbox, trigger);
      const workflow = `.github/workflows/${trigger.workflow}.yml`;
      const args = [trigger.event, "-W", workflow, "-P", "ubuntu-24.04=-self-hosted", "--json"];
      const job = trigger.job === undefined ? [] : ["--job", trigger.job];
      const own = [
        ...job,
        "--no-cache-server",
        "--container-daemon-socket",
        "-",
        "--actor",
        trigger.actor ?? "ada",
      ];
      const env = {
        // The machine's own variables stay outside: act would hand them all to the steps.
        PATH: [join(base, "bin"), dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(
          delimiter,
        ),
        HOME: home,
        ACT_DISABLE_VERSION_CHECK: "1",
        ...npm,
      };
      return await runAct([...args, ...own, ...settings, ...standIns], path, env);
    },
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

/** act takes the revision from git, and copies only what git does not ignore. */
async function runGit(path: string, home: string, ...args: readonly string[]): Promise<void> {
  const author = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"];
  const { code, stderr } = await runTool("git", [...author, ...args], path, { HOME: home });
  if (code !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
}

const isOfTemplate = (file: string) => file.startsWith("template/");

async function listFiles(): Promise<string[]> {
  const listed = await runTool("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], root);
  return listed.stdout.split("\0").filter(Boolean);
}

/** Copies files of this repository, as seen from one of its folders. */
async function copyFiles(files: readonly string[], path: string, from = ""): Promise<void> {
  // A deleted file may still be in git's index.
  for (const file of files) await cp(join(root, file), join(path, relative(from, file))).catch(ignoreAbsence);
}

/**
 * act 0.2.89 refuses a file with the keys `queue` (nektos/act issue 6095) or `deployment`, so it gets the workflows
 * without these two; rules.test.ts asserts their values. act enforces neither concurrency nor environments anyway.
 * Nothing else is changed.
 */
async function prepareForAct(path: string, form: Form): Promise<void> {
  for (const { path: file, text } of form === "copy"
    ? await readWorkflows()
    : await readTemplateWorkflows()) {
    const known = text.replace(/^ +(queue: max|deployment: false)\n|, (queue: max|deployment: false)/gm, "");
    await write(join(path, relative(form === "copy" ? "" : "template", file)), known);
  }
}

/** Hands over the event, the variables and the secrets as files: nothing of them can be seen in the list of processes. */
async function writeSettings(base: string, sandbox: Sandbox, trigger: Trigger): Promise<string[]> {
  const given = Object.entries(sandbox.githubEnvironment({ WEBEX_ENVIRONMENT: "webex" }));
  const isOfGithub = ([name]: readonly [string, string]) =>
    name.startsWith("GITHUB_") && name !== "GITHUB_TOKEN";
  const secrets = given.filter(([name]) => secretNames.has(name));
  const variables = given.filter((entry) => !secretNames.has(entry[0]) && !isOfGithub(entry));
  const files = {
    eventpath: { repository: { default_branch: "main" }, ...trigger.payload },
    "secret-file": withoutEmpty({ ...Object.fromEntries(secrets), ...trigger.secrets }),
    "var-file": withoutEmpty({ ...Object.fromEntries(variables), ...trigger.variables }),
    "env-file": {
      ...Object.fromEntries(given.filter(isOfGithub)),
      GITHUB_REF: "refs/heads/main",
      GITHUB_TRIGGERING_ACTOR: trigger.actor ?? "ada",
      STAND_IN_CHECKOUT: join(base, "checkout"),
      ...trigger.env,
    },
  };
  for (const [name, value] of Object.entries(files)) {
    // JSON is YAML too, and that act reads without a shell's ideas about quotes and dollars.
    await write(join(base, `${name}.yml`), JSON.stringify(value));
  }
  return Object.keys(files).flatMap((name) => [`--${name}`, join(base, `${name}.yml`)]);
}

async function runAct(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<WorkflowEnding> {
  const child = spawn(act ?? "act", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const lines = log.split("\n").map(parseLine);
  const ended = lines.filter(({ stepResult, stage }) => stepResult !== undefined && stage === "Main");
  return {
    succeeded: code === 0,
    steps: Object.fromEntries(ended.map(({ step = "", stepResult = "" }) => [step, stepResult])),
    log: lines.map(({ msg }) => msg.trimEnd()).join("\n"),
  };
}

const lineSchema = v.object({
  msg: v.string(),
  stage: v.optional(v.string()),
  step: v.optional(v.string()),
  stepResult: v.optional(v.string()),
});

/** A line of act's own log, or what something else printed. */
function parseLine(line: string): v.InferOutput<typeof lineSchema> {
  return line.startsWith("{") ? v.parse(lineSchema, JSON.parse(line)) : { msg: line };
}

function withoutEmpty(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
