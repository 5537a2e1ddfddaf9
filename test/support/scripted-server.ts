import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** A request as the server got it. */
export interface Received {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to answer: `body` is sent as JSON unless it is a text; a function does with the response what it likes. */
export type Script =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string | string[]>>;
      readonly body?: unknown;
    }
  | ((response: ServerResponse) => void);

/** A server that answers exactly what a test says, where the sandbox has no switch for it. */
export interface ScriptedServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly Received[];
}

/** Starts one; `answer` is given the request and how many there were before. */
export async function startScript(
  answer: (request: Received, index: number) => Script | Promise<Script>,
): Promise<ScriptedServer> {
  const requests: Received[] = [];
  const server = createServer(async (message, response) => {
    const { method = "", url = "", headers } = message;
    const request = { method, path: url, headers, body: await text(message) };
    requests.push(request);
    const script = await answer(request, requests.length - 1);
    if (typeof script === "function") return script(response);
    const { status = 200, headers: extra = {}, body = "" } = script;
    response.writeHead(status, extra).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server got no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Never answers. */
export const hang: Script = () => undefined;

/** Cuts the connection without an answer. */
export const drop: Script = (response) => response.destroy();

/** Sends half of what it has announced and cuts the connection. */
export const truncate: Script = (response) => {
  response.writeHead(200, { "content-length": 1000 });
  response.write('{"items":[', () => response.destroy());
};
