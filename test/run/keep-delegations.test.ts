import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ReportTarget } from "../../src/config/settings.ts";
import type { DelegationReader, DelegationWriter } from "../../src/delegation/backend.ts";
import type { ListedDelegation } from "../../src/delegation/expiring.ts";
import type { KeptGrant } from "../../src/delegation/kept.ts";
import { noNames } from "../../src/membership/names.ts";
import { defaultPolicy } from "../../src/membership/policy.ts";
import {
  type DelegationsContext,
  type DelegationsOutcome,
  keepDelegations,
  readRowsAgain,
} from "../../src/run/keep-delegations.ts";
import { answerGithub, answerRequests, onRunner } from "../support/answered-requests.ts";
import { answerWebex, createSession } from "../support/answered-webex.ts";
import { mail, pair, row } from "../support/delegations.ts";
import { openContext, openFolder } from "../support/open-context.ts";
import { reportBranch } from "../support/report-branch.ts";

const file = "mappings/delegations.csv";

/** A site on which everybody is who is not told to be gone; the lists are by host, in names. */
interface Site {
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly gone?: readonly string[];
  readonly unreadable?: readonly string[];
  /** Hosts whose list Webex does not let anybody change. */
  readonly refused?: readonly string[];
  /** Somebody whom another one adds to every list that is changed. */
  readonly stranger?: string;
}

function createSite({ lists, gone = [], unreadable = [], refused = [], stranger }: Site) {
  const delegates = new Map(Object.entries(lists).map(([host, list]) => [mail(host), list.map(mail)]));
  const reader: DelegationReader = {
    proveAccess: async () => undefined,
    listUsers: async () => ({ complete: false, items: [], reason: "nobody asks for all" }),
    findUser: async (address) =>
      gone.map(mail).includes(address)
        ? null
        : { address, displayName: address, isActive: true, canHost: true },
    async readDelegates(host) {
      const list = delegates.get(host);
      if (list === undefined || unreadable.map(mail).includes(host)) throw new Error("no answer");
      return list;
    },
  };
  const writer: DelegationWriter = {
    readsFirst: false,
    async changeDelegates(change, accepted) {
      if (refused.map(mail).includes(change.host)) throw new Error("it is refused");
      const left = (delegates.get(change.host) ?? []).filter((one) => !change.remove.includes(one));
      const others = stranger === undefined ? [] : [mail(stranger)];
      delegates.set(change.host, [...left, ...change.add, ...others]);
      accepted(change);
      return change;
    },
  };
  const listOf = (host: string) => (delegates.get(mail(host)) ?? []).map((one) => one.split("@")[0]);
  return { reader, writer, listOf };
}

const session = createSession(answerWebex(() => null).client);

interface Case extends Site {
  readonly grants: readonly ListedDelegation[];
  /** What earlier runs have kept, as `ann/cat`. */
  readonly kept?: readonly KeptGrant[];
  readonly mayWrite?: boolean;
  readonly siteUrl?: string | null;
  readonly readAgain?: () => Promise<readonly ListedDelegation[]>;
  readonly limit?: number;
  readonly damage?: string | null;
  readonly reportTarget?: ReportTarget;
}

const keptOf = (...names: readonly string[]) => names.map((one) => ({ file, ...pair(one) }));

