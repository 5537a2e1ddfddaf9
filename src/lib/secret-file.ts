import { looksSecret } from "./text.ts";

/** A `.csv` is never judged by its name. */
const secretNames: readonly RegExp[] = [
  /^\.env(\..*)?$|\.env$/,
  /\.(pem|key|p8|p12|pfx|jks|kdbx|gpg|asc|ppk)$/,
  /^id_(rsa|dsa|ecdsa|ed25519)$/,
  /^[._](netrc|npmrc|pypirc|pgpass|htpasswd|git-credentials)$/,
  /^[^.]*(token|secret|password|passwd|credential)[^.]*(\.(txt|next|previous|bak))?$/,
  /(^|[-_.])(tokens?|secrets?|passwords?|credentials?)\.json$/,
];

const secretFolders = /(^|\/)(\.ssh|\.gnupg|\.aws|run\/secrets)\//;

/** True for a file that by its path alone is there to hold a secret: it is not even opened. */
export function isSecretPath(path: string): boolean {
  const folded = path.replaceAll("\\", "/").toLowerCase();
  const name = folded.slice(folded.lastIndexOf("/") + 1);
  return secretFolders.test(folded) || secretNames.some((pattern) => pattern.test(name));
}

const maxLook = 65_536;

const assignment = /^\s*(export\s+)?[A-Z][A-Z\d_]*(TOKEN|SECRET|PASSWORD|KEY)[A-Z\d_]*\s*=/m;

const loneWord = /^[^\s,;{}[\]"]{20,}$/;

/** True for content that is a secret rather than an input: none of it may be shown. */
export function isSecretContent(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, maxLook)).toString("utf8").trim();
  const [first = ""] = text.split(/\r\n|\n|\r/, 1);
  return (
    loneWord.test(text) || assignment.test(text) || text.includes("PRIVATE KEY-----") || looksSecret(first)
  );
}
