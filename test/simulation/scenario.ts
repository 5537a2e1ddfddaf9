import fc from "fast-check";
import { falseAnswers } from "../../sandbox/faults.ts";
import { type DistortionName, distortions } from "./distort.ts";

export type FaultName = keyof typeof falseAnswers | DistortionName;

/** What happens to the organisation; all numbers count its people, groups, spaces and rows, modulo how many there are. */
export type Change =
  | { readonly kind: "joins group" | "leaves group"; readonly person: number; readonly group: number }
  | {
      readonly kind: "joins space" | "leaves space" | "becomes moderator" | "is moderator no longer";
      readonly person: number;
      readonly space: number;
    }
  /** Of those whom the rows do not want where they are, or who are missing where they are wanted, the one with that number. */
  | {
      readonly kind: "surplus joins group" | "surplus becomes moderator" | "surplus leaves space";
      readonly number: number;
    }
  | { readonly kind: "missing joins space"; readonly number: number }
  | { readonly kind: "group is renamed"; readonly group: number }
  | { readonly kind: "space is renamed" | "space is deleted"; readonly space: number }
  | { readonly kind: "spaces swap titles"; readonly space: number; readonly other: number }
  | { readonly kind: "row comes or goes"; readonly row: number }
  | { readonly kind: "delegation comes or goes"; readonly row: number };

/** What a request is about: anything, a space's members, a group's members, or a change of memberships. */
export type RequestKind = "any" | "members" | "group" | "write";

export interface TimedChange {
  /** Before the request of the run with this number of its kind is handled; 0 is before the run. */
  readonly at: number;
  readonly on: RequestKind;
  /** After it was handled, before its answer arrives. */
  readonly isAfter: boolean;
  readonly change: Change;
}

export interface TimedFault {
  readonly at: number;
  readonly name: FaultName;
}

/** One run of the product, and what happens to it. */
export interface Act {
  readonly command: "sync" | "plan" | "approve" | "restore";
  readonly faults: readonly TimedFault[];
  readonly changes: readonly TimedChange[];
  /** At this step the process dies, or gets its SIGTERM; 0 is never. */
  readonly killAt: number;
  readonly stopAt: number;
}

export interface Row {
  readonly group: number;
  readonly space: number;
  readonly mode: "sync" | "add-only" | "audit";
  readonly writes: "names" | "ids" | "address";
  /** Days from the first day of the story on; null is for good. */
  readonly until: number | null;
}

export interface Grant {
  readonly host: number;
  readonly delegate: number;
  readonly until: number | null;
}

/** A story, as plain data: what there is, and what happens. The same story is always played the same way. */
export interface Scenario {
  /** For how long requests are on the way, and with it in which order they are answered. */
  readonly chance: number;
  readonly store: "secret" | "file";
  readonly refreshToken: "rotates" | "stays";
  readonly pageSize: number;
  /** Besides the token's owner, who is the first of them. */
  readonly people: readonly ("person" | "bot" | "guest")[];
  readonly groups: readonly (readonly number[])[];
  readonly spaces: readonly {
    readonly members: readonly number[];
    readonly moderators: readonly number[];
    readonly isModerated: boolean;
  }[];
  readonly rows: readonly Row[];
  readonly grants: readonly Grant[];
  /** Delegates that stand in Webex, of no row. */
  readonly delegates: readonly Omit<Grant, "until">[];
  readonly policy: {
    readonly perRoom: number;
    readonly perRun: number;
    readonly revocations: number;
    readonly share: number;
    readonly emptyGroup: "hold" | "apply";
    readonly moderators: boolean;
    readonly bots: boolean;
    readonly externals: boolean;
    readonly people: readonly number[];
  };
  readonly acts: readonly Act[];
}

const index = fc.nat({ max: 9 });

const some = (maxLength: number) => fc.uniqueArray(index, { maxLength });

const groupChange = fc.record({
  kind: fc.constantFrom("joins group" as const, "leaves group" as const),
  person: index,
  group: index,
});

const spaceChange = fc.record({
  kind: fc.constantFrom(
    "joins space" as const,
    "leaves space" as const,
    "becomes moderator" as const,
    "is moderator no longer" as const,
  ),
  person: index,
  space: index,
});

/** What people do all day. */
const ordinaryChange = fc.oneof(groupChange, spaceChange);

/** What is at odds with what the run is about to do. */
const awkwardChange = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      "surplus joins group" as const,
      "surplus joins group" as const,
      "surplus becomes moderator" as const,
      "surplus leaves space" as const,
    ),
    number: index,
  }),
  fc.record({ kind: fc.constant("missing joins space" as const), number: index }),
);

const rareChange = fc.oneof(
  fc.record({ kind: fc.constant("group is renamed" as const), group: index }),
  fc.record({
    kind: fc.constantFrom("space is renamed" as const, "space is deleted" as const),
    space: index,
  }),
  fc.record({ kind: fc.constant("spaces swap titles" as const), space: index, other: index }),
  fc.record({
    kind: fc.constantFrom("row comes or goes" as const, "delegation comes or goes" as const),
    row: index,
  }),
);

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: ordinaryChange },
  { weight: 3, arbitrary: awkwardChange },
  { weight: 1, arbitrary: rareChange },
);

const requestNumber = fc.integer({ min: 1, max: 70 });

const anyTime = fc.record({ at: requestNumber, on: fc.constant("any" as const) });

