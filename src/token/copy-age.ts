import { formatInstant } from "../lib/date.ts";
import type { CopyAge } from "./store.ts";

/** What a copy's age means: use it, use it and say why if it is refused, or do not touch anything. */
export type CopyVerdict =
  | { readonly kind: "current" }
  | { readonly kind: "doubtful"; readonly reason: string }
  | { readonly kind: "stale"; readonly reason: string };

/**
 * Judges whether a copy may be older than what is stored. GitHub gives whole seconds: a change in the very second
 * of the copy counts as older than it.
 */
export function judgeCopy(age: CopyAge | null): CopyVerdict {
  if (age === null || age.updatedAt === null) return { kind: "current" };
  const { what, updatedAt, takenFrom, takenUntil } = age;
  const changed = `${what} was updated at ${formatInstant(updatedAt)}`;
  if (takenUntil === null) {
    const reason = `${changed}, and this is a re-run that may hold the value of its first attempt`;
    return { kind: "stale", reason };
  }
  if (updatedAt > takenUntil) {
    return {
      kind: "stale",
      reason: `${changed}, after this run took its copy (${formatInstant(takenUntil)})`,
    };
  }
  if (takenFrom === null)
    return { kind: "doubtful", reason: `${changed}, and when this run was queued is unknown` };
  if (updatedAt > takenFrom) {
    return {
      kind: "doubtful",
      reason: `${changed}, after this run was queued (${formatInstant(takenFrom)})`,
    };
  }
  return { kind: "current" };
}
