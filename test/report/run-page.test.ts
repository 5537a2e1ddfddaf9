import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventfulRun, loadRenderer, person, reportInput, room, runRecord, textOf } from "./build-record.ts";

const renderer = loadRenderer();
const runPage = "reports/runs/2026-11-22-4711.md";

describe("the page of a run", () => {
  const text = textOf(renderer.renderFiles(reportInput(eventfulRun)), runPage);
  it("gives the reason for each change, with the lines of rooms.csv", () => {
    const source =
      "NOC On-call · NOC leads \\(\\[line 2\\]\\(../../mappings/rooms.csv#L2\\), \\[line 7\\]\\(.*?#L7\\)\\)";
    const ada = "- Ada `ada@example\\.com`\n- Cleo ";
    assert.match(text, new RegExp(`^\\*\\*➕ Added\\*\\* \\(In one of ${source}\\):\n\n${ada}`, "m"));
    const bob = "In none of .*; was a moderator\\):\n\n- Bob ";
    assert.match(text, new RegExp(`^\\*\\*➖ Removed\\*\\* \\(${bob}`, "m"));
    assert.match(text, /^\*\*👀 Missing\*\* \(.*\):\n\n- Fay /m);
    assert.match(text, /^- \*\*NOC\*\*: Bot `bot@example\.com`: Bot$/m);
    assert.match(text, /🧊 Frozen: 499 of 500 members were listed/);
  });
  it("leads back to all rooms, to its record and to the workflow run", () => {
    assert.match(
      text,
      /\[← All spaces\]\(\.\.\/README\.md\) · \[record \(JSON\)\]\(2026-11-22-4711\.json\) · \[workflow run\]/,
    );
  });
  it("names people whose names Webex does not tell by their address, or at least their id", () => {
    const [ada, bob] = ["Ada", "Bob"].map((name) => ({ ...person(name), displayName: null }));
    assert.ok(ada && bob);
    const unnamed = room("NOC", { added: [ada, { ...bob, email: null }] });
    const page = textOf(renderer.renderFiles(reportInput(runRecord([unnamed]))), runPage);
    assert.match(page, /^- `ada@example\.com`$/m);
    assert.match(page, /^- `person-Bob`$/m);
  });
  it("names the people whom rows bring by their address among what feeds a room", () => {
    const fed = room("NOC", { groups: [], people: ["ada@example.com"], added: [person("Ada")] });
    const page = textOf(renderer.renderFiles(reportInput(runRecord([fed]))), runPage);
    assert.match(page, /^12 members \(\+1\) · fed by ada@example\.com \(\[line 2\]/m);
  });
  it("gives every reason for keeping and holding in words", () => {
    const kept = (["device", "unknown", "changed"] as const).map((reason) => ({ ...person(reason), reason }));
    const held = (
      ["unverified-record", "unmapped-room", "moderator-addition", "revocations-per-run"] as const
    ).map((reason) => ({ ...person(reason), reason }));
    const page = textOf(renderer.renderFiles(reportInput(runRecord([room("NOC", { kept, held })]))), runPage);
    assert.match(
      page,
      /^- \*\*NOC\*\*: changed `changed@example\.com`: Changed while Rollcall was looking$/m,
    );
    for (const { displayName, reason } of kept) {
      const [, why] = new RegExp(`^- \\*\\*NOC\\*\\*: ${displayName} \\S+: (.*)$`, "m").exec(page) ?? [];
      assert.ok(why && why !== reason && /^[A-Z]/.test(why), `${reason}: ${why}`);
    }
    for (const { displayName, reason } of held) {
      const [, why] = new RegExp(`✋ Held\\*\\* \\((.*)\\):\n\n- ${displayName} `).exec(page) ?? [];
      assert.ok(why && why !== reason && /^[A-Z]/.test(why), `${reason}: ${why}`);
    }
  });
  it("says why people are held with the numbers that the run has recorded", () => {
    const message =
      "4 removals planned; the limit for this space is 3 (the larger of 3 and 25 % of 8 members)";
    const holds = [{ reason: "removals-per-room", message }] as const;
    const held = [{ ...person("Dan"), reason: "removals-per-room" as const }];
    const page = textOf(
      renderer.renderFiles(reportInput(runRecord([room("NOC", { held, holds })]))),
      runPage,
    );
    assert.ok(page.includes(`**✋ Held** (${message}):\n\n- Dan \`dan@example.com\``), page);
  });
  it("has its totals in a line", () => {
    assert.match(
      text,
      /^sync · partial · 22 s · 6 spaces · 2 added · 1 removed · 1 held · 1 failed · 1 kept$/m,
    );
  });
});
