import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPlan, type MembershipWriter } from "../../src/membership/apply.ts";
import type { MembershipReader } from "../../src/membership/directory.ts";
import { checkLimits } from "../../src/membership/limits.ts";
import type { Mapping } from "../../src/membership/mapping.ts";
import { observe } from "../../src/membership/observe.ts";
import { planChanges } from "../../src/membership/plan.ts";
import { defaultPolicy, type Policy } from "../../src/membership/policy.ts";
import { complete, described, member, owner, person, room, user } from "../support/builders.ts";
import { listingsOnly } from "../support/listings-only.ts";

const names = ["ada", "bob", "cyd", "dan", "eve", "fay"];
const titles = ["NOC", "Lobby"];
const groupNames = ["eng", "ops"];
const mappings: readonly Mapping[] = [
  { group: "eng", room: "NOC", mode: "sync", line: 2 },
  { group: "ops", room: "NOC", mode: "sync", line: 3 },
  { group: "ops", room: "Lobby", mode: "sync", line: 4 },
];
const feeding = (title: string) => mappings.filter((row) => row.room === title).map((row) => row.group);

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A Webex in which anything may happen before and after each request. */
function createWorld(random: () => number, restlessness: number) {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] ?? assert.fail("empty");
  const some = () => new Set(names.filter(() => random() < 0.5));
  const groups = new Map(groupNames.map((name) => [name, some()]));
  const rooms = new Map(titles.map((title) => [title, { members: some(), moderators: new Set<string>() }]));
  for (const { members, moderators } of rooms.values())
    for (const name of members) if (random() < 0.4) moderators.add(name);
  const roomOf = (title: string) => rooms.get(title) ?? assert.fail(title);
  const groupOf = (name: string) => groups.get(name) ?? assert.fail(name);

  /** The moment at which something was last so, by what it is. */
  const last = new Map<string, number>();
  const removals: string[] = [];
  const wrongs: string[] = [];
  let now = 0;

  function observeMoment(): void {
    now += 1;
    for (const title of titles) {
      for (const name of names) {
        if (!feeding(title).some((group) => groupOf(group).has(name)))
          last.set(`${name} unfed ${title}`, now);
      }
    }
  }

  function change(): void {
    const [name, title, group] = [pick(names), pick(titles), pick(groupNames)];
    const { members, moderators } = roomOf(title);
    const roll = random();
    if (roll < 0.25) groupOf(group).add(name);
    else if (roll < 0.5) groupOf(group).delete(name);
    else if (roll < 0.65) members.add(name);
    else if (members.has(name)) {
      last.set(`moderators of ${title}`, now + 1);
      if (roll < 0.75) members.delete(name);
      if (roll < 0.75 || moderators.has(name)) moderators.delete(name);
      else moderators.add(name);
    }
    observeMoment();
  }

  /** Answers a request, with the world as it is at one moment of it. */
  async function answer<T>(give: () => T): Promise<T> {
    for (let turn = random() * 5; turn > 0; turn -= 1) await Promise.resolve();
    while (random() < restlessness) change();
    const given = give();
    observeMoment();
    while (random() < restlessness) change();
    return given;
  }

  /** Notes what must never be, at the moment of a removal: an error thrown here would only be a failed change. */
  function judge(title: string, name: string): void {
    const { moderators } = roomOf(title);
    const began = last.get(`look at ${title}`) ?? now;
    const since = (what: string) => (last.get(what) ?? 0) >= began;
    removals.push(`${name} from ${title}`);
    if (!since(`${name} unfed ${title}`)) wrongs.push(`${name} was in a group of ${title} all the time`);
    if (moderators.has(name) && moderators.size === 1 && !since(`moderators of ${title}`))
      wrongs.push(`${name} was the last moderator of ${title}`);
  }

  const reader: MembershipReader = {
    ...listingsOnly,
    readOwner: async () => owner,
    listGroups: async () =>
      complete(...groupNames.map((name) => ({ key: name, id: name, displayName: name }))),
    listRooms: async () => complete(...titles.map((title) => room(title))),
    listGroupMembers: ({ displayName }) =>
      answer(() => {
        const members = [...groupOf(displayName)].map((name) => user(name));
        const head = { key: displayName, displayName, memberSize: members.length, lastModified: null };
        return { heads: [head], members: complete(...members) };
      }),
    async listRoomMembers({ title }) {
      observeMoment();
      last.set(`look at ${title}`, now);
      return await answer(() => {
        const { members, moderators } = roomOf(title);
        const items = [...members].map((name) => member(name, { isModerator: moderators.has(name) }));
        return complete(member("rollcall"), ...items);
      });
    },
    findHolders: async () => complete(),
    lookUpPeople: (ids) =>
      answer(() => {
        const people = ids.map((id) => id.replace("id-", ""));
        return { people: new Map(people.map((name) => [`PEOPLE/${name}`, described(name)])), failure: null };
      }),
  };
  const nameOf = ({ key }: { readonly key: string }) => key.replace("PEOPLE/", "");
  const writer: MembershipWriter = {
    addMember: ({ title }, addition) =>
      answer(() => {
        const { members } = roomOf(title);
        const isNew = !members.has(nameOf(addition));
        members.add(nameOf(addition));
        return isNew ? person(nameOf(addition)) : null;
      }),
    removeMember: ({ title }, removal) =>
      answer(() => {
        const { members, moderators } = roomOf(title);
        const name = nameOf(removal);
        if (members.has(name)) judge(title, name);
        moderators.delete(name);
        return members.delete(name);
      }),
  };
  return { reader, writer, removals, wrongs, members: (title: string) => roomOf(title).members, groupOf };
}

