import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { address, addresses, site, startDelegationStory } from "../support/delegation-story.ts";

// The numbers are those of the faults of a sample application for delegates.
const hosts = ["--host", addresses("ann", "ben")];
const acme = site({ ann: ["cat"], ben: ["dan"], cat: [], dan: [], eve: [], fay: [] });
const everyBackend = ["rest", "xml"] as const;

describe("faults of the second sample application", { concurrency: 2 }, () => {
  for (const backend of everyBackend) {
    const xml = ["--backend", backend];

    test(`1. add: the second host is not given the first one's delegates (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      const { code } = await story.run([...xml, "--mode", "add", ...hosts, "--delegate", address("eve")]);
      assert.deepEqual([code, story.delegates("ann"), story.delegates("ben")], [0, "cat eve", "dan eve"]);
    });

    test(`2. a host among the delegates is left out for that host only, not for later hosts (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      const { code, record } = await story.run([
        ...xml,
        "--mode",
        "add",
        ...hosts,
        "--delegate",
        addresses("ann", "eve"),
      ]);
      assert.deepEqual([code, story.delegates("ann"), story.delegates("ben")], [0, "cat eve", "ann dan eve"]);
      assert.deepEqual(record.notices, ["ann@acme.example was left out of their own delegates"]);
    });

    test(`3. a failed reading is not taken for "no delegates": that host is not written (${backend})`, async () => {
      const isAnn = (text: string) => text.includes("ann@") || text.includes("ann%40");
      await using story = await startDelegationStory(acme);
      story.sandbox.fault({
        route: "GET /meetingPreferences/schedulingOptions",
        match: ({ url }) => isAnn(url.search),
        status: 403,
        times: 9,
      });
      story.sandbox.fault({
        route: "POST /XMLService",
        match: ({ body }) => String(body).includes("GetUser") && isAnn(String(body)),
        status: 403,
        times: 9,
      });
      const { code, record, writes } = await story.run([
        ...xml,
        "--mode",
        "add",
        ...hosts,
        "--delegate",
        address("eve"),
      ]);
      assert.deepEqual([code, record.status], [3, "partial"]);
      assert.deepEqual(
        [story.delegates("ann"), story.delegates("ben"), writes.length],
        ["cat", "dan eve", 1],
      );
      const [ann] = record.hosts;
      assert.deepEqual([ann?.before, ann?.after, ann?.added], [null, null, []]);
      assert.match(ann?.error ?? "", /403/);
    });

    test(`3. an answer about somebody else, or without its other fields, is no empty list either (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      const odd = { match: ({ url }: { url: URL }) => url.search.includes("ann%40"), times: 9 };
      story.sandbox.fault({
        ...odd,
        route: "GET /meetingPreferences/schedulingOptions",
        status: 200,
        body: {},
      });
      story.sandbox.fault({
        route: "POST /XMLService",
        match: ({ body }) => String(body).includes("GetUser") && String(body).includes("ann@"),
        times: 9,
        status: 200,
        body: "<m:message xmlns:m='m'><m:header><m:response><m:result>SUCCESS</m:result></m:response></m:header><m:body><m:bodyContent><m:webExId>ben@acme.example</m:webExId></m:bodyContent></m:body></m:message>",
      });
      const { code, hosts: told } = await story.run([
        ...xml,
        "--mode",
        "replace",
        ...hosts,
        "--delegate",
        address("eve"),
      ]);
      assert.deepEqual([code, story.delegates("ann"), story.delegates("ben")], [3, "cat", "eve"]);
      assert.match(told.ann ?? "", /the reply is not as documented/);
    });

    test(`4. replace with nobody chosen wipes nothing; none has to be said (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      for (const empty of [[], ["--delegate", ""], ["--delegate", " ;\n"]]) {
        const { code, stderr, requests } = await story.run([...xml, "--mode", "replace", ...hosts, ...empty]);
        assert.deepEqual([code, requests.length], [1, 0]);
        assert.match(stderr, /--mode replace needs the delegates: .*or --delegate none to take all away/);
      }
      const { code } = await story.run([
        ...xml,
        "--mode",
        "replace",
        "--host",
        address("ann"),
        "--delegate",
        "none",
      ]);
      assert.deepEqual([code, story.delegates("ann"), story.delegates("ben")], [0, "", "dan"]);
    });

    test(`6. which host failed, why, and who was changed already is told of each (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      const fault = { status: 403, times: 9 };
      story.sandbox.fault({
        ...fault,
        route: "POST /meetingPreferences/schedulingOptions/delegateEmails/insert",
        match: ({ url }) => url.search.includes("ann%40"),
      });
      story.sandbox.fault({
        ...fault,
        route: "POST /XMLService",
        match: ({ body }) => /SetUser.*ann@/s.test(String(body)),
      });
      const { code, stdout, summary, outputs, record } = await story.run([
        ...xml,
        "--mode",
        "add",
        ...hosts,
        "--delegate",
        address("eve"),
      ]);
      assert.deepEqual(
        [code, story.delegates("ann"), story.delegates("ben")],
        [3, "cat", "cat eve".replace("cat", "dan")],
      );
      assert.deepEqual(
        record.hosts.map(({ host, added, error }) => [host, added, error === undefined]),
        [
          [address("ann"), [], false],
          [address("ben"), [address("eve")], true],
        ],
      );
      assert.match(stdout, /× \[POST\].*403/);
      assert.match(summary, /\*\*`ann@acme\.example`:\*\* .*403/);
      assert.match(outputs, /failed<<.*\n1\n/);
    });

    test(`7. more than 50 users of the site are listed, whole (${backend})`, async () => {
      const names = Array.from({ length: 61 }, (_, index) => `user${String(index).padStart(2, "0")}`);
      const many = site(Object.fromEntries(names.map((name) => [name, []])), { gone: { isActive: false } });
      await using story = await startDelegationStory(many, { xmlPageCap: 25, pageCaps: { people: 25 } });
      const { code, record } = await story.run(xml);
      assert.equal(code, 0);
      assert.deepEqual(
        record.users?.map((user) => user.address),
        ["rollcall", ...names].map(address).sort(),
      );
    });

    test(`7. a site with one user is a list of one (${backend})`, async () => {
      await using story = await startDelegationStory(site({}));
      const { code, record } = await story.run(xml);
      assert.deepEqual([code, record.users?.map((user) => user.address)], [0, [address("rollcall")]]);
    });

    test(`8. "&" and "<" in values neither break the request nor inject anything (${backend})`, async () => {
      const organisation = site({ "o'neil&co": ["r&d"], "r&d": [], "eve&amp": [] });
      await using story = await startDelegationStory(organisation);
      const { code, hosts: told } = await story.run([
        ...xml,
        "--mode",
        "add",
        "--host",
        address("o'neil&co"),
        "--delegate",
        address("eve&amp"),
      ]);
      assert.deepEqual([code, story.delegates("o'neil&co")], [0, "eve&amp r&d"]);
      assert.deepEqual(told, { "o'neil&co": "r&d → eve&amp r&d" });
      const hostile = await story.run([...xml, "--host", "<x>@acme.example</webExId><active>"]);
      assert.deepEqual([hostile.code, hostile.requests.length], [1, 0]);
    });

    test(`11. what somebody else writes in between is kept or reported, never lost in silence (${backend})`, async () => {
      await using story = await startDelegationStory(acme);
      const ann = story.sandbox.meetings.user("ann");
      let readings = 0;
      const meddle = (isReading: boolean) => {
        // Between plan and write: kept. Between write and read-back: our own change is lost, and that is reported.
        if (isReading) readings += 1;
        if (isReading && readings === (backend === "rest" ? 2 : 3))
          ann.delegates = [...ann.delegates, address("fay")];
        if (isReading && readings === (backend === "rest" ? 3 : 4)) ann.delegates = [address("dan")];
        return false;
      };
      story.sandbox.fault({
        route: "GET /meetingPreferences/schedulingOptions",
        match: ({ url }) => meddle(url.search.includes("ann%40")),
      });
      story.sandbox.fault({
        route: "POST /XMLService",
        match: ({ body }) => meddle(/GetUser.*ann@/s.test(String(body))),
      });
      const { code, record, writes } = await story.run([
        ...xml,
        "--mode",
        "add",
        "--host",
        address("ann"),
        "--delegate",
        address("eve"),
      ]);
      assert.deepEqual(writes, [backend === "rest" ? "insert ann: eve" : "SetUser ann: cat;fay;eve"]);
      assert.equal(code, 3);
      assert.match(
        record.notices.join(),
        /somebody else changed the list during this run, which was left so: fay@acme\.example appeared/,
      );
      assert.match(
        record.hosts[0]?.error ?? "",
        /^lost update: somebody else wrote this list at the same time \(.*cat@acme\.example.* disappeared; eve@acme\.example, whom this run added, disappeared\)/,
      );
    });

    test(`12. case makes no duplicate, and a host is never their own delegate (${backend})`, async () => {
      await using story = await startDelegationStory(site({ ann: ["Cat@Acme.example"], cat: [] }));
      const same = await story.run([
        ...xml,
        "--mode",
        "add",
        "--host",
        "ANN@acme.example",
        "--delegate",
        "CAT@acme.example",
      ]);
      assert.deepEqual([same.code, same.record.status, same.writes], [0, "converged", []]);
      const own = await story.run([
        ...xml,
        "--mode",
        "replace",
        "--host",
        address("ann"),
        "--delegate",
        "ANN@acme.example",
      ]);
      assert.deepEqual([own.code, own.writes], [3, []]);
      assert.match(own.record.hosts[0]?.error ?? "", /a host is never their own delegate/);
    });

    test(`13. a delegate without a host licence, or switched off, is named before anything is written (${backend})`, async () => {
      const organisation = site({ ann: [], eve: [] }, { fay: { mayHost: false }, gil: { isActive: false } });
      await using story = await startDelegationStory(organisation);
      const { code, record, writes } = await story.run([
        ...xml,
        "--mode",
        "add",
        "--host",
        address("ann"),
        "--delegate",
        addresses("eve", "fay", "gil", "evi"),
      ]);
      assert.deepEqual([code, record.status, writes], [1, "failed", []]);
      assert.deepEqual(record.problems, [
        "the delegate fay@acme.example may not host meetings on the site, which a delegate must; give a host licence first",
        "the delegate gil@acme.example is not active on the site; activate the account first",
        'the site has no user "evi@acme.example"; did you mean "eve@acme.example"?',
      ]);
    });

    test(`13. a change that Webex accepts but does not make is noticed (${backend})`, async () => {
      await using story = await startDelegationStory(acme, {
        delegatesWithoutEffect: true,
        insertEchoes: true,
      });
      const { code, record } = await story.run([
        ...xml,
        "--mode",
        "add",
        ...hosts,
        "--delegate",
        address("eve"),
      ]);
      assert.equal(code, 3);
      for (const { added, error } of record.hosts) {
        assert.deepEqual(added, []);
        assert.match(
          error ?? "",
          /Webex accepted the change, but eve@acme\.example did not become a delegate/,
        );
      }
    });
  }

  test("5. an unexpected combination is an error, not a success that did nothing", async () => {
    await using story = await startDelegationStory(acme);
    for (const args of [
      [...hosts, "--delegate", address("eve")],
      ["--mode", "add", "--delegate", address("eve")],
      ["--mode", "remove", ...hosts],
    ]) {
      const { code, record, requests } = await story.run(args);
      assert.deepEqual([code, record.status, requests.length], [1, "failed", 0]);
      assert.equal(record.problems.length, 1);
    }
    for (const [args, hint] of [
      [["--mode", "ad"], /delegate has no --mode "ad"; did you mean "add"\?/],
      [["--backend", "soap"], /delegate has no --backend "soap"; choose one of rest, xml/],
    ] as const) {
      const { code, stderr } = await story.folder.run(["delegate", ...args], story.sandbox.environment());
      assert.equal(code, 1);
      assert.match(stderr, hint);
    }
  });

  test("9, 10. every run is a process of its own, and is refused without the administrator's rights", async () => {
    const unadministered = await startDelegationStory(acme, { siteAdmin: false });
    await using _ = unadministered;
    const asked = ["--mode", "add", ...hosts, "--delegate", address("eve")];
    const xml = await unadministered.run(["--backend", "xml", ...asked]);
    assert.deepEqual([xml.code, xml.writes], [1, []]);
    assert.match(xml.stderr, /the token's owner rollcall@acme\.example is not an administrator of the site/);

    await using readOnly = await startDelegationStory(acme, { readOnlySiteAdmin: true });
    assert.equal((await readOnly.run(["--backend", "xml", ...asked])).code, 1);
  });

  test("Webex's silent wrong target: without the scopes, or when it ignores the host, nothing is written", async () => {
    const asked = ["--mode", "add", ...hosts, "--delegate", address("eve")];
    const scopes = "spark:people_read spark-admin:people_read meeting:admin_preferences_read";
    await using unscoped = await startDelegationStory(acme, { scope: scopes });
    const first = await unscoped.run(asked);
    assert.deepEqual([first.code, first.writes], [1, []]);
    assert.match(first.stderr, /the token lacks meeting:admin_preferences_write.*nothing was changed/);
    assert.equal((await unscoped.run(hosts)).code, 0);

    await using ignoring = await startDelegationStory(acme, { userEmail: "ignored" });
    const second = await ignoring.run(asked);
    assert.deepEqual([second.code, second.writes, ignoring.delegates("rollcall")], [1, [], ""]);
    assert.match(second.stderr, /it ignores which host is named/);

    await using refusing = await startDelegationStory(acme, { userEmail: "refused" });
    const third = await refusing.run(asked);
    assert.deepEqual([third.code, third.writes], [3, []]);
    assert.match(third.stdout, /Not permitted to view or change other user's preferences/);
  });
});
