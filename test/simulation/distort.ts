import type { Departure } from "../../sandbox/http.ts";

/** What a hostile server, or a broken one, makes of a true answer. */
export const distortions = {
  "next page on another host": (answer) =>
    withLink(answer, "https://webexapis.example/v1/rooms?max=100&cursor=2"),
  "next page without encryption": (answer) =>
    withLink(answer, "http://webexapis.com/v1/rooms?max=100&cursor=2"),
  "next page outside of the API": (answer) => withLink(answer, "/WBXService/XMLService"),
  "next page that is no address": (answer) => withLink(answer, "http://[::1"),
  "redirect to another host": (answer) => ({
    ...answer,
    head: { status: 302, headers: { ...answer.head?.headers, location: "https://webexapis.example/v1/" } },
  }),
  "ids that do not decode": (answer) =>
    edit(answer, (value, key) =>
      typeof value === "string" && /^(?:id|personId|roomId)$/.test(key) ? "%E0%A4%A" : value,
    ),
  "items of another space": (answer) =>
    edit(answer, (value, key) =>
      key === "roomId" ? Buffer.from("ciscospark://us/ROOM/other").toString("base64url") : value,
    ),
  "everybody twice": (answer) =>
    edit(answer, (value) => (Array.isArray(value) ? [...value, ...value] : value)),
  // The group still says how many it has.
  "members of a group left out": (answer) =>
    edit(answer, (value, key) => (key === "members" && Array.isArray(value) ? value.slice(1) : value)),
  "keys that pollute": (answer) =>
    rewrite(answer, (text) =>
      text.replace("{", '{"__proto__":{"isModerator":true,"items":[]},"constructor":{"prototype":{"id":1}},'),
    ),
  "lists instead of objects": (answer) =>
    edit(answer, (value) => (isObject(value) ? Object.values(value) : value)),
  "deep nesting": (answer) =>
    rewrite(answer, (text) => text.replace("[", `[${"[".repeat(20_000)}${"]".repeat(20_000)},`)),
  "nothing but null": (answer) => rewrite(answer, () => "null"),
  "an empty object": (answer) => rewrite(answer, () => "{}"),
  "one value of another type": (answer, chance) =>
    editOne(answer, chance, (value) => (typeof value === "string" ? 7 : `${value}`)),
  "one value null": (answer, chance) => editOne(answer, chance, () => null),
  "one value missing": (answer, chance) => editOne(answer, chance, () => undefined),
  "one value empty": (answer, chance) =>
    editOne(answer, chance, (value) => (typeof value === "string" ? "" : [])),
} satisfies Readonly<Record<string, (answer: Departure, chance: number) => Departure>>;

export type DistortionName = keyof typeof distortions;

function withLink(answer: Departure, address: string): Departure {
  if (answer.head === null) return answer;
  return {
    ...answer,
    head: { ...answer.head, headers: { ...answer.head.headers, link: `<${address}>; rel="next"` } },
  };
}

function rewrite(answer: Departure, change: (text: string) => string): Departure {
  const { head } = answer;
  if (head === null || answer.content.length === 0) return answer;
  const content = Buffer.from(change(Buffer.from(answer.content).toString("utf8")));
  return {
    ...answer,
    content,
    head: { ...head, headers: { ...head.headers, "content-length": content.length } },
  };
}

/** Changes the values of an answer in JSON, from the inside out; undefined takes one away. */
function edit(answer: Departure, change: (value: unknown, key: string) => unknown): Departure {
  return rewrite(answer, (text) => {
    try {
      return JSON.stringify(JSON.parse(text, (key, value: unknown) => change(value, key))) ?? "";
    } catch {
      return text;
    }
  });
}

function editOne(answer: Departure, chance: number, change: (value: unknown) => unknown): Departure {
  let count = 0;
  const isLeaf = (value: unknown) => !isObject(value) && !Array.isArray(value);
  edit(answer, (value) => {
    if (isLeaf(value)) count += 1;
    return value;
  });
  const chosen = Math.floor(chance * count);
  let index = -1;
  return edit(answer, (value) => {
    if (!isLeaf(value)) return value;
    index += 1;
    return index === chosen ? change(value) : value;
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
