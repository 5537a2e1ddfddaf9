import * as v from "valibot";
import { parseJson } from "../lib/json.ts";

type FactValue = boolean | number;

/** What Cisco's documentation leaves open, and what a look at a real organisation says of it. */
const sentences = [
  [
    "refreshTokenChanges",
    (value) => `a refresh ${value === true ? "changes" : "does not change"} the refresh token`,
  ],
  ["refreshTokenDays", (value) => `a refreshed token lives for ${value} days`],
  ["groupPagesLinked", (value) => `pages of groups have ${value === true ? "" : "no "}next links`],
  ["groupNamesRepeat", () => "two groups may have the same name"],
  ["groupsNest", () => "a group's list of members names the groups in it"],
  [
    "memberSizeCounts",
    (value) =>
      `memberSize ${value === true ? "is" : "is not always"} the number of a group's different members`,
  ],
  [
    "tokenExpiryAnswers",
    (value) => `tokenExpiry ${value === true ? "answers" : "is refused"} with these scopes`,
  ],
  ["userEmailCounts", () => "meeting preferences keep to the host that a request names"],
] as const satisfies readonly (readonly [string, (value: FactValue) => string])[];

type FactName = (typeof sentences)[number][0];

/** What a look settled; what it had no occasion to see is absent. */
export type WebexFacts = { readonly [Name in FactName]?: FactValue };

const stateSchema = v.looseObject({
  version: v.literal(1),
  webex: v.fallback(
    v.record(v.string(), v.object({ value: v.union([v.boolean(), v.number()]), since: v.string() })),
    {},
  ),
});

/** Says what is settled, one sentence for each fact. */
export function describeFacts(facts: WebexFacts): readonly string[] {
  return sentences.flatMap(([name, say]) => {
    const value = facts[name];
    return value === undefined ? [] : [say(value)];
  });
}

/** Adds facts to state.json; null where it has them already, and where no run has left one that can be read. */
export function rememberFacts(
  stateText: string | undefined,
  facts: WebexFacts,
  today: string,
): string | null {
  const state = v.safeParse(stateSchema, stateText === undefined ? undefined : parseJson(stateText));
  if (!state.success) return null;
  const known = state.output.webex;
  const news = sentences.flatMap(([name]) => {
    const value = facts[name];
    return value === undefined || known[name]?.value === value
      ? []
      : [[name, { value, since: today }] as const];
  });
  if (news.length === 0) return null;
  const webex = { ...known, ...Object.fromEntries(news) };
  return `${JSON.stringify({ ...state.output, webex }, null, 2)}\n`;
}
