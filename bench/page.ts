import { cpus, loadavg } from "node:os";
import type { Measured, Row } from "./measure.ts";
import { type Slice, sliceMs } from "./watched-service.ts";

/** What the page tells; what was not measured is left out. */
export interface Results {
  /** One for each Node. */
  readonly start: readonly Row[];
  readonly speed: readonly Measured[];
  readonly requests: readonly Row[];
  readonly growth: readonly Row[];
  readonly plan: Row | null;
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
export function renderPage({ start, speed, requests, growth, plan }: Results): string {
  // A path is this machine's own.
  const words = process.argv
    .slice(2)
    .filter((word) => !word.startsWith("--node="))
    .map((word) => word.replace(/^--before=.*/, "--before=<an earlier version>/src/main.ts"));
  const parts = [
    "# How fast it is",
    `Measured by \`npm run bench -- ${words.join(" ")}\` on ${describeMachine()}, against the sandbox in a process of its own, on the same cores. The command takes about ten minutes, sixteen with an earlier version beside it, and writes this page. Seconds are from the first request to the last answer.`,
  ];
  if (speed.length > 0) {
    parts.push(
      "## As fast as Webex allows",
      "Webex publishes no limits, and they change. Rollcall finds out while it runs, by one gate for all requests (`src/webex/gate.ts`). One gate for reads and one for writes were refused more often and took longer in simulation: with 10, 50 and 200 requests a second 3.5, 1.3 and 0.9 % instead of 2.6, 1.0 and 0.7 %.",
      [
        "- It begins with 8 requests under way and adds more while answers are quick and nothing is refused, up to 64. `WEBEX_MAX_REQUESTS` lowers that bound.",
        "- It takes fewer when answers slow down without bringing more ([TCP Vegas](https://en.wikipedia.org/wiki/TCP_Vegas), [Netflix concurrency-limits](https://github.com/Netflix/concurrency-limits)), or when Webex is too busy to answer.",
        "- A 429 stops all requests for as long as it says. Refused requests come first afterwards.",
        "- The rate that was let through is then kept by a token bucket, and more is tried rarely and gently ([RFC 9438](https://www.rfc-editor.org/rfc/rfc9438), the [AWS SDKs' adaptive retry mode](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)).",
        "- One big space is changed side by side like many small ones: 64 changes of a space wait for their turn at once, so none starves the others.",
      ].join("\n"),
      "The ideal is requests over the rate allowed; requests × latency / 32; requests × latency / 20 where more at once only slows the service down. The *pool of 10* sends the same requests, at most ten at once; *one by one* is the algorithm of [Cisco's sample](https://github.com/gve-sw/gve_devnet_webex_space_membership_bot), which sends fewer requests, as it checks nothing. *Before* is Rollcall with five requests at once, whatever Webex allows, and without the second look.",
      "Under a limit Rollcall and the pool both come to what is allowed. The pool gets there by asking for more all the time: it is refused up to every second time, and at a limit that ten at once only just reach, rarely. Where it is quicker, it is so by a few per cent, as it notices sooner that a limit has risen again.",
      renderTable(speed.map(({ row }) => row)),
    );
  }
  if (requests.length > 0)
    parts.push(
      "## How many requests",
      "*Needed at least* is the token and its owner, the listings that names need, one listing for each space and group, page by page, and one request for each change. Rollcall *looks before it believes*: who is to be removed is looked up (85 people in a request), a space with removals and its groups are listed a second time, and a space that was changed is read back. Answers of 429 do not count.",
      [
        "- A row's space or group given by its id needs no listing: up to five spaces are read one by one, and a group comes with its members.",
        "- A name is looked up in the listing of all groups or spaces when it is new: only there can be seen that nothing else bears or resembles it. A group's name that an earlier run knows is looked up by filter where the listing has more pages than there are names. It must lead to the same group as before and to no other. `includeMembers` saves the listing of its members where it brings as many as the group has.",
        "- Spaces have no filter, so a title always needs the listing, 1,000 spaces in a request.",
        "- A comment line may hold the name of any group, so a file with such lines needs the listing of groups.",
        "- Whom a sync adds, it does not look up: Webex describes them in its answer. A plan looks them up.",
      ].join("\n"),
      renderTable(requests),
    );
  if (speed.length > 0)
    parts.push(
      "## What the gate does",
      "Requests under way over time, as the service saw them; below, requests let through where they are limited.",
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
  if (growth.length > 0)
    parts.push(
      "## How it grows",
      "The service answers at once, so this is the cost of Rollcall and the sandbox together on two shared cores. Only differences are kept, and people are shared between spaces, so memory grows with the people and the changes.",
      renderTable(growth),
    );
  if (plan)
    parts.push(
      "What is decided once everything is read, without any request (5,000 spaces of 200 people):",
      renderTable([plan]),
    );
  if (start.length > 0)
    parts.push(
      "## How it starts",
      "The median of ten starts with a token file. Before the first request, which is for the token, Rollcall checks the files and the environment, and loads nothing that only a later step needs.",
      renderTable(start),
    );
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
