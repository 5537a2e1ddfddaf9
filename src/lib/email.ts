/** E-mail addresses, as people type them and as Webex writes them. */

/** One local part and one domain of at least two labels; no list, no display name, no white space. */
export const addressForm = /^[^\s@"(),:;<>[\\\]]+@[^\s@"(),:;<>[\\\]]+\.[^\s@"(),:;<>[\\\].]{2,}$/u;

/** The text by which two addresses are compared: case and outer white space do not count. */
export function foldAddress(address: string): string {
  return address.trim().toLowerCase();
}

/** True for an address that is among these, whatever its case. */
export function createMatcher(addresses: readonly string[]): (address: string) => boolean {
  const folded = new Set(addresses.map(foldAddress));
  return (address) => folded.has(foldAddress(address));
}
