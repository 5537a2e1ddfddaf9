import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadRenderer } from "./build-record.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = loadRenderer().renderFirstIndex({ reportsDir: "reports", mappingsFile: "mappings/rooms.csv" });

/** The files and folders that the links of a Markdown file lead to, as seen from the root. */
function findLinks(file: string, text: string): readonly string[] {
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = ""]) => link);
  // The badge and the pages of Actions belong to the repository's web pages.
  return links.filter((link) => !link.startsWith("../../actions")).map((link) => join(file, "..", link));
}

test("the template has the report's page as it is before the first run, and nothing that tells of one", async () => {
  const text = await readFile(join(root, "template/reports/README.md"), "utf8");
  assert.equal(text, page, "write into the file what renderFirstIndex returns");
  assert.deepEqual(await readdir(join(root, "template/reports")), ["README.md"]);
});

test("so has this repository, until its first run", async () => {
  const files = await readdir(join(root, "reports"));
  const text = await readFile(join(root, "reports/README.md"), "utf8");
  // A copy that is in use has its own.
  assert.equal(files.includes("history.json") || text === page, true);
});

test("the page says that there was no run, and holds nothing of one", () => {
  assert.match(page, /^## ⚪ No run yet$/m);
  assert.match(page, /^### Spaces$/m);
  assert.doesNotMatch(page, /undefined|null|runs\//);
});

test("every link between the Markdown files leads to a file of the repository", async () => {
  const folders = [
    ".",
    ".github",
    "docs",
    "docs/examples",
    "mappings",
    "reports",
    "template",
    "template/mappings",
  ];
  const files = (
    await Promise.all(
      folders.map(async (folder) =>
        (
          await readdir(join(root, folder))
        )
          .map((file) => join(folder, file))
          .filter((file) => file.endsWith(".md")),
      ),
    )
  ).flat();
  const broken: string[] = [];
  for (const file of files) {
    // The examples are pages of another repository.
    if (file.startsWith("docs/examples")) continue;
    for (const link of findLinks(file, await readFile(join(root, file), "utf8"))) {
      const isThere = await readdir(join(root, link, ".."))
        .then((names) => names.includes(link.split("/").filter(Boolean).at(-1) ?? ""))
        .catch(() => false);
      if (!isThere) broken.push(`${file}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});
