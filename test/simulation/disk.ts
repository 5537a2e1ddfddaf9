import { posix } from "node:path";

interface Inode {
  bytes: Buffer;
  mtimeMs: number;
  readonly number: number;
}

/** What a failed call of the system says. */
class SystemError extends Error {
  constructor(
    readonly code: "ENOENT" | "EEXIST" | "EISDIR" | "ENOTDIR",
    readonly syscall: string,
    path: string,
  ) {
    super(`${code}: ${syscall} '${path}'`);
  }
}

type Content = string | Uint8Array;

const toBytes = (content: Content) =>
  Buffer.from(typeof content === "string" ? content : Buffer.from(content));

/** A disk in memory that does what those calls of `node:fs/promises` do that the product makes, at virtual times. */
export class Disk {
  readonly #files = new Map<string, Inode>();
  readonly #folders = new Set<string>();
  /** Where paths begin that do not begin with a slash. */
  folder: string;
  readonly #now: () => number;
  /** Runs one call of an open file as a step of the process. */
  readonly #step: <T>(work: () => T) => Promise<T>;
  readonly #processNumber: () => number;
  #inodes = 0;
  #nonces = 0;

  constructor(
    root: string,
    {
      now,
      step,
      processNumber,
    }: {
      readonly now: () => number;
      readonly step: <T>(work: () => T) => Promise<T>;
      readonly processNumber: () => number;
    },
  ) {
    this.folder = root;
    this.#now = now;
    this.#step = step;
    this.#processNumber = processNumber;
    this.#folders.add(root).add(`${root}/tmp`);
  }

