import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

const read = (name: string) => readFile(fileURLToPath(import.meta.resolve(name)), "utf8");

/** A page as GitHub shows a Markdown file or a comment, with its style sheet and its diagrams. */
export async function renderPage(markdown: string, theme: "light" | "dark"): Promise<string> {
  const [style, mermaid] = await Promise.all([
    read(`github-markdown-css/github-markdown-${theme}.css`),
    read("@mermaid-js/tiny/dist/mermaid.tiny.js"),
  ]);
  const html = micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
  const page = html
    .replace(
      /<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g,
      '<pre class="mermaid">$1</pre>',
    )
    .replace(/<pre><code class="language-diff">([\s\S]*?)<\/code><\/pre>/g, (_, text: string) => {
      return `<pre><code>${text.split("\n").map(colourLine).join("\n")}</code></pre>`;
    });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>${style}
body { margin: 0; background: ${theme === "light" ? "#ffffff" : "#0d1117"}; }
.markdown-body { padding: 32px; } @media (max-width: 600px) { .markdown-body { padding: 16px; } }
.added { background: #2da44e33 } .removed { background: #cf222e33 } .added, .removed { display: inline-block; width: 100% }
pre.mermaid { background: none !important }
</style><article class="markdown-body">${page}</article>
<script>${mermaid}</script>
<script>mermaid.initialize({ startOnLoad: false, theme: "${theme === "light" ? "default" : "dark"}" });
mermaid.run().then(() => { document.body.dataset.ready = "yes" }, (error) => { document.body.dataset.ready = String(error) });</script></html>`;
}

/** GitHub colours the lines of a block of differences by their first character. */
function colourLine(line: string): string {
  const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : null;
  return kind === null ? line : `<span class="${kind}">${line}</span>`;
}
