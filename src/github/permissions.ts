import { errorMessage } from "../lib/text.ts";
import { headerOf, statusOf } from "./client.ts";

/** Sets are separated by `;`, the parts of a set by `,`. */
function readAcceptedPermissions(error: unknown): string | null {
  const header = headerOf(error, "x-accepted-github-permissions");
  if (!header) return null;
  const sets = header.split(";").map((set) =>
    set
      .split(",")
      .map((part) => describePermission(part.trim()))
      .join(" and "),
  );
  return [...new Set(sets)].join(", or ");
}

/** Everything else is a reason: sign-on, address list, policy, … */
const withoutReason =
  /^(Not Found|Forbidden|Resource not accessible by|Must have admin rights|Bad credentials|Requires authentication)/i;

/** True where GitHub refuses without saying why. */
export function isUnexplained(message: string): boolean {
  return message === "" || withoutReason.test(message);
}

/** The hint where GitHub refuses without saying why; nothing beside a reason that it gives. */
export function hintAt(error: unknown, hint: string): string {
  const status = statusOf(error);
  return (status === 403 || status === 404) && isUnexplained(errorMessage(error)) ? hint : "";
}

/** Explains a refusal in GitHub's words; where it gives no reason, adds the permissions it names, or `fallback`. */
export function explainRefusal(error: unknown, tokenName: string, fallback: string): string {
  const said = errorMessage(error);
  const status = statusOf(error);
  if (status === 401 && isUnexplained(said))
    return `${said}; ${tokenName} is expired, revoked or mistyped: make a new one and store it`;
  // Fine-grained tokens are often told 404 where 403 is meant.
  if (status !== 401 && status !== 403 && status !== 404) return said;
  if (!isUnexplained(said)) return `${status}: ${said}`;
  const named = readAcceptedPermissions(error);
  const wants = named === null ? `it usually takes ${fallback}` : `GitHub names what it takes: ${named}`;
  return `${status}: ${said}; ${wants}. Give ${tokenName} that permission for this repository`;
}

function describePermission(part: string): string {
  const [name = "", access = ""] = part.split("=");
  const words = name.replaceAll("_", " ");
  const level = { read: "Read", write: "Read and write", admin: "Admin" }[access] ?? access;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}: ${level}`;
}
