import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyPlans } from "../../src/delegation/apply.ts";
import type { DelegateChange } from "../../src/delegation/backend.ts";
import { editDelegationsFile, pairOf, parseDelegations } from "../../src/delegation/expiring.ts";
import {
  findEndings,
  type KeptGrant,
  splitByPresence,
  stillEnded,
  updateKept,
} from "../../src/delegation/kept.ts";
import { mergeChange, planHost } from "../../src/delegation/plan.ts";
import { modes } from "../../src/delegation/request.ts";
import { formatCell } from "../../src/lib/csv.ts";
import { check } from "./check.ts";

const people = ["ann", "bob", "cat", "dan", "eve"] as const;
const emailOf = (name: string) => `${name}@acme.example`;

/** An address, as Webex and people spell them. */
const address = fc
  .tuple(fc.constantFrom(...people), fc.boolean())
  .map(([name, isLoud]) => (isLoud ? emailOf(name).toUpperCase() : emailOf(name)));
const plain = fc.constantFrom(...people).map(emailOf);

const day = fc.option(fc.constantFrom("2026-10-31", "2026-11-02", "2026-11-03", "2027-01-01"), { nil: null });
const today = "2026-11-02";

const grants = fc
  .uniqueArray(fc.record({ host: plain, delegate: plain, until: day, note: fc.string({ maxLength: 12 }) }), {
    maxLength: 8,
    selector: pairOf,
  })
  .map((list) => list.filter(({ host, delegate }) => host !== delegate));

const lists = fc
  .array(fc.uniqueArray(plain, { maxLength: 4 }), { minLength: people.length, maxLength: people.length })
  .map(
    (all) =>
      new Map(
        people.map((name, index) => [
          emailOf(name),
          (all[index] ?? []).filter((one) => one !== emailOf(name)),
        ]),
      ),
  );

const requests = fc.record({
  mode: fc.constantFrom(...modes),
  delegates: fc.uniqueArray(plain, { maxLength: 4 }),
});

const fold = (list: readonly string[]) => [...new Set(list.map((one) => one.toLowerCase()))].sort();

test("a change of one host's delegates stays with that host, and does what was asked, less the host itself", () =>
  check(
    [lists, fc.uniqueArray(plain, { minLength: 1, maxLength: 3 }), requests],
    async (before, hosts, { mode, delegates }) => {
      const webex = new Map([...before].map(([host, list]) => [host, [...list]]));
      const reader = { readDelegates: async (host: string) => webex.get(host) ?? [] };
      const writer = {
        readsFirst: false,
        async changeDelegates(change: DelegateChange) {
          const now = webex.get(change.host) ?? [];
          webex.set(change.host, [...now.filter((one) => !change.remove.includes(one)), ...change.add]);
          return change;
        },
      };
      const plans = hosts.map((host) => planHost({ host, mode, delegates }, before.get(host) ?? []));
      const stop = new AbortController().signal;
      const outcomes = await applyPlans(plans, {
        reader,
        writer,
        stop,
        waitForConsistency: async () => undefined,
      });
      for (const [host, was] of before) {
        const is = webex.get(host) ?? [];
        if (!hosts.includes(host)) {
          assert.deepEqual(is, was, host);
          continue;
        }
        const outcome = outcomes.find((one) => one.host === host);
        if (outcome?.error !== null) {
          assert.deepEqual(is, was, `${host}: ${outcome?.error}`);
          continue;
        }
        const others = delegates.filter((one) => one !== host);
        const asked = {
          show: was,
          add: [...was, ...others],
          remove: was.filter((one) => !delegates.includes(one)),
          replace: others,
        };
        assert.deepEqual(fold(is), fold(asked[mode]), `${mode} for ${host}`);
        assert.deepEqual(fold(outcome.after ?? []), fold(is));
      }
    },
  ));

test("what others changed meanwhile stays so", () =>
  check(
    [fc.uniqueArray(address, { maxLength: 5 }), fc.uniqueArray(address, { maxLength: 5 }), requests],
    (before, latest, request) => {
      const host = "host@acme.example";
      const { change } = planHost({ host, ...request }, before);
      if (change === null) return;
      const merged = mergeChange(change, latest);
      const named = fold([...change.add, ...change.remove]);
      for (const one of fold([...latest, ...merged.after])) {
        const [was, is] = [fold(latest).includes(one), fold(merged.after).includes(one)];
        if (!named.includes(one)) assert.equal(is, was, one);
      }
      for (const one of fold(change.add)) assert.ok(fold(merged.after).includes(one), one);
      for (const one of fold(change.remove)) assert.ok(!fold(merged.after).includes(one), one);
    },
  ));

