import * as v from "valibot";
import { falseAnswers } from "../../sandbox/faults.ts";
import type { Commit } from "../../sandbox/github/git.ts";
import type { Arrival, Departure } from "../../sandbox/http.ts";
import { createSandbox, type SandboxState } from "../../sandbox/server.ts";
import { parseJson } from "../../src/lib/json.ts";
import { errorMessage } from "../../src/lib/text.ts";
import { parseRecord, type RunRecord, recordSchema } from "../../src/membership/record.ts";
import type { Disk } from "./disk.ts";
import { type DistortionName, distortions } from "./distort.ts";
import type { Stage } from "./globals.ts";
import type { Ending, Machine } from "./machine.ts";
import { connect, enterStage, root, runProduct, url } from "./product.ts";
import type { Act, FaultName, RequestKind, Scenario, TimedChange } from "./scenario.ts";
import { judgeQuiet, listOf, type NameOf } from "./verdict.ts";
import { Witness } from "./witness.ts";
import { dayMs, describeOrganisation, firstDay, ownerKey, type Snapshot, World } from "./world.ts";

const secretName = "WEBEX_REFRESH_TOKEN";
const paths = {
  rows: "mappings/rooms.csv",
  grants: "mappings/delegations.csv",
  policy: "mappings/policy.json",
  record: "record.json",
  owed: "record.owed.json",
  token: "token",
  summary: "summary.md",
} as const;

/** Nothing happens in it, and nothing goes wrong. */
const quiet: Act = { command: "sync", faults: [], changes: [], killAt: 0, stopAt: 0 };

/** A run ends within nine seconds of its SIGTERM. */
const graceMs = 9_000;

export interface Played {
  /** Everything that must not be, in words; empty when all is well. */
  readonly wrongs: readonly string[];
  /** What happened, in order. */
  readonly story: readonly string[];
  readonly runs: number;
  readonly removals: number;
  readonly requests: number;
  /** Who is in which space at the end. */
  readonly ending: readonly string[];
}

/** What is seen of the repository and the machine after a run. */
export interface Sight {
  readonly runs: number;
  readonly commits: number;
  readonly issues: number;
  readonly openIssues: number;
  /** What the next run begins with: the bytes of what Rollcall keeps for itself. */
  readonly memoryBytes: number;
  /** What the repository's history takes in memory: it keeps every version of every file. */
  readonly historyBytes: number;
}

/** How a long story differs from a short one. */
export interface Telling {
  readonly runsPerDay?: number;
  /** How many of the last lines of the story are kept. Default: all. */
  readonly keptLines?: number;
  readonly onRun?: (sight: Sight) => void;
}

/** Plays a story from its beginning to quiet runs at its end, and says what must not have been. */
export async function play(scenario: Scenario, telling: Telling = {}): Promise<Played> {
  const { machine, disk, random } = await enterStage(scenario.chance, firstDay);
  const { write } = process.stdout;
  // The runner's commands, which would mark lines of whoever reads this.
  process.stdout.write = () => true;
  try {
    return await new Player(scenario, telling, { machine, disk, random }).play();
  } finally {
    process.stdout.write = write;
  }
}

interface Told {
  readonly ending: Ending;
  readonly lines: readonly string[];
  readonly record: RunRecord | null;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

class Player {
  readonly #story: string[] = [];
  readonly #wrongs: string[] = [];
  #requests = 0;
  #runs = 0;
  #removals = 0;
  #commits = 0;
  #historyBytes = 0;
  /** The last record that holds something, or that changed something, and whether anything has changed since. */
  #lastHeld: RunRecord | null = null;
  #isFresh = false;
  #lastChanged: { readonly path: string; readonly before: Snapshot; readonly isWhole: boolean } | null = null;

  readonly machine: Machine;
  readonly disk: Disk;
  readonly random: () => number;

  constructor(
    readonly scenario: Scenario,
    readonly telling: Telling,
    { machine, disk, random }: Stage,
  ) {
    this.machine = machine;
    this.disk = disk;
    this.random = random;
  }

