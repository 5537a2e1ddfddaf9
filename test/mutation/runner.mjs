// Runs the tests of this repository for Stryker: in one process, which loads them once. A process for each mutant would
// take many times as long. Plain JavaScript, because Stryker loads it as it is.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { INSTRUMENTER_CONSTANTS } from "@stryker-mutator/api/core";
import { commonTokens, declareClassPlugin, PluginKind, tokens } from "@stryker-mutator/api/plugin";
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";

const load = (file) => import(pathToFileURL(resolve(file)).href);

/** What the instrumented sources look at and write to. */
globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
const stryker = globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE];

class NodeTestRunner {
  static inject = tokens(commonTokens.options);
  #options;
  #tests = [];

  constructor(options) {
    this.#options = options.nodeTest;
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    stryker.activeMutant = undefined;
    await this.#load();
    const result = await this.#run(this.#tests, false);
    return { ...result, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation, disableBail }) {
    stryker.hitLimit = hitLimit;
    stryker.hitCount = hitLimit === undefined ? undefined : 0;
    // What a module works out while it is loaded is mutated only if the mutant is active by then.
    if (mutantActivation === "static") stryker.activeMutant = activeMutant.id;
    await this.#load();
    stryker.activeMutant = activeMutant.id;
    const wanted =
      testFilter === undefined ? this.#tests : this.#tests.filter(({ id }) => testFilter.includes(id));
    return toMutantRunResult(await this.#run(wanted, !disableBail));
  }

  async #load() {
    if (this.#tests.length > 0) return;
    const { files, scenarios, skipped } = this.#options;
    const { registered } = await load("test/mutation/node-test.mjs");
    const { prepare } = await load("test/simulation/product.js");
    const { onStage } = await load("test/mutation/stage.js");
    await prepare();
    for (const file of files) await load(file);
    const units = registered.splice(0);
    for (const file of scenarios) await load(file);
    const runs = registered.filter(({ name }) => !skipped.includes(name));
    this.#tests = [...units, ...runs.map(({ run, ...of }) => ({ ...of, run: () => onStage(run) }))];
  }

  async #run(wanted, bails) {
    const tests = [];
    for (const test of wanted) {
      const { id, name, run } = test;
      const startedAt = performance.now();
      let failure = null;
      stryker.currentTestId = id;
      try {
        await run({});
      } catch (error) {
        failure = String(error);
        // The next mutant is often near this one, and noticed by the same test.
        if (bails) this.#tests.unshift(...this.#tests.splice(this.#tests.indexOf(test), 1));
      }
      stryker.currentTestId = undefined;
      const limit = determineHitLimitReached(stryker.hitCount, stryker.hitLimit);
      if (limit) return limit;
      const timeSpentMs = performance.now() - startedAt;
      const of = { id, name, timeSpentMs };
      tests.push(
        failure === null
          ? { ...of, status: TestStatus.Success }
          : { ...of, status: TestStatus.Failed, failureMessage: failure },
      );
      if (failure !== null && bails) break;
    }
    return { status: DryRunStatus.Complete, tests };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "node-test", NodeTestRunner)];
export const strykerValidationSchema = { properties: { nodeTest: { type: "object" } } };
