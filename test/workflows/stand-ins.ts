import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  readRootAction,
  readSetUpAction,
  readTemplateWorkflows,
  readWorkflows,
  root,
} from "./read-workflows.ts";
import { findTool, runTool } from "./tool.ts";

/**
 * Folders in place of the actions of others, which cannot be fetched: Node is there already, a check-out has been
 * done by the copy, and the App's "token" is what the test gives as its key.
 */
export async function writeStandIns(folder: string): Promise<string[]> {
  const steps: Readonly<Record<string, string>> = {
    "actions/setup-node": `    - {shell: bash, run: node --version}`,
    "actions/checkout": `    - {shell: bash, run: 'cp -R "$STAND_IN_CHECKOUT" "\${{ inputs.path }}"'}`,
    "actions/upload-artifact": `    - shell: bash
      run: if [ -e "$FILE" ]; then echo "uploaded $FILE as $NAME"; fi
      env: {FILE: '\${{ inputs.path }}', NAME: '\${{ inputs.name }}'}`,
    "actions/create-github-app-token": `    - id: token
      shell: bash
      run: echo "token=$KEY" >> "$GITHUB_OUTPUT"
      env: {KEY: '\${{ inputs.private-key }}'}`,
    // Signed by nobody, it names what would be signed.
    "actions/attest-build-provenance": `    - id: bundle
      shell: bash
      run: ls $SUBJECTS > "$RUNNER_TEMP/bundle.json"; echo "bundle-path=$RUNNER_TEMP/bundle.json" >> "$GITHUB_OUTPUT"
      env: {SUBJECTS: '\${{ inputs.subject-path }}'}`,
    "actions/cache/restore": `    - {shell: bash, run: 'echo "looked for the cache $KEY"', env: {KEY: '\${{ inputs.key }}'}}`,
    "actions/cache/save": `    - {shell: bash, run: 'echo "kept the cache $KEY"', env: {KEY: '\${{ inputs.key }}'}}`,
  };
  const actions = [(await readSetUpAction()).action, (await readRootAction()).action];
  const workflows = [...(await readWorkflows()), ...(await readTemplateWorkflows())];
  const jobs = workflows.flatMap(({ workflow }) => Object.values(workflow.jobs));
  const all = [...jobs, ...actions.map(({ runs }) => runs)].flatMap((holder) => holder.steps);
  const used = new Set(
    all.flatMap(({ uses }) => uses ?? []).filter((uses) => !/^\.\/|^your-organisation\//.test(uses)),
  );
  const args: string[] = [];
  for (const uses of used) {
    const name = uses.replace(/@.*/, "");
    const inputs = [
      ...["path", "ref", "client-id", "private-key", "node-version", "key"],
      ...["name", "if-no-files-found", "overwrite", "subject-path"],
    ].map((input) => `  ${input}: {}\n`);
    const outputs = `outputs:\n  token: {value: '\${{ steps.token.outputs.token }}'}\n  bundle-path: {value: '\${{ steps.bundle.outputs.bundle-path }}'}\n`;
    const text = `name: Stand-in\ninputs:\n${inputs.join("")}${outputs}runs:\n  using: composite\n  steps:\n${steps[name]}\n`;
    if (!steps[name]) throw new Error(`cannot find a stand-in for ${name}`);
    await write(join(folder, name, "action.yml"), text);
    // Of an action in a folder of a repository, act asks for the repository.
    const [owner = "", repository = ""] = name.split("/");
    const [, ref = ""] = uses.split("@");
    args.push("--local-repository", `${owner}/${repository}@${ref}=${join(folder, owner, repository)}`);
  }
  return args;
}

/**
 * Puts an npm in front of the real one, and returns its settings. The first run of a repository installs really, from
 * what `npm ci` of this repository left in npm's cache; the later ones, whose lock file is the same, get links to what
 * the first one installed. The suite of tests is only named.
 */
export async function writeNpm(base: string): Promise<Record<string, string>> {
  const npm = await findTool("npm");
  if (npm === null) throw new Error("npm is not on the PATH");
  const script = `#!/usr/bin/env bash
set -euo pipefail
installed="${join(base, "installed")}"
if [[ "$*" =~ ^("ci --ignore-scripts"|"run typecheck"|"run lint"|"test")$ ]]; then
  echo "ran npm $*"
  exit
fi
if [ "\${1:-}" = sbom ]; then exec "${npm}" "$@"; fi
[[ "$*" =~ ^"ci --omit=dev --ignore-scripts"(" --cache "[^ ]+" --prefer-offline")?$ ]] || { echo "unexpected: npm $*" >&2; exit 1; }
if [ -n "\${WEBEX_REFRESH_TOKEN:-}\${WEBEX_CLIENT_SECRET:-}\${SECRETS_TOKEN:-}\${GITHUB_TOKEN:-}" ]; then
  echo "npm is given a secret" >&2
  exit 1
fi
if [ -d "$installed" ]; then
  cp -al "$installed" node_modules
else
  # Not with a cache of its own: what is needed has been downloaded before.
  "${npm}" ci --omit=dev --ignore-scripts
  cp -al node_modules "$installed"
fi
`;
  await write(join(base, "bin/npm"), script);
  await chmod(join(base, "bin/npm"), 0o755);
  const { stdout } = await runTool(npm, ["config", "get", "cache", "userconfig"], root);
  const entries = [...stdout.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value = ""]) => [
    `npm_config_${name}`,
    value,
  ]);
  return {
    ...Object.fromEntries(entries),
    npm_config_prefer_offline: "true",
    npm_config_loglevel: "error",
  };
}

/** Writes a file and the folders it is in. */
export async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
