import type { Recovery } from "../token/store.ts";

/**
 * Says how a person stores the refresh token after all, for the log and as a section of the run's summary. Everything in
 * a recovery is base64, an id or a path: none of it can end a block of code.
 */
export function describeRecovery({ advice, facts, command }: Recovery): {
  readonly line: string;
  readonly summary: string;
} {
  const lines = [`RECOVERY: ${advice}.`, ...facts.map(([name, value]) => `${name}: ${value}`), command];
  const rows = facts.map(([name, value]) => `- ${name}: \`${value}\`\n`);
  return {
    line: `\n${lines.join("\n")}\n`,
    summary: `## 🛟 Recover the refresh token\n\n${advice}:\n\n\`\`\`sh\n${command}\n\`\`\`\n\n${rows.join("")}\n`,
  };
}