/** Keeps the grants once; `release` makes what is held as well. */
async function keep({ grants, kept = [], mayWrite = true, siteUrl = "acme.webex.com", ...given }: Case) {
  const site = createSite(given);
  const { context } = await openContext({ GITHUB_REF_NAME: "main" });
  let looks = 0;
  const around: DelegationsContext = {
    config: {
      webexUrl: "https://webex.example",
      xmlUrl: "https://webex.example",
      maxRequests: 1,
      siteUrl,
      clientId: "",
      clientSecret: "",
      tokenStore: { kind: "file", path: "token", seed: null },
      reportTarget: given.reportTarget ?? { kind: "folder" },
      secrets: [],
    },
    session,
    policy: {
      ...defaultPolicy,
      limits: { ...defaultPolicy.limits, revocationsPerRun: { count: given.limit ?? 10, share: 0 } },
    },
    mayWrite,
    open: async () => ({ reader: site.reader, createWriter: () => site.writer }),
  };
  const found = await keepDelegations(
    {
      grants,
      recall: async () => ({
        names: noNames,
        told: null,
        notices: [],
        delegations: { kept, damage: given.damage ?? null },
      }),
      readAgain: () => {
        looks += 1;
        return given.readAgain?.() ?? Promise.resolve(grants);
      },
    },
    around,
    context,
  );
  return { found, listOf: site.listOf, looks: () => looks };
}

async function conclude(
  given: Case,
): Promise<{ outcome: DelegationsOutcome } & Awaited<ReturnType<typeof keep>>> {
  const kept = await keep(given);
  assert.ok(kept.found);
  return { ...kept, outcome: kept.found.conclude() };
}

const ended = "2026-11-01";