async function sync(world: ReturnType<typeof createWorld>, policy: Policy) {
  const [observation] = await observe(world.reader, [mappings]);
  const { rooms, problems, planAgain } = planChanges(observation, policy);
  const outcomes = await applyPlan(checkLimits(rooms, policy), {
    reader: world.reader,
    writer: world.writer,
    planAgain,
    ownerKey: owner.key,
    stop: new AbortController().signal,
    waitForConsistency: async () => undefined,
  });
  return { outcomes, problems };
}

const everythingGoes = { count: 100, share: 1 };

function policyOf(moderators: boolean): Policy {
  const limits = {
    removalsPerRoom: everythingGoes,
    removalsPerRun: everythingGoes,
    emptyGroup: "apply",
  } as const;
  return {
    ...defaultPolicy,
    limits: { ...defaultPolicy.limits, ...limits },
    protect: { ...defaultPolicy.protect, moderators },
  };
}

for (const [fact, restlessness] of [
  ["now and then", 0.15],
  ["all the time", 0.5],
] as const) {
  test(`nobody whom a group holds is removed, and no last moderator, while Webex changes ${fact}`, async () => {
    let removed = 0;
    for (let seed = 1; seed <= 400; seed += 1) {
      const world = createWorld(createRandom(seed), restlessness);
      await sync(world, policyOf(seed % 2 === 0));
      assert.deepEqual(world.wrongs, [], `with seed ${seed}`);
      removed += world.removals.length;
    }
    assert.ok(removed > 100, `only ${removed} removals were put to the test`);
  });
}

test("where nothing changes, one run makes the rooms what their groups say, but for moderators", async () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const world = createWorld(createRandom(seed), 0);
    const { outcomes, problems } = await sync(world, policyOf(true));
    assert.deepEqual(problems, []);
    for (const outcome of outcomes.values()) assert.deepEqual([outcome.problems, outcome.failed], [[], []]);
    for (const title of titles) {
      const wanted = feeding(title).flatMap((group) => [...world.groupOf(group)]);
      assert.ok(wanted.every((name) => world.members(title).has(name)));
    }
  }
});
