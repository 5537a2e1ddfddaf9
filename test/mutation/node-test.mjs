/** What the test files register instead of running it at once. */
export const registered = [];

export function test(name, ...rest) {
  // Two files may use the same words.
  registered.push({ id: `${registered.length} ${name}`, name, run: rest.at(-1) });
}
