import type { Half } from "../http.ts";
import { type ApiRequest, bodyField, type Reply } from "../router.ts";
import type { Github } from "./github.ts";
import type { Permissions } from "./permissions.ts";

/** Parameters of the page's address that are no permissions. */
const details = new Set(["name", "description", "target_name", "expires_in"]);

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(content: string): Reply {
  const body =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>New fine-grained personal access token</title>' +
    `<body style="font:16px system-ui;max-width:40em;margin:3em auto">${content}</body></html>`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body };
}

function show({ url }: ApiRequest): Reply {
  const rows = [...url.searchParams].map(
    ([name, value]) =>
      `<p><label>${escapeHtml(name)} <input name="${escapeHtml(name)}" value="${escapeHtml(value)}"></label></p>`,
  );
  return page(
    `<h1>New fine-grained personal access token</h1><form method="post">${rows.join("")}<button>Generate token</button></form>`,
  );
}

function readPermissions(body: unknown): Permissions {
  const fields = Object.entries(typeof body === "object" && body !== null ? body : {});
  return Object.fromEntries(
    fields.flatMap(([name, value]) =>
      details.has(name) || (value !== "read" && value !== "write") ? [] : [[name, value]],
    ),
  );
}

/** The page on which a person makes a fine-grained token, filled in as its address says. */
export function createTokenPage(github: Github): Half {
  const path = "/personal-access-tokens/new";
  return {
    name: "github",
    prefixes: ["/settings"],
    routes: {
      [`GET ${path}`]: show,
      [`POST ${path}`]: ({ body }) => {
        const days = Number(bodyField(body, "expires_in"));
        const end = new Date(github.clock.now() + days * 86_400_000).toISOString();
        const token = github.issueToken({
          kind: "fine-grained",
          login: "octo-admin",
          permissions: readPermissions(body),
          expires: `${end.slice(0, 10)} ${end.slice(11, 19)} UTC`,
        });
        return page(`<h1>Copy it now</h1><p><code>${token}</code></p>`);
      },
    },
    authorise: () => undefined,
    headers: () => ({}),
    errorBody: ({ message }) => message,
  };
}
