import { createHash } from "node:crypto";

/** Somebody in a commit; `login` is whose account it is, null for an address of no account. */
export interface Identity {
  readonly login: string | null;
  readonly name: string;
  readonly email: string;
}

export interface Authorship {
  readonly author: Identity;
  readonly committer: Identity;
  readonly isVerified: boolean;
}

export interface Commit extends Authorship {
  readonly oid: string;
  readonly parent: string | undefined;
  readonly tree: string;
  readonly branch: string;
  readonly message: string;
  readonly date: string;
  readonly paths: readonly string[];
  readonly files: ReadonlyMap<string, string>;
}

export interface TreeEntry {
  readonly path: string;
  readonly mode: "100644" | "040000";
  readonly type: "blob" | "tree";
  readonly sha: string;
  /** In bytes, of a blob. */
  readonly size?: number;
}

/** The changes of a commit: a path's new text, or null where it is deleted. */
export type Changes = ReadonlyMap<string, string | null>;

/** The id that git gives to a piece of content. */
export function objectId(type: "blob" | "tree" | "commit", content: string | Uint8Array): string {
  const hash = createHash("sha1").update(`${type} ${Buffer.byteLength(content)}\0`);
  return hash.update(content).digest("hex");
}

/** A git repository's branches, as far as GitHub's API shows them. */
export class Repository {
  /** What was committed, in order, without the commit that each branch starts with. */
  readonly commits: Commit[] = [];
  readonly #heads = new Map<string, Commit>();
  readonly #byOid = new Map<string, Commit>();
  /** Those of one commit, the last one that was asked for: a long history has too many to keep them all. */
  #trees: Trees = new Map();
  readonly #now: () => string;

  constructor(
    branches: readonly string[],
    files: ReadonlyMap<string, string>,
    now: () => string,
    starter: Authorship,
  ) {
    this.#now = now;
    const first = this.#make("main", undefined, "Start", files, starter);
    for (const branch of branches) this.#heads.set(branch, first);
  }

  head(branch: string): Commit | undefined {
    return this.#heads.get(branch);
  }

  /** The commit that a branch's name, with or without `refs/heads/`, or an oid stands for. */
  find(ref: string): Commit | undefined {
    return this.#heads.get(ref.replace(/^refs\/heads\//, "")) ?? this.#byOid.get(ref);
  }

  findTree(ref: string): { readonly sha: string; readonly entries: readonly TreeEntry[] } | undefined {
    const sha = this.find(ref)?.tree ?? ref;
    if (!this.#trees.has(sha)) {
      for (const { files } of [...this.#byOid.values()].reverse()) {
        const { trees } = buildTrees(files);
        if (!trees.has(sha)) continue;
        this.#trees = trees;
        break;
      }
    }
    const entries = this.#trees.get(sha);
    return entries && { sha, entries };
  }

  /** The text of a file of any commit. */
  findBlob(sha: string): string | undefined {
    for (const { files } of this.#byOid.values())
      for (const text of files.values()) if (objectId("blob", text) === sha) return text;
    return undefined;
  }

  expandTree(entries: readonly TreeEntry[], folder = ""): TreeEntry[] {
    return entries.flatMap((entry) => {
      const whole = { ...entry, path: folder + entry.path };
      const inner = entry.type === "tree" ? this.findTree(entry.sha)?.entries : undefined;
      return [whole, ...this.expandTree(inner ?? [], `${whole.path}/`)];
    });
  }

  /** The commits that led to this one, the newest first; with a path those that wrote it or something below it. */
  history(from: Commit, path = ""): Commit[] {
    const found: Commit[] = [];
    for (let at: Commit | undefined = from; at; at = this.#byOid.get(at.parent ?? "")) {
      const touches = at.paths.some((one) => path === "" || one === path || one.startsWith(`${path}/`));
      if (touches || path === "") found.push(at);
    }
    return found;
  }

  /** Points a new branch at a commit that is there. */
  branchAt(name: string, oid: string): Commit | undefined {
    const commit = this.#byOid.get(oid);
    if (commit) this.#heads.set(name, commit);
    return commit;
  }

  createBranch(name: string, from: string): void {
    const head = this.#heads.get(from);
    if (head) this.#heads.set(name, head);
  }

  commit(branch: string, message: string, changes: Changes, by: Authorship): Commit {
    const parent = this.#heads.get(branch);
    if (!parent) throw new Error(`the repository has no branch "${branch}"`);
    const commit = this.#make(branch, parent, message, changes, by);
    this.#heads.set(branch, commit);
    this.commits.push(commit);
    return commit;
  }

  #make(
    branch: string,
    parent: Commit | undefined,
    message: string,
    changes: Changes,
    by: Authorship,
  ): Commit {
    const files = new Map(parent?.files);
    for (const [path, text] of changes) {
      if (text === null) files.delete(path);
      else files.set(path, text);
    }
    const date = this.#now();
    const { root: tree, trees } = buildTrees(files);
    this.#trees = trees;
    const lines = [
      `tree ${tree}`,
      ...(parent ? [`parent ${parent.oid}`] : []),
      ...(["author", "committer"] as const).map(
        (role) => `${role} ${by[role].name} <${by[role].email}> ${Date.parse(date) / 1000} +0000`,
      ),
    ];
    const oid = objectId("commit", `${lines.join("\n")}\n\n${message}`);
    const paths = [...changes.keys()];
    const commit = { ...by, oid, parent: parent?.oid, tree, branch, message, date, paths, files };
    this.#byOid.set(oid, commit);
    return commit;
  }
}

/** The folders of a commit by the ids that git gives them. */
type Trees = Map<string, readonly TreeEntry[]>;

function buildTrees(files: ReadonlyMap<string, string>): { readonly root: string; readonly trees: Trees } {
  const trees: Trees = new Map();
  return { root: addTree(trees, [...files]), trees };
}

function addTree(trees: Trees, files: readonly (readonly [path: string, text: string])[]): string {
  const entries: TreeEntry[] = [];
  const folders = new Map<string, [path: string, text: string][]>();
  for (const [path, text] of files) {
    const [, folder, rest] = /^([^/]+)\/(.+)$/.exec(path) ?? [];
    if (folder && rest) {
      const inner = folders.get(folder);
      if (inner) inner.push([rest, text]);
      else folders.set(folder, [[rest, text]]);
    } else {
      const size = Buffer.byteLength(text);
      entries.push({ path, mode: "100644", type: "blob", sha: objectId("blob", text), size });
    }
  }
  for (const [path, inner] of folders) {
    entries.push({ path, mode: "040000", type: "tree", sha: addTree(trees, inner) });
  }
  // Git sorts a folder as though its name ended with a slash.
  const sortKey = ({ path, type }: TreeEntry) => (type === "tree" ? `${path}/` : path);
  entries.sort((a, b) => Buffer.compare(Buffer.from(sortKey(a)), Buffer.from(sortKey(b))));
  const lines = entries.flatMap(({ mode, path, sha }) => [
    Buffer.from(`${mode.replace(/^0/, "")} ${path}\0`),
    Buffer.from(sha, "hex"),
  ]);
  const id = objectId("tree", Buffer.concat(lines));
  trees.set(id, entries);
  return id;
}
