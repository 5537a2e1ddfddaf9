/** What a person reads in the browser when the consent is through. */
export interface ConsentPage {
  readonly isGood: boolean;
  readonly title: string;
  /** What it means, and what to do now. */
  readonly text: string;
  /** Facts by name, e.g. who is logged in. */
  readonly facts?: readonly (readonly [name: string, value: string])[];
}

const style = `
:root { color-scheme: light dark; --ground: #f3f5f7; --card: #fff; --ink: #17212b; --soft: #5a6875; --line: #e2e7ec; --good: #14804a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ground: #12171c; --card: #1b2229; --ink: #eef2f5; --soft: #a3b0bc; --line: #2c3640; --good: #4ec98a; --bad: #ff8a80; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { width: 100%; max-width: 440px; padding: 40px 36px 32px; background: var(--card); border: 1px solid var(--line); border-radius: 16px; box-shadow: 0 12px 32px rgb(16 24 32 / 8%); text-align: center; }
svg { width: 64px; height: 64px; margin-bottom: 20px; }
.good { color: var(--good); } .bad { color: var(--bad); }
h1 { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; margin-bottom: 10px; }
p { color: var(--soft); text-wrap: pretty; overflow-wrap: anywhere; }
dl { margin-top: 24px; padding-top: 20px; border-top: 1px solid var(--line); text-align: left; display: grid; grid-template-columns: auto 1fr; gap: 8px 20px; font-size: 15px; }
dt { color: var(--soft); } dd { overflow-wrap: anywhere; font-weight: 550; text-align: right; }
footer { margin-top: 28px; font-size: 13px; color: var(--soft); }
`;

const circle =
  '<circle cx="32" cy="32" r="30" fill="currentColor" fill-opacity=".12" stroke="currentColor" stroke-width="2"/>';
const signs = {
  good: `${circle}<path d="M20 33.5l8.5 8.5L45 24.5" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>`,
  bad: `${circle}<path d="M23 23l18 18M41 23L23 41" fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round"/>`,
};

/** The headers that go with the page: it loads nothing, is not kept, and tells nobody the address it was opened with. */
export const consentPageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  connection: "close",
} as const;

/** Writes the page; every text in it is data. */
export function renderConsentPage({ isGood, title, text, facts = [] }: ConsentPage): string {
  const kind = isGood ? "good" : "bad";
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)} · Rollcall</title><style>${style}</style></head><body><main>`,
    `<svg class="${kind}" viewBox="0 0 64 64" aria-hidden="true">${signs[kind]}</svg>`,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    rows.length > 0 ? `<dl>${rows.join("")}</dl>` : "",
    "<footer>Rollcall</footer></main></body></html>",
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
