import type { Fault } from "../../sandbox/faults.ts";
import type { Sandbox } from "../../sandbox/server.ts";
import type { OnStart } from "./run-rollcall.ts";

/** When to send a signal to a run, and what the sandbox does from then on. */
export interface Kill extends Pick<Fault, "hang" | "delayMs" | "status"> {
  readonly route: string;
  /** At which request of the route; default: the first. */
  readonly count?: number;
  /** The others follow a moment later. */
  readonly signals: readonly NodeJS.Signals[];
}

/** GitHub's runner gives a step ten seconds from the first signal; a run promises to need no more than nine. */
const patienceMs = 9000;

/**
 * Signals a run when the sandbox has got the n-th request of a route; that one and those after it meet the fault. As
 * GitHub's runner does, it kills the process when its time is over: such a run has no exit code.
 */
export function killAt(sandbox: Sandbox, { route, count = 1, signals, ...fault }: Kill): OnStart {
  let begin: () => void = () => undefined;
  let seen = 0;
  const match = () => {
    seen += 1;
    if (seen === count) begin();
    return seen >= count;
  };
  sandbox.fault({ route, match, times: Number.POSITIVE_INFINITY, ...fault });
  return (kill, child) => {
    begin = () => {
      const timers = signals.map((signal, index) => setTimeout(() => kill(signal), 200 * index));
      timers.push(setTimeout(() => kill("SIGKILL"), patienceMs));
      child?.once("exit", () => timers.forEach(clearTimeout));
    };
  };
}
