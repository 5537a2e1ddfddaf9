import type { Listing } from "../lib/listing.ts";
import { urlOf } from "./address.ts";
import type { WebexClient, WebexReply, WebexRequest } from "./client.ts";
import { WebexError } from "./errors.ts";

/** More pages than any listing of Webex can have; reaching it means that paging runs in circles. */
const maxPages = 10_000;

/** No list of Webex is nearly as long, and memory has to hold it. */
const maxItems = 1_000_000;

/** Webex has been seen to go on with empty pages; this many in a row are taken for a fault. */
const maxEmptyPages = 10;

export interface Page<T> {
  readonly items: readonly T[];
  readonly strangers: number;
}

/** Reads a listing by its `next` links; a doubtful page makes it incomplete. https://developer.webex.com/docs/basics */
export async function readPages<T>(
  client: WebexClient,
  first: WebexRequest,
  readPage: (body: unknown) => Page<T>,
): Promise<Listing<T>> {
  const items: T[] = [];
  const visited = new Set<string>();
  let emptyPages = 0;
  const incomplete = (reason: string): Listing<T> => ({ complete: false, items, reason });
  for (let request: WebexRequest | null = first; request !== null; ) {
    const url = urlOf(client.baseUrl, request).href;
    if (visited.has(url))
      return incomplete(`page ${visited.size} continues with a page that was read before`);
    if (visited.size >= maxPages) return incomplete(`it has more than ${maxPages} pages`);
    visited.add(url);
    try {
      const reply = await client.send(request);
      const page = readPage(reply.body);
      for (const item of page.items) items.push(item);
      if (page.strangers > 0)
        return incomplete(`page ${visited.size} held ${page.strangers} items of something else`);
      request = readNextPage(reply, client.baseUrl);
      emptyPages = page.items.length === 0 ? emptyPages + 1 : 0;
    } catch (error) {
      if (error instanceof WebexError) return incomplete(error.message);
      throw error;
    }
    if (items.length > maxItems) return incomplete(`it has more than ${maxItems} items`);
    if (request && emptyPages >= maxEmptyPages)
      return incomplete(`${emptyPages} pages in a row were empty, with no end`);
  }
  return { complete: true, items };
}

/** The next page's request, or null. @throws {WebexError} for a link elsewhere: the token must not go there. */
export function readNextPage(reply: WebexReply, baseUrl: URL): WebexRequest | null {
  const link = findNextLink(reply.link);
  if (link === null) return null;
  const prefix = `${baseUrl.pathname.replace(/\/+$/, "")}/`;
  const url = URL.canParse(link, baseUrl.href) ? new URL(link, baseUrl) : null;
  if (url?.origin !== baseUrl.origin || !url.pathname.startsWith(prefix)) {
    const detail = `the next page lies outside of ${baseUrl.origin}${prefix}`;
    throw new WebexError({ method: "GET", path: prefix, status: reply.status, detail, trackingId: null });
  }
  return { method: "GET", path: url.href };
}

function findNextLink(header: string | null): string | null {
  const links = /<([^>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^",;\s]*))?)*)/g;
  for (const [, target, parameters] of header?.matchAll(links) ?? []) {
    if (target && /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))/i.test(parameters ?? ""))
      return target;
  }
  return null;
}
