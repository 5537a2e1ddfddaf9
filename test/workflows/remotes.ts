import { chmod, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { write } from "./stand-ins.ts";
import { runTool } from "./tool.ts";

/** Repositories that git finds where the sandbox's GitHub would have them, and a stand-in for GitHub's own `gh`. */
export interface Remotes {
  /** Commits files to a repository (null removes one) and gives the commit a tag; makes the repository at first. */
  release(repository: string, tag: string, files: Readonly<Record<string, string | null>>): Promise<void>;
  /** What git says of a repository. */
  git(repository: string, ...args: readonly string[]): Promise<string>;
  /** What `gh` was asked since the last time, one call a line, with the text of the files it was given. */
  takeCalls(): Promise<string>;
  /** The files that `gh` was told to attach to a release. */
  listUploads(): Promise<string[]>;
  /** The place of an attached file. */
  findUpload(name: string): string;
  /** Lets git find these repositories below an address. */
  serve(address: string): Promise<void>;
}

/** `home` is the home of the steps, whose PATH begins with `bin` below `base`. */
export async function createRemotes(base: string, home: string): Promise<Remotes> {
  const calls = join(base, "gh-calls.txt");
  const uploads = join(base, "uploads");
  const place = (repository: string) => join(base, "remotes", `${repository}.git`);
  const git = async (repository: string, ...args: readonly string[]) => {
    const author = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"];
    const { code, stdout, stderr } = await runTool("git", [...author, ...args], place(repository), {
      HOME: home,
    });
    if (code !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  await mkdir(place("acme/spaces"), { recursive: true });
  await mkdir(uploads);
  await git("acme/spaces", "init", "-q", "--bare");
  await write(calls, "");
  await write(
    join(base, "bin/gh"),
    `#!/usr/bin/env bash
set -euo pipefail
echo "gh $*" >> "${calls}"
earlier=""
for arg in "$@"; do
  case "$earlier" in --body-file | --notes-file) cat "$arg" >> "${calls}" ;; esac
  case "$arg" in *.tar.gz | */rollcall.*.json) cp "$arg" "${uploads}/" ;; esac
  earlier="$arg"
done
case "$1 $2" in
  "api repos/acme/spaces") echo "\${GH_TEMPLATE:-}" ;;
  "pr create") if [ -n "\${GH_REFUSES:-}" ]; then echo "$GH_REFUSES" >&2; exit 1; fi ;;
  "api --method") if [ "$3" = PATCH ] && [ -n "\${GH_LACKS_TAG:-}" ]; then exit 1; fi ;;
esac
`,
  );
  await chmod(join(base, "bin/gh"), 0o755);

  return {
    git,
    async release(repository, tag, files) {
      const path = place(repository);
      const isNew = await mkdir(path, { recursive: true });
      if (isNew !== undefined) await git(repository, "init", "-q", "-b", "main");
      for (const [file, text] of Object.entries(files)) {
        if (text === null) await rm(join(path, file));
        else await write(join(path, file), text);
      }
      await git(repository, "add", "--all");
      await git(repository, "commit", "-q", "--allow-empty", "-m", tag);
      await git(repository, "tag", tag);
    },
    async takeCalls() {
      const text = await readFile(calls, "utf8");
      await write(calls, "");
      return text;
    },
    listUploads: async () => await readdir(uploads),
    findUpload: (name) => join(uploads, name),
    async serve(address) {
      const rule = `[url "${dirname(dirname(place("acme/spaces")))}/"]\n\tinsteadOf = ${address}/\n`;
      await write(join(home, ".gitconfig"), `${rule}[safe]\n\tdirectory = *\n`);
    },
  };
}
