import { marked } from "marked";
import { cleanText } from "./markdown.ts";

/** GitHub's look in few rules: the pages are made for GitHub, and this is only to read them at once. */
const style = `
:root { color-scheme: light dark; --text: #1f2328; --ground: #ffffff; --line: #d1d9e0; --soft: #f6f8fa; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --ground: #0d1117; --line: #3d444d; --soft: #151b23; --link: #4493f8; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
article { max-width: 1012px; margin: 0 auto; padding: 32px 16px; overflow-wrap: break-word; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .3em; line-height: 1.25; }
li + li { margin-top: .25em; }
a { color: var(--link); text-decoration: none; }
code, pre { background: var(--soft); border-radius: 6px; font: 85%/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { padding: .2em .4em; } pre { padding: 16px; overflow: auto; } pre code { padding: 0; font-size: 100%; }
blockquote { margin: 0; padding: 0 1em; border-left: .25em solid var(--line); }
table { border-collapse: collapse; display: block; overflow: auto; } th, td { border: 1px solid var(--line); padding: 6px 13px; }
details { margin-bottom: 16px; }`;

/** A page of the report as a browser shows it; links to other pages lead to their web pages. */
export function renderWebPage(markdown: string, title: string): string {
  const body = marked.parse(markdown, { async: false, gfm: true });
  const linked = body.replace(/href="(?![a-z]+:)([^"#]+)\.md(#[^"]*)?"/g, 'href="$1.html$2"');
  const name = cleanText(title).replace(/[<&]/g, "");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${name}</title><style>${style}</style></head>
<body><article>${linked}</article></body></html>
`;
}
