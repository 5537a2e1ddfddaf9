import { readFileSync } from "node:fs";

export type Values = Readonly<Record<string, unknown>>;

const sources = new Map<string, string>();

/** An answer of GitHub from `fixtures/<name>.json`; a text that is only `${name}` becomes the value, of any type. */
export function fill(name: string, values: Values): Record<string, unknown> {
  const source = sources.get(name) ?? readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8");
  sources.set(name, source);
  const lookUp = (key = "") => {
    if (!(key in values)) throw new Error(`the fixture ${name} needs a value for ${key}`);
    return values[key];
  };
  return JSON.parse(source, (_, text) => {
    if (typeof text !== "string") return text;
    const whole = /^\$\{(\w+)\}$/.exec(text);
    return whole ? lookUp(whole[1]) : text.replace(/\$\{(\w+)\}/g, (_, key) => String(lookUp(key)));
  });
}
