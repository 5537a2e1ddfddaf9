import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as v from "valibot";
import { parse } from "yaml";
import type { Sandbox } from "../../sandbox/server.ts";
import { assertNoSecretShown, assertTokenKept, needsAct, startNoc, useActRepository } from "./act-story.ts";
import { runTool } from "./tool.ts";

const packedSchema = v.object({
  jobs: v.record(v.string(), v.object({ steps: v.array(v.object({ uses: v.optional(v.string()) })) })),
});
const repository = useActRepository();
const source = "acme/rollcall";
const readOwn = async (file: string) => await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
const manifest = await readOwn("package.json");
const { version }: { version: string } = JSON.parse(manifest);
/** Each test begins with these, whatever the one before has left. */
const fresh = { "package.json": manifest, "CHANGELOG.md": await readOwn("CHANGELOG.md") };

/** What a branch changes, as `A path`, `M path` or `D path`. */
async function listChanges(branch: string): Promise<string[]> {
  const text = await repository.remotes.git(
    "acme/spaces",
    "diff",
    "--name-status",
    "--no-renames",
    `${branch}~1`,
    branch,
  );
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace("\t", " "));
}

async function listBranches(): Promise<string[]> {
  const text = await repository.remotes.git("acme/spaces", "branch", "--format=%(refname:short)");
  return text.split("\n").filter(Boolean);
}

/** A sandbox, and a repository without the branches and calls of the test before. */
async function startFresh(files: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
  for (const branch of await listBranches())
    await repository.remotes.git("acme/spaces", "branch", "-qD", branch);
  await repository.remotes.takeCalls();
  return await startNoc({ files: { ...fresh, ...files } });
}

/** Two releases: the one this copy was made from, and a newer one that changes, adds and removes files. */
async function publishReleases(): Promise<void> {
  const isThere = await repository.remotes.git(source, "tag").catch(() => "");
  if (isThere !== "") return;
  await repository.remotes.release(source, `v${version}`, {
    "package.json": "{}",
    "src/old.ts": "export {};\n",
    "mappings/rooms.csv": "group,room\n",
  });
  await repository.remotes.release(source, "v99.0.0", {
    "src/main.ts": "console.log('new');\n",
    "src/old.ts": null,
    "src/new.ts": "export {};\n",
    "mappings/rooms.csv": "group,room\nExample,Example\n",
    "reports/README.md": "another page",
    ".github/CODEOWNERS": "* @somebody-else\n",
    ".github/workflows/new.yml": "name: New\n",
  });
  // Neither is a release.
  await repository.remotes.release(source, "v100.0.0-beta.1", { "src/beta.ts": "" });
  await repository.remotes.release(source, "v0", {});
}

const ownFiles = {
  "src/old.ts": "export {};\n",
  "notes/own.md": "ours\n",
  "reports/history.json": "{}",
  "mappings/rooms.csv": "group,room\nNOC,NOC\n",
};

test(
  "Update proposes the newest release and leaves mappings, reports, owners and own files alone",
  needsAct,
  async () => {
    await using sandbox = await startFresh(ownFiles);
    await publishReleases();
    const update = {
      workflow: "update",
      event: "workflow_dispatch",
      variables: { ROLLCALL_SOURCE: source },
    } as const;
    const secrets = { PULL_REQUEST_TOKEN: "token-of-a-person" };
    const ending = await repository.run(sandbox, { ...update, secrets });
    assert.equal(ending.succeeded, true, ending.log);
    const branch = "rollcall/update-v99.0.0";
    assert.deepEqual(await listBranches(), [branch]);
    const changes = await listChanges(branch);
    for (const change of ["M src/main.ts", "D src/old.ts", "A src/new.ts", "A .github/workflows/new.yml"])
      assert.ok(changes.includes(change), `${change} of ${changes}`);
    for (const path of changes)
      assert.doesNotMatch(path, / (mappings|reports|notes)\/| \.github\/CODEOWNERS|beta/);
    // A file that the new release does not have, but the old one did not have either, is not Rollcall's.
    assert.equal(changes.filter((change) => change.startsWith("D")).join(), "D src/old.ts");
    const calls = await repository.remotes.takeCalls();
    assert.match(
      calls,
      /^gh pr create --head rollcall\/update-v99\.0\.0 --base main --title Update Rollcall to v99\.0\.0 /m,
    );
    assert.match(calls, /releases\/tag\/v99\.0\.0/);
    assert.doesNotMatch(calls, /own token may not/);
    assert.equal(ending.log.includes("token-of-a-person"), false);
    // Nothing of Webex is asked for an update.
    assert.equal(sandbox.requests.filter(({ half }) => half !== "github").length, 0);

    const again = await repository.run(sandbox, { ...update, secrets });
    assert.equal(again.succeeded, true, again.log);
    assert.match(again.log, /is there already/);
    assert.doesNotMatch(await repository.remotes.takeCalls(), /pr create/);
  },
);