  async play(): Promise<Played> {
    const { scenario, machine } = this;
    const { store, refreshToken, pageSize } = scenario;
    const { sandbox, receive } = await createSandbox(url, describeOrganisation(scenario), {
      refreshToken,
      pageCaps: { groupMembers: pageSize, memberships: pageSize, rooms: 3, groups: 3 },
      github: { files: { "README.md": "" } },
      keepResponses: false,
    });
    const world = new World(scenario, sandbox, () => machine.now);
    const witness = new Witness(world, scenario);
    const names = new Map(world.keys.map((key) => [sandbox.personId(key), key]));
    const nameOf: NameOf = (roomId, personId) =>
      `${world.spaceOf(roomId)} ${names.get(personId) ?? personId}`;
    this.#tellBeginning(world);

    const writeFiles = () => {
      const files = [
        [paths.rows, world.rowsText],
        ...(world.grants.length > 0 ? ([[paths.grants, world.grantsText]] as const) : []),
        [paths.policy, world.policyText],
      ] as const;
      for (const [path, text] of files) {
        if (store === "file") this.disk.put(path, text);
        else if (sandbox.github.files().get(path) !== text) sandbox.github.writeFile(path, text);
      }
    };
    writeFiles();
    if (store === "file") this.disk.put(paths.token, `${sandbox.currentRefreshToken}\n`);

    const change = ({ change }: TimedChange, when: string) => {
      const words = world.apply(change);
      if (words === null) return;
      this.#isFresh = false;
      this.#tell(`  ${when}: ${words}`);
      if (change.kind === "row comes or goes" || change.kind === "delegation comes or goes") writeFiles();
      witness.look();
    };

    let number = 0;
    let total = 0;
    let counts: Counts = { any: 0, members: 0, group: 0, write: 0 };
    let isRefreshed = false;
    /** Webex's answer to the refresh was made to say that the refresh token stays: no run can store what it never got. */
    let isWithheld = false;
    const bearers = new Set<string>();
    let act: Act = quiet;
    connect({
      machine,
      random: this.random,
      receive: async (arrival) => {
        number += 1;
        total += 1;
        const here = number;
        const numbers = countKinds(counts, arrival);
        if (arrival.origin !== url) this.#wrongs.push(`a request went to ${arrival.origin}`);
        const changeNow = (isAfter: boolean) => {
          for (const timed of act.changes)
            if (timed.at > 0 && timed.at === numbers[timed.on] && timed.isAfter === isAfter)
              change(timed, `${isAfter ? "after" : "before"} request ${here}`);
        };
        changeNow(false);
        const mayWrite = arrival.method !== "GET" && !arrival.target.startsWith("/api/");
        const before = mayWrite ? world.snapshot() : null;
        const delegatesBefore = mayWrite ? world.delegates() : null;
        const answer = await receive(arrival);
        const fault = act.faults.find(({ at }) => at === here);
        const departure =
          fault && isDistortion(fault.name) ? distortions[fault.name](answer, this.random()) : answer;
        const exchange = sandbox.requests.at(-1);
        if (exchange === undefined) return departure;
        if (before !== null) witness.judge(before, world.snapshot());
        if (delegatesBefore !== null) witness.judgeDelegates(delegatesBefore, world.delegates());
        witness.noteLook(exchange);
        const { authorization = "" } = arrival.headers;
        if (exchange.route === "POST /access_token") {
          isRefreshed = true;
          isWithheld = fault !== undefined && withholdsToken(departure);
        } else if (exchange.half !== "github" && !bearers.has(authorization)) {
          // An older one may still be on its way while the next one is got.
          if (!isSafe() && !isWithheld)
            this.#wrongs.push("the access token was used before the refresh token was stored");
          bearers.add(authorization);
        }
        const isWrite = exchange.half === "webex" && exchange.method !== "GET";
        if (fault || isWrite) {
          const status = departure.head === null ? "no answer" : departure.head.status;
          const path = decodePath(exchange.path);
          this.#tell(`  ${here}: ${exchange.method} ${path} -> ${status}${fault ? ` (${fault.name})` : ""}`);
        }
        changeNow(true);
        return departure;
      },
    });
    const stored = (): string | null =>
      store === "file"
        ? (this.disk.get(paths.token)?.trim() ?? null)
        : (sandbox.github.secret(secretName) ?? null);
    /** The next run finds a token that was written beside the file by a run that died before the rename. */
    const isSafe = () =>
      [stored(), this.disk.get(`${paths.token}.next`)?.trim()].includes(sandbox.currentRefreshToken);

    const perform = async (next: Act, args: readonly string[], undone: RunRecord | null): Promise<Told> => {
      this.#runs += 1;
      // A run a day, and all of those at the end on one day: a row that ends between two of them is a change.
      const day = Math.floor(Math.min(this.#runs - 1, scenario.acts.length) / (this.telling.runsPerDay ?? 1));
      machine.now = Math.max(machine.now + 60_000, firstDay + day * dayMs);
      this.#tell(`run ${this.#runs}: ${args.join(" ")}`);
      for (const timed of next.changes) if (timed.at === 0) change(timed, "before");
      act = next;
      number = 0;
      counts = { any: 0, members: 0, group: 0, write: 0 };
      isRefreshed = false;
      isWithheld = false;
      // Of the runs before nothing but its effect is left.
      sandbox.forget();
      const base = total;
      for (const { at, name } of next.faults)
        if (!isDistortion(name))
          sandbox.fault({ ...falseAnswers[name], number: base + at, match: () => act === next });
      for (const file of [paths.record, paths.owed, paths.summary]) this.disk.put(file, null);
      if (store === "secret") {
        for (const file of this.disk.list("reports")) this.disk.put(file, null);
        for (const [file, text] of sandbox.github.files()) this.disk.put(file, text);
      }
      const env =
        store === "file"
          ? { ...sandbox.environment(), WEBEX_TOKEN_FILE: paths.token, WEBEX_REFRESH_TOKEN: "" }
          : sandbox.githubEnvironment({
              GITHUB_ACTIONS: "true",
              GITHUB_EVENT_NAME: "schedule",
              GITHUB_REF: "refs/heads/main",
              GITHUB_STEP_SUMMARY: paths.summary,
            });
      const [command] = args;
      const listUndone = (list: "added" | "removed") =>
        new Set(undone === null ? [] : listOf(undone, list, nameOf));
      witness.begin({
        command: command === "plan" || command === "restore" ? command : "sync",
        mayReturn: listUndone("removed"),
        mayLeave: listUndone("added"),
      });
      const before = world.snapshot();
      const lines: string[] = [];
      const tell = (text: string) => {
        lines.push(text);
      };
      const stop = new AbortController();
      let stoppedAt: number | null = null;
      const startedAt = machine.now;
      const ending = await machine.run(
        () => runProduct([...args, "--json", paths.record], env, stop, { print: tell, log: tell }),
        {
          killAt: next.killAt,
          stopAt: next.stopAt,
          stop: () => {
            stoppedAt = machine.now;
            this.#tell("  SIGTERM");
            stop.abort();
          },
        },
      );
      const after = world.snapshot();
      const { end } = ending;
      this.#removals += witness.deeds.removed.length;
      this.#requests += number;
      const record = readRecord(this.disk.get(paths.record));
      this.#tellEnd(ending, record, lines);
      if (end.kind === "threw") this.#wrongs.push(`it threw: ${errorMessage(end.error)}`);
      if (end.kind === "never ended") this.#wrongs.push(`it never ended: ${end.why}`);
      if (end.kind === "ended" && record === null) this.#wrongs.push(`it left no record: ${lines}`);
      // Not the machine's clock, for by now what was still on the way to the servers has arrived.
      const tookMs = stoppedAt === null ? 0 : startedAt + ending.durationMs - stoppedAt;
      if (end.kind === "ended" && tookMs > graceMs)
        this.#wrongs.push(`it ended ${tookMs} ms after its SIGTERM`);
      this.#wrongs.push(...witness.wrongs.splice(0));
      if (!isSafe()) {
        // A run that is killed between the refresh and the store cannot say anything any more.
        const isTold =
          isWithheld || lines.some((line) => line.includes("RECOVERY") || /log in again/i.test(line));
        if (end.kind === "killed" ? !isRefreshed : !isTold) this.#wrongs.push("the refresh token is lost");
        this.#tell("  somebody logs in again");
        if (store === "file") this.disk.put(paths.token, `${sandbox.currentRefreshToken}\n`);
        else sandbox.github.scope(undefined).store(secretName, sandbox.currentRefreshToken);
      }
      const owed = this.disk.get(paths.owed);
      if (store === "secret" && owed !== null && end.kind === "ended") {
        const runId = "GITHUB_RUN_ID" in env ? (env.GITHUB_RUN_ID ?? "") : "";
        sandbox.github.uploadArtifact({ name: "rollcall-owed", file: paths.owed, text: owed, runId });
      }
      act = quiet;
      this.#look(sandbox.github, isQuiet(next) && command === "sync");
      return { ending, lines, record, before, after };
    };

    /** Runs sync, and judges it where nothing disturbed it. */
    const sync = async (next: Act, approved: string | null): Promise<Told> => {
      const args = ["sync", ...(approved === null ? [] : ["--approve", approved])];
      const heldBefore = this.#lastHeld;
      for (const timed of next.changes) if (timed.at === 0) change(timed, "before");
      const isStill = this.#isFresh;
      const told = await perform({ ...next, changes: next.changes.filter(({ at }) => at > 0) }, args, null);
      const { record, before, after, ending } = told;
      const { deeds } = witness;
      if (isQuiet(next) && record !== null && ending.end.kind === "ended") {
        const isApproved = approved !== null && heldBefore?.digest === approved;
        const run = { record, before, after, deeds, code: ending.end.code, isApproved };
        this.#wrongs.push(...judgeQuiet(run, world, scenario, nameOf));
        if (isApproved && isStill && heldBefore !== null) {
          const [held, removed] = [listOf(heldBefore, "held", nameOf), [...deeds.removed].sort()];
          if (String(held) !== String(removed))
            this.#wrongs.push(`the approval was for ${held}, but removed were ${removed}`);
        }
      }
      if (approved !== null && record !== null && ending.end.kind === "ended" && record.digest === approved)
        this.#wrongs.push("an approval of what is held now was refused");
      this.#remember(told, deeds.added.length + deeds.removed.length > 0, isQuiet(next));
      return told;
    };

    for (const next of scenario.acts) {
      if (next.command === "plan") await perform(next, ["plan"], null);
      else if (next.command === "approve" && this.#lastHeld?.digest) await sync(next, this.#lastHeld.digest);
      else if (next.command === "restore" && this.#lastChanged !== null)
        await this.#restore(next, perform, witness);
      else await sync(next, null);
    }

    const planned = await perform(quiet, ["plan"], null);
    const done = await sync(quiet, null);
    this.#comparePlan(planned.record, done.record, nameOf);
    const commits = sandbox.github.commits.length;
    const again = await sync(quiet, null);
    if (sandbox.github.commits.length > commits)
      this.#wrongs.push("the next run commits, although nothing is new");
    const { added, removed, granted, revoked } = witness.deeds;
    const writes = [...added, ...removed, ...granted, ...revoked];
    if (writes.length > 0) this.#wrongs.push(`the next run still changed something: ${writes}`);
    if (again.record?.digest !== done.record?.digest)
      this.#wrongs.push("what is held has another digest in the next run");
    const ending = world
      .snapshot()
      .flatMap((state, space) => [...(state?.members ?? [])].sort().map((key) => `${space} ${key}`));
    const { length } = this.#wrongs;
    this.#tell(length === 0 ? "all is well" : this.#wrongs.map((wrong) => `WRONG: ${wrong}`).join("\n"));
    return {
      wrongs: this.#wrongs,
      story: this.#story,
      runs: this.#runs,
      removals: this.#removals,
      requests: this.#requests,
      ending,
    };
  }

  /** Of several issues, which a false answer may lead to, the next run of sync closes all but one. */
  #look({ commits, issues: { all } }: SandboxState["github"], isTidy: boolean): void {
    for (const commit of commits.slice(this.#commits)) this.#historyBytes += sizeOf(commit);
    this.#commits = commits.length;
    const openIssues = all.filter(({ state }) => state === "open").length;
    if (isTidy && openIssues > 1) this.#wrongs.push(`${openIssues} issues are open`);
    const kept = ["reports/state.json", "reports/history.json"].map(
      (path) => commits.at(-1)?.files.get(path) ?? "",
    );
    this.telling.onRun?.({
      runs: this.#runs,
      commits: commits.length,
      issues: all.length,
      openIssues,
      memoryBytes: kept.join("").length,
      historyBytes: this.#historyBytes,
    });
  }

  /** Undoes the last run that changed something. */
  async #restore(
    next: Act,
    perform: (act: Act, args: readonly string[], undone: RunRecord | null) => Promise<Told>,
    witness: Witness,
  ): Promise<void> {
    const last = this.#lastChanged;
    if (last === null) return;
    const isStill = this.#isFresh && last.isWhole && !next.changes.some(({ at }) => at === 0);
    const undone = readRecord(this.disk.get(last.path));
    const told = await perform(next, ["restore", "--record", last.path], undone);
    const { record, after, ending } = told;
    const isWhole =
      record !== null &&
      record.problems.length + record.totals.held + record.totals.kept + record.totals.failed === 0;
    if (isStill && isQuiet(next) && isWhole && ending.end.kind === "ended") {
      for (const [space, state] of last.before.entries()) {
        const now = after[space];
        if (!state || !now) continue;
        const [was, is] = [[...state.members].sort(), [...now.members].sort()];
        if (String(was) !== String(is))
          this.#wrongs.push(
            `after the restore space ${space + 1} has ${is}, but before the run it had ${was}`,
          );
      }
    }
    this.#remember(told, witness.deeds.added.length + witness.deeds.removed.length > 0, false);
  }

  #remember({ record, ending, before }: Told, hasChanged: boolean, isWhole: boolean): void {
    if (ending.end.kind !== "ended" || record === null) {
      if (hasChanged) this.#isFresh = false;
      return;
    }
    this.#isFresh = isWhole;
    this.#lastHeld = record.digest === null ? null : record;
    const path = this.#findRecord(record);
    if (hasChanged) this.#lastChanged = path === null ? null : { path, before, isWhole };
  }

  /** Where the record of a run lies beside its page. */
  #findRecord({ startedAt }: RunRecord): string | null {
    const found = this.disk
      .list("reports/runs")
      .filter((file) => file.endsWith(".json") && (this.disk.get(file) ?? "").includes(startedAt));
    return found.at(-1)?.slice(root.length + 1) ?? null;
  }

  #comparePlan(planned: RunRecord | null, done: RunRecord | null, nameOf: NameOf): void {
    if (planned === null || done === null) return;
    for (const list of ["added", "removed", "held"] as const) {
      const [one, other] = [listOf(planned, list, nameOf), listOf(done, list, nameOf)];
      if (String(one) !== String(other))
        this.#wrongs.push(`planned as ${list}: ${one}; but sync says ${other}`);
    }
  }