describe("the delegates of a run", () => {
  test("are granted and revoked for each host apart, and each change is told once", async () => {
    const { outcome, listOf, looks } = await conclude({
      lists: { ann: ["old", "own"], bob: ["old"], cat: ["dan"] },
      grants: [row("ann/eve"), row("bob/old", ended), row("cat/dan")],
      kept: keptOf("ann/old", "bob/old", "cat/dan"),
    });
    assert.deepEqual([listOf("ann"), listOf("bob"), listOf("cat")], [["own", "eve"], [], ["dan"]]);
    assert.deepEqual(outcome.changes, [
      `${mail("old")} may no longer schedule meetings for ${mail("bob")}: ended ${ended}`,
      `${mail("old")} may no longer schedule meetings for ${mail("ann")}: the row was deleted`,
      `${mail("eve")} may now schedule meetings for ${mail("ann")}, without end`,
    ]);
    assert.equal(outcome.hasChanged, true);
    assert.deepEqual(
      outcome.delegations?.hosts.map(({ host }) => host),
      [mail("ann"), mail("bob")],
    );
    assert.deepEqual([outcome.problems, outcome.kept?.listed.length, outcome.kept?.ended.length], [[], 3, 2]);
    // Once because a row was deleted, and once before each of the two is revoked.
    assert.equal(looks(), 3);
    assert.notEqual(outcome.draftFiles, null);
  });

  test("are told without any change in a plan, which leaves nothing behind", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: ["old"] },
      grants: [row("ann/eve", "2999-12-31")],
      kept: keptOf("ann/old"),
      mayWrite: false,
    });
    assert.deepEqual(listOf("ann"), ["old"]);
    assert.deepEqual(outcome.changes, [
      `${mail("old")} would no longer schedule meetings for ${mail("ann")}: the row was deleted`,
      `${mail("eve")} would now schedule meetings for ${mail("ann")}, until 2999-12-31`,
    ]);
    assert.deepEqual([outcome.draftFiles, outcome.scheduling, outcome.kept], [null, null, null]);
  });

  test("who are as listed are no news, and the file is read once", async () => {
    const { outcome, looks } = await conclude({ lists: { ann: ["eve"] }, grants: [row("ann/eve")] });
    assert.deepEqual([outcome.changes, outcome.hasChanged, outcome.delegations], [[], false, null]);
    assert.deepEqual([outcome.draftFiles, looks()], [null, 0]);
    assert.deepEqual(outcome.scheduling, {
      grants: [row("ann/eve")],
      hosts: [{ host: mail("ann"), delegates: [mail("eve")], held: [], error: null }],
    });
  });

  test("that another file keeps are none of this one's business", async () => {
    const other = [{ ...pair("ann/old"), file: "mappings/other/delegations.csv" }];
    assert.equal((await keep({ lists: { ann: ["old"] }, grants: [], kept: other })).found, null);
    const { listOf } = await conclude({ lists: { ann: ["old"] }, grants: [row("ann/eve")], kept: other });
    assert.deepEqual(listOf("ann"), ["old", "eve"]);
  });

  test("stay as they are while it is not known which site is meant", async () => {
    const { found, outcome } = await conclude({ lists: {}, grants: [row("ann/eve")], siteUrl: null });
    assert.deepEqual([found?.heldKeys, outcome.changes, outcome.hasChanged], [[], [], false]);
    assert.match(
      outcome.problems.join("\n"),
      /^mappings\/delegations\.csv lists delegations, but WEBEX_SITE_URL/,
    );
    await found?.release();
  });

  test("of somebody who has left the site need no revocation", async () => {
    const { outcome } = await conclude({ lists: {}, grants: [], kept: keptOf("ann/old"), gone: ["ann"] });
    assert.deepEqual(outcome.notices, [
      `${mail("ann")} is not on the site any more, and so has no delegates`,
    ]);
    assert.deepEqual([outcome.problems, outcome.changes, outcome.kept?.ended.length], [[], [], 1]);
  });

  test("whose list cannot be read are left alone, and the others are not", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: ["old"], bob: [] },
      unreadable: ["ann"],
      grants: [row("bob/eve")],
      kept: keptOf("ann/old"),
    });
    assert.deepEqual([listOf("ann"), listOf("bob")], [["old"], ["eve"]]);
    assert.deepEqual(outcome.problems, [
      `the delegates of ${mail("ann")} are not as ${file} says: the delegates could not be read: no answer`,
    ]);
    assert.deepEqual(
      outcome.scheduling?.hosts.map(({ host }) => host),
      [mail("bob")],
    );
    assert.deepEqual(outcome.kept?.ended, []);
  });

  test("who are nobody on the site are a fault of their row alone", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: [], bob: [] },
      grants: [row("ann/nobody"), row("ann/eve"), row("bob/eve")],
      gone: ["nobody"],
    });
    assert.deepEqual([listOf("ann"), listOf("bob")], [["eve"], ["eve"]]);
    assert.equal(outcome.problems.length, 1);
    assert.match(outcome.problems[0] ?? "", /^the delegates of ann@acme\.example .*nobody@acme\.example/);
    assert.deepEqual(
      outcome.delegations?.hosts.map(({ host, error }) => [host, error !== undefined]),
      [
        [mail("ann"), true],
        [mail("bob"), false],
      ],
    );
  });

  test("who are too many for a host are refused before anything is sent, unless others go first", async () => {
    const many = Array.from({ length: 20 }, (_, index) => `d${index}`);
    const full = await conclude({ lists: { ann: many, bob: [] }, grants: [row("ann/eve"), row("bob/eve")] });
    assert.deepEqual([full.listOf("ann"), full.listOf("bob")], [many, ["eve"]]);
    assert.equal(full.outcome.problems.length, 1);
    const [first = "", ...others] = many;
    const fitting = await conclude({
      lists: { ann: many, bob: [first] },
      grants: [row("ann/eve"), row("bob/old")],
      kept: keptOf(`ann/${first}`),
    });
    assert.deepEqual(
      [fitting.listOf("ann"), fitting.listOf("bob")],
      [
        [...others, "eve"],
        [first, "old"],
      ],
    );
    assert.deepEqual(fitting.outcome.problems, []);
  });

  test("whose revocations are too many wait for approval, by host and delegate, and go by it", async () => {
    const { found, outcome, listOf } = await conclude({
      lists: { ann: ["old", "older"], bob: ["old"], cat: [] },
      grants: [row("cat/eve")],
      kept: keptOf("ann/old", "ann/older", "bob/old"),
      limit: 2,
    });
    assert.deepEqual([listOf("ann"), listOf("bob"), listOf("cat")], [["old", "older"], ["old"], ["eve"]]);
    assert.deepEqual(found?.heldKeys, [
      "ann@acme.example/old@acme.example",
      "ann@acme.example/older@acme.example",
      "bob@acme.example/old@acme.example",
    ]);
    const held = outcome.delegations?.hosts.map(({ host, held = [] }) => [
      host,
      held.map((one) => one.delegate),
    ]);
    assert.deepEqual(held, [
      [mail("ann"), [mail("old"), mail("older")]],
      [mail("bob"), [mail("old")]],
      [mail("cat"), []],
    ]);
    assert.deepEqual(
      outcome.delegations?.holds?.map(({ reason }) => reason),
      ["revocations-per-run"],
    );
    assert.deepEqual(outcome.scheduling?.hosts.map((one) => [one.host, one.held.length]).sort(), [
      [mail("ann"), 2],
      [mail("bob"), 1],
      [mail("cat"), 0],
    ]);
    await found?.release();
    assert.deepEqual([listOf("ann"), listOf("bob")], [[], []]);
    const approved = found?.conclude();
    assert.deepEqual([approved?.delegations?.holds, approved?.kept?.ended.length], [undefined, 3]);
  });

  test("stay where the memory of earlier runs is damaged, and that is told", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: ["old"] },
      grants: [],
      damage: "delegations",
    });
    assert.deepEqual(listOf("ann"), ["old"]);
    assert.match(
      outcome.notices.join(),
      /^state\.json could not be read \(delegations\), so .* revokes none of them$/,
    );
  });

  test("that Webex refuses to change are a problem, and nobody is told of a change", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: ["old"], bob: [] },
      grants: [row("ann/eve"), row("bob/eve")],
      kept: keptOf("ann/old"),
      refused: ["ann", "bob"],
    });
    assert.deepEqual([listOf("ann"), listOf("bob")], [["old"], []]);
    assert.deepEqual([outcome.changes, outcome.hasChanged, outcome.draftFiles], [[], false, null]);
    assert.equal(outcome.problems.length, 2);
    assert.deepEqual([outcome.kept?.ended, outcome.kept?.returned], [[], []]);
  });

  test("whom somebody else adds meanwhile stay, and that is told with the host", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: [] },
      grants: [row("ann/eve")],
      stranger: "zoe",
    });
    assert.deepEqual(listOf("ann"), ["eve", "zoe"]);
    assert.equal(outcome.notices.length, 1);
    assert.match(
      outcome.notices[0] ?? "",
      /^ann@acme\.example: somebody else changed the list .*zoe@acme\.example/,
    );
  });

  test("of a host with a fault, or with revocations that wait, are recorded as they are", async () => {
    const asIs = { before: [mail("old")], after: [mail("old")], added: [], removed: [] };
    const faulty = await conclude({ lists: { ann: ["old"] }, grants: [row("ann/nobody")], gone: ["nobody"] });
    const [{ error, ...host } = {}] = faulty.outcome.delegations?.hosts ?? [];
    assert.deepEqual(host, { host: mail("ann"), ...asIs, held: [] });
    assert.match(error ?? "", /nobody@acme\.example/);
    assert.deepEqual(faulty.outcome.notices, []);
    const waiting = { lists: { ann: ["old"] }, grants: [], kept: keptOf("ann/old"), limit: 0 };
    const [held] = (await conclude(waiting)).outcome.delegations?.hosts ?? [];
    const reason = "revocations-per-run";
    assert.deepEqual(held, { host: mail("ann"), ...asIs, held: [{ delegate: mail("old"), reason }] });
  });

  test("whose row has only ended are confirmed by one look at the file", async () => {
    const { looks } = await conclude({ lists: { ann: ["old"] }, grants: [row("ann/old", ended)] });
    assert.equal(looks(), 1);
  });

  test("that end soon are told, however they are", async () => {
    const { outcome } = await conclude({ lists: { ann: ["eve"] }, grants: [row("ann/eve", "2026-11-04")] });
    assert.equal(outcome.notices.length, 1);
    assert.match(
      outcome.notices[0] ?? "",
      /^eve@acme\.example may schedule meetings for .* until 2026-11-04 \(/,
    );
    assert.deepEqual([outcome.hasChanged, outcome.problems], [false, []]);
  });

  test("of two hosts are taken away from the one that is named with each", async () => {
    const facts = {
      lists: { ann: ["old", "older"], bob: ["old", "older"] },
      grants: [row("ann/older"), row("bob/old")],
      kept: keptOf("ann/old", "bob/older"),
    };
    const { listOf, outcome } = await conclude(facts);
    assert.deepEqual([listOf("ann"), listOf("bob")], [["older"], ["old"]]);
    assert.deepEqual(outcome.notices, []);
    const plan = await conclude({ ...facts, mayWrite: false });
    assert.deepEqual(
      plan.outcome.delegations?.hosts.map(({ removed }) => removed),
      [[mail("old")], [mail("older")]],
    );
  });

  test("whose row has come back by the second look stay, and that is told", async () => {
    const { outcome, listOf } = await conclude({
      lists: { ann: ["old", "older"], bob: [] },
      grants: [row("bob/eve")],
      kept: keptOf("ann/old", "ann/older"),
      readAgain: async () => [row("bob/eve"), row("ann/old")],
    });
    assert.deepEqual(listOf("ann"), ["old"]);
    assert.deepEqual(outcome.notices, [
      `${mail("old")} was left a delegate of ${mail("ann")}: the row was changed during this run`,
    ]);
    assert.deepEqual(outcome.changes.length, 2);
    const twice = await conclude({
      lists: { ann: ["old"], bob: ["old"], cat: [] },
      grants: [row("cat/eve")],
      kept: keptOf("ann/old", "bob/old"),
      readAgain: async () => [row("cat/eve"), row("ann/old")],
    });
    assert.deepEqual([twice.listOf("ann"), twice.listOf("bob")], [["old"], []], "each host by its own rows");
    const files = await twice.outcome.draftFiles?.(async () => undefined);
    const page = files?.find(({ path }) => path.endsWith(".md"))?.text ?? "";
    assert.ok(page.includes(mail("bob")) && !page.includes(mail("ann")), "the report names who has changed");
    const unchanged = await conclude({
      lists: { ann: ["old"] },
      grants: [],
      kept: keptOf("ann/old"),
      readAgain: async () => [row("ann/old")],
    });
    const { changes, hasChanged, delegations, draftFiles } = unchanged.outcome;
    assert.deepEqual([changes, hasChanged, delegations, draftFiles], [[], false, null, null]);
  });

  test("who come back after having been taken away are remembered as that, and no others", async () => {
    const { outcome } = await conclude({
      lists: { ann: [], bob: [] },
      grants: [row("ann/eve"), row("bob/eve")],
      kept: keptOf("ann/eve"),
    });
    assert.deepEqual(
      outcome.kept?.returned.map(({ host, returned }) => [host, returned?.length]),
      [[mail("ann"), 1]],
    );
    assert.equal(outcome.notices.length, 1);
  });
});

