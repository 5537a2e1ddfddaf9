import { createHash } from "node:crypto";

/** A commit that was made while the sandbox ran. */
export interface Commit {
  readonly oid: string;
  readonly parent: string | undefined;
  readonly branch: string;
  readonly message: string;
  /** The paths it wrote or deleted. */
  readonly paths: readonly string[];
  /** All files after it, by path. */
  readonly files: ReadonlyMap<string, string>;
}

/** The changes of a commit: a path's new text, or null where it is deleted. */
export type Changes = ReadonlyMap<string, string | null>;

/** A git repository's branches, as far as GitHub's API shows them. */
export class Repository {
  /** What was committed, in order, without the commit that each branch starts with. */
  readonly commits: Commit[] = [];
  readonly #heads = new Map<string, Commit>();
  readonly #byOid = new Map<string, Commit>();

  constructor(branches: readonly string[], files: Readonly<Record<string, string>>) {
    const first = this.#make("main", undefined, "Start", new Map(Object.entries(files)));
    for (const branch of branches) this.#heads.set(branch, first);
  }

  head(branch: string): Commit | undefined {
    return this.#heads.get(branch);
  }

  /** The commit that a branch's name, with or without `refs/heads/`, or an oid stands for. */
  find(ref: string): Commit | undefined {
    return this.#heads.get(ref.replace(/^refs\/heads\//, "")) ?? this.#byOid.get(ref);
  }

  /** Makes a branch that starts where another one is. */
  createBranch(name: string, from: string): void {
    const head = this.#heads.get(from);
    if (head) this.#heads.set(name, head);
  }

  /** Moves the branch to a new commit. */
  commit(branch: string, message: string, changes: Changes): Commit {
    const parent = this.#heads.get(branch);
    if (!parent) throw new Error(`the repository has no branch "${branch}"`);
    const commit = this.#make(branch, parent, message, changes);
    this.#heads.set(branch, commit);
    this.commits.push(commit);
    return commit;
  }

  #make(branch: string, parent: Commit | undefined, message: string, changes: Changes): Commit {
    const files = new Map(parent?.files);
    for (const [path, text] of changes) {
      if (text === null) files.delete(path);
      else files.set(path, text);
    }
    const content = JSON.stringify([parent?.oid, branch, message, ...files]);
    const oid = createHash("sha1").update(content).digest("hex");
    const commit = { oid, parent: parent?.oid, branch, message, paths: [...changes.keys()], files };
    this.#byOid.set(oid, commit);
    return commit;
  }
}
