import assert from "node:assert/strict";
import { test } from "node:test";
import { type RefreshedTokens, rotateToken } from "../../src/token/rotate.ts";
import type { TokenStore } from "../../src/token/store.ts";

interface Facts {
  readonly issued?: Partial<RefreshedTokens>;
  readonly store?: Partial<TokenStore>;
  readonly refresh?: () => Promise<RefreshedTokens>;
  readonly isStored?: boolean;
  readonly stop?: AbortSignal;
}

/** Rotates, and tells what was called in which order. */
async function rotate({ issued, store = {}, refresh, isStored = true, stop }: Facts = {}) {
  const log: string[] = [];
  const recording: TokenStore = {
    async exclusively(work) {
      log.push("lock");
      return await work().finally(() => log.push("unlock"));
    },
    load: async () => ({ refreshToken: "old", isStored }),
    dateCopy: async () => null,
    prove: async () => {},
    credentialEnd: () => null,
    save: async () => ({ stored: true }),
    ...store,
  };
  const note = <T>(call: string, work: () => T): T => {
    log.push(call);
    return work();
  };
  const outcome = await rotateToken(
    {
      ...recording,
      load: () => note("load", recording.load),
      prove: () => note("prove", recording.prove),
      save: (token) => note(`save ${token}`, () => recording.save(token)),
    },
    {
      async refresh(token) {
        log.push(`refresh ${token}`);
        if (refresh) return await refresh();
        return {
          accessToken: "access",
          refreshToken: "new",
          refreshTokenExpiresAt: new Date("2027-02-20T05:17:10.999Z"),
          scopes: ["spark:all"],
          ...issued,
        };
      },
    },
    { mask: (secret) => log.push(`mask ${secret}`), stop: stop ?? new AbortController().signal },
  ).then(
    (rotated) => ({ rotated, error: null }),
    (error: Error) => ({ rotated: null, error: error.message }),
  );
  return { ...outcome, log };
}

const rotated = {
  accessToken: "access",
  scopes: ["spark:all"],
  record: { refreshed: true, rotated: true, refreshTokenExpiresAt: "2027-02-20T05:17:10Z" },
};
const asked = ["lock", "load", "mask old", "prove", "refresh old", "mask access"];

test("the order is: lock, load, mask, prove, refresh, mask, save, and only then hand out", async () => {
  assert.deepEqual(await rotate(), {
    rotated,
    error: null,
    log: [...asked, "mask new", "save new", "unlock"],
  });
});

test("a token that stays the same is not written again", async () => {
  const { rotated: result, log } = await rotate({ issued: { refreshToken: "old" } });
  assert.deepEqual(log, [...asked, "mask old", "unlock"]);
  assert.deepEqual(result, { ...rotated, record: { ...rotated.record, rotated: false } });
});

test("where Webex sends no refresh token the old one is kept", async () => {
  const { rotated: result, log } = await rotate({
    issued: { refreshToken: null, refreshTokenExpiresAt: null },
  });
  assert.deepEqual(log, [...asked, "unlock"]);
  assert.deepEqual(result?.record, { refreshed: true, rotated: false, refreshTokenExpiresAt: null });
});

test("a seed that the store does not hold yet is stored, also when it stays the same", async () => {
  const { log } = await rotate({ issued: { refreshToken: null }, isStored: false });
  assert.deepEqual(log, [...asked, "save old", "unlock"]);
});

const failures: readonly [fact: string, facts: Facts, log: readonly string[]][] = [
  [
    "a store that cannot be loaded is not refreshed",
    { store: { load: () => Promise.reject(new Error("no")) } },
    ["lock", "load", "unlock"],
  ],
  [
    "a store that does not prove itself is not refreshed",
    { store: { prove: () => Promise.reject(new Error("no")) } },
    ["lock", "load", "mask old", "prove", "unlock"],
  ],
  [
    "a refusal of Webex stores nothing and deletes nothing",
    { refresh: () => Promise.reject(new Error("no")) },
    ["lock", "load", "mask old", "prove", "refresh old", "unlock"],
  ],
];
for (const [fact, facts, log] of failures) {
  test(fact, async () => assert.deepEqual(await rotate(facts), { rotated: null, error: "no", log }));
}