  #tell(line: string): void {
    this.#story.push(line);
    const { keptLines = Number.POSITIVE_INFINITY } = this.telling;
    if (this.#story.length > keptLines) this.#story.shift();
  }

  #tellBeginning(world: World): void {
    const { scenario } = this;
    this.#tell(
      `store: ${scenario.store}; the refresh token ${scenario.refreshToken}; pages of ${scenario.pageSize}`,
    );
    for (const [number, members] of world.groupMembers.entries())
      this.#tell(`${world.names[number]}: ${[...members]}`);
    for (const [number, state] of world.snapshot().entries()) {
      const moderators = [...(state?.moderators ?? [])];
      const isModerated = scenario.spaces[number]?.isModerated ? "moderated " : "";
      this.#tell(
        `${isModerated}${world.titles[number]}: ${[...(state?.members ?? [])]}${moderators.length > 0 ? `; moderators ${moderators}` : ""}`,
      );
    }
    const others = world.keys.filter((_, number) => number > 0 && scenario.people[number - 1] !== "person");
    if (others.length > 0)
      this.#tell(
        `bots and guests: ${others.map((key) => `${key} (${scenario.people[world.keys.indexOf(key) - 1]})`)}`,
      );
    this.#tell(world.rowsText.trimEnd());
    if (world.grants.length > 0) this.#tell(world.grantsText.trimEnd());
    this.#tell(world.policyText);
    this.#tell(`the token's owner is ${ownerKey}`);
  }

  #tellEnd({ end, steps, durationMs }: Ending, record: RunRecord | null, lines: readonly string[]): void {
    const how =
      end.kind === "ended"
        ? `exit ${end.code}`
        : end.kind === "threw"
          ? `threw ${errorMessage(end.error)}`
          : end.kind;
    this.#tell(`  ${how} after ${steps} steps and ${Math.round(durationMs)} ms`);
    for (const room of record?.rooms ?? []) {
      const lists = (["added", "removed", "held", "kept", "failed"] as const).flatMap((list) =>
        room[list].length === 0
          ? []
          : [
              `${list} ${room[list].map((one) => `${one.displayName}${"reason" in one ? ` (${one.reason})` : ""}`)}`,
            ],
      );
      if (lists.length > 0 || room.frozen)
        this.#tell(
          `  "${room.title}": ${[...lists, ...(room.frozen ? [`frozen: ${room.frozen}`] : [])].join("; ")}`,
        );
    }
    for (const { message } of record?.problems ?? []) this.#tell(`  problem: ${message}`);
    if (record === null) for (const line of lines.slice(-5)) this.#tell(`  said: ${line}`);
  }
}

