import type { IncomingHttpHeaders } from "node:http";

export interface ApiRequest {
  readonly number: number;
  readonly method: string;
  readonly url: URL;
  readonly parameters: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON or form; undefined without a body. */
  readonly body: unknown;
}

/** An answer: an object is sent as JSON, a string or bytes as they are, undefined as no body. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Answers one operation; throws a `Refusal` for every answer that is an error. */
export type Handler = (request: ApiRequest) => Reply | Promise<Reply>;

/** Handlers by method and path pattern, such as `GET /rooms/{roomId}`. */
export type Routes = Readonly<Record<string, Handler>>;

/** An error answer; each half of the server gives it the body that its API has. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    readonly detail: string = message,
  ) {
    super(message);
  }
}

/** The value of a path parameter that the route's pattern has. */
export function parameter(request: ApiRequest, name: string): string {
  const value = request.parameters.get(name);
  if (value === undefined) throw new Error(`the route has no parameter {${name}}`);
  return value;
}

/** A field of a parsed body, undefined when the body isn't an object. */
export function bodyField(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}

/** A field of a parsed body that is a text with something in it. */
export function textField(body: unknown, name: string): string | undefined {
  const value = bodyField(body, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

// These may hold slashes; they end their pattern.
const multiSegment = new Set(["path", "ref", "branch"]);

function patternOf(path: string): RegExp {
  const source = path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => `(?<${name}>${multiSegment.has(name) ? ".+" : "[^/]+"})`,
  );
  return new RegExp(`^${source}$`);
}

/** Makes a finder of the route that a method and path have; it throws 405 for a known path, else 404. */
export function createFinder(routes: Routes) {
  const table = Object.entries(routes).map(([route, handler]) => {
    const [method = "", path = ""] = route.split(" ");
    return { route, handler, method, pattern: patternOf(path) };
  });
  return (method: string, path: string) => {
    const known = table.filter((entry) => entry.pattern.test(path));
    const entry = known.find((candidate) => candidate.method === method);
    if (!entry)
      throw known.length > 0 ? new Refusal(405, "Method Not Allowed") : new Refusal(404, "Not Found");
    const values = Object.entries(entry.pattern.exec(path)?.groups ?? {});
    const parameters = new Map(values.map(([name, value]) => [name, decodeURIComponent(value)]));
    return { route: entry.route, handler: entry.handler, parameters };
  };
}
