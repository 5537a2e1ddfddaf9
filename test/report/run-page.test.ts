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
    assert.match(text, new RegExp(`\\| ➕ added \\| Ada \\| .* \\| In one of ${source} \\|`));
    assert.match(
      text,
      new RegExp(`\\| ➖ removed \\| Bob \\| .* \\| In none of ${source}; was a moderator \\|`),
    );
    assert.match(text, /\| 👀 missing \| Fay \|/);
    assert.match(text, /\| NOC \| Bot \| `bot@example\.com` \| Bot \|/);
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
    assert.match(page, /^\| ➕ added \| `ada@example\.com` \| `ada@example\.com` \|/m);
    assert.match(page, /^\| ➕ added \| `person-Bob` \| — \|/m);
  });
  it("names the people whom rows bring by their address among what feeds a room", () => {
    const fed = room("NOC", { groups: [], people: ["ada@example.com"], added: [person("Ada")] });
    const page = textOf(renderer.renderFiles(reportInput(runRecord([fed]))), runPage);
    assert.match(page, /^Fed by ada@example\.com \(\[line 2\]/m);
  });
  it("gives every reason for keeping and holding in words", () => {
    const kept = (["device", "unknown", "changed"] as const).map((reason) => ({ ...person(reason), reason }));
    const held = (
      ["unverified-record", "unmapped-room", "moderator-addition", "revocations-per-run"] as const
    ).map((reason) => ({ ...person(reason), reason }));
    const page = textOf(renderer.renderFiles(reportInput(runRecord([room("NOC", { kept, held })]))), runPage);
    assert.match(page, /\| changed \| `changed@example\.com` \| Changed while Rollcall was looking \|/);
    for (const { displayName, reason } of [...kept, ...held]) {
      const [, why] = new RegExp(`\\| ${displayName} \\| \\S+ \\| (.*) \\|`).exec(page) ?? [];
      assert.ok(why && why !== reason && /^[A-Z]/.test(why), `${reason}: ${why}`);
    }
  });
  it("has its totals in a table", () => {
    assert.match(text, /^\| sync \| partial \| 22 s \| 6 \| 2 \| 1 \| 1 \| 1 \| 1 \|$/m);
  });
});
