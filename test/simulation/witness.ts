import type { Exchange } from "../../sandbox/http.ts";
import type { Scenario } from "./scenario.ts";
import { emailOf, ownerKey, type Snapshot, type World } from "./world.ts";

/** What kind of run is watched. */
export interface Watched {
  readonly command: "sync" | "plan" | "restore";
  /** Of a restore: whom it may bring back, as `space person`. */
  readonly mayReturn: ReadonlySet<string>;
  /** And whom it may take out again. */
  readonly mayLeave: ReadonlySet<string>;
}

/** What the product has done in one run. */
export interface Deeds {
  /** As `space person`, the space by its number. */
  readonly added: string[];
  readonly removed: string[];
  readonly granted: string[];
  readonly revoked: string[];
  /** By the number of the space: the most members that it had or was to have. */
  readonly mostMembers: number[];
}

interface Moderation {
  readonly moment: number;
  readonly moderators: ReadonlySet<string>;
}

/**
 * Looks at the organisation before and after each request is handled, and remembers how it was at every moment: what
 * the product must never do is seen when it does it, whatever the product itself says.
 */
export class Witness {
  readonly wrongs: string[] = [];
  deeds: Deeds = { added: [], removed: [], granted: [], revoked: [], mostMembers: [] };
  readonly #world: World;
  readonly #policy: Scenario["policy"];
  #watched: Watched = { command: "plan", mayReturn: new Set(), mayLeave: new Set() };
  #moment = 0;
  #startedAt = 0;
  /** The last moment at which somebody was not, or was, wanted in a space; by `space person`. */
  readonly #lastUnwanted = new Map<string, number>();
  readonly #lastWanted = new Map<string, number>();
  readonly #lastMapped = new Map<number, number>();
  /** The modes that the rows of a space have had in this run. */
  readonly #modes = new Map<number, Set<string>>();
  /** The moment of the last look at the members of a space that began, and who moderated it at the first one. */
  readonly #looks = new Map<number, number>();
  readonly #moderators = new Map<number, Moderation[]>();
  readonly #lastListed = new Map<string, number>();
  readonly #lastUnlisted = new Map<string, number>();
  readonly #kinds: ReadonlyMap<string, string>;

  constructor(world: World, { people, policy }: Scenario) {
    this.#world = world;
    this.#policy = policy;
    this.#kinds = new Map(people.map((kind, number) => [`p${number + 1}`, kind]));
    this.look();
  }

