import type { ApiRequest } from "../router.ts";
import { Refusal } from "../router.ts";
import type { Listing, Quirks } from "./quirks.ts";
import { pageCap } from "./quirks.ts";

/** A whole number of at least 1 from the query; 400 for anything else. */
export function positive(request: ApiRequest, name: string, otherwise: number): number {
  const text = request.url.searchParams.get(name);
  if (text === null) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new Refusal(400, `Invalid value for ${name}.`);
  return Number(text);
}

/** One page of a list, and where the next one begins. */
export function cutPage<T>(all: readonly T[], offset: number, size: number, quirks: Quirks) {
  const start = quirks.duplicatesAcrossPages && offset > 0 ? offset - 1 : offset;
  return { items: all.slice(start, offset + size), next: offset + size };
}

// A cursor is opaque to clients: here `<offset>`, with an e in front for the empty page before that offset.
function readCursor(request: ApiRequest): { offset: number; isGap: boolean } {
  const cursor = request.url.searchParams.get("after");
  if (cursor === null) return { offset: 0, isGap: false };
  const match = /^(e?)(\d+)$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
  if (!match) throw new Refusal(400, "Invalid cursor.");
  return { offset: Number(match[2]), isGap: match[1] === "e" };
}

function nextLink(request: ApiRequest, cursor: string, size: number, quirks: Quirks): string {
  if (quirks.loopingNext) return request.url.href;
  const url = new URL(request.url);
  if (quirks.lostFilters) url.search = "";
  if (quirks.foreignNext) url.hostname = "localhost";
  for (const name of ["before", "after"]) url.searchParams.delete(name);
  url.searchParams.set("max", String(size));
  const before = quirks.bareBefore ? "&before" : "";
  return `${url.href}${before}&after=${Buffer.from(cursor).toString("base64url")}`;
}

/** Answers one page of a listing with `items`, and a `Link` header where more follows. */
export function answerPage<T>(
  request: ApiRequest,
  listing: Listing,
  all: readonly T[],
  quirks: Quirks,
  show: (item: T) => unknown,
) {
  const size = Math.min(positive(request, "max", 100), pageCap(quirks, listing));
  const { offset, isGap } = readCursor(request);
  const { items, next } = isGap ? { items: [], next: offset } : cutPage(all, offset, size, quirks);
  const body = { items: items.map(show) };
  const isLast = next >= all.length;
  // A listing that fits one page has no next link whatever the quirk, so that a test chooses where it strikes.
  if (isLast && (quirks.emptyPages !== "after" || all.length <= size)) return { status: 200, body };
  const gapFollows = quirks.emptyPages === "between" && !isGap;
  const link = nextLink(request, `${gapFollows ? "e" : ""}${next}`, size, quirks);
  return { status: 200, headers: { link: `<${link}>; rel="next"` }, body };
}