  /** As many bytes as are asked for, never the same twice on one disk. */
  takeNonce(size: number): Buffer {
    this.#nonces += 1;
    const bytes = Buffer.alloc(size);
    bytes.writeUInt32BE(this.#nonces, Math.max(0, size - 4));
    return bytes;
  }

  /** Puts a file there without a process; null takes it away. */
  put(path: string, text: string | null): void {
    const file = this.#resolve(path);
    if (text === null) {
      this.#files.delete(file);
      return;
    }
    this.#makeFolders(posix.dirname(file));
    this.#write(file, Buffer.from(text), "open");
  }

  /** The text of a file; null where there is none. */
  get(path: string): string | null {
    return this.#files.get(this.#resolve(path))?.bytes.toString("utf8") ?? null;
  }

  /** The paths of all files below a folder. */
  list(folder: string): string[] {
    const start = `${this.#resolve(folder)}/`;
    return [...this.#files.keys()].filter((file) => file.startsWith(start)).sort();
  }

  readonly operations: Readonly<Record<string, (...args: never[]) => unknown>> = {
    readFile: (path: string, options?: unknown) => {
      const bytes = this.#readProcess(path) ?? this.#find(path, "open").bytes;
      return wantsText(options) ? bytes.toString("utf8") : Buffer.from(bytes);
    },
    writeFile: (path: string, content: Content) => this.#write(this.#resolve(path), toBytes(content), "open"),
    appendFile: (path: string, content: Content) => {
      const file = this.#resolve(path);
      const before = this.#files.get(file)?.bytes ?? Buffer.alloc(0);
      this.#write(file, Buffer.concat([before, toBytes(content)]), "open");
    },
    mkdir: (path: string, options?: { readonly recursive?: boolean }) => {
      const folder = this.#resolve(path);
      if (options?.recursive) return this.#makeFolders(folder);
      if (this.#folders.has(folder)) throw new SystemError("EEXIST", "mkdir", path);
      this.#folders.add(folder);
    },
    mkdtemp: (prefix: string) => {
      const folder = `${prefix}${this.takeNonce(4).toString("hex")}`;
      this.#makeFolders(this.#resolve(folder));
      return folder;
    },
    readdir: (path: string) => this.#readFolder(path),
    open: (path: string, flags: string) => this.#open(path, flags),
    realpath: (path: string) => {
      this.#stat(path, "realpath");
      return this.#resolve(path);
    },
    rename: (from: string, to: string) => {
      const inode = this.#find(from, "rename");
      if (this.#folders.has(this.#resolve(to))) throw new SystemError("EISDIR", "rename", to);
      this.#files.delete(this.#resolve(from));
      this.#files.set(this.#resolve(to), inode);
    },
    rm: (path: string, options?: { readonly force?: boolean }) => {
      if (!this.#files.delete(this.#resolve(path)) && !options?.force)
        throw new SystemError("ENOENT", "rm", path);
    },
    chmod: (path: string) => {
      this.#stat(path, "chmod");
    },
    utimes: (path: string, _: Date, changed: Date) => {
      this.#find(path, "utime").mtimeMs = changed.getTime();
    },
    stat: (path: string) => this.#stat(path, "stat"),
    readlink: (path: string) => (path === "/proc/self/ns/pid" ? "pid:[1]" : this.#missing(path, "readlink")),
  };

  /** Does what the call of that name does. */
  operate(name: string, args: readonly unknown[]): unknown {
    const operation = this.operations[name];
    if (operation === undefined) throw new Error(`the disk in memory has no ${name}`);
    return operation(...(args as never[]));
  }

  /** What Linux tells of processes: only the one that runs is alive, and each began at another moment. */
  #readProcess(path: string): Buffer | null {
    if (!path.startsWith("/proc/")) return null;
    if (path === "/proc/sys/kernel/random/boot_id") return Buffer.from("boot\n");
    const status = `1 (node) ${Array.from({ length: 19 }, () => "0").join(" ")} ${this.#processNumber()}`;
    return Buffer.from(status);
  }

  /** The paths of all files below it, as seen from there. */
  #readFolder(path: string): string[] {
    const folder = this.#resolve(path);
    if (!this.#folders.has(folder)) return this.#missing(path, "scandir");
    return this.list(folder).map((file) => file.slice(folder.length + 1));
  }

  #open(path: string, flags: string) {
    const file = this.#resolve(path);
    if (this.#folders.has(file)) {
      if (flags !== "r") throw new SystemError("EISDIR", "open", path);
    } else if (flags.startsWith("wx") && this.#files.has(file)) throw new SystemError("EEXIST", "open", path);
    else if (flags.startsWith("w") || (flags === "a" && !this.#files.has(file))) {
      this.#write(file, Buffer.alloc(0), "open");
    }
    const inode = this.#folders.has(file) ? null : this.#find(path, "open");
    const use = () => inode ?? this.#isFolder(path);
    const change = (bytes: Buffer) => {
      Object.assign(use(), { bytes, mtimeMs: this.#now() });
    };
    let position = 0;
    return {
      readFile: (options?: unknown) =>
        this.#step(() => (wantsText(options) ? use().bytes.toString("utf8") : Buffer.from(use().bytes))),
      writeFile: (content: Content) =>
        this.#step(() => {
          const bytes = toBytes(content);
          change(
            Buffer.concat([
              use().bytes.subarray(0, position),
              bytes,
              use().bytes.subarray(position + bytes.length),
            ]),
          );
          position += bytes.length;
        }),
      write: (content: Content, at = position) =>
        this.#step(() => {
          const bytes = toBytes(content);
          change(
            Buffer.concat([use().bytes.subarray(0, at), bytes, use().bytes.subarray(at + bytes.length)]),
          );
        }),
      truncate: (length = 0) => this.#step(() => change(use().bytes.subarray(0, length))),
      sync: () => this.#step(() => undefined),
      stat: () => this.#step(() => this.#stat(path, "fstat")),
      close: () => this.#step(() => undefined),
    };
  }

  #stat(path: string, call: string) {
    const isFolder = this.#folders.has(this.#resolve(path));
    const { mtimeMs, number, bytes } = isFolder
      ? { mtimeMs: 0, number: 0, bytes: Buffer.alloc(0) }
      : this.#find(path, call);
    const changed = new Date(mtimeMs);
    return {
      dev: 1n,
      ino: isFolder ? BigInt(`0x${Buffer.from(this.#resolve(path)).toString("hex")}`) : BigInt(number),
      size: bytes.length,
      mtimeMs,
      mtime: changed,
      atime: changed,
      mode: isFolder ? 0o755 : 0o600,
      isFile: () => !isFolder,
      isDirectory: () => isFolder,
    };
  }

  #find(path: string, call: string): Inode {
    const file = this.#resolve(path);
    if (this.#folders.has(file)) throw new SystemError("EISDIR", call, path);
    return this.#files.get(file) ?? this.#missing(path, call);
  }

  #missing(path: string, call: string): never {
    throw new SystemError("ENOENT", call, path);
  }

  #isFolder(path: string): never {
    throw new SystemError("EISDIR", "read", path);
  }

  #write(file: string, bytes: Buffer, call: string): void {
    if (this.#folders.has(file)) throw new SystemError("EISDIR", call, file);
    if (!this.#folders.has(posix.dirname(file))) this.#missing(file, call);
    const inode = this.#files.get(file);
    if (inode) Object.assign(inode, { bytes, mtimeMs: this.#now() });
    else {
      this.#inodes += 1;
      this.#files.set(file, { bytes, mtimeMs: this.#now(), number: this.#inodes });
    }
  }

  #makeFolders(folder: string): void {
    for (let at = folder; at !== "/" && !this.#folders.has(at); at = posix.dirname(at)) {
      if (this.#files.has(at)) throw new SystemError("ENOTDIR", "mkdir", folder);
      this.#folders.add(at);
    }
  }

  #resolve(path: string): string {
    return posix.resolve(this.folder, path);
  }
}

function wantsText(options: unknown): boolean {
  return (
    typeof options === "string" || (typeof options === "object" && options !== null && "encoding" in options)
  );
}