describe("the report of a run that kept delegates", () => {
  const branchOf = (branch: string) => reportBranch({ branch, isNamed: true });
  const rows = "host,delegate,until\n";
  const finished = { lists: { ann: ["eve"] }, grants: [row("ann/eve"), row("ann/old", ended)] };

  test("names what was done, and takes the rows that have ended out of the file", async () => {
    const { outcome } = await conclude({
      lists: { ann: ["old"], bob: [] },
      grants: [row("ann/old", ended), row("bob/eve")],
    });
    const text = `${rows}${mail("ann")},${mail("old")},${ended}\n${mail("bob")},${mail("eve")},\n`;
    const files = await outcome.draftFiles?.(async (path) => (path === file ? text : undefined));
    assert.equal(files?.find(({ path }) => path === file)?.text, `${rows}${mail("bob")},${mail("eve")},\n`);
    const page = files?.find(({ path }) => path.endsWith(".md"))?.text ?? "";
    assert.ok(page.includes(mail("ann")) && page.includes(mail("bob")));
    assert.doesNotMatch(page, /would/i, "it is done");
    assert.deepEqual(outcome.scheduling?.grants, [row("bob/eve")]);
    assert.deepEqual(
      outcome.scheduling?.hosts.map(({ host }) => host),
      [mail("bob")],
    );
  });

  test("is made for rows alone where it can take them out of the file that was read, and not elsewhere", async () => {
    for (const [reportTarget, isMade] of [
      [{ kind: "folder" }, true],
      [branchOf("main"), true],
      [branchOf("reports"), false],
    ] as const) {
      const { outcome } = await conclude({ ...finished, reportTarget });
      assert.deepEqual([outcome.hasChanged, outcome.draftFiles !== null], [false, isMade]);
    }
  });

  test("is made for every change, wherever it goes, and for nothing less", async () => {
    for (const reportTarget of [branchOf("main"), branchOf("reports")]) {
      const grants = [row("ann/eve")];
      const changed = await conclude({ lists: { ann: [] }, grants, reportTarget });
      assert.notEqual(changed.outcome.draftFiles, null);
      const quiet = await conclude({ lists: { ann: ["eve"] }, grants, reportTarget });
      assert.equal(quiet.outcome.draftFiles, null);
      const failed = await conclude({ lists: {}, unreadable: ["ann"], grants, reportTarget });
      assert.deepEqual([failed.outcome.draftFiles, failed.outcome.problems.length], [null, 1]);
      // As many come as go.
      const swapped = await conclude({
        lists: { ann: ["old"] },
        grants,
        kept: keptOf("ann/old"),
        reportTarget,
      });
      assert.notEqual(swapped.outcome.draftFiles, null);
    }
  });
});