const updatedAt = new Date("2026-11-22T05:17:09Z");
const before = new Date("2026-11-22T05:17:08Z");
const after = new Date("2026-11-22T05:17:10Z");

const recovery = { advice: "Do this.", facts: [], command: "true" };
const cannotSave: Facts["store"] = { save: async () => ({ stored: false, reason: "full", recovery }) };

test("a token that cannot be stored hands out nothing, and the error tells what to do", async () => {
  assert.deepEqual(await rotate({ store: cannotSave }), {
    rotated: null,
    error: "full. Nothing was changed in Webex. Do this.",
    log: [...asked, "mask new", "save new", "unlock"],
  });
});

test("a seed that stays the same and cannot be stored is not lost: the run still has it", async () => {
  const { error, log } = await rotate({ issued: { refreshToken: null }, isStored: false, store: cannotSave });
  assert.equal(error, "full. The refresh token is still the one this run was given");
  assert.deepEqual(log, [...asked, "save old", "unlock"]);
});

test("an answer without an access token stores the new refresh token, and only then fails", async () => {
  const { error, log } = await rotate({ issued: { accessToken: null } });
  assert.match(error ?? "", /cut short: the new refresh token in it is stored, .*run again$/);
  assert.deepEqual(log, [...asked.slice(0, -1), "mask new", "save new", "unlock"]);
});

test("a refusal is explained by a doubt about the copy, any other failure is not", async () => {
  const reject = (error: Error) => () => Promise.reject(error);
  const refused = Object.assign(new Error("invalid_grant."), { refusesToken: true });
  const doubtful = { what: "the secret", updatedAt, takenFrom: before, takenUntil: after };
  const store = { dateCopy: async () => doubtful };
  const explained = await rotate({ store, refresh: reject(refused) });
  assert.match(
    explained.error ?? "",
    /^invalid_grant\. But the secret was updated at .*, after this run was queued \(2026-11-22T05:17:08Z\): .*start a fresh run/,
  );
  const others = [
    await rotate({ refresh: reject(refused) }),
    await rotate({
      store: { dateCopy: async () => ({ ...doubtful, takenFrom: after }) },
      refresh: reject(refused),
    }),
  ];
  for (const { error } of others) assert.equal(error, "invalid_grant.");
  for (const error of [
    new Error("timeout"),
    Object.assign(new Error("timeout"), { refusesToken: false }),
    Object.assign(new Error("timeout"), { otherwise: true }),
  ]) {
    assert.equal((await rotate({ store, refresh: reject(error) })).error, "timeout");
  }
});

test("a run that was stopped refreshes nothing", async () => {
  const { rotated: result, log, error } = await rotate({ stop: AbortSignal.abort() });
  assert.match(error ?? "", /stopped before it refreshed the token; nothing was touched/);
  assert.deepEqual([result, log], [null, ["lock", "load", "mask old", "prove", "unlock"]]);
});

const ages: readonly [fact: string, from: Date | null, until: Date | null, isRefreshed: boolean][] = [
  ["taken after the last change is used", after, after, true],
  ["taken in the second of the last change is used", updatedAt, updatedAt, true],
  ["that may have been taken before the last change is used", before, after, true],
  ["taken before the last change is stale and not used", before, before, false],
  ["of a re-run that nobody can date is stale and not used", null, null, false],
];
for (const [fact, takenFrom, takenUntil, isRefreshed] of ages) {
  test(`a copy ${fact}`, async () => {
    const dateCopy = async () => ({ what: "the secret", updatedAt, takenFrom, takenUntil });
    const { log, error } = await rotate({ store: { dateCopy } });
    assert.deepEqual([log.includes("refresh old"), log.includes("prove")], [isRefreshed, isRefreshed]);
    const told =
      /stale: the secret was updated at 2026-11-22T05:17:09Z.*Nothing was touched; a fresh run gets/;
    assert.equal(told.test(error ?? ""), !isRefreshed);
  });
}
