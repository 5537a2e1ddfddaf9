/** What the test files register instead of running it at once. */
export const registered = [];

let count = 0;

export function test(name, ...rest) {
  // Two files may use the same words.
  count += 1;
  registered.push({ id: `${count} ${name}`, name, run: rest.at(-1) });
}

export function describe(_, ...rest) {
  rest.at(-1)();
}