describe("the second look at delegations.csv on a person's disk", () => {
  const look = async (files: Readonly<Record<string, string>>) => {
    await using folder = await openFolder(files);
    await mkdir(join(folder.path, "mappings"), { recursive: true });
    const { context } = await openContext({}, { mappings: join(folder.path, "mappings/rooms.csv") });
    return await readRowsAgain(context);
  };

  test("finds the rows of the moment", async () => {
    const rows = await look({ [file]: "host,delegate\nann@acme.example,eve@acme.example\n" });
    assert.deepEqual(
      rows.map(({ host, delegate }) => ({ host, delegate })),
      [pair("ann/eve")],
    );
  });

  test("is of no use for a file that is gone, or has a fault", async () => {
    await assert.rejects(
      look({}),
      /delegations\.csv was looked at again, and is not there; nothing is revoked$/,
    );
    await assert.rejects(
      look({ [file]: "host,delegate\nann,eve\n" }),
      /was looked at again, and has a fault: "ann" is not an e-mail address; "eve" is not .*; nothing is revoked$/,
    );
  });
});

describe("the second look at delegations.csv on a runner", () => {
  test("is at the head of the branch, and refuses what is no file there", async () => {
    const { context } = await openContext(onRunner);
    const text = "host,delegate\nann@acme.example,eve@acme.example\n";
    using github = answerRequests(answerGithub({ [file]: text }));
    assert.deepEqual(
      (await readRowsAgain(context)).map(({ host, delegate }) => ({ host, delegate })),
      [pair("ann/eve")],
    );
    assert.notEqual(github.asked.length, 0);
    using _ = answerRequests(answerGithub({ [file]: null }));
    await assert.rejects(
      readRowsAgain(context),
      /^Error: GitHub does not show mappings\/delegations\.csv \(no-file\)$/,
    );
    using none = answerRequests(answerGithub({ "README.md": "" }));
    await assert.rejects(readRowsAgain(context), /and is not there; nothing is revoked$/);
    assert.notEqual(none.asked.length, 0);
  });
});
