import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeRecovery } from "../../src/run/recovery.ts";

describe("how a person stores a token that could not be stored", () => {
  const advice = "The new refresh token is sealed: store it with this command";
  const command = "gh api -X PUT /repos/acme/spaces/actions/secrets/WEBEX_REFRESH_TOKEN";

  test("is in the log, with everything that the command needs", () => {
    const { line } = describeRecovery({
      advice,
      command,
      facts: [
        ["encrypted_value", "abc="],
        ["key_id", "7"],
      ],
    });
    assert.deepEqual(line.trim().split("\n"), [
      `RECOVERY: ${advice}.`,
      "encrypted_value: abc=",
      "key_id: 7",
      command,
    ]);
    assert.match(line, /^\n.*\n$/s, "apart from the lines around it");
  });

  test("is in the summary, where the command can be copied as a block", () => {
    const facts = [
      ["encrypted_value", "abc="],
      ["key_id", "7"],
    ] as const;
    const { summary } = describeRecovery({ advice, command, facts });
    assert.match(summary, /^## .*Recover the refresh token\n\n/);
    assert.ok(summary.includes(`\n\n${advice}:\n\n\`\`\`sh\n${command}\n\`\`\`\n\n`));
    assert.ok(summary.endsWith("\n\n- encrypted_value: `abc=`\n- key_id: `7`\n\n"));
    const { summary: short } = describeRecovery({ advice, command, facts: [] });
    assert.ok(short.endsWith("```\n\n\n"));
  });
});