test(
  "without a token that may, Update leaves the workflows as they are and says how to add them",
  needsAct,
  async () => {
    await using sandbox = await startFresh(ownFiles);
    await publishReleases();
    const env = { GH_TEMPLATE: source };
    const ending = await repository.run(sandbox, { workflow: "update", event: "schedule", env });
    assert.equal(ending.succeeded, true, ending.log);
    const changes = await listChanges("rollcall/update-v99.0.0");
    assert.ok(changes.includes("M src/main.ts"));
    assert.deepEqual(
      changes.filter((change) => change.includes(".github/workflows")),
      [],
    );
    assert.match(await repository.remotes.takeCalls(), /git checkout FETCH_HEAD -- \.github\/workflows/);
  },
);

test(
  "Update says when nothing is newer, and when nobody knows where Rollcall comes from",
  needsAct,
  async () => {
    await using sandbox = await startFresh({ "package.json": manifest.replace(version, "99.0.0") });
    await publishReleases();
    const current = await repository.run(sandbox, {
      workflow: "update",
      event: "schedule",
      variables: { ROLLCALL_SOURCE: source },
    });
    assert.equal(current.succeeded, true, current.log);
    assert.match(current.log, /acme\/rollcall has no release that is newer than v99\.0\.0/);
    const scheduled = await repository.run(sandbox, { workflow: "update", event: "schedule" });
    assert.deepEqual(
      [scheduled.succeeded, /Set the variable ROLLCALL_SOURCE/.test(scheduled.log)],
      [true, true],
    );
    const byHand = await repository.run(sandbox, { workflow: "update", event: "workflow_dispatch" });
    assert.deepEqual([byHand.succeeded, /Set the variable ROLLCALL_SOURCE/.test(byHand.log)], [false, true]);
    assert.deepEqual(await listBranches(), []);
    await repository.remotes.takeCalls();
  },
);

test("Discover proposes rows in mode audit, and keeps those that are there", needsAct, async () => {
  const rows = "group,room,mode,note\n";
  await using sandbox = await startFresh({ "mappings/rooms.csv": rows });
  const ending = await repository.run(sandbox, { workflow: "discover", event: "workflow_dispatch" });
  assert.equal(ending.succeeded, true, ending.log);
  const [branch = "", ...others] = await listBranches();
  assert.deepEqual([branch.replace(/\d+$/, ""), others], ["rollcall/discover-", []]);
  assert.deepEqual(await listChanges(branch), ["M mappings/rooms.csv"]);
  const text = await repository.remotes.git("acme/spaces", "show", `${branch}:mappings/rooms.csv`);
  assert.match(text, /^group,room,mode,note\nNOC,NOC,audit,/);
  assert.match(await repository.remotes.takeCalls(), /^gh pr create .*--title Suggest rows for rooms\.csv /m);
  assertTokenKept(sandbox);
  assertNoSecretShown(sandbox, ending.log);

  sandbox.github.writeFile("mappings/rooms.csv", text);
  const none = await repository.run(sandbox, { workflow: "discover", event: "workflow_dispatch" });
  assert.equal(none.succeeded, true, none.log);
  assert.match(none.log, /There is no row to suggest/);
  assert.deepEqual(await listBranches(), [branch]);
});

test("where GitHub refuses the pull request, the branch stays and a link opens it", needsAct, async () => {
  await using sandbox = await startFresh({ "mappings/rooms.csv": "group,room,mode,note\n" });
  const env = { GH_REFUSES: "GitHub Actions is not permitted to create or approve pull requests" };
  const ending = await repository.run(sandbox, { workflow: "discover", event: "workflow_dispatch", env });
  assert.equal(ending.succeeded, false);
  assert.equal((await listBranches()).length, 1);
  assert.match(
    ending.log,
    /Summary - Nothing is lost: the branch .* has the change\. \[Open its pull request\]/,
  );
  assertTokenKept(sandbox);
});