/** Where a run looks for the second time, and then acts upon it. */
const tightTime = fc.record({
  at: fc.integer({ min: 1, max: 14 }),
  on: fc.constantFrom("members" as const, "group" as const, "write" as const),
});

const timed = (
  what: fc.Arbitrary<Change>,
  time: fc.Arbitrary<Pick<TimedChange, "at" | "on">>,
): fc.Arbitrary<TimedChange> =>
  fc
    .record({ when: time, isAfter: fc.boolean(), change: what })
    .map(({ when, ...rest }) => ({ ...when, ...rest }));

const before = fc.array(timed(change, fc.constant({ at: 0, on: "any" as const })), { maxLength: 3 });

const during = fc
  .tuple(
    fc.array(timed(fc.oneof(ordinaryChange, awkwardChange), tightTime), { maxLength: 10 }),
    fc.array(timed(change, anyTime), { maxLength: 4 }),
  )
  .map((all) => all.flat());

const faultNames = [...Object.keys(falseAnswers), ...Object.keys(distortions)] as FaultName[];

const faults = fc.array(fc.record({ at: requestNumber, name: fc.constantFrom(...faultNames) }), {
  minLength: 1,
  maxLength: 3,
});

const step = fc.integer({ min: 1, max: 220 });

const nothing = fc.constant([]);
const never = fc.constant(0);

const command = fc.oneof(
  { weight: 5, arbitrary: fc.constant("sync" as const) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("plan" as const, "approve" as const, "restore" as const, "restore" as const),
  },
);

/** What happens to a run: changes, faults, the end, or all at once. */
const act: fc.Arbitrary<Act> = fc
  .tuple(
    command,
    before,
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ faults: nothing, during, killAt: never, stopAt: never }) },
      { weight: 2, arbitrary: fc.record({ faults, during: nothing, killAt: never, stopAt: never }) },
      { weight: 2, arbitrary: fc.record({ faults: nothing, during: nothing, killAt: step, stopAt: never }) },
      { weight: 1, arbitrary: fc.record({ faults: nothing, during: nothing, killAt: never, stopAt: step }) },
      { weight: 2, arbitrary: fc.record({ faults, during, killAt: never, stopAt: never }) },
      { weight: 1, arbitrary: fc.record({ faults, during, killAt: never, stopAt: step }) },
      { weight: 1, arbitrary: fc.record({ faults, during, killAt: step, stopAt: step }) },
      { weight: 1, arbitrary: fc.record({ faults: nothing, during: nothing, killAt: never, stopAt: never }) },
    ),
  )
  .map(([command, before, { during, ...rest }]) => ({ command, changes: [...before, ...during], ...rest }));

const until = fc.oneof(
  { weight: 5, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 9 }) },
);

/** Any story. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  chance: fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  store: fc.constantFrom("secret" as const, "file" as const),
  refreshToken: fc.constantFrom("rotates" as const, "stays" as const),
  pageSize: fc.integer({ min: 2, max: 8 }),
  people: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant("person" as const) },
      { weight: 1, arbitrary: fc.constantFrom("bot" as const, "guest" as const) },
    ),
    { minLength: 2, maxLength: 9 },
  ),
  groups: fc.array(
    fc.oneof(
      { weight: 1, arbitrary: some(7) },
      { weight: 3, arbitrary: fc.uniqueArray(index, { minLength: 2, maxLength: 7 }) },
    ),
    { minLength: 1, maxLength: 4 },
  ),
  spaces: fc.array(
    fc.record({
      members: fc.uniqueArray(index, { minLength: 2, maxLength: 9 }),
      moderators: fc.oneof({ weight: 2, arbitrary: some(0) }, { weight: 1, arbitrary: some(3) }),
      isModerated: fc.oneof(
        { weight: 5, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  rows: fc.array(
    fc.record({
      group: index,
      space: index,
      mode: fc.oneof(
        { weight: 6, arbitrary: fc.constant("sync" as const) },
        { weight: 1, arbitrary: fc.constantFrom("add-only" as const, "audit" as const) },
      ),
      writes: fc.oneof(
        { weight: 4, arbitrary: fc.constant("names" as const) },
        { weight: 1, arbitrary: fc.constantFrom("ids" as const, "names" as const) },
      ),
      until,
    }),
    { minLength: 1, maxLength: 6 },
  ),
  grants: fc.array(fc.record({ host: index, delegate: index, until }), { maxLength: 3 }),
  delegates: fc.array(fc.record({ host: index, delegate: index }), { maxLength: 3 }),
  policy: fc
    .record({
      limits: fc.oneof(
        { weight: 2, arbitrary: fc.constant({ perRoom: 100, perRun: 100, revocations: 10, share: 1 }) },
        {
          weight: 1,
          arbitrary: fc.record({
            perRoom: fc.constantFrom(0, 1, 3, 100),
            perRun: fc.constantFrom(0, 2, 25, 100),
            revocations: fc.constantFrom(0, 1, 10),
            share: fc.constantFrom(0, 0.25, 0.5, 1),
          }),
        },
      ),
      emptyGroup: fc.constantFrom("hold" as const, "apply" as const),
      moderators: fc.boolean(),
      bots: fc.boolean(),
      externals: fc.boolean(),
      people: some(2),
    })
    .map(({ limits, ...rest }) => ({ ...limits, ...rest })),
  acts: fc.array(act, { minLength: 1, maxLength: 3 }),
});
