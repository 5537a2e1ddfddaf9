import { existsSync, readFileSync } from "node:fs";
import { Ajv, type ErrorObject } from "ajv";
import type { Exchange } from "../../sandbox/http.ts";

type Json = Record<string, unknown>;

interface Operation {
  readonly method: string;
  readonly pattern: RegExp;
  readonly parameters: readonly Json[];
  /** The operation's place in its document, as a JSON pointer. */
  readonly pointer: string;
  readonly node: Json;
}

/** Checks one recorded request and its answer; returns what is wrong, nothing when both keep the contract. */
export type ExchangeChecker = (exchange: Exchange) => string[];

const folder = new URL("../../../shared/contracts/", import.meta.url);

// Operations that the contracts don't describe: ../shared/webex-api.md (top) and ../shared/github-actions.md (top);
// artifacts are in GitHub's documentation only: https://docs.github.com/en/rest/actions/artifacts
const undescribed = new Set([
  "webex POST /access_token",
  "github POST /graphql",
  "github GET /repos/{owner}/{repo}/actions/artifacts",
  "github GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/zip",
  "github DELETE /repos/{owner}/{repo}/actions/artifacts/{artifact_id}",
  "github GET /artifact-store/{artifact_id}",
]);

// Webex's contract describes the `Link` header but not the parameters of the addresses in it, which a client
// sends back as they are: ../shared/webex-api.md section 2.3.
const cursorParameters = new Set(["before", "after"]);

// GitHub's contract describes almost only success: ../shared/github-actions.md (top).
const undescribedErrors = new Set([401, 403, 404, 422, 500, 502, 503]);

function child(node: unknown, name: string): unknown {
  return typeof node === "object" && node !== null ? (node as Json)[name] : undefined;
}

function object(node: unknown): Json {
  return typeof node === "object" && node !== null ? (node as Json) : {};
}

function step(name: string | number): string {
  return `/${encodeURIComponent(String(name).replaceAll("~", "~0").replaceAll("/", "~1"))}`;
}

/** Visits every object in a document, innermost first. */
function visit(node: unknown, change: (node: Json) => void): void {
  if (typeof node !== "object" || node === null) return;
  for (const value of Object.values(node)) visit(value, change);
  if (!Array.isArray(node)) change(node as Json);
}

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type of null; Ajv knows that only beside a `type`. */
function spellOutNullable(node: Json): void {
  delete node.discriminator;
  if (node.nullable !== true || node.type !== undefined) return;
  const { oneOf, anyOf } = node;
  delete node.nullable;
  delete node.oneOf;
  node.anyOf = [{ type: "null" }, oneOf ? { oneOf } : { anyOf }];
}

/**
 * Webex's schemas require next to nothing, so a misspelt field is only found when no others are allowed. Of the
 * errors listed in ../shared/webex-api.md, two concern schemas: `invitePending` and `loginEnabled` are typed as
 * the texts "true" and "false" but may be booleans; the default of `includeMembers` is a text, which checks
 * ignore. The others are in examples, which nothing here reads.
 */
function tightenWebex(node: Json): void {
  const properties = object(node.properties);
  if (node.type === "object" && node.properties) node.additionalProperties = false;
  for (const name of ["invitePending", "loginEnabled"]) {
    if (properties[name]) properties[name] = { enum: ["true", "false", true, false] };
  }
}

/** GitHub's contract has the schema of a commit, but not the operations that answer with it. */
function readCommits(document: Json): Json {
  const repository = "/repos/{owner}/{repo}";
  const { parameters } = object(child(child(document.paths, repository), "get"));
  const listed = ["sha", "path", "author"].map((name) => ({ name, in: "query", schema: { type: "string" } }));
  const paged = ["per_page", "page"].map((name) => ({ name, in: "query", schema: { type: "integer" } }));
  const ref = {
    name: "ref",
    in: "path",
    required: true,
    "x-multi-segment": true,
    schema: { type: "string" },
  };
  const describe = (schema: object, more: readonly object[]) => ({
    get: {
      parameters: [...(Array.isArray(parameters) ? parameters : []), ...more],
      responses: { 200: { content: { "application/json": { schema } } } },
    },
  });
  const commit = { $ref: "#/components/schemas/commit" };
  return {
    [`${repository}/commits`]: describe({ type: "array", items: commit }, [...listed, ...paged]),
    [`${repository}/commits/{ref}`]: describe(commit, [ref]),
  };
}

function readDocument(half: Exchange["half"]): Json {
  const document = JSON.parse(readFileSync(new URL(`${half}.openapi.json`, folder), "utf8")) as Json;
  visit(document, (node) => {
    delete node.example;
    delete node.examples;
  });
  visit(document, half === "webex" ? tightenWebex : spellOutNullable);
  if (half === "github") Object.assign(object(document.paths), readCommits(document));
  return document;
}

function resolve(document: Json, node: unknown): Json {
  const reference = child(node, "$ref");
  if (typeof reference !== "string") return object(node);
  return object(reference.slice(2).split("/").reduce(child, document));
}

