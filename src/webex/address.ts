export interface WebexAddress {
  /** Relative to the API's base URL, or an absolute URL below it (a next page). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
}

/** The whole address of a request. */
export function urlOf(baseUrl: URL, { path, query = {} }: WebexAddress): URL {
  const isWhole = /^https?:/.test(path);
  const url = new URL(isWhole ? path : baseUrl.href.replace(/\/+$/, "") + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}
