/** Runs a synthetic organisation in a separate process, so that its memory and CPU time are not measured. */
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import type { ServiceModel } from "../sandbox/service.ts";
import {
  buildSyntheticOrganisation,
  type SyntheticOrganisation,
  type SyntheticSize,
} from "./synthetic-organisation.ts";
import { createWatchedService, type Slice } from "./watched-service.ts";

/** The organisation that the benchmark wants. */
export interface SandboxOrder extends SyntheticSize {
  readonly service: ServiceModel;
  /** What the rows hold. Default: names. */
  readonly cells?: "names" | "ids";
}

/** The message to the benchmark when the sandbox is up. */
export interface SandboxReady extends Omit<SyntheticOrganisation, "organisation"> {
  readonly environment: Record<string, string>;
}

/** One request, to be sent again by somebody else. */
export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The requests that the sandbox has received since the last message. */
export interface SandboxSeen {
  /** Requests by route; those answered 429 are not among them. */
  readonly requests: Record<string, number>;
  /** Requests in the order of arrival without those answered 429 and those for a token. */
  readonly sent: readonly SentRequest[];
  readonly refused: number;
  /** When the first request arrived and the last answer left, in milliseconds since the epoch. */
  readonly firstAt: number | null;
  readonly lastAt: number;
  readonly slices: readonly Slice[];
}

const order: SandboxOrder = JSON.parse(process.argv[2] ?? "{}");
const { organisation, ...drift } = buildSyntheticOrganisation(order);
const service = createWatchedService(order.service);
const sandbox: Sandbox = await startSandbox(organisation, { service, keepResponses: false });
let told = 0;

process.on("message", () => {
  const fresh = sandbox.requests.slice(told);
  told = sandbox.requests.length;
  const handled = fresh.filter(({ status }) => status !== 429);
  const requests: Record<string, number> = {};
  for (const { route } of handled) requests[route] = (requests[route] ?? 0) + 1;
  const sent = handled
    .filter(({ route }) => route !== "POST /access_token")
    .map(({ method, path, body }) => ({ method, path, body }));
  const seen: SandboxSeen = { requests, sent, refused: fresh.length - handled.length, ...service.take() };
  process.send?.(seen);
});
const ready: SandboxReady = {
  environment: sandbox.environment(),
  ...drift,
  mappings: order.cells === "ids" ? writeIds(drift.mappings) : drift.mappings,
};
process.send?.(ready);

function writeIds(mappings: string): string {
  const [header = "", ...rows] = mappings.trimEnd().split("\n");
  const byId = rows.map((row) => {
    const [group = "", room = ""] = row.split(",");
    return `${sandbox.groupId(group)},${sandbox.roomId(room)}`;
  });
  return `${[header, ...byId].join("\n")}\n`;
}