const asRows = (
  list: readonly { readonly host: string; readonly delegate: string; readonly until: string | null }[],
) => list.map((one) => `${pairOf(one)} ${one.until}`).sort();

function formatFile(
  list: readonly { host: string; delegate: string; until: string | null; note: string }[],
): string {
  const rows = list.map(({ host, delegate, until, note }) =>
    [host, delegate, until ?? "", note.replace(/\s/g, " ")].map(formatCell).join(","),
  );
  return `${["host,delegate,until,note", ...rows].join("\n")}\n`;
}

test("what is kept is what the rows say, and only what was kept before or has expired is ended", () =>
  check([grants, grants], (rows, earlier) => {
    const file = "mappings/delegations.csv";
    const kept: KeptGrant[] = earlier.map(({ host, delegate }) => ({ file, host, delegate }));
    const listed = rows.map((row, index) => ({ ...row, line: index + 2 }));
    const endings = findEndings(listed, kept, today);
    const holds = new Set(rows.filter(({ until }) => until === null || until >= today).map(pairOf));
    for (const ending of endings) {
      assert.ok(!holds.has(pairOf(ending)), `${pairOf(ending)} holds`);
      assert.ok(
        [...kept, ...rows].some((one) => pairOf(one) === pairOf(ending)),
        `${pairOf(ending)} was never listed`,
      );
    }
    for (const one of [...kept, ...rows]) {
      if (!holds.has(pairOf(one)))
        assert.ok(
          endings.some((ending) => pairOf(ending) === pairOf(one)),
          pairOf(one),
        );
    }
    const update = {
      listed: rows
        .filter((row) => holds.has(pairOf(row)))
        .map(({ host, delegate }) => ({ file, host, delegate })),
      ended: endings.map(({ host, delegate }) => ({ file, host, delegate })),
      returned: [],
    };
    assert.deepEqual(updateKept(kept, update).map(pairOf).sort(), [...holds].sort());
  }));

test("a row that was changed meanwhile ends nothing", () =>
  check([grants, grants], (rows, later) => {
    const lined = (list: typeof rows) => list.map((row, index) => ({ ...row, line: index + 2 }));
    const endings = findEndings(lined(rows), [], today);
    const now = new Map(later.map((row) => [pairOf(row), row.until]));
    const still = stillEnded(endings, lined(later));
    for (const ending of endings) {
      const isAsItWas = now.get(pairOf(ending)) === ending.row?.until;
      assert.equal(still.includes(ending), isAsItWas, pairOf(ending));
    }
  }));

test("who is there and who is not is all that a host's list can say", () =>
  check([grants, lists, fc.constantFrom(...people)], (rows, all, unknown) => {
    const known = new Map([...all].filter(([host]) => host !== emailOf(unknown)));
    const { present, absent } = splitByPresence(rows, known);
    assert.deepEqual(asRows([...present, ...absent]), asRows(rows.filter(({ host }) => known.has(host))));
    for (const one of present) assert.ok(known.get(one.host)?.includes(one.delegate));
    for (const one of absent) assert.ok(!known.get(one.host)?.includes(one.delegate));
  }));

test("an edit of delegations.csv changes the rows it names, and no byte of the others", () =>
  check([grants, grants, grants], (rows, set, takeOut) => {
    const text = formatFile(rows);
    const edited = editDelegationsFile(text, {
      set,
      takeOut: takeOut.filter((one) => !set.some((other) => pairOf(other) === pairOf(one))),
    });
    const { grants: found, problems } = parseDelegations(Buffer.from(edited ?? text));
    assert.deepEqual(problems, []);
    const expected = new Map(rows.map((row) => [pairOf(row), row]));
    for (const one of takeOut)
      if (expected.get(pairOf(one))?.until === one.until) expected.delete(pairOf(one));
    for (const one of set) expected.set(pairOf(one), one);
    assert.deepEqual(asRows(found), asRows([...expected.values()]));
    const untouched = formatFile(
      rows.filter((row) => ![...set, ...takeOut].some((one) => pairOf(one) === pairOf(row))),
    ).split("\n");
    for (const line of untouched) assert.ok((edited ?? text).split("\n").includes(line), line);
  }));
