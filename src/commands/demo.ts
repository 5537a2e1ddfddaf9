import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { loadOrganisation } from "../../sandbox/organisation.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { type Context, createContext } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { bypassProxies } from "../lib/http.ts";
import { runSync } from "./sync.ts";

const files = new URL("../../sandbox/demo/", import.meta.url);

/** Runs `sync` twice against the sandbox, as in production, and leaves the report behind. Returns the exit code. */
export async function runDemo(options: OptionsOf<"demo">, context: Context): Promise<number> {
  const { log, print, paint } = context;
  const folder = options.reports ?? "rollcall-demo";
  // A company's proxy cannot reach the sandbox, which listens on this machine alone.
  bypassProxies();
  await using sandbox = await startSandbox(await loadOrganisation(new URL("organisation.json", files)));
  log(paint("dim", `A sandbox stands in for Webex and GitHub at ${sandbox.url}; no account is needed`));
  const mappings = relative("", fileURLToPath(new URL("rooms.csv", files)));
  const sync = async (title: string) => {
    print(`\n${paint("bold", title)}\n`);
    const seen = sandbox.requests.length;
    // Only the sandbox's variables: a real token in this shell must not get into the demo.
    const env = sandbox.githubEnvironment({ GITHUB_SERVER_URL: "https://github.example" });
    const code = await runSync({}, await createContext(env, { mappings }, context, "none"));
    return { code, writes: sandbox.requests.slice(seen).filter(isMembershipWrite).length };
  };

  const first = await sync("First run: rooms.csv meets what has grown over the years");
  const reports = [...sandbox.github.files()].filter(([path]) => path.startsWith("reports/"));
  for (const [path, text] of reports) await replaceFile(join(folder, path.slice("reports/".length)), text);
  print(`\n${paint("bold", "The report it committed (reports/README.md)")}\n`);
  print(sandbox.github.files().get("reports/README.md") ?? "");

  const commits = sandbox.github.commits.length;
  const second = await sync("Second run: the same once more");
  const newCommits = sandbox.github.commits.length - commits;
  print(`\n${paint("bold", "In short")}\n`);
  print(`The first run made ${first.writes} membership changes, and held back what looked like a mistake.`);
  print(
    `The second run made ${second.writes} membership changes and ${newCommits} commits: it is idempotent.`,
  );
  print(`Report: ${join(folder, "README.md")}`);
  const isAsPromised =
    first.code === second.code && first.writes > 0 && second.writes === 0 && newCommits === 0;
  return isAsPromised ? 0 : 1;
}

function isMembershipWrite({ method, route }: { readonly method: string; readonly route: string }): boolean {
  return method !== "GET" && route.includes("memberships");
}
