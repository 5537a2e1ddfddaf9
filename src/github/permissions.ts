import { errorMessage } from "../lib/text.ts";
import { statusOf } from "./client.ts";

/**
 * What GitHub names as needed for a refused request, as the settings of a token call it: "Environments: Read and
 * write". Null where GitHub named nothing. Sets are separated by `;`, the parts of a set by `,`.
 * https://docs.github.com/en/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
 */
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

/** Says what GitHub answered and, where a permission is missing, what to tick; `fallback` where GitHub named none. */
export function explainRefusal(error: unknown, tokenName: string, fallback: string): string {
  const said = errorMessage(error);
  const status = statusOf(error);
  if (status === 401)
    return `${said}; ${tokenName} is expired, revoked or mistyped: make a new one and store it`;
  // Fine-grained tokens are often told 404 where 403 is meant.
  if (status !== 403 && status !== 404) return said;
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

function headerOf(error: unknown, name: string): string | null {
  if (!(error instanceof Error) || !("response" in error)) return null;
  const { response } = error;
  if (typeof response !== "object" || response === null || !("headers" in response)) return null;
  const headers: unknown = response.headers;
  if (typeof headers !== "object" || headers === null) return null;
  const value: unknown = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === "string" && value !== "" ? value : null;
}
