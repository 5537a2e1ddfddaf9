/** Runs a synthetic organisation in a separate process, so that its memory and CPU time are not measured. */
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { buildSyntheticOrganisation, type SyntheticSize } from "./synthetic-organisation.ts";

/** The organisation that the benchmark wants. */
export interface SandboxOrder extends SyntheticSize {
  readonly latencyMs: number;
}

/** The message to the benchmark when the sandbox is up. */
export interface SandboxReady {
  readonly kind: "ready";
  readonly environment: Record<string, string>;
  readonly mappings: string;
  readonly additions: number;
  readonly removals: number;
}

/** The requests that the sandbox has received since the last message. */
export interface SandboxSeen {
  readonly kind: "seen";
  /** Requests by route. */
  readonly requests: Record<string, number>;
  /** When the first one arrived, in milliseconds since the epoch. */
  readonly firstAt: number | null;
}

const order: SandboxOrder = JSON.parse(process.argv[2] ?? "{}");
const { organisation, ...drift } = buildSyntheticOrganisation(order);
const sandbox: Sandbox = await startSandbox(organisation, {
  latencyMs: order.latencyMs,
  keepResponses: false,
});
// The sandbox counts time from its start. A request that is sent now shows when that was.
const now = Date.now();
await fetch(sandbox.url);
const startedAt = now - (sandbox.requests[0]?.at ?? 0);
let told = sandbox.requests.length;

process.on("message", () => {
  const fresh = sandbox.requests.slice(told);
  told = sandbox.requests.length;
  const requests: Record<string, number> = {};
  for (const { route } of fresh) requests[route] = (requests[route] ?? 0) + 1;
  const first = fresh[0];
  send({ kind: "seen", requests, firstAt: first ? startedAt + first.at : null });
});
send({ kind: "ready", environment: sandbox.environment(), ...drift });

function send(message: SandboxReady | SandboxSeen): void {
  process.send?.(message);
}