function isDistortion(name: FaultName): name is DistortionName {
  return name in distortions;
}

type Counts = Record<RequestKind, number>;

/** Counts a request; returns the number that it has of each kind that it is of, and 0 for the others. */
function countKinds(counts: Counts, { method, target }: Arrival): Readonly<Counts> {
  const path = target.replace(/^\/v1/, "");
  const isOf: Readonly<Record<RequestKind, boolean>> = {
    any: true,
    members: method === "GET" && path.startsWith("/memberships?") && path.includes("roomId="),
    group: method === "GET" && path.startsWith("/groups/"),
    write: method !== "GET" && path.startsWith("/memberships"),
  };
  const count = (kind: RequestKind) => {
    if (isOf[kind]) counts[kind] += 1;
    return isOf[kind] ? counts[kind] : 0;
  };
  return { any: count("any"), members: count("members"), group: count("group"), write: count("write") };
}

/** A path with its ids as what they are of. */
function decodePath(path: string): string {
  return decodeURIComponent(path).replace(/[A-Za-z0-9_-]{30,}/g, (id) => {
    const text = Buffer.from(id, "base64url").toString("utf8");
    return text.startsWith("ciscospark://") ? (text.split("/").at(-1) ?? id) : id;
  });
}

const answerSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.optional(v.nullable(v.literal(""))),
});

