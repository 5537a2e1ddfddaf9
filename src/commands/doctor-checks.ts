import { errorMessage } from "../lib/text.ts";
import type { Check } from "../report/checklist.ts";

/** What a look found: something good, something wrong with its remedy, or that it does not apply. */
export type Finding =
  | { readonly state: "ok" | "skipped"; readonly detail: string }
  | { readonly state: "wrong"; readonly detail: string; readonly remedy: string };

/** Looks at one thing; an error on the way becomes the fault, and `remedy` says what to do about it. */
export async function check(
  id: string,
  title: string,
  remedy: string,
  look: () => Promise<Finding>,
): Promise<Check> {
  const [made] = await obtain(id, title, remedy, async () => [await look(), null]);
  return made;
}

/** A check that also brings something for the next ones to go on with; null when it failed. */
export async function obtain<T>(
  id: string,
  title: string,
  remedy: string,
  look: () => Promise<readonly [Finding, T]>,
): Promise<readonly [Check, T | null]> {
  try {
    const [finding, value] = await look();
    return [conclude(id, title, finding), value];
  } catch (error) {
    return [{ id, title, state: "wrong", detail: errorMessage(error), remedy }, null];
  }
}

/** A check of what is known already. */
export function conclude(id: string, title: string, finding: Finding): Check {
  return { id, title, remedy: null, ...finding };
}

/** A check that could not be made because another one failed. */
export function skip(id: string, title: string, detail: string): Check {
  return { id, title, state: "skipped", detail, remedy: null };
}

export const ok = (detail: string): Finding => ({ state: "ok", detail });

export const wrong = (detail: string, remedy: string): Finding => ({ state: "wrong", detail, remedy });
