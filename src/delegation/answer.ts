import { messageOf } from "../message-of.ts";

/** Something that was asked of Webex: the answer, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly error: string };

/** Asks once. Never throws: one request that fails stops no other. */
export async function attempt<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
