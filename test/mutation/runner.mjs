// Runs the unit tests of this repository for Stryker: in one process, which loads them once. A process for each mutant
// would take many times as long. Plain JavaScript, because Stryker loads it without tsx.
import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { INSTRUMENTER_CONSTANTS } from "@stryker-mutator/api/core";
import { commonTokens, declareClassPlugin, PluginKind, tokens } from "@stryker-mutator/api/plugin";
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { registered } from "./node-test.mjs";

// Instead of Node's own, which would run each test once, and at once.
const url = new URL("node-test.mjs", import.meta.url).href;
const hook = `export const resolve = (name, context, next) =>
  name === "node:test" ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

/** What the instrumented sources look at and write to. */
globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
const stryker = globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE];

class NodeTestRunner {
  static inject = tokens(commonTokens.options);
  #files;

  constructor(options) {
    this.#files = options.nodeTest.files;
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    stryker.activeMutant = undefined;
    const result = await this.#run(registered, false);
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
      testFilter === undefined ? registered : registered.filter(({ id }) => testFilter.includes(id));
    return toMutantRunResult(await this.#run(wanted, !disableBail));
  }

  async #load() {
    if (registered.length > 0) return;
    for (const file of this.#files) await import(pathToFileURL(file).href);
  }

  async #run(wanted, bails) {
    try {
      await this.#load();
    } catch (error) {
      return { status: DryRunStatus.Error, errorMessage: String(error) };
    }
    const tests = [];
    for (const { id, name, run } of wanted) {
      const startedAt = performance.now();
      let failure = null;
      stryker.currentTestId = id;
      try {
        await run({});
      } catch (error) {
        failure = String(error);
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
