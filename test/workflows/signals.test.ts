import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { startSandbox } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { createFolder } from "../support/run-rollcall.ts";
import { readRootAction, readWorkflow, root, type Step } from "./read-workflows.ts";

/** The scripts that run Rollcall, as the runner writes each to a file and gives it to the shell of a step. */
async function readScripts() {
  const { workflow } = await readWorkflow("sync");
  const { action } = await readRootAction();
  const find = (steps: readonly Step[] = []) => steps.find(({ id }) => id === "rollcall")?.run ?? "";
  return {
    "sync.yml": { script: find(workflow.jobs.sync?.steps), env: { DRY_RUN: "", APPROVE: "" } },
    "the action": {
      script: find(action.runs.steps),
      env: { COMMAND: "sync", ARGUMENTS: "", GITHUB_ACTION_PATH: root },
    },
  };
}

for (const [where, { script, env: inputs }] of Object.entries(await readScripts())) {
  test(`a signal to the step's shell, as the runner sends it, ends a run of ${where} cleanly`, async () => {
    await using sandbox = await startSandbox(
      organisation({ groups: { NOC: ["ann"] }, rooms: { NOC: ["bob"] } }),
    );
    await using folder = await createFolder();
    await folder.write("step.sh", script);
    const env = sandbox.githubEnvironment(inputs);
    const signalled: boolean[] = [];
    let signal = () => false;
    sandbox.fault({
      route: "POST /access_token",
      // The new token is on its way at this moment. Nothing goes wrong with the request itself.
      match: () => signalled.push(signal()) === 0,
    });
    const child = spawn("bash", ["-e", `${folder.path}/step.sh`], {
      // Where src/main.ts is; the mappings there are an empty example.
      cwd: root,
      env: {
        PATH: process.env.PATH,
        NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE,
        HOME: folder.path,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    signal = () => child.kill("SIGINT");
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    child.stdout.resume();
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    assert.deepEqual(signalled, [true]);
    assert.match(told, /^SIGINT/m, "the shell kept the signal to itself");
    assert.equal(code, 1);
    assert.equal(sandbox.github.secret("WEBEX_REFRESH_TOKEN"), sandbox.currentRefreshToken);
  });
}