  begin(watched: Watched): void {
    this.#watched = watched;
    this.deeds = { added: [], removed: [], granted: [], revoked: [], mostMembers: [] };
    for (const memory of [this.#looks, this.#moderators, this.#modes]) memory.clear();
    this.#startedAt = this.#moment + 1;
    this.look();
  }

  /** Remembers how everything is at this moment, which is a new one. */
  look(snapshot: Snapshot = this.#world.snapshot()): void {
    this.#moment += 1;
    const moment = this.#moment;
    const world = this.#world;
    for (const [space, state] of snapshot.entries()) {
      const wanted = world.wanted(space);
      for (const key of world.keys)
        (wanted.has(key) ? this.#lastWanted : this.#lastUnwanted).set(`${space} ${key}`, moment);
      const rows = world.rowsOf(space);
      if (rows.length > 0) this.#lastMapped.set(space, moment);
      for (const { mode } of rows) this.#modes.set(space, (this.#modes.get(space) ?? new Set()).add(mode));
      if (state === null) continue;
      const all = new Set([...state.members, ...wanted]);
      this.deeds.mostMembers[space] = Math.max(this.deeds.mostMembers[space] ?? 0, all.size);
      const past = this.#moderators.get(space) ?? [];
      const last = past.at(-1)?.moderators;
      if (last === undefined || !isSame(last, state.moderators))
        past.push({ moment, moderators: state.moderators });
      this.#moderators.set(space, past);
    }
    for (const row of world.grants) {
      (world.holds(row) ? this.#lastListed : this.#lastUnlisted).set(`${row.host} ${row.delegate}`, moment);
    }
  }

  /** Judges what one request has done. */
  judge(before: Snapshot, after: Snapshot): void {
    for (const [space, state] of before.entries()) {
      const then = after[space];
      if (!state || !then) continue;
      for (const key of state.members)
        if (!then.members.has(key)) this.#judgeRemoval(space, key, state.moderators);
      for (const key of then.members) if (!state.members.has(key)) this.#judgeAddition(space, key);
      if (
        [...then.moderators].some((key) => !state.moderators.has(key)) &&
        this.#watched.command !== "restore"
      )
        this.#blame(`it made somebody a moderator of space ${space + 1}`);
    }
    this.look(after);
  }

  /** Judges what one request has done to the delegates. */
  judgeDelegates(
    before: ReadonlyMap<string, readonly string[]>,
    after: ReadonlyMap<string, readonly string[]>,
  ): void {
    for (const [host, then] of before) {
      const now = after.get(host) ?? [];
      for (const delegate of now.filter((one) => !then.includes(one))) {
        const pair = `${host} ${delegate}`;
        this.deeds.granted.push(pair);
        if ((this.#lastListed.get(pair) ?? 0) < this.#startedAt)
          this.#blame(`it made ${delegate} a delegate of ${host}, which no row says`);
      }
      for (const delegate of then.filter((one) => !now.includes(one))) {
        const pair = `${host} ${delegate}`;
        this.deeds.revoked.push(pair);
        const row = this.#world.grants.find((one) => one.host === host && one.delegate === delegate);
        if (!row?.wasThere)
          this.#blame(`it took ${delegate} from the delegates of ${host}, whom no row ever named`);
        else if ((this.#lastUnlisted.get(pair) ?? 0) < this.#startedAt)
          this.#blame(`it took ${delegate} from the delegates of ${host}, whom a row names all the time`);
      }
    }
  }

  /** Remembers when the members of a space were last looked at from the beginning. */
  noteLook({ route, path, method }: Exchange): void {
    const query = new URL(path, "http://sandbox").searchParams;
    const roomId = query.get("roomId");
    // The first page of a whole list; the further ones name where they go on.
    const isPart = ["after", "personId", "personEmail"].some((name) => query.has(name));
    if (method !== "GET" || route !== "GET /memberships" || roomId === null || isPart) return;
    const space = this.#world.spaceOf(roomId);
    if (space >= 0) this.#looks.set(space, this.#moment);
  }

  #judgeAddition(space: number, key: string): void {
    const name = `${space} ${key}`;
    const { command, mayReturn } = this.#watched;
    this.deeds.added.push(name);
    const where = `${key} to space ${space + 1}`;
    if (command === "plan") this.#blame(`a plan added ${where}`);
    else if (command === "restore") {
      if (!mayReturn.has(name)) this.#blame(`a restore added ${where}, whom the run had not removed`);
    } else if ((this.#lastWanted.get(name) ?? 0) < this.#startedAt)
      this.#blame(`it added ${where}, where no row and no group wants them`);
    else if (this.#hasOnlyModes(space, ["audit"])) this.#blame(`it added ${where}, which is only audited`);
  }

  #judgeRemoval(space: number, key: string, moderators: ReadonlySet<string>): void {
    const name = `${space} ${key}`;
    const { command } = this.#watched;
    const { bots, externals, moderators: protectsModerators } = this.#policy;
    this.deeds.removed.push(name);
    const blame = (why: string) => this.#blame(`it removed ${key} from space ${space + 1}, ${why}`);
    if (command === "plan") blame("although it was a plan");
    if (key === ownerKey) blame("who is the token's owner");
    if (this.#kinds.get(key) === "bot" && bots) blame("who is a bot");
    if (this.#kinds.get(key) === "guest" && externals) blame("who is of another organisation");
    if (this.#world.protectedAddresses.includes(emailOf(key)))
      blame("whom the policy protects by their address");
    const since = this.#looks.get(space) ?? this.#moment;
    if (!this.#looks.has(space)) blame("whose members it never looked at");
    const past = this.#pastOf(space, since);
    const wasModerator = past.every((set) => set.has(key));
    if (wasModerator && protectsModerators) blame("who moderates it, which the policy protects");
    const gone = new Set(
      this.deeds.removed.filter((one) => one.startsWith(`${space} `)).map((one) => one.split(" ")[1]),
    );
    const others = past.some((set) => [...set].some((other) => other !== key && !gone.has(other)));
    if (moderators.has(key) && wasModerator && !others)
      blame("who was its last moderator since the second look began");
    if (command === "restore") {
      if (!this.#watched.mayLeave.has(name)) blame("whom the run had not added");
      return;
    }
    if ((this.#lastMapped.get(space) ?? 0) < this.#startedAt) blame("which no row names");
    if (this.#hasOnlyModes(space, ["audit", "add-only"])) blame("where the rows allow no removals");
    if ((this.#lastUnwanted.get(name) ?? 0) < since)
      blame("who was in a feeding group since the second look began");
  }

  /** The moderators at every moment since. */
  #pastOf(space: number, since: number): ReadonlySet<string>[] {
    const past = this.#moderators.get(space) ?? [];
    const first = past.findLastIndex(({ moment }) => moment <= since);
    return past.slice(Math.max(0, first)).map(({ moderators }) => moderators);
  }

  #hasOnlyModes(space: number, modes: readonly string[]): boolean {
    return [...(this.#modes.get(space) ?? [])].every((mode) => modes.includes(mode));
  }

  #blame(wrong: string): void {
    this.wrongs.push(wrong);
  }
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((key) => other.has(key));
}
