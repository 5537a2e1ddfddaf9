import assert from "node:assert/strict";
import { test } from "node:test";
import { organisation } from "../support/organisation.ts";
import { startStory } from "../support/story.ts";

/** Names as somebody who wants to do harm would give them to themselves in Webex. */
const hostile = [
  "</td><script>alert(1)</script>",
  "a | b || c",
  "--> <!-- rollcall:plan -->",
  "@everyone and @octocat",
  "first line\n\n# A heading\n::error::pwned",
  "\u001b[31mred\u001b[0m \u202Egnp.exe",
  "![x](https://evil.example/x.png) [y](javascript:alert(1))",
  "``` \n```mermaid",
  "##[stop-commands]token",
  "::add-mask::e",
];

test("names and titles from Webex stay text: in the report, the summary, the outputs and the log", async () => {
  const keys = hostile.map((_, index) => `h${index}`);
  const people = Object.fromEntries(keys.map((key, index) => [key, { displayName: hostile[index] ?? "" }]));
  const rooms = hostile.map((title) => ({ title, members: ["ann", keys[0] ?? ""] }));
  await using story = await startStory(
    organisation({ groups: { eng: ["ann", ...keys.slice(1)] }, people, rooms }),
    [],
  );
  const rows = hostile.map((title) => `eng,${story.sandbox.roomId(title)}`);
  const csv = `group,room\n${rows.join("\n")}\n"eng ##[error]title=x;pwned","@everyone <b>"\n`;
  await story.folder.write("mappings/rooms.csv", csv);
  story.sandbox.github.writeFile("mappings/rooms.csv", csv);
  const ending = await story.run(["sync"], { env: { GITHUB_ACTIONS: "true" } });
  assert.deepEqual([ending.code, ending.record.status], [3, "partial"]);
  assert.equal(ending.record.totals.added, hostile.length * (keys.length - 1));
  // The record is data and has the names as they are.
  assert.deepEqual(
    ending.record.rooms.map(({ title }) => title),
    hostile,
  );

  const files = story.sandbox.github.commits.at(-1)?.files ?? new Map<string, string>();
  const pages = [...files].filter(([path]) => path.endsWith(".md")).map(([, text]) => text);
  assert.equal(pages.length, 2);
  for (const text of [...pages, ending.summary]) {
    const page = text.replace(/^ {2}y-axis "members" 0 --> \d+$/m, "");
    assert.doesNotMatch(page, /(?<!\\)\]\((?:javascript|https:..evil)/);
    for (const bad of ["<script", "-->", "<!--", "<b>", "![", "\u001b", "\u202E"]) {
      assert.ok(!page.includes(bad), `${JSON.stringify(bad)} in ${page}`);
    }
    assert.doesNotMatch(page, /(^|[\s*|])@(everyone|octocat)/m);
    assert.doesNotMatch(page, /^# A heading/m);
    // Every row of a table has as many cells as the line below its heading.
    for (const table of page.matchAll(/^\|.*\n\|[ :|-]+\n(?:\|.*\n)+/gm)) {
      const cells = table[0]
        .trimEnd()
        .split("\n")
        .map((row) => row.split(/(?<!\\)\|/).length);
      assert.equal(new Set(cells).size, 1, table[0]);
    }
  }

  // The runner takes `::name::` at the start of a line and `##[name]` anywhere for commands (actions/runner,
  // src/Runner.Common/ActionCommand.cs): the only ones are ours.
  const lines = `${ending.stdout}\n${ending.stderr}`.split("\n");
  const commands = lines.filter((line) => /^\s*::|##\[/.test(line));
  const ours =
    /^::add-mask::\S{20,}$|^::group::(?:Changes, as they were made|All people of this run)$|^::endgroup::$|^::error title=Rollcall,file=mappings\/rooms\.csv,line=\d+::/;
  assert.deepEqual(
    commands.filter((line) => !ours.test(line)),
    [],
  );
  assert.ok(
    lines.every((line) => !line.includes("\u001b") && !line.includes("\u202E")),
    "nothing steers a terminal",
  );
});
