import type { ServiceModel } from "../sandbox/service.ts";
import type { SyntheticSize } from "./synthetic-organisation.ts";

/** An organisation, a service, and what a run should take there. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly size: SyntheticSize;
  readonly service: ServiceModel;
  /** What the rows hold. Default: names. */
  readonly cells?: "names" | "ids";
  /** A second run in the same folder is measured: the first has learnt the names, and left nothing to change. */
  readonly isSecondRun?: true;
  /** What so many requests take at best, in seconds, and how many times that they may take. */
  readonly ideal?: (requests: number) => number;
  readonly allowed?: number;
  /** At most some fifty requests a second for whoever has ten at once. */
  readonly isSlow?: true;
  /** Also run by a pool of ten, and by one request after the other. */
  readonly contenders?: readonly ("pool" | "sample")[];
}

const allowedAt = (perSecond: number): Pick<Case, "service" | "ideal" | "allowed"> => ({
  service: { latencyMs: 40, limits: [{ fromMs: 0, perSecond }] },
  ideal: (requests) => requests / perSecond,
  allowed: 1.15,
});

const after = (latencyMs: number): Pick<Case, "service" | "ideal"> => ({
  service: { latencyMs },
  ideal: (requests) => (requests * latencyMs) / 1000 / 32,
});

const spaces = (rooms: number): SyntheticSize => ({ rooms, membersPerRoom: 20, drift: 0.25 });
/** Nobody is in the room yet. */
const bigSpace: SyntheticSize = { rooms: 1, membersPerRoom: 2000, drift: 2 };

const slowMs = 100;
const changing = [
  { fromMs: 0, perSecond: 200 },
  { fromMs: 10_000, perSecond: 20 },
  { fromMs: 25_000, perSecond: 200 },
];

/** How long so many requests take at least where the limit changes, without what is saved up at the start. */
function followLimits(requests: number): number {
  let left = requests;
  for (const [index, { fromMs, perSecond }] of changing.entries()) {
    const seconds = ((changing[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) - fromMs) / 1000;
    if (left <= seconds * perSecond) return fromMs / 1000 + left / perSecond;
    left -= seconds * perSecond;
  }
  return Number.POSITIVE_INFINITY;
}

/** How fast a run is, whatever Webex is like. Those that the sample takes long for come last: it has begun by then. */
export const speedCases: readonly Case[] = [
  {
    name: "limit-10",
    isSlow: true,
    title: "10 requests a second",
    size: spaces(60),
    ...allowedAt(10),
    contenders: ["pool"],
  },
  {
    name: "limit-50",
    isSlow: true,
    title: "50 requests a second",
    size: spaces(150),
    ...allowedAt(50),
    contenders: ["pool"],
  },
  {
    name: "limit-200",
    title: "200 requests a second",
    size: spaces(300),
    ...allowedAt(200),
    contenders: ["pool"],
  },
  {
    name: "slow",
    title: "answers after 100 ms, twice as late above 20 at once",
    size: spaces(300),
    service: { latencyMs: slowMs, doublesAbove: 20 },
    ideal: (requests) => (requests * slowMs) / 1000 / 20,
    allowed: 1.3,
    contenders: ["pool"],
  },
  {
    name: "changing",
    title: "200 a second, 20 after ten seconds, 200 again after 25",
    size: spaces(550),
    service: { latencyMs: 40, limits: changing },
    ideal: followLimits,
    allowed: 1.15,
    contenders: ["pool"],
  },
  {
    name: "latency-40",
    title: "300 spaces, answers after 40 ms",
    size: spaces(300),
    ...after(40),
    allowed: 1.3,
    contenders: ["pool", "sample"],
  },
  {
    name: "latency-200",
    isSlow: true,
    title: "300 spaces, answers after 200 ms",
    size: spaces(300),
    ...after(200),
    allowed: 1.3,
    contenders: ["pool", "sample"],
  },
  {
    name: "big-40",
    title: "one space that gets 2,000 people, 40 ms",
    size: bigSpace,
    ...after(40),
    allowed: 1.5,
    contenders: ["pool", "sample"],
  },
  {
    name: "big-200",
    isSlow: true,
    title: "one space that gets 2,000 people, 200 ms",
    size: bigSpace,
    ...after(200),
    allowed: 1.5,
    contenders: ["pool", "sample"],
  },
];

const growth = (rooms: number, membersPerRoom: number, size: Partial<SyntheticSize> = {}): Case => ({
  name: `${rooms}x${membersPerRoom}`,
  title: `${rooms.toLocaleString("en")} ${rooms === 1 ? "space" : "spaces"} of ${membersPerRoom.toLocaleString("en")}`,
  size: { rooms, membersPerRoom, drift: 0.01, ...size },
  service: {},
});

/** How time and memory grow; the service answers at once. */
export const growthCases: readonly Case[] = [
  growth(10, 100),
  growth(100, 100),
  growth(1000, 100),
  growth(5000, 100, { people: 50_000 }),
  growth(5000, 200, { people: 50_000 }),
  growth(50, 5000),
  growth(1, 20_000, { groups: 2 }),
];

const fewRows: SyntheticSize = { rooms: 3000, membersPerRoom: 20, drift: 0.25, rows: 3, people: 1000 };
const among = "of 3,000 groups and 3,000 spaces";

/** How many requests a run makes where few rows name a little of a big organisation. */
export const requestCases: readonly Case[] = [
  { name: "ids", title: `three rows with ids, ${among}`, size: fewRows, service: {}, cells: "ids" },
  { name: "new-names", title: `three rows with new names, ${among}`, size: fewRows, service: {} },
  {
    name: "known-names",
    title: `the same on the next run`,
    size: fewRows,
    service: {},
    isSecondRun: true,
  },
];
