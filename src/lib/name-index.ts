import { normaliseText } from "./text.ts";

export interface NameIndex<T> {
  find(name: string): readonly T[];
  readonly names: readonly string[];
}

/** Indexes things by name and normalises both sides, so that spellings which look the same find the same. */
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
