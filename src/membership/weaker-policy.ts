import { parseJson } from "../lib/json.ts";
import type { PolicyChange } from "./compare-plans.ts";

/** True when a change of the policy lets more go through without approval, or protects fewer people. */
export function isWeaker({ key, without, with: later }: PolicyChange): boolean {
  const [before, after] = [parseJson(without), parseJson(later)];
  if (key === "limits.emptyGroup") return after === "apply";
  if (key.startsWith("limits.")) return Number(after) > Number(before);
  if (key !== "protect.people") return key.startsWith("protect.") && after === false;
  return listOf(before).some((address) => !listOf(after).includes(address));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
