import { cpus, loadavg } from "node:os";
import type { Measured, Row } from "./measure.ts";
import { type Slice, sliceMs } from "./watched-service.ts";

/** What the page tells; what was not measured is left out. */
export interface Results {
  readonly start: Row | null;
  readonly speed: readonly Measured[];
  readonly growth: readonly Row[];
}

/** The machine, the day, and what else the machine had to do: on a busy one the figures are worse. */
export function describeMachine(): string {
  const [first, ...others] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  const load = loadavg()[1]?.toFixed(1);
  return `${others.length + 1} cores (${first?.model.trim()}, load average ${load}), Node ${process.versions.node}, ${day}`;
}

/** A Markdown table with a column for each field of the first row. */
export function renderTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? "")));
  return [line(columns), line(columns.map(() => "---")), ...body].join("\n");
}

/** The page docs/performance.md. */
export function renderPage({ start, speed, growth }: Results): string {
  const parts = [
    "# How fast it is",
    `Measured by \`npm run bench -- all --markdown\` on ${describeMachine()}, against the sandbox in a process of its own. Seconds are from the first request to the last answer.`,
  ];
  if (speed.length > 0) {
    parts.push(
      "## As fast as Webex allows",
      "Webex publishes no limits, and they change. Rollcall finds out while it runs, by one gate for all requests (one for reads and one for writes were refused more often and took longer in simulation: with 10, 50 and 200 requests a second 3.5, 1.3 and 0.9 % instead of 2.6, 1.0 and 0.7 %). It begins with eight requests under way, adds more while answers are quick and nothing is refused (64 at most), and takes fewer when answers slow down ([TCP Vegas](https://en.wikipedia.org/wiki/TCP_Vegas), [Netflix concurrency-limits](https://github.com/Netflix/concurrency-limits)) or Webex is too busy. A 429 stops all requests for as long as it says. The rate that was let through is then kept by a token bucket, and more is tried rarely and gently ([RFC 9438](https://www.rfc-editor.org/rfc/rfc9438), the [AWS SDKs' adaptive retry mode](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)).",
      "The ideal is requests over the rate allowed; requests × latency / 32; requests × latency / 20 where more at once only slows the service down. The *pool of 10* sends the same requests, at most ten at once; *one by one* is the algorithm of [Cisco's sample](https://github.com/gve-sw/gve_devnet_webex_space_membership_bot), which sends fewer requests, as it checks nothing.",
      renderTable(speed.map(({ row }) => row)),
      "## What the gate does",
      "Requests under way over time, as the service saw them.",
      ...speed.map((one) => renderChart(one.case.title, "under way", one.slices, ({ underWay }) => underWay)),
      ...speed
        .filter((one) => (one.case.service.limits?.length ?? 0) > 0)
        .map((one) =>
          renderChart(
            `${one.case.title}: let through`,
            "requests a second",
            one.slices,
            ({ letThrough }) => (letThrough * 1000) / sliceMs,
          ),
        ),
    );
  }
  if (growth.length > 0)
    parts.push(
      "## How it grows",
      "The service answers at once, so this is the cost of Rollcall and the sandbox together on two shared cores. *The least that would do* is one listing for each space and group, page by page, and one request for each change; the rest are looks at what was changed, which are made on purpose.",
      renderTable(growth),
    );
  if (start) parts.push("## How it starts", renderTable([start]));
  return `${parts.join("\n\n")}\n`;
}

const maxPoints = 60;

function renderChart(
  title: string,
  unit: string,
  slices: readonly Slice[],
  read: (slice: Slice) => number,
): string {
  const perPoint = Math.ceil(slices.length / maxPoints);
  const points: number[] = [];
  for (let at = 0; at < slices.length; at += perPoint) {
    const part = slices.slice(at, at + perPoint);
    points.push(part.reduce((sum, slice) => sum + read(slice), 0) / part.length);
  }
  const top = Math.max(1, Math.ceil(Math.max(...points)));
  const seconds = (slices.length * sliceMs) / 1000;
  return [
    "```mermaid",
    "xychart-beta",
    `  title "${title}"`,
    `  x-axis "seconds" 0 --> ${seconds}`,
    `  y-axis "${unit}" 0 --> ${top}`,
    `  line [${points.map((point) => point.toFixed(1)).join(", ")}]`,
    "```",
  ].join("\n");
}
