import type { RunStatus } from "../membership/record.ts";

const exitCodes: Readonly<Record<RunStatus, number>> = {
  converged: 0,
  changed: 0,
  failed: 1,
  held: 2,
  partial: 3,
};

/** The exit code of a run that ended so; a plan succeeds when it could be made, whatever is in it. */
export function exitCodeOf(status: RunStatus, isPlan: boolean): number {
  return isPlan && status !== "failed" ? 0 : exitCodes[status];
}
