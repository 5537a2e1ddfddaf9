import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Exchange } from "../../sandbox/http.ts";
import type { Organisation, OrganisationSiteUser } from "../../sandbox/organisation.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import type { DelegationRecord } from "../../src/delegation/record.ts";
import { createFolder, type Folder, type RunResult } from "./run-rollcall.ts";

/** A user's address follows from the name. */
export function address(name: string): string {
  return `${name}@acme.example`;
}

/** Many addresses, as an option takes them. */
export function addresses(...names: readonly string[]): string {
  return names.map(address).join(" ");
}

/** The people of the site, each with the names of the delegates; who is none of the site is only a delegate. */
export function site(
  delegates: Readonly<Record<string, readonly string[]>>,
  facts: Readonly<Record<string, Partial<OrganisationSiteUser>>> = {},
): Organisation {
  const names = ["rollcall", ...new Set([...Object.keys(delegates), ...Object.keys(facts)])];
  const users = names.map((name) => ({
    person: name,
    delegates: (delegates[name] ?? []).map((one) => (one.includes("@") ? one : address(one))),
    ...facts[name],
  }));
  const people = names.map((name) => ({ key: name, displayName: name, email: address(name) }));
  return { name: "acme", owner: "rollcall", people, groups: [], rooms: [], meetings: { users } };
}

/** All that one run of `delegate` left behind. */
export interface DelegationEnding extends RunResult {
  readonly record: DelegationRecord;
  readonly outputs: string;
  readonly summary: string;
  readonly requests: readonly Exchange[];
  /** The writes of this run: `insert ann: eve`, `delete ann: cat`, `SetUser ann: cat;eve`. */
  readonly writes: readonly string[];
  /** What the record says of each host, by name: the delegates' names before and after, or the error. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A site, a user's folder, and the real command between them. */
export interface DelegationStory extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: Folder;
  /** The names of a host's delegates as the site has them now. */
  delegates(name: string): string;
  /** Runs `delegate` on a person's machine, or with `github` as a workflow run. */
  run(args: readonly string[], github?: boolean): Promise<DelegationEnding>;
}

/** Starts a sandbox with such a site. */
export async function startDelegationStory(
  organisation: Organisation,
  options: SandboxOptions = {},
): Promise<DelegationStory> {
  const sandbox = await startSandbox(organisation, options);
  const folder = await createFolder();

  async function run(args: readonly string[], github = false): Promise<DelegationEnding> {
    const before = sandbox.requests.length;
    for (const file of ["outputs", "summary.md", "record.json"])
      await rm(join(folder.path, file), { force: true });
    await Promise.all([folder.write("outputs", ""), folder.write("summary.md", "")]);
    const files = {
      GITHUB_OUTPUT: join(folder.path, "outputs"),
      GITHUB_STEP_SUMMARY: join(folder.path, "summary.md"),
    };
    const env = github
      ? sandbox.githubEnvironment(files)
      : sandbox.environment({ ...files, WEBEX_TOKEN_FILE: "token" });
    const result = await folder.run(["delegate", ...args, "--json", "record.json"], env);
    const text = await folder
      .read("record.json")
      .catch(() => assert.fail(`no record; stderr: ${result.stderr}`));
    const record: DelegationRecord = JSON.parse(text);
    const requests = sandbox.requests.slice(before);
    return {
      ...result,
      record,
      outputs: await folder.read("outputs"),
      summary: await folder.read("summary.md"),
      requests,
      writes: requests.flatMap(describeWrite).sort(),
      hosts: Object.fromEntries(record.hosts.map((host) => [shorten(host.host), describeHost(host)])),
    };
  }

  return {
    sandbox,
    folder,
    run,
    delegates: (name) => shorten([...sandbox.meetings.user(name).delegates].sort().join(" ")),
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

function describeHost({ before, after, error }: DelegationRecord["hosts"][number]): string {
  const list = (addresses: readonly string[] | null) =>
    addresses ? shorten(addresses.join(" ")) || "-" : "?";
  return `${list(before)} → ${list(after)}${error === undefined ? "" : `: ${error}`}`;
}

/** `insert ann: eve`, `delete ann: cat`, `SetUser ann: cat;eve`; nothing for what changes no delegates. */
export function describeWrite({ path, body }: Exchange): string[] {
  const preference = /delegateEmails\/(insert|delete)\?userEmail=([^&]+)/.exec(path);
  if (preference) {
    const { emails } = body as { readonly emails: readonly string[] };
    return [shorten(`${preference[1]} ${decodeURIComponent(preference[2] ?? "")}: ${emails.join(" ")}`)];
  }
  const text = typeof body === "string" ? body : "";
  const written =
    /\.SetUser"><webExId>(.*?)<\/webExId><schedulingPermission>(.*?)<\/schedulingPermission>/.exec(text);
  return written ? [shorten(`SetUser ${written[1]}: ${written[2]}`)] : [];
}

function shorten(text: string): string {
  return text.replaceAll("@acme.example", "");
}
