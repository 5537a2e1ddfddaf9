import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { address, addresses, site, startDelegationStory } from "../support/delegation-story.ts";

/** Two hosts with different delegates, and two new ones for both. */
const acme = site({ ann: ["cat", "dan"], ben: ["dan", "gil"], cat: [], dan: [], eve: [], fay: [], gil: [] });
const hosts = ["--host", addresses("ann", "ben")];
const newOnes = ["--delegate", addresses("eve", "fay")];

const modes = [
  {
    mode: "show",
    args: hosts,
    outcome: { ann: "cat dan → cat dan", ben: "dan gil → dan gil" },
    writes: { rest: [], xml: [] },
    counts: [0, 0],
  },
  {
    mode: "add",
    args: [...hosts, ...newOnes],
    outcome: { ann: "cat dan → cat dan eve fay", ben: "dan gil → dan eve fay gil" },
    writes: {
      rest: ["insert ann: eve fay", "insert ben: eve fay"],
      xml: ["SetUser ann: cat;dan;eve;fay", "SetUser ben: dan;gil;eve;fay"],
    },
    counts: [4, 0],
  },
  {
    mode: "remove",
    args: [...hosts, "--delegate", address("cat"), "--delegate", address("dan")],
    outcome: { ann: "cat dan → -", ben: "dan gil → gil" },
    writes: {
      rest: ["delete ann: cat dan", "delete ben: dan"],
      xml: ["SetUser ann: ", "SetUser ben: gil"],
    },
    counts: [0, 3],
  },
  {
    mode: "replace",
    args: [...hosts, ...newOnes, "--delegate", address("gil")],
    outcome: { ann: "cat dan → eve fay gil", ben: "dan gil → eve fay gil" },
    writes: {
      rest: ["delete ann: cat dan", "delete ben: dan", "insert ann: eve fay gil", "insert ben: eve fay"],
      xml: ["SetUser ann: eve;fay;gil", "SetUser ben: gil;eve;fay"],
    },
    counts: [5, 3],
  },
] as const;

