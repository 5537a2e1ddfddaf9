import * as v from "valibot";
import { suggestNearest } from "../lib/did-you-mean.ts";
import { addressForm } from "../lib/email.ts";
import { findJsonFault } from "../lib/json.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";

/** How many removals go through without approval: the larger of `count` and `share` of the members (0 to 1). */
export interface RemovalLimit {
  readonly count: number;
  readonly share: number;
}

/** What policy.json says, with the defaults filled in. */
export interface Policy {
  readonly limits: {
    readonly removalsPerRoom: RemovalLimit;
    readonly removalsPerRun: RemovalLimit;
    /** Whether removals are held or applied in a room that is fed by a group without members. */
    readonly emptyGroup: "hold" | "apply";
  };
  /** Who is never removed. */
  readonly protect: {
    readonly moderators: boolean;
    readonly bots: boolean;
    readonly externals: boolean;
    /** E-mail addresses, trimmed, in lower case, each once. */
    readonly people: readonly string[];
  };
  readonly report: {
    /** Days after which a run that finds nothing to report makes a commit all the same. */
    readonly heartbeatDays: number;
    /** Days before the refresh token expires from which on the report warns. */
    readonly tokenWarningDays: number;
  };
}

// The message of each schema is the end of a sentence: "<path> is <what was found>; it must be <message>".
const count = createWholeNumber("a whole number, 0 or more", Number.MAX_SAFE_INTEGER);

const share = createNumber("a number from 0 to 1 (0.25 means 25 %)", 1);

const flag = v.boolean("true or false");

const address = v.pipe(
  v.string("an e-mail address"),
  v.trim(),
  v.toLowerCase(),
  v.regex(addressForm, "an e-mail address"),
);

const people = v.pipe(
  v.array(address, "a list of e-mail addresses"),
  v.transform((addresses) => [...new Set(addresses)]),
);

const schema = createSection({
  limits: createSection({
    removalsPerRoom: createSection({ count: v.optional(count, 3), share: v.optional(share, 0.25) }),
    removalsPerRun: createSection({ count: v.optional(count, 25), share: v.optional(share, 0.2) }),
    emptyGroup: v.optional(v.picklist(["hold", "apply"], '"hold" or "apply"'), "hold"),
  }),
  protect: createSection({
    moderators: v.optional(flag, true),
    bots: v.optional(flag, true),
    externals: v.optional(flag, true),
    people: v.optional(people, []),
  }),
  report: createSection({
    heartbeatDays: v.optional(createWholeNumber("a whole number of days from 0 to 365", 365), 1),
    tokenWarningDays: v.optional(createWholeNumber("a whole number of days from 0 to 365", 365), 14),
  }),
});

/** The policy where policy.json says nothing. */
export const defaultPolicy: Policy = v.parse(schema, {});

/**
 * Reads policy.json. Never throws: every fault is in `problems`, with the path of its key, and `policy` is null
 * when there is one. `line` is known for faults of the JSON itself only; `column` is always null.
 */
export function parsePolicy(text: string): { policy: Policy | null; problems: readonly Problem[] } {
  const json = text.replace(/^\uFEFF/, "");
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch (error) {
    return { policy: null, problems: [describeSyntax(json, error)] };
  }
  const result = v.safeParse(schema, input, { abortPipeEarly: true });
  if (result.success) return { policy: result.output, problems: [] };
  const problems = result.issues.flatMap((issue) => describeIssue(issue));
  return { policy: null, problems: problems.map((message) => ({ line: null, column: null, message })) };
}

/** A section of which every key may be left out, and the section itself too. */
function createSection<Entries extends v.ObjectEntries>(entries: Entries) {
  // strictObject alone would take a list for an object.
  const object = v.custom<Record<string, unknown>>(isObject, "an object, { … }");
  return v.optional(v.pipe(object, v.strictObject(entries)), {});
}

function createNumber(message: string, max: number) {
  return v.pipe(v.number(message), v.minValue(0, message), v.maxValue(max, message));
}

function createWholeNumber(message: string, max: number) {
  return v.pipe(createNumber(message, max), v.integer(message));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describeSyntax(json: string, error: unknown): Problem {
  const fault = findJsonFault(json);
  if (!fault) return { line: null, column: null, message: `the policy is not valid JSON: ${String(error)}` };
  const { line, character, wanted, found } = fault;
  const message = `the policy is not valid JSON: character ${character} is ${found}, but ${wanted} is expected there`;
  return { line, column: null, message };
}

function describeIssue(issue: v.InferIssue<typeof schema>): string[] {
  const path = issue.path?.map((item) => item.key) ?? [];
  const parent = issue.path?.at(-1)?.input;
  if (issue.type === "strict_object" && isObject(parent)) {
    // strictObject stops at the first unknown key of an object; all of them are to be named.
    const section = path.slice(0, -1);
    const known = listKeys(section);
    const otherwise = `; the keys there are ${known.map(quoteText).join(", ")}`;
    return Object.keys(parent)
      .filter((key) => !known.includes(key))
      .map(
        (key) =>
          `${formatPath([...section, key])} is no key of the policy${suggestNearest(key, known, otherwise, 1)}`,
      );
  }
  return [`${formatPath(path)} is ${describeValue(issue.input)}; it must be ${issue.message}`];
}

/** The keys a section of the policy may have: the defaults have them all. */
function listKeys(section: readonly unknown[]): string[] {
  let at: unknown = defaultPolicy;
  for (const key of section) at = isObject(at) ? at[String(key)] : undefined;
  return isObject(at) ? Object.keys(at) : [];
}

function formatPath(path: readonly unknown[]): string {
  const parts = path.map((key) => {
    if (typeof key === "string" && /^\w+$/.test(key)) return `.${key}`;
    return `[${typeof key === "string" ? quoteText(key) : key}]`;
  });
  return parts.join("").replace(/^\./, "") || "the policy";
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : String(value);
}
