import type { DelegationRecord, HostRecord } from "../delegation/record.ts";
import { describeDelegation } from "./delegation.ts";
import { cleanText } from "./markdown.ts";
import { type Paint, statusStyles } from "./terminal.ts";

/** Tells a delegation run in plain lines: each host with the delegates, changes marked. */
export function renderDelegationTerminal(record: DelegationRecord, isDryRun: boolean, paint: Paint): string {
  const lines = record.hosts.flatMap((host) => [...renderHost(host, paint), ""]);
  for (const { address, displayName, canHost } of record.users ?? []) {
    const note = canHost === false ? paint("dim", "  may not host") : "";
    lines.push(`${cleanText(address)}  ${paint("dim", cleanText(displayName))}${note}`);
  }
  if (record.users) lines.push("");
  for (const problem of record.problems) lines.push(paint("yellow", `! ${cleanText(problem)}`), "");
  for (const notice of record.notices) lines.push(`i ${cleanText(notice)}`, "");
  lines.push(`${paint(statusStyles[record.status], record.status)}: ${describeDelegation(record, isDryRun)}`);
  return lines.join("\n");
}

function renderHost({ host, before, after, added, removed, error }: HostRecord, paint: Paint): string[] {
  const count = (list: readonly string[] | null) => list?.length ?? "?";
  const stay = (after ?? before ?? []).filter((delegate) => !added.includes(delegate));
  return [
    `${paint("bold", cleanText(host))}  ${paint("dim", `${count(before)} → ${count(after)} delegates`)}`,
    ...added.map((delegate) => `  ${paint("green", "+")} ${cleanText(delegate)}`),
    ...removed.map((delegate) => `  ${paint("red", "−")} ${cleanText(delegate)}`),
    ...stay.map((delegate) => `  ${paint("dim", "=")} ${cleanText(delegate)}`),
    ...(error === undefined ? [] : [`  ${paint("red", "×")} ${cleanText(error)}`]),
  ];
}
