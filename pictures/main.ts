/**
 * Makes the pictures of docs/pictures from what the real commands leave behind, so that they stay true:
 * `npm run pictures`. With a folder as its argument every page is taken in every size and colour, to look at.
 * It needs Chromium.
 */
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { playReach } from "../test/support/reach-story.ts";
import { renderPage } from "./render.ts";
import { playScene } from "./scene.ts";

const candidates = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

async function findBrowser(): Promise<string> {
  for (const path of candidates) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`there is no Chromium at ${candidates.join(", ")}`);
}

const sizes = {
  desktop: { width: 1012, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

interface Shot {
  readonly name: string;
  readonly markdown: string;
  readonly theme: "light" | "dark";
  readonly size: keyof typeof sizes;
  readonly file: string;
  /** In pixels of the page; the whole page without it. */
  readonly maxHeight?: number;
}

const [folder] = process.argv.slice(2);
const target = folder ?? fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const scene = await playScene();
const { comments, merged, ended, leaving } = await playReach();
const pages = {
  ...scene.pages,
  "comment-acme": comments[0] ?? "",
  "comment-globex": comments[1] ?? "",
  "merged-acme": merged.acme.page,
  "ended-acme": ended.acme.page,
  organisations: ended.hooli.overview,
  leaving: leaving.summary,
};
const empty = Object.entries(pages).flatMap(([name, markdown]) => (markdown === "" ? [name] : []));
if (empty.length > 0) throw new Error(`there is nothing to show of ${empty.join(", ")}`);

const themes = ["light", "dark"] as const;
const shots: readonly Shot[] =
  folder === undefined
    ? (["report", "comment", "comment-acme", "ended-acme", "organisations"] as const).flatMap((name) =>
        themes.map((theme) => {
          const file = `${name}-${theme}.png`;
          return { name, markdown: pages[name], theme, size: "desktop" as const, file, maxHeight: 1100 };
        }),
      )
    : Object.entries(pages).flatMap(([name, markdown]) =>
        themes.flatMap((theme) =>
          (["desktop", "phone"] as const).map((size) => {
            return { name, markdown, theme, size, file: `${name}-${size}-${theme}.png` };
          }),
        ),
      );

await mkdir(target, { recursive: true });
const browser = await chromium.launch({ executablePath: await findBrowser(), args: ["--no-sandbox"] });
try {
  for (const { name, markdown, theme, size, file, maxHeight } of shots) {
    const page = await browser.newPage({ viewport: sizes[size], deviceScaleFactor: 1.5 });
    await page.setContent(await renderPage(markdown, theme));
    await page.waitForFunction("document.body.dataset.ready");
    const state: unknown = await page.evaluate("document.body.dataset.ready");
    if (state !== "yes") throw new Error(`the diagrams of ${name} cannot be drawn: ${state}`);
    const { width, height } = (await page.locator("article").boundingBox()) ?? sizes[size];
    const clip = { x: 0, y: 0, width, height: Math.min(height, maxHeight ?? height) };
    await writeFile(join(target, file), await page.screenshot({ clip, fullPage: true }));
    console.log(
      `${file}: ${Math.round(height)} pixels high, ${(height / sizes[size].height).toFixed(1)} screens`,
    );
    await page.close();
  }
} finally {
  await browser.close();
}