function readOperations(document: Json): Operation[] {
  const operations = Object.entries(object(document.paths)).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, node]) => {
      const listed = child(node, "parameters");
      const parameters = (Array.isArray(listed) ? listed : []).map((entry) => resolve(document, entry));
      const source = path.replace(/\{(\w+)\}/g, (_, name: string) => {
        const isLong = parameters.some((entry) => entry.name === name && entry["x-multi-segment"]);
        return `(?<${name}>${isLong ? ".+" : "[^/]+"})`;
      });
      const pointer = `#/paths${step(path)}${step(method)}`;
      return {
        method: method.toUpperCase(),
        pattern: new RegExp(`^${source}$`),
        parameters,
        pointer,
        node: object(node),
      };
    }),
  );
  // `/people/me` before `/people/{personId}`.
  return operations.sort(
    (a, b) => a.pattern.source.split("(?<").length - b.pattern.source.split("(?<").length,
  );
}

/** A parameter's text as the value its schema speaks of. */
function readText(text: string, type: unknown): unknown {
  if ((type === "number" || type === "integer") && /^\d+$/.test(text)) return Number(text);
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

function describe(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? [])
    .map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`)
    .join("; ");
}

function createHalfChecker(half: Exchange["half"]): ExchangeChecker {
  const document = readDocument(half);
  const operations = readOperations(document);
  const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
  ajv.addSchema(document, half);

  function checkValue(what: string, schema: object, value: unknown): string[] {
    return ajv.validate(schema, value) ? [] : [`${what}: ${describe(ajv.errors)}`];
  }

  function checkParameters(
    operation: Operation,
    place: string,
    values: ReadonlyMap<string, string>,
  ): string[] {
    const known = operation.parameters.filter((entry) => entry.in === place);
    const unknown = [...values.keys()].filter(
      (name) => !cursorParameters.has(name) && !known.some((entry) => entry.name === name),
    );
    return [
      ...unknown.map((name) => `${place} parameter ${name} is not in the contract`),
      ...known.flatMap((entry) => {
        const name = String(entry.name);
        const text = values.get(name);
        if (text === undefined) return entry.required ? [`${place} parameter ${name} is missing`] : [];
        const schema = object(entry.schema);
        return checkValue(`${place} parameter ${name}`, schema, readText(text, schema.type));
      }),
    ];
  }

  /** A body against the schema of its media type JSON; a body that the contract doesn't have is an error. */
  function checkBody(what: string, holder: Json, pointer: string, body: unknown): string[] {
    // The meeting preferences' answers are described with a charset.
    const type = Object.keys(object(holder.content)).find((key) => /^application\/json\b/.test(key));
    if (type && child(child(holder.content, type), "schema")) {
      return checkValue(what, { $ref: `${half}${pointer}/content${step(type)}/schema` }, body);
    }
    return body === undefined ? [] : [`${what}: the contract has none`];
  }

  function checkAnswer(operation: Operation, exchange: Exchange): string[] {
    const { status, response } = exchange;
    // Undefined: no answer. A text: asked for by `accept`, while the contract describes JSON.
    if (status === undefined || typeof response === "string") return [];
    const entry = child(operation.node.responses, String(status));
    if (entry === undefined) {
      if (half !== "github" || !undescribedErrors.has(status))
        return [`status ${status} is not in the contract`];
      return checkValue(`body of ${status}`, { $ref: "github#/components/schemas/basic-error" }, response);
    }
    const reference = child(entry, "$ref");
    const pointer = typeof reference === "string" ? reference : `${operation.pointer}/responses/${status}`;
    // Webex's contract describes no body of an error: ../shared/webex-api.md section 2.1 does.
    if (half === "webex" && status >= 400) return [];
    return checkBody(`body of ${status}`, resolve(document, entry), pointer, response);
  }

  return (exchange) => {
    const url = new URL(exchange.path, "http://contract");
    const operation = operations.find(
      (candidate) => candidate.method === exchange.method && candidate.pattern.test(url.pathname),
    );
    if (!operation) return ["the operation is not in the contract"];
    const inPath = Object.entries(operation.pattern.exec(url.pathname)?.groups ?? {});
    return [
      ...checkParameters(operation, "path", new Map(inPath)),
      ...checkParameters(operation, "query", new Map(url.searchParams)),
      ...checkBody(
        "request body",
        object(operation.node.requestBody),
        `${operation.pointer}/requestBody`,
        exchange.body,
      ),
      ...checkAnswer(operation, exchange),
    ];
  };
}

/** The checker of the contracts in ../shared/contracts, or undefined where that folder is absent. */
export function loadContracts(): ExchangeChecker | undefined {
  if (!existsSync(folder)) return undefined;
  const halves = { webex: createHalfChecker("webex"), github: createHalfChecker("github") };
  return (exchange) => {
    const { half, method, path, route } = exchange;
    const operation = `${method} ${path}`;
    // Of the XML API there is no OpenAPI.
    if (half === "xml" || undescribed.has(`${half} ${route}`)) return [];
    return halves[half](exchange).map((finding) => `${half} ${operation}: ${finding}`);
  };
}
