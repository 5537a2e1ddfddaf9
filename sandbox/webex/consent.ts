import { type ApiRequest, type Reply, type Routes, textField } from "../router.ts";
import type { ConsentRequest, Grants, Tokens } from "./oauth.ts";
import type { World } from "./world.ts";

/** Where the sandbox's one integration may send people back to: any port of this machine, path /callback. */
const registered = /^http:\/\/(?:localhost|127\.0\.0\.1):\d+\/callback$/;

/** Seconds between two questions of a device: short, so that a test need not wait. */
const deviceInterval = 0.05;

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title: string, content: string): Reply {
  const body =
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>` +
    `<body style="font:16px system-ui;max-width:30em;margin:4em auto">${content}</body></html>`;
  return { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body };
}

function hidden(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;
}

function redirect(target: string, parameters: Readonly<Record<string, string>>): Reply {
  const url = new URL(target);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { status: 302, headers: { location: url.href } };
}

/** The pages on which a person consents, and the device grant. https://developer.webex.com/docs/login-with-webex */
export function consentRoutes(world: World, tokens: Tokens, grants: Grants): Routes {
  const buttons =
    '<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button>';

  /** Either what is asked for, or the error page: an address that is not registered gets nothing back. */
  function read(get: (name: string) => string): ConsentRequest | Reply {
    if (get("client_id") !== tokens.clientId) return { ...page("Error", "Unknown client_id"), status: 400 };
    const redirectUri = get("redirect_uri");
    if (!registered.test(redirectUri))
      return { ...page("Error", "The redirect_uri is not registered"), status: 400 };
    const [scope, state, challenge] = [get("scope"), get("state"), get("code_challenge") || null];
    if (get("response_type") !== "code")
      return redirect(redirectUri, { error: "unsupported_response_type", state });
    if (challenge !== null && get("code_challenge_method") !== "S256")
      return redirect(redirectUri, { error: "invalid_request", state });
    if (!tokens.knowsScopes(scope)) return redirect(redirectUri, { error: "invalid_scope", state });
    return { redirectUri, scope, state, challenge };
  }

  function show(request: ApiRequest): Reply {
    const query = request.url.searchParams;
    const asked = read((name) => query.get(name) ?? "");
    if ("status" in asked) return asked;
    const fields = [...query].map(([name, value]) => hidden(name, value)).join("");
    const scopes = asked.scope.split(" ").map((scope) => `<li>${escapeHtml(scope)}</li>`);
    const text = `<h1>Allow Rollcall?</h1><p>Signed in as ${escapeHtml(world.owner.displayName ?? world.owner.email)}.</p>`;
    return page(
      "Webex sandbox",
      `${text}<ul>${scopes.join("")}</ul><form method="post">${fields}${buttons}</form>`,
    );
  }

  function decide(request: ApiRequest): Reply {
    const asked = read((name) => textField(request.body, name) ?? "");
    if ("status" in asked) return asked;
    const { redirectUri, state } = asked;
    return textField(request.body, "decision") === "allow"
      ? redirect(redirectUri, { code: grants.allow(asked), state })
      : redirect(redirectUri, { error: "access_denied", state });
  }

  function startDevice(request: ApiRequest): Reply {
    const scope = textField(request.body, "scope") ?? "";
    if (textField(request.body, "client_id") !== tokens.clientId)
      return tokens.refuse("invalid_client", "Unknown");
    if (!tokens.knowsScopes(scope)) return tokens.refuse("invalid_scope", "The scope is not registered");
    const { deviceCode, userCode } = grants.startDevice(scope);
    const address = `${request.url.origin}/v1/device`;
    const body = {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: address,
      verification_uri_complete: `${address}?userCode=${userCode}`,
      expires_in: 300,
      interval: deviceInterval,
    };
    return { status: 200, body };
  }

  function showDevice(request: ApiRequest): Reply {
    const userCode = request.url.searchParams.get("userCode") ?? "";
    const form = `<form method="post">${hidden("userCode", userCode)}${buttons}</form>`;
    return page("Webex sandbox", `<h1>Allow the device with the code ${escapeHtml(userCode)}?</h1>${form}`);
  }

  function decideDevice(request: ApiRequest): Reply {
    const decision = textField(request.body, "decision") === "allow" ? "allowed" : "denied";
    const isKnown = grants.decideDevice(textField(request.body, "userCode") ?? "", decision);
    return isKnown
      ? page("Webex sandbox", "You can close this page.")
      : { ...page("Error", "No such code"), status: 400 };
  }

  return {
    "GET /authorize": show,
    "POST /authorize": decide,
    "POST /device/authorize": startDevice,
    "GET /device": showDevice,
    "POST /device": decideDevice,
    "POST /device/token": (request) => tokens.answerDevice(request),
    "GET /authorizations/tokenExpiry": (request) => ({
      status: 200,
      body: { exp: tokens.expiryOf(request.headers.authorization) },
    }),
  };
}

export const consentOperations = [
  "GET /authorize",
  "POST /authorize",
  "POST /device/authorize",
  "GET /device",
  "POST /device",
  "POST /device/token",
];
