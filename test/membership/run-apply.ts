import assert from "node:assert/strict";
import type { Listing } from "../../src/lib/listing.ts";
import { applyPlan, type MembershipWriter } from "../../src/membership/apply.ts";
import type { RoomMember } from "../../src/membership/directory.ts";
import type { CheckedRoom } from "../../src/membership/limits.ts";
import type { RoomPlan } from "../../src/membership/plan.ts";
import { labelOf } from "../../src/membership/record.ts";
import { complete, member, owner, person } from "../support/builders.ts";

/** How the made-up Webex behaves. */
export interface Facts {
  /** What a change does instead of working, by `add ada` or `remove eve`. */
  readonly effects?: Readonly<
    Record<
      string,
      | "throws"
      | "unsent"
      | "lost answer"
      | "done before"
      | "refused, and done by others"
      | "without effect"
      | "later"
      | "stops"
    >
  >;
  readonly listing?: Listing<RoomMember>;
  /** What the second look finds otherwise than the first. */
  readonly again?: Partial<RoomPlan>;
}

/**
 * Applies the plans of rooms to a made-up Webex; tells what was called, and the outcomes by room key.
 * Members of every room before the changes: the token's owner, and whoever is to be removed.
 */
export async function run(rooms: readonly CheckedRoom[], { effects = {}, listing, again }: Facts = {}) {
  const stop = new AbortController();
  const log: string[] = [];
  const late: (() => void)[] = [];
  const present = new Map(
    rooms.map(({ feed, removals }) => [feed.room.key, new Set(["rollcall", ...removals.map(labelOf)])]),
  );

  function change(action: "add" | "remove", roomKey: string, name: string): void {
    const what = `${action} ${name}`;
    log.push(what);
    const effect = effects[what];
    if (effect === "unsent") {
      stop.abort();
      throw Object.assign(new Error("not sent"), { attempts: 0 });
    }
    if (effect === "throws")
      throw Object.assign(new Error(`no ${what}`), { trackingId: `T-${name}`, attempts: 1 });
    const members = present.get(roomKey);
    const work = () => (action === "add" ? members?.add(name) : members?.delete(name));
    if (effect === "later") late.push(work);
    else if (effect !== "without effect") work();
    if (effect === "stops") stop.abort();
    if (effect === "lost answer")
      throw Object.assign(new Error(`no answer to ${what}`), { mayHaveWorked: true });
    if (effect === "refused, and done by others")
      throw Object.assign(new Error(`no ${what}`), { mayHaveWorked: false });
  }

  const writer: MembershipWriter = {
    async addMember(room, addition) {
      const name = labelOf(addition);
      change("add", room.key, name);
      if (effects[`add ${name}`] === "done before") return null;
      return { ...person(name), email: `${name}@told-by-webex.example` };
    },
    async removeMember(room, removal) {
      const name = labelOf(removal);
      change("remove", room.key, name);
      return effects[`remove ${name}`] !== "done before";
    },
  };
  const outcomes = await applyPlan(
    { rooms, digest: null },
    {
      writer,
      reader: {
        async listRoomMembers({ key }) {
          log.push("look");
          return listing ?? complete(...[...(present.get(key) ?? [])].map((name) => member(name)));
        },
      },
      // As the first plan, but for who is there by now: the groups are as they were.
      async planAgain(of, members) {
        log.push("groups");
        const plan = rooms.find(({ feed }) => feed === of) ?? assert.fail("no such room");
        const there = new Set(members.items.map(({ key }) => key));
        const isReadable = members.complete && there.has(owner.key);
        const additions = plan.additions.filter(({ key }) => !there.has(key));
        return {
          ...plan,
          additions,
          removals: isReadable ? plan.removals.filter(({ key }) => there.has(key)) : [],
          stayingCount: plan.stayingCount + plan.additions.length - additions.length,
          frozen: isReadable ? null : "its members are not known",
          ...again,
        };
      },
      ownerKey: owner.key,
      stop: stop.signal,
      waitForConsistency: async () => {
        log.push("settle");
        for (const work of late) work();
      },
    },
  );
  return { log, outcomes: Object.fromEntries(outcomes) };
}
