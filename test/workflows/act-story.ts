import assert from "node:assert/strict";
import { after, before } from "node:test";
import type { GithubOptions } from "../../sandbox/github/github.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { organisation } from "../support/organisation.ts";
import { isMembershipWrite } from "../support/story.ts";
import { type ActRepository, act, createActRepository, type Form } from "./act.ts";
import { explainAbsence } from "./tool.ts";

/** The options of a test that needs act: without it the test is skipped, and says so. */
export const needsAct = { skip: explainAbsence("act", act) };

/** One repository for all tests of a file; each test brings a sandbox of its own. */
export function useActRepository(form: Form = "copy"): Pick<ActRepository, "run" | "remotes"> {
  let repository: ActRepository | undefined;
  before(async () => {
    if (act !== null) repository = await createActRepository(form);
  });
  after(async () => {
    await repository?.[Symbol.asyncDispose]();
  });
  return {
    get remotes() {
      assert.ok(repository);
      return repository.remotes;
    },
    run(sandbox, trigger) {
      assert.ok(repository);
      return repository.run(sandbox, trigger);
    },
  };
}

/** A sandbox with one group, NOC, of ann and bob, and one room, NOC, of bob and cy; rooms.csv joins them. */
export async function startNoc(options: GithubOptions = {}): Promise<Sandbox> {
  return await startSandbox(
    organisation({ groups: { NOC: ["ann", "bob"] }, rooms: { NOC: ["bob", "cy"] } }),
    {
      github: {
        environments: ["webex"],
        files: { "mappings/rooms.csv": "group,room\nNOC,NOC\n" },
        ...options,
      },
    },
  );
}

/** The organisations of `startThree`. */
export const three = ["acme", "globex", "initech"];

/**
 * Three organisations in one repository. act gives every job the same secrets, so they share a Webex, whose token stays
 * as it is.
 */
export async function startThree(options: GithubOptions = {}): Promise<Sandbox> {
  const groups = { NOC: ["ann"], Eng: ["bob"], Ops: ["cat"] };
  const rooms = { NOC: ["old"], Eng: ["old"], Ops: ["old"] };
  const files = {
    "mappings/acme/rooms.csv": "group,room\nNOC,NOC\n",
    "mappings/globex/rooms.csv": "group,room\nEng,Eng\n",
    "mappings/initech/rooms.csv": "group,room\nOps,Ops\n",
  };
  const github = {
    environments: three.map((name) => `webex-${name}`),
    ...options,
    files: { ...files, ...options.files },
  };
  return await startSandbox(organisation({ groups, rooms }), { refreshToken: "stays", github });
}

/** The refresh token for every job at once: it stays as it is. */
export const tokenOf = (sandbox: Sandbox) => ({ WEBEX_REFRESH_TOKEN: sandbox.currentRefreshToken });

/** How many requests would have changed a membership. */
export function countMembershipWrites({ requests }: Sandbox): number {
  return requests.filter(isMembershipWrite).length;
}

/** The environment holds the newest refresh token, and of the probe nothing is left. */
export function assertTokenKept({ github, currentRefreshToken }: Sandbox): void {
  assert.equal(github.secret("WEBEX_REFRESH_TOKEN", "webex"), currentRefreshToken);
  assert.equal(github.secret("WEBEX_WRITE_PROBE", "webex"), undefined);
}

/** No secret is in the log of a run, in a report or in the text of a commit. */
export function assertNoSecretShown({ github, secrets }: Sandbox, log: string): void {
  const files = [...github.files().values()].join("\n");
  const messages = github.commits.map(({ message }) => message).join("\n");
  for (const secret of secrets()) {
    assert.equal(log.includes(secret), false, "a secret is in the log");
    assert.equal(files.includes(secret) || messages.includes(secret), false, "a secret was committed");
  }
}

/** The path of the newest run's record below reports/runs. */
export function findRecord({ github }: Sandbox, branch?: string): string {
  const records = [...github.files(branch).keys()].filter((path) => /^reports\/runs\/.*\.json$/.test(path));
  const newest = records.sort().at(-1);
  assert.ok(newest, "no run left a record");
  return newest;
}
