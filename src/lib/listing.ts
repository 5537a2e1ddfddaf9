/** What was read of a list, and whether that is all of it: unknown is never empty. */
export type Listing<T> =
  | { readonly complete: true; readonly items: readonly T[] }
  | { readonly complete: false; readonly items: readonly T[]; readonly reason: string };
