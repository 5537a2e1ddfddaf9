import * as v from "valibot";
import { suggestNearest } from "../lib/did-you-mean.ts";
import { addressForm, foldAddress, isAddressPattern } from "../lib/email.ts";
import { describeInvalid, describeOtherFile, locateEnd, readUntilInvalid } from "../lib/file-text.ts";
import { type JsonPath, type JsonReading, scanJson } from "../lib/json.ts";
import { type InputProblem, sortByLine } from "../lib/problem.ts";
import { looksSecret, normaliseText, quoteText } from "../lib/text.ts";

/** How many removals go through without approval: the larger of `count` and `share` of the members (0 to 1). */
export interface RemovalLimit {
  readonly count: number;
  readonly share: number;
}

export interface Policy {
  readonly limits: {
    readonly removalsPerRoom: RemovalLimit;
    readonly removalsPerRun: RemovalLimit;
    /** Delegations; the share is of the grants that delegations.csv keeps. */
    readonly revocationsPerRun: RemovalLimit;
    /** Whether removals are held or applied in a room that is fed by a group without members. */
    readonly emptyGroup: "hold" | "apply";
  };
  readonly protect: {
    readonly moderators: boolean;
    readonly bots: boolean;
    readonly externals: boolean;
    /** E-mail addresses, normalised, in lower case, each once. */
    readonly people: readonly string[];
  };
  readonly delegation: {
    readonly backend: "rest" | "xml";
  };
  readonly report: {
    /** Days after which a run that finds nothing to report commits anyway. */
    readonly heartbeatDays: number;
    /** Days before the refresh token expires from which on the report warns. */
    readonly tokenWarningDays: number;
    /** The space (title, id or link) that is told when something needs a person; null for none. */
    readonly notify: string | null;
  };
}

// The message of each schema is the end of a sentence: "<path> is <what was found>; it must be <message>".
const count = createWholeNumber("a whole number, 0 or more", Number.MAX_SAFE_INTEGER);

const share = createNumber("a number from 0 to 1 (0.25 means 25 %)", 1);

const flag = v.boolean("true or false");

const addressMessage = "an e-mail address";

const address = v.pipe(
  v.string(addressMessage),
  v.transform(foldAddress),
  v.check((text) => !isAddressPattern(text), "one person's e-mail address, not a pattern"),
  v.regex(addressForm, addressMessage),
);

const notifyMessage = "null, or the title, the id or the link of a space";

const people = v.pipe(
  v.array(address, "a list of e-mail addresses"),
  v.transform((addresses) => [...new Set(addresses)]),
);

const schema = createSection({
  limits: createSection({
    removalsPerRoom: createSection({ count: v.optional(count, 3), share: v.optional(share, 0.25) }),
    removalsPerRun: createSection({ count: v.optional(count, 25), share: v.optional(share, 0.2) }),
    revocationsPerRun: createSection({ count: v.optional(count, 10), share: v.optional(share, 0.2) }),
    emptyGroup: v.optional(v.picklist(["hold", "apply"], '"hold" or "apply"'), "hold"),
  }),
  protect: createSection({
    moderators: v.optional(flag, true),
    bots: v.optional(flag, true),
    externals: v.optional(flag, true),
    people: v.optional(people, []),
  }),
  delegation: createSection({
    backend: v.optional(v.picklist(["rest", "xml"], '"rest" or "xml"'), "rest"),
  }),
  report: createSection({
    heartbeatDays: v.optional(createWholeNumber("a whole number of days from 0 to 365", 365), 1),
    tokenWarningDays: v.optional(createWholeNumber("a whole number of days from 0 to 365", 365), 14),
    notify: v.optional(
      v.nullable(v.pipe(v.string(notifyMessage), v.transform(normaliseText), v.minLength(1, notifyMessage))),
      null,
    ),
  }),
});

export const defaultPolicy: Policy = v.parse(schema, {});

/** Reads policy.json. Never throws: faults are in `problems`, with key path and line, and `policy` is null then. */
export function parsePolicy(content: string | Uint8Array): {
  policy: Policy | null;
  problems: readonly InputProblem[];
} {
  const bytes = Buffer.from(content);
  const other = describeOtherFile(bytes);
  if (other !== null) return refuse({ line: null, column: null, message: other });
  const valid = readUntilInvalid(bytes);
  if (valid !== null) {
    const { line, character } = locateEnd(valid);
    return refuse({ line, column: null, message: describeInvalid(character), character });
  }
  const json = bytes.toString("utf8").replace(/^\uFEFF/, "");
  const reading = scanJson(json);
  if (reading.fault) {
    const { line, character, wanted, found } = reading.fault;
    const message = `the policy is not valid JSON: character ${character} is ${found}, but ${wanted} is expected there`;
    return refuse({ line, column: null, message, character });
  }
  const repeated = reading.repeated.map(({ path, place }) => {
    return { ...place, column: null, message: `${formatPath(path)} is written twice; remove one of the two` };
  });
  const result = v.safeParse(schema, JSON.parse(json), { abortPipeEarly: true });
  if (result.success && repeated.length === 0) return { policy: result.output, problems: [] };
  const issues = result.issues?.flatMap((issue) => describeIssue(issue, reading)) ?? [];
  return refuse(...sortByLine([...repeated, ...issues]));
}

function refuse(...problems: readonly InputProblem[]): { policy: null; problems: readonly InputProblem[] } {
  return { policy: null, problems };
}

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

function describeIssue(issue: v.InferIssue<typeof schema>, reading: JsonReading): InputProblem[] {
  const path = issue.path?.map((item) => (typeof item.key === "number" ? item.key : String(item.key))) ?? [];
  const place = (at: JsonPath) => reading.locate(at) ?? { line: null };
  const parent = issue.path?.at(-1)?.input;
  if (issue.type === "strict_object" && isObject(parent)) {
    // strictObject stops at the first unknown key of an object; all of them are to be named.
    const section = path.slice(0, -1);
    const known = listKeys(section);
    const otherwise = `; the keys there are ${known.map(quoteText).join(", ")}`;
    return Object.keys(parent)
      .filter((key) => !known.includes(key))
      .map((key) => {
        const nearest = suggestNearest(key, known, otherwise, 1);
        const message = `${formatPath([...section, key])} is not a key of the policy${nearest}`;
        return { ...place([...section, key]), column: null, message };
      });
  }
  const message = `${formatPath(path)} is ${describeValue(issue.input)}; it must be ${issue.message}`;
  return [{ ...place(path), column: null, message }];
}

function listKeys(section: JsonPath): string[] {
  let at: unknown = defaultPolicy;
  for (const key of section) at = isObject(at) ? at[String(key)] : undefined;
  return isObject(at) ? Object.keys(at) : [];
}

function formatPath(path: JsonPath): string {
  const parts = path.map((key) => {
    if (typeof key === "string" && /^\w+$/.test(key) && !looksSecret(key)) return `.${key}`;
    return `[${typeof key === "string" ? quoteText(key) : key}]`;
  });
  return parts.join("").replace(/^\./, "") || "the policy";
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : String(value);
}
