import { looksSecret } from "./text.ts";

/** Names of files that hold keys, passwords or tokens. A `.csv` is never judged by its name. */
const secretNames: readonly RegExp[] = [
  /^\.env(\..*)?$|\.env$/,
  /\.(pem|key|p8|p12|pfx|jks|kdbx|gpg|asc|ppk)$/,
  /^id_(rsa|dsa|ecdsa|ed25519)$/,
  /^[._](netrc|npmrc|pypirc|pgpass|htpasswd|git-credentials)$/,
  /^[^.]*(token|secret|password|passwd|credential)[^.]*(\.(txt|next|previous|bak))?$/,
  /(^|[-_.])(tokens?|secrets?|passwords?|credentials?)\.json$/,
];

const secretFolders = /(^|\/)(\.ssh|\.gnupg|\.aws|run\/secrets)\//;

/** Says that a file is there to hold a secret, by its path alone: such a file is not even opened. */
export function isSecretPath(path: string): boolean {
  const folded = path.replaceAll("\\", "/").toLowerCase();
  const name = folded.slice(folded.lastIndexOf("/") + 1);
  return secretFolders.test(folded) || secretNames.some((pattern) => pattern.test(name));
}

const maxLook = 65_536;

/** An assignment as in a file of environment variables. */
const assignment = /^\s*(export\s+)?[A-Z][A-Z\d_]*(TOKEN|SECRET|PASSWORD|KEY)[A-Z\d_]*\s*=/m;

/** One word and nothing else, and longer than any that people write. */
const loneWord = /^[^\s,;{}[\]"]{20,}$/;

/** Says that what was read is a secret rather than an input: nothing of it may be shown then. */
export function isSecretContent(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, maxLook)).toString("utf8").trim();
  const [first = ""] = text.split(/\r\n|\n|\r/, 1);
  return (
    loneWord.test(text) || assignment.test(text) || text.includes("PRIVATE KEY-----") || looksSecret(first)
  );
}
