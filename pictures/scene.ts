import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadOrganisation } from "../sandbox/organisation.ts";
import { startSandbox } from "../sandbox/server.ts";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const demo = new URL("../sandbox/demo/", import.meta.url);

/** What people read of Rollcall, as Markdown. */
export interface Scene {
  readonly pages: Readonly<
    Record<"report" | "run" | "comment" | "summary" | "issue" | "delegations", string>
  >;
}

/** Plays a week of the demo's organisation with the real commands, on a simulated runner, and returns what it left. */
export async function playScene(): Promise<Scene> {
  const organisation = await loadOrganisation(new URL("organisation.json", demo));
  const rooms = await readFile(new URL("rooms.csv", demo), "utf8");
  const [host = "", delegate = "", other = ""] = organisation.people.flatMap(({ email }) => email ?? []);
  const meetings = {
    users: organisation.people.filter(({ type }) => type === undefined).map(({ key }) => ({ person: key })),
  };
  const grants = `host,delegate,until\n${host},${delegate},\n${host},${other},2099-12-31\n`;
  await using sandbox = await startSandbox(
    { ...organisation, meetings },
    {
      github: { files: { "mappings/rooms.csv": rooms, "mappings/delegations.csv": grants, "README.md": "" } },
    },
  );
  const folder = await mkdtemp(join(tmpdir(), "rollcall-"));
  const summary = join(folder, "summary.md");
  const run = async (...args: readonly string[]) => {
    await rm(summary, { force: true });
    // The workflow checks the branch out first.
    for (const [path, text] of sandbox.github.files()) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const env = sandbox.githubEnvironment({
      GITHUB_ACTIONS: "true",
      GITHUB_REF: "refs/heads/main",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_OUTPUT: join(folder, "outputs"),
      GITHUB_STEP_SUMMARY: summary,
    });
    const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), main, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    return await readFile(summary, "utf8").catch(() => "");
  };
  try {
    const told = await run("sync");
    const number = sandbox.github.pulls.open({ files: { "mappings/rooms.csv": propose(rooms) } });
    await run("plan", "--pull-request", String(number));
    const files = sandbox.github.files();
    const find = (pattern: RegExp) => [...files].find(([path]) => pattern.test(path))?.[1] ?? "";
    return {
      pages: {
        report: find(/^reports\/README\.md$/),
        run: find(/^reports\/runs\/.*\.md$/),
        comment: sandbox.github.issues.find(number).comments.at(-1)?.body ?? "",
        summary: told,
        issue: sandbox.github.issues.all.find(({ isPull }) => !isPull)?.body ?? "",
        delegations: find(/^reports\/delegations\/README\.md$/),
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a colleague proposes: a space that was only looked at is kept from now on, and another loses a group. */
function propose(rooms: string): string {
  return rooms
    .replace("Leads,Planning,audit", "Leads,Planning,sync")
    .replace(/^Leads,Network Operations.*\n/m, "");
}
