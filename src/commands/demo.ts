import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { loadOrganisation } from "../../sandbox/organisation.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
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
  const organisation = await loadOrganisation(new URL("organisation.json", files));
  await using sandbox = await startSandbox(organisation);
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
  await leaveReports(sandbox, folder, options.open === true);
  const commits = sandbox.github.commits.length;
  const second = await sync("Second run: the same once more");
  const newCommits = sandbox.github.commits.length - commits;

  print(`\n${paint("bold", "What the spaces show now")}\n`);
  const titles = organisation.rooms.map(({ title }) => title);
  const width = Math.max(...titles.map((title) => title.length));
  for (const title of titles) {
    const members = sandbox.members(title);
    print(`${title.padEnd(width)}  ${String(members.length).padStart(2)}: ${members.join(", ")}`);
  }
  print(`\n${paint("bold", "In short")}\n`);
  print(`The first run made ${first.writes} membership changes, and held back what looked like a mistake.`);
  print(
    `The second run made ${second.writes} membership changes and ${newCommits} commits: it is idempotent.`,
  );
  print(`\n${paint("bold", "Where to look")}\n`);
  print(`${join(folder, "README.md")}  the report that the first run committed`);
  print(`${join(folder, "runs")}  that run's page and its record`);
  print(`${mappings}  which group belongs in which space`);
  if (options.open) {
    const page = resolve(folder, "README.html");
    print(`${join(folder, "README.html")}  the report as a browser shows it, which opens now`);
    const { openBrowser } = await import("./login.ts");
    openBrowser(pathToFileURL(page).href);
  } else print("npm run demo -- --open  opens the report in a browser");
  const isAsPromised =
    first.code === second.code && first.writes > 0 && second.writes === 0 && newCommits === 0;
  return isAsPromised ? 0 : 1;
}

/** Writes the committed reports, and with `asWebPages` each page as a browser shows it beside it. */
async function leaveReports(sandbox: Sandbox, folder: string, asWebPages: boolean): Promise<void> {
  const reports = [...sandbox.github.files()].filter(([path]) => path.startsWith("reports/"));
  for (const [path, text] of reports) {
    const file = join(folder, path.slice("reports/".length));
    await replaceFile(file, text);
    if (!asWebPages || !file.endsWith(".md")) continue;
    const { renderWebPage } = await import("../report/web-page.ts");
    await replaceFile(file.replace(/\.md$/, ".html"), renderWebPage(text, "Rollcall"));
  }
}

function isMembershipWrite({ method, route }: { readonly method: string; readonly route: string }): boolean {
  return method !== "GET" && route.includes("memberships");
}
