// Runs the tests of this repository for Stryker: in one process, which loads them once. A process for each mutant would
// take many times as long. Plain JavaScript, because Stryker loads it as it is.
import { readFileSync, writeFileSync } from "node:fs";
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

/** How many mutants before and behind one are near it. */
const reach = 30;

/** How many of the tests that noticed the last mutants come first. */
const remembered = 5;

/** What the instrumented sources look at and write to. */
globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {};
const stryker = globalThis[INSTRUMENTER_CONSTANTS.NAMESPACE];

class NodeTestRunner {
  static inject = tokens(commonTokens.options);
  #options;
  #tests = [];
  /** Those that have noticed a mutant, the last one first. */
  #noticed = [];
  #coverage;

  constructor(options) {
    this.#options = options.nodeTest;
  }

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    stryker.activeMutant = undefined;
    await this.#load();
    const result = await this.#run(this.#tests, Number.POSITIVE_INFINITY, false);
    writeFileSync(this.#options.coverageFile, JSON.stringify(stryker.mutantCoverage?.perTest ?? {}));
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
    const { patienceMs } = this.#options;
    return toMutantRunResult(await this.#run(this.#sort(wanted, activeMutant), patienceMs, !disableBail));
  }

  /**
   * Unit tests first, then the runs that noticed one of the last mutants, then the others: one of each kind, another one
   * of each, and so on. Of a kind are those that run the same of the code around the mutant; the more of it, the earlier.
   * Mutants are numbered as they stand in the files.
   */
  #sort(wanted, { id }) {
    this.#coverage ??= JSON.parse(readFileSync(this.#options.coverageFile, "utf8"));
    const around = Array.from({ length: 2 * reach }, (_, index) => String(Number(id) - reach + index));
    const kinds = new Map();
    const ranked = wanted.map((test) => {
      const covered = this.#coverage[test.id] ?? {};
      const nearby = around.filter((other) => covered[other] !== undefined);
      const round = kinds.get(nearby.join()) ?? 0;
      kinds.set(nearby.join(), round + 1);
      const last = this.#noticed.indexOf(test);
      const rank = last === -1 ? round - nearby.length / (2 * reach + 1) : last - 1000;
      return { test, rank: test.isUnit ? rank - 10_000 : rank };
    });
    return ranked.sort((one, other) => one.rank - other.rank).map(({ test }) => test);
  }

  async #load() {
    if (this.#tests.length > 0) return;
    const { files, scenarios, skipped } = this.#options;
    const { registered } = await load("test/mutation/node-test.mjs");
    const { prepare } = await load("test/simulation/product.js");
    const { onStage } = await load("test/mutation/stage.js");
    await prepare();
    for (const file of files) await load(file);
    const units = registered.splice(0).map((test) => ({ ...test, isUnit: true }));
    for (const file of scenarios) await load(file);
    const runs = registered.filter(({ name }) => !skipped.includes(name));
    this.#tests = [...units, ...runs.map(({ run, ...of }) => ({ ...of, run: () => onStage(run) }))];
  }

  async #run(wanted, patienceMs, bails) {
    const tests = [];
    const before = process.cpuUsage();
    for (const test of wanted) {
      const { id, name, run } = test;
      const startedAt = performance.now();
      let failure = null;
      stryker.currentTestId = id;
      try {
        await run({});
      } catch (error) {
        failure = String(error);
        this.#noticed = [test, ...this.#noticed.filter((one) => one !== test)].slice(0, remembered);
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
      const { user, system } = process.cpuUsage(before);
      if ((failure !== null && bails) || (user + system) / 1000 > patienceMs) break;
    }
    return { status: DryRunStatus.Complete, tests };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, "node-test", NodeTestRunner)];
export const strykerValidationSchema = { properties: { nodeTest: { type: "object" } } };
