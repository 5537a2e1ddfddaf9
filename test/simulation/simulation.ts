import { fork } from "node:child_process";
import { compile } from "../support/compiled-main.ts";
import type { Failure, Found } from "./find.ts";
import type { Order } from "./worker.ts";

export interface Totals {
  stories: number;
  runs: number;
  requests: number;
  removals: number;
  readonly failures: Failure[];
}

/** Is told what came of each story. */
export type OnStory = (totals: Totals, failure: Failure | null) => void;

/**
 * Plays stories, each order in a process of its own: it has its clock, disk and chance for itself. After so many runs no
 * story is begun any more.
 */
export async function simulate(
  orders: readonly Order[],
  onStory?: OnStory,
  enoughRuns = Number.POSITIVE_INFINITY,
): Promise<Totals> {
  await using program = await compile("test/simulation/tsconfig.compiled.json", [
    "src/report/templates",
    "sandbox/github/fixtures",
    "test/simulation/kept",
  ]);
  const totals: Totals = { stories: 0, runs: 0, requests: 0, removals: 0, failures: [] };
  const take = ({ failure, played }: Found) => {
    totals.stories += 1;
    totals.runs += played.runs;
    totals.requests += played.requests;
    totals.removals += played.removals;
    if (failure !== null) totals.failures.push(failure);
    onStory?.(totals, failure);
    if (totals.runs >= enoughRuns) for (const child of children) if (child.connected) child.send("enough");
  };
  const worker = `${program.folder}/test/simulation/worker.js`;
  const children = orders.map((order) => fork(worker, [JSON.stringify(order)], { execArgv: [] }));
  const work = children.map((child) => {
    child.on("message", (found: Found) => take(found));
    return new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
    });
  });
  await Promise.all(work);
  return totals;
}

/** Deals seeds, one after the other from `first` on, to so many processes. */
export function dealSeeds(
  first: number,
  count: number,
  jobs: number,
): { readonly seeds: readonly number[] }[] {
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  return Array.from({ length: jobs }, (_, job) => ({
    seeds: seeds.filter((_, index) => index % jobs === job),
  }));
}