/** An access token alone: the refresh token stays as it is (RFC 6749, section 6). */
function withholdsToken({ head, content }: Departure): boolean {
  return head?.status === 200 && v.is(answerSchema, parseJson(Buffer.from(content).toString("utf8")));
}

function isQuiet({ faults, changes, killAt, stopAt }: Act): boolean {
  return faults.length + killAt + stopAt === 0 && changes.every(({ at }) => at === 0);
}

function readRecord(text: string | null): RunRecord | null {
  if (text === null) return null;
  const reading = parseRecord(text);
  if ("record" in reading) return reading.record;
  // A plan's record is refused where a run is to be undone.
  const parsed = v.safeParse(recordSchema, JSON.parse(text));
  return parsed.success ? parsed.output : null;
}

/** The bytes of the texts that a commit brings, as V8 stores them, and of its list of files. */
function sizeOf({ paths, files }: Commit): number {
  const widthOf = (text: string) => (/[\u0100-\uFFFF]/.test(text) ? 2 : 1);
  const texts = paths.map((path) => files.get(path) ?? "");
  return texts.reduce((sum, text) => sum + text.length * widthOf(text), 0) + files.size * bytesPerFile;
}

/** Of a map's entry, with the spare room that a map keeps. */
const bytesPerFile = 40;
