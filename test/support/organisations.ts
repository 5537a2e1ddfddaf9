import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Exchange } from "../../sandbox/http.ts";
import type { Organisation } from "../../sandbox/organisation.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../sandbox/server.ts";
import type { RunRecord } from "../../src/membership/record.ts";
import { createFolder, type Folder, type RunResult } from "./run-rollcall.ts";

/** An organisation of its own in Webex, and the rows of its rooms.csv below the header. */
export interface Member {
  readonly webex: Organisation;
  readonly rows: readonly string[];
  readonly policy?: string;
  /** The whole text of its delegations.csv. */
  readonly delegations?: string;
}

export interface JobEnding extends RunResult {
  /** Null where the run ended before it had one. */
  readonly record: RunRecord | null;
  readonly summary: string;
  readonly requests: readonly Exchange[];
}

/** One repository on GitHub, a checkout of it, and a Webex for each organisation. */
export interface Organisations extends AsyncDisposable {
  readonly github: Sandbox["github"];
  readonly folder: Folder;
  /** The sandbox that holds this organisation's Webex; that of the first holds GitHub as well. */
  webex(name: string): Sandbox;
  /** Runs a command as the workflow's job for one organisation does; `extra` goes last. */
  run(name: string, args: readonly string[], extra?: Readonly<Record<string, string>>): Promise<JobEnding>;
  /** What the repository holds, by path. */
  text(path: string): string;
}

/** Starts it all with these organisations. */
export async function startOrganisations(
  members: Readonly<Record<string, Member>>,
  options: SandboxOptions = {},
): Promise<Organisations> {
  const names = Object.keys(members);
  const files: Record<string, string> = Object.fromEntries(
    Object.entries(members).flatMap(([name, { rows, policy, delegations }]) => [
      [`mappings/${name}/rooms.csv`, roomsFile(rows)],
      ...(policy === undefined ? [] : [[`mappings/${name}/policy.json`, policy]]),
      ...(delegations === undefined ? [] : [[`mappings/${name}/delegations.csv`, delegations]]),
    ]),
  );
  const environments = names.map((name) => `webex-${name}`);
  const github = { environments, ...options.github, files: { ...files, ...options.github?.files } };
  const sandboxes = new Map<string, Sandbox>();
  for (const [name, { webex }] of Object.entries(members))
    sandboxes.set(name, await startSandbox(webex, { ...options, ...(sandboxes.size === 0 && { github }) }));
  const [home] = sandboxes.values();
  if (home === undefined) throw new Error("there must be an organisation");
  const folder = await createFolder();
  for (const [path, text] of Object.entries(github.files)) await folder.write(path, text);
  const webex = (name: string): Sandbox => {
    const found = sandboxes.get(name);
    if (found === undefined) throw new Error(`there is no organisation ${name}`);
    return found;
  };

  async function run(
    name: string,
    args: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): Promise<JobEnding> {
    const own = webex(name);
    const from = [home, own].map((sandbox) => sandbox?.requests.length ?? 0);
    const [record, summary] = [`record-${name}.json`, `.summary-${name}.md`];
    await rm(join(folder.path, record), { force: true });
    await folder.write(summary, "");
    const env = {
      ...home?.githubEnvironment({ WEBEX_ENVIRONMENT: `webex-${name}` }),
      ...own.environment(),
      ROLLCALL_ORGANISATION: name,
      GITHUB_STEP_SUMMARY: join(folder.path, summary),
      ...extra,
    };
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
    const result = await folder.run([...args, "--json", record], given);
    const ofWebex = own === home ? [] : own.requests.slice(from[1]);
    return {
      ...result,
      record: await folder.read(record).then(
        (text): RunRecord => JSON.parse(text),
        () => null,
      ),
      summary: await folder.read(summary),
      requests: [...(home?.requests.slice(from[0]) ?? []), ...ofWebex],
    };
  }

  return {
    github: home.github,
    folder,
    webex,
    run,
    text: (path) => home.github.files().get(path) ?? "",
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
      for (const sandbox of sandboxes.values()) await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** The text of a rooms.csv with these rows, and as many columns as they have. */
export function roomsFile(rows: readonly string[]): string {
  const columns = Math.max(2, ...rows.map((row) => row.split(",").length));
  const header = ["group", "room", "mode", "until", "note"].slice(0, columns).join(",");
  return `${[header, ...rows].join("\n")}\n`;
}