for (const backend of ["rest", "xml"] as const) {
  describe(`delegate --backend ${backend}`, { concurrency: 2 }, () => {
    for (const { mode, args, outcome, writes, counts } of modes) {
      test(`${mode} for two hosts with different delegates, and once more without a write`, async () => {
        await using story = await startDelegationStory(acme);
        const command = ["--mode", mode, "--backend", backend, ...args];
        const first = await story.run(command, true);
        assert.deepEqual(first.hosts, outcome);
        assert.deepEqual(first.writes, writes[backend]);
        const [added, removed] = counts;
        const status = added + removed > 0 ? "changed" : "converged";
        assert.deepEqual([first.code, first.record.status, first.record.backend], [0, status, backend]);
        assert.match(first.outputs, new RegExp(`added<<.*\\n${added}\\n`));
        assert.match(first.outputs, new RegExp(`removed<<.*\\n${removed}\\n`));
        for (const [name, change] of Object.entries(outcome)) {
          assert.equal(story.delegates(name), change.split(" → ")[1]?.replace("-", ""));
        }
        const pages = [...story.sandbox.github.files().keys()].filter((path) =>
          path.includes("/delegations/"),
        );
        assert.equal(pages.length, mode === "show" ? 0 : 2);

        const again = await story.run(command, true);
        assert.deepEqual([again.code, again.record.status, again.writes], [0, "converged", []]);
        assert.equal(story.sandbox.github.commits.length, mode === "show" ? 0 : 1);
      });
    }

    test("a dry run tells the change, writes nothing and leaves no report", async () => {
      await using story = await startDelegationStory(acme);
      const { code, record, writes, summary } = await story.run(
        ["--mode", "replace", "--delegate", "none", "--backend", backend, ...hosts, "--dry-run"],
        true,
      );
      assert.deepEqual([code, record.status, writes], [0, "changed", []]);
      assert.deepEqual(
        record.hosts.map(({ removed }) => removed.length),
        [2, 2],
      );
      assert.match(summary, /4 delegations would be removed/);
      assert.deepEqual([story.delegates("ann"), story.sandbox.github.commits.length], ["cat dan", 0]);
    });

    test("the report says who asked, by which backend, and each host before and after; the summary too", async () => {
      await using story = await startDelegationStory(acme);
      const { summary, record } = await story.run(
        ["--mode", "add", "--backend", backend, ...hosts, ...newOnes],
        true,
      );
      const files = story.sandbox.github.files();
      const path = [...files.keys()].find((name) => name.endsWith(".md") && name.includes("/delegations/"));
      assert.match(path ?? "", /^reports\/delegations\/\d{4}-\d\d-\d\d-1001\.md$/);
      const row =
        "| ✅ | `ben@acme.example` | `dan@acme.example` `gil@acme.example` | 4: `dan@acme.example` " +
        "`eve@acme.example` `fay@acme.example` `gil@acme.example` | ➕ `eve@acme.example` ➕ `fay@acme.example` |";
      const facts = `Mode add · site \`acme.webex.com\` · backend ${backend} · requested by \`octo-admin\``;
      for (const text of [files.get(path ?? "") ?? "", summary]) {
        assert.ok(text.includes(row), text);
        assert.ok(text.includes(facts), text);
      }
      assert.deepEqual(JSON.parse(files.get((path ?? "").replace(".md", ".json")) ?? ""), record);
      assert.deepEqual(Object.keys(record).slice(0, 7), [
        "version",
        "command",
        "mode",
        "backend",
        "status",
        "hosts",
        "token",
      ]);
      assert.equal(record.actor, "octo-admin");
    });

    test("more than 20 delegates for one host are refused before anything is sent; the other host goes on", async () => {
      const twenty = Array.from({ length: 20 }, (_, index) => `d${index}`);
      await using story = await startDelegationStory(site({ ann: twenty, ben: ["dan"], dan: [], eve: [] }));
      const asked = ["--mode", "add", "--backend", backend, ...hosts, "--delegate", address("eve")];
      const { code, record, writes } = await story.run(asked);
      assert.deepEqual([code, writes.length, story.delegates("ben")], [3, 1, "dan eve"]);
      assert.match(record.hosts[0]?.error ?? "", /^21 delegates would be too many \(20 now, 1 more\)/);
    });

    test("no secret, and no session ticket, is in anything that is printed, written or committed", async () => {
      await using story = await startDelegationStory(acme, {
        xmlRefusals: [{ operation: "SetUser", exceptionId: "000001" }],
      });
      const { stdout, stderr, summary, outputs, record } = await story.run(
        ["--mode", "add", "--backend", backend, ...hosts, ...newOnes],
        true,
      );
      const texts = [
        stdout,
        stderr,
        summary,
        outputs,
        JSON.stringify(record),
        ...story.sandbox.github.files().values(),
      ];
      for (const secret of story.sandbox.secrets()) {
        assert.ok(!texts.some((text) => text.includes(secret)));
      }
    });
  });
}

test("an expired session ticket is renewed in the middle of a run", async () => {
  await using story = await startDelegationStory(acme, { ticketUses: 7 });
  const { code, requests } = await story.run(["--mode", "add", "--backend", "xml", ...hosts, ...newOnes]);
  assert.deepEqual(
    [code, story.delegates("ann"), story.delegates("ben")],
    [0, "cat dan eve fay", "dan eve fay gil"],
  );
  const authentications = requests.filter(({ body }) => String(body).includes("AuthenticateUser"));
  assert.equal(authentications.length, 2);
});

test("one error names everything that is missing, the site too", async () => {
  await using story = await startDelegationStory(acme);
  const { code, stderr, stdout } = await story.folder.run(["delegate"], { WEBEX_TOKEN_FILE: "token" });
  assert.deepEqual([code, stdout], [1, ""]);
  for (const name of ["WEBEX_SITE_URL", "WEBEX_CLIENT_ID", "WEBEX_CLIENT_SECRET"]) {
    assert.ok(stderr.includes(`${name} is missing`), stderr);
  }
  const env = story.sandbox.environment({ WEBEX_TOKEN_FILE: "token", WEBEX_SITE_URL: "acme.webex.com/path" });
  assert.match(
    (await story.folder.run(["delegate"], env)).stderr,
    /WEBEX_SITE_URL must be the site's host name/,
  );
});
