import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type ConsentPage, consentPageHeaders, renderConsentPage } from "./consent-page.ts";

/** How the answer of the consent page is waited for. */
export interface ConsentOptions {
  readonly port: number;
  /** Called once, as soon as the answer can arrive; gives the state that the answer must bring back. */
  readonly ask: (redirectUri: string) => string;
  /** Finishes the login with the code; what it returns, or throws, is what the person reads. */
  readonly finish: (code: string) => Promise<ConsentPage>;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

const host = "127.0.0.1";
const path = "/callback";

const foreign: ConsentPage = {
  isGood: false,
  title: "Not the answer that was asked for",
  text: "This address does not belong to the login that is under way, so nothing was done. Go back to the terminal and open the address it shows.",
};
const used: ConsentPage = {
  isGood: false,
  title: "Used already",
  text: "A login answers once only. Go back to the terminal; to log in again, start it again there.",
};

/**
 * Waits on the loopback address for the browser to come back from the consent page. An answer with another state is
 * turned away, and the wait goes on: nobody else can end a login. The right one is taken once.
 * @throws when the person refuses, `finish` fails, the time is up, or the port is taken.
 */
export async function awaitConsent(options: ConsentOptions): Promise<void> {
  const server = createServer();
  // Only this machine: whoever else reaches a wider address could send answers of their own.
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
        if (query === null) return response.writeHead(404, consentPageHeaders).end("Not found");
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

/** The query of a browser that comes back; null for anything else that knocks, e.g. a page by another name. */
function readAnswer({ method, url, headers }: IncomingMessage, port: number): URLSearchParams | null {
  if (method !== "GET" || (headers.host !== `${host}:${port}` && headers.host !== `localhost:${port}`))
    return null;
  const address = new URL(url ?? "/", `http://${host}`);
  return address.pathname === path ? address.searchParams : null;
}

async function conclude(query: URLSearchParams, finish: ConsentOptions["finish"]): Promise<ConsentPage> {
  const error = query.get("error");
  const code = query.get("code");
  if (error === "access_denied") throw new Error("the consent was refused; nothing was stored");
  if (error !== null) throw new Error(`Webex answered ${error.slice(0, 60)} instead of a code`);
  if (!code) throw new Error("the answer holds no code");
  return await finish(code);
}

function explain({ message }: Error): ConsentPage {
  return {
    isGood: false,
    title: "Not logged in",
    text: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
  };
}

/** In constant time, and without telling the length. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** `then` runs when the page is with the browser, or the browser is gone. */
function show(response: ServerResponse, status: number, page: ConsentPage, then?: () => void): void {
  if (then) response.once("close", then);
  response.writeHead(status, consentPageHeaders).end(renderConsentPage(page));
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
