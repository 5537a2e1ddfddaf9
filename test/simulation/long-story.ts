import { falseAnswers } from "../../sandbox/faults.ts";
import { createRandom } from "./random.ts";
import type { Act, Change, FaultName, Scenario, TimedChange, TimedFault } from "./scenario.ts";

const people = 40;
const groups = 6;
const spaces = 8;

/** One request in fifty gets a false answer or none. */
const faultShare = 0.02;
/** As many requests as a run of this story makes, or a few more. */
const requestsPerRun = 90;
/** Every so many runs the process dies somewhere on the way. */
const runsPerKill = 20;

const faultNames = Object.keys(falseAnswers) as FaultName[];

/** A story of so many runs in one organisation, in which something goes on all the time; the same for the same seed. */
export function tellLongStory(seed: number, runs: number): Scenario {
  const random = createRandom(seed);
  const upTo = (count: number) => Math.floor(random() * count);
  const oneOf = <T>(list: readonly [T, ...T[]]): T => list[upTo(list.length)] ?? list[0];
  const somebody = () => 1 + upTo(people);
  const many = (count: number) => Array.from({ length: count }, somebody);

  const drawChange = (): Change => {
    const drawn = random();
    if (drawn < 0.01) return { kind: "group is renamed", group: upTo(groups) };
    if (drawn < 0.02) return { kind: "spaces swap titles", space: upTo(spaces), other: upTo(spaces) };
    if (drawn < 0.03) return { kind: "space is renamed", space: upTo(spaces) };
    if (drawn < 0.1) return { kind: "row comes or goes", row: upTo(spaces) };
    if (drawn < 0.15) return { kind: "delegation comes or goes", row: upTo(4) };
    if (drawn < 0.6) {
      return { kind: oneOf(["joins group", "leaves group"]), person: somebody(), group: upTo(groups) };
    }
    return {
      kind: oneOf(["joins space", "leaves space", "becomes moderator", "is moderator no longer"]),
      person: somebody(),
      space: upTo(spaces),
    };
  };
  const drawChanges = (count: number, at: () => number): TimedChange[] =>
    Array.from({ length: count }, () => ({
      at: at(),
      on: "any",
      isAfter: random() < 0.5,
      change: drawChange(),
    }));

  const drawAct = (run: number): Act => {
    const drawn = random();
    const command = drawn < 0.9 ? "sync" : drawn < 0.94 ? "plan" : drawn < 0.98 ? "approve" : "restore";
    const faults: TimedFault[] = [];
    for (let at = 1; at <= requestsPerRun; at += 1)
      if (random() < faultShare) faults.push({ at, name: faultNames[upTo(faultNames.length)] ?? "500" });
    const changes = [
      ...drawChanges(upTo(3), () => 0),
      ...drawChanges(random() < 0.4 ? 1 + upTo(3) : 0, () => 1 + upTo(requestsPerRun)),
    ];
    return { command, faults, changes, killAt: run % runsPerKill === 0 ? 1 + upTo(250) : 0, stopAt: 0 };
  };

  return {
    chance: seed,
    store: "secret",
    refreshToken: "rotates",
    pageSize: 8,
    people: Array.from({ length: people }, (_, number) =>
      number % 13 === 0 ? "bot" : number % 11 === 0 ? "guest" : "person",
    ),
    groups: Array.from({ length: groups }, () => many(10)),
    spaces: Array.from({ length: spaces }, () => ({
      members: many(10),
      moderators: many(2),
      isModerated: false,
    })),
    rows: Array.from({ length: spaces + 3 }, (_, row) => ({
      group: row % groups,
      space: row % spaces,
      mode: "sync",
      // By ids the story goes on when names change hands; some go by names and stop there, as they must.
      writes: row < 2 ? "names" : "ids",
      until: null,
    })),
    grants: Array.from({ length: 4 }, () => ({ host: somebody(), delegate: somebody(), until: null })),
    delegates: [],
    policy: {
      perRoom: 3,
      perRun: 25,
      revocations: 10,
      share: 0.25,
      emptyGroup: "hold",
      moderators: true,
      bots: true,
      externals: true,
      people: [],
    },
    acts: Array.from({ length: runs }, (_, index) => drawAct(index + 1)),
  };
}
