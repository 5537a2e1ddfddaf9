import { normaliseText } from "./text.ts";

export const addressForm = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+\.[^\s@"(),:;<>[\\\].]{2,}$/u;

/** Characters that no person has in an address, but that stand for any text in a pattern. */
const wildcard = /[*?%^$|{}]|^\/|^\.|\.@|@\./;

/** True for text that is meant to match several addresses, such as `*@acme.com` or `.+@acme.com`. */
export function isAddressPattern(text: string): boolean {
  return text.startsWith("@") || (text.includes("@") && wildcard.test(text));
}

/** The form in which addresses are compared: case, outer white space and unseen characters do not count. */
export function foldAddress(address: string): string {
  return normaliseText(address).toLowerCase();
}

/** True for an address that is among these, whatever its case. */
export function createMatcher(addresses: readonly string[]): (address: string) => boolean {
  const folded = new Set(addresses.map(foldAddress));
  return (address) => folded.has(foldAddress(address));
}