test(
  "Release publishes the version with its changes and the template, and moves the major tag",
  needsAct,
  async () => {
    await using sandbox = await startFresh();
    const release = { workflow: "release", event: "workflow_dispatch" } as const;
    const workflows = ["sync", "approve", "discover"].map((id) => `.github/workflows/${id}.yml`);
    for (const file of ["README.md", ...workflows]) {
      const text = await readFile(new URL(`../../template/${file}`, import.meta.url), "utf8");
      sandbox.github.writeFile(`template/${file}`, text);
    }
    const ending = await repository.run(sandbox, { ...release, env: { GH_LACKS_TAG: "yes" } });
    assert.equal(ending.succeeded, true, ending.log);
    const calls = await repository.remotes.takeCalls();
    const tag = `v${version}`;
    const major = `v${version.split(".")[0]}`;
    assert.match(
      calls,
      new RegExp(
        `^gh release create ${tag} .*rollcall-template\\.tar\\.gz --target [0-9a-f]{40} --title ${tag} `,
        "m",
      ),
    );
    assert.match(calls, /^The first version\.$/m);
    assert.doesNotMatch(calls, /^## |Nothing yet/m);
    assert.match(
      calls,
      new RegExp(
        `^gh api --method POST repos/acme/spaces/git/refs --field ref=refs/tags/${major} --field sha=[0-9a-f]{40}$`,
        "m",
      ),
    );
    const uploads = await repository.remotes.listUploads();
    const [name = "", list = "", signatures = ""] = uploads.sort();
    const readUpload = async (file: string) => await readFile(repository.remotes.findUpload(file), "utf8");
    const { bomFormat, components } = JSON.parse(await readUpload(list));
    assert.equal(bomFormat, "CycloneDX");
    assert.ok(components.some(({ purl }: { purl: string }) => purl.startsWith("pkg:npm/undici@")));
    assert.ok(!components.some(({ purl }: { purl: string }) => purl.includes("biome")));
    // What is signed is what is attached.
    assert.match(await readUpload(signatures), /rollcall-template\.tar\.gz\n.*rollcall\.cdx\.json\n$/);
    const read = async (file: string) =>
      (await runTool("tar", ["-xzOf", repository.remotes.findUpload(name), `rollcall-template/${file}`], "/"))
        .stdout;
    const pinned = /^acme\/spaces(\/\.github\/actions\/propose)?@[0-9a-f]{40}$/;
    for (const file of workflows) {
      const text = await read(file);
      // Each is a workflow still, whatever stands behind the commit on its line.
      const { jobs } = v.parse(packedSchema, parse(text));
      const uses = Object.values(jobs).flatMap(({ steps }) => steps.flatMap((step) => step.uses ?? []));
      const own = uses.filter((name) => !name.startsWith("actions/"));
      assert.ok(own.length > 0, file);
      for (const name of own) assert.match(name, pinned, file);
      for (const line of text.split("\n").filter((one) => one.includes("uses: acme/")))
        assert.ok(line.endsWith(` # ${tag}`), line);
    }
    assert.match(await read("README.md"), /\(https:\/\/github\.com\/acme\/spaces\)/);
    for (const file of ["README.md", ...workflows])
      assert.doesNotMatch(await read(file), /your-organisation\/rollcall[^-]/);
  },
);

test(
  "Release refuses a version that is out already, or of which the changelog says nothing",
  needsAct,
  async () => {
    await using sandbox = await startFresh({ "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\nThis.\n" });
    const release = { workflow: "release", event: "workflow_dispatch" } as const;
    const silent = await repository.run(sandbox, release);
    assert.equal(silent.succeeded, false);
    assert.match(silent.log, /CHANGELOG\.md says nothing under/);
    await repository.remotes.git(
      "acme/spaces",
      "fetch",
      "-q",
      "../rollcall.git",
      `refs/tags/v99.0.0:refs/tags/v${version}`,
    );
    const out = await repository.run(sandbox, release);
    assert.equal(out.succeeded, false);
    assert.match(out.log, /has been released\. Raise the version/);
    assert.doesNotMatch(await repository.remotes.takeCalls(), /gh release/);
  },
);
