import { normaliseText } from "./text.ts";

/** Things by their names. There is no way to ask it that does not normalise both sides. */
export interface NameIndex<T> {
  /** All that bear this name; of several nobody knows which one is meant. */
  find(name: string): readonly T[];
  /** Every name once, normalised; the same array each time. */
  readonly names: readonly string[];
}

/** Indexes things by name, so that two spellings which look the same find the same. */
export function createNameIndex<T>(items: Iterable<T>, nameOf: (item: T) => string): NameIndex<T> {
  const byName = new Map<string, T[]>();
  for (const item of items) {
    const name = normaliseText(nameOf(item));
    const namesakes = byName.get(name);
    if (namesakes) namesakes.push(item);
    else byName.set(name, [item]);
  }
  return { find: (name) => byName.get(normaliseText(name)) ?? [], names: [...byName.keys()] };
}
