import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface CallbackOptions {
  readonly port: number;
  /** Called once, when the port is open. Returns the state that the answer must carry. */
  readonly ask: (redirectUri: string) => string;
  /** The browser shows what it returns or throws. */
  readonly finish: (code: string) => Promise<CallbackPage>;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

const host = "127.0.0.1";

const path = "/callback";

const foreign: CallbackPage = {
  isGood: false,
  title: "Not the answer that was asked for",
  text: "This address does not belong to the login that is under way, so nothing was done. Go back to the terminal and open the address it shows.",
};

const used: CallbackPage = {
  isGood: false,
  title: "Used already",
  text: "A login answers once only. Go back to the terminal; to log in again, start it again there.",
};

/** Waits for the redirect (RFC 8252) with our state. @throws on refusal, failed `finish`, time-out or a used port. */
export async function awaitCallback(options: CallbackOptions): Promise<void> {
  const server = createServer();
  // Only this machine: on any other address, others on the network could send answers.
  await listen(server, options.port);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const state = options.ask(`http://${host}:${port}${path}`);
  let isUsed = false;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nobody answered the consent page in ${options.timeoutMs / 60_000} minutes`)),
        options.timeoutMs,
      );
      timer.unref();
      const stopped = () => reject(new Error("the login was stopped; nothing was stored"));
      options.stop.addEventListener("abort", stopped, { once: true });
      if (options.stop.aborted) stopped();
      server.on("request", (request, response) => {
        const query = readAnswer(request, port);
        if (query === null) return response.writeHead(404, callbackPageHeaders).end("Not found");
        if (!isSame(query.get("state") ?? "", state)) return show(response, 400, foreign);
        if (isUsed) return show(response, 410, used);
        isUsed = true;
        clearTimeout(timer);
        options.stop.removeEventListener("abort", stopped);
        conclude(query, options.finish).then(
          (page) => show(response, 200, page, resolve),
          (error: Error) => show(response, 400, explain(error), () => reject(error)),
        );
      });
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** Null for everything but the redirect itself, such as a page that reaches this port under another host name. */
function readAnswer({ method, url, headers }: IncomingMessage, port: number): URLSearchParams | null {
  if (method !== "GET" || (headers.host !== `${host}:${port}` && headers.host !== `localhost:${port}`))
    return null;
  const address = new URL(url ?? "/", `http://${host}`);
  return address.pathname === path ? address.searchParams : null;
}

async function conclude(query: URLSearchParams, finish: CallbackOptions["finish"]): Promise<CallbackPage> {
  const error = query.get("error");
  const code = query.get("code");
  if (error === "access_denied") throw new Error("the consent was refused; nothing was stored");
  if (error === "invalid_scope")
    throw new Error(
      "the integration does not have every scope that was asked for; tick them at developer.webex.com (My Apps, the integration). docs/adopting.md lists them",
    );
  if (error !== null) throw new Error(`Webex answered ${error.slice(0, 60)} instead of a code`);
  if (!code) throw new Error("the answer holds no code");
  return await finish(code);
}

function explain({ message }: Error): CallbackPage {
  return {
    isGood: false,
    title: "Not logged in",
    text: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
  };
}

/** Compares in constant time without revealing the length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function show(response: ServerResponse, status: number, page: CallbackPage, then?: () => void): void {
  if (then) response.once("close", then);
  response.writeHead(status, callbackPageHeaders).end(renderCallbackPage(page));
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    const hint =
      error.code === "EADDRINUSE"
        ? `; another program uses it (on a Mac: AirPlay Receiver). Choose another with --port and register http://${host}:<port>${path} with the integration`
        : "";
    throw new Error(`port ${port} cannot be listened on: ${error.message}${hint}`);
  });
}

export interface CallbackPage {
  readonly isGood: boolean;
  readonly title: string;
  readonly text: string;
  readonly facts?: readonly (readonly [name: string, value: string])[];
}

const style = `
:root { color-scheme: light dark; --ground: #f3f5f7; --card: #fff; --ink: #17212b; --soft: #5a6875; --line: #e2e7ec; --good: #14804a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #12171c; --card: #1b2229; --ink: #eef2f5; --soft: #a3b0bc; --line: #2c3640; --good: #4ec98a; --bad: #ff8a80; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { width: 100%; max-width: 440px; padding: 40px 36px 32px; background: var(--card); border: 1px solid var(--line); border-radius: 16px; box-shadow: 0 12px 32px rgb(16 24 32 / 8%); text-align: center; }
svg { width: 64px; height: 64px; margin-bottom: 20px; }
.good { color: var(--good); } .bad { color: var(--bad); }
h1 { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; margin-bottom: 10px; }
p { color: var(--soft); text-wrap: pretty; overflow-wrap: anywhere; }
dl { margin-top: 24px; padding-top: 20px; border-top: 1px solid var(--line); text-align: left; display: grid; grid-template-columns: auto 1fr; gap: 8px 20px; font-size: 15px; }
dt { color: var(--soft); } dd { overflow-wrap: anywhere; font-weight: 550; text-align: right; }
footer { margin-top: 28px; font-size: 13px; color: var(--soft); }
`;

const circle =
  '<circle cx="32" cy="32" r="30" fill="currentColor" fill-opacity=".12" stroke="currentColor" stroke-width="2"/>';

const signs = {
  good: `${circle}<path d="M20 33.5l8.5 8.5L45 24.5" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>`,
  bad: `${circle}<path d="M23 23l18 18M41 23L23 41" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round"/>`,
};

/** The page loads nothing, is not cached, and does not pass on its address, which holds the code. */
export const callbackPageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  connection: "close",
} as const;

/** Renders the page and escapes every text in it. */
export function renderCallbackPage({ isGood, title, text, facts = [] }: CallbackPage): string {
  const kind = isGood ? "good" : "bad";
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)} · Rollcall</title><style>${style}</style></head><body><main>`,
    `<svg class="${kind}" viewBox="0 0 64 64" aria-hidden="true">${signs[kind]}</svg>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    rows.length > 0 ? `<dl>${rows.join("")}</dl>` : "",
    "<footer>Rollcall</footer></main></body></html>",
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
