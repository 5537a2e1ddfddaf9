import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
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

// OAuth, GraphQL, and the storage that an artifact's address leads to: no OpenAPI document has these.
const undescribed = new Set([
  "webex POST /access_token",
  "github POST /graphql",
  "github GET /artifact-store/{artifact_id}",
]);

// Webex's contract describes the `Link` header but not the parameters of the addresses in it, which a client
// sends back as they are: https://developer.webex.com/docs/basics#pagination
const cursorParameters = new Set(["before", "after"]);

// GitHub's contract describes almost only success.
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
 * Webex's schemas require next to nothing, so a misspelt field is only found when no others are allowed. Two of them
 * are wrong: `invitePending` and `loginEnabled` are typed as the texts "true" and "false" but may be booleans.
 */
function tightenWebex(node: Json): void {
  const properties = object(node.properties);
  if (node.type === "object" && node.properties) node.additionalProperties = false;
  for (const name of ["invitePending", "loginEnabled"]) {
    if (properties[name]) properties[name] = { enum: ["true", "false", true, false] };
  }
}

function prepareDocument(half: "webex" | "github", contract: unknown): Json {
  const document = object(contract);
  visit(document, (node) => {
    delete node.example;
    delete node.examples;
  });
  visit(document, half === "webex" ? tightenWebex : spellOutNullable);
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

function createHalfChecker(half: "webex" | "github", contract: unknown): ExchangeChecker {
  const document = prepareDocument(half, contract);
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
    // Webex's contract describes no body of an error.
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

/** Where `npm run contract -- <folder>` found what is not ours to bundle; undefined in an ordinary run of the tests. */
export const contractFolder = process.env.ROLLCALL_CONTRACT_FOLDER;

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

/**
 * The checker of the contracts: GitHub's from the package `@octokit/openapi`, and Webex's where a folder with it was
 * given. Without one, exchanges with Webex are not checked.
 */
export function loadContracts(): ExchangeChecker {
  const ofGithub = createRequire(import.meta.url).resolve("@octokit/openapi/generated/api.github.com.json");
  const halves = {
    github: createHalfChecker("github", readJson(ofGithub)),
    webex: contractFolder
      ? createHalfChecker("webex", readJson(join(contractFolder, "contracts/webex.openapi.json")))
      : undefined,
  };
  return (exchange) => {
    const { half, method, path, route } = exchange;
    // Of the XML API there is no OpenAPI.
    if (half === "xml" || undescribed.has(`${half} ${route}`)) return [];
    return (halves[half]?.(exchange) ?? []).map((finding) => `${half} ${method} ${path}: ${finding}`);
  };
}
