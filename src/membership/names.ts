import * as v from "valibot";
import type { ReadonlyDeep } from "../lib/readonly-deep.ts";
import { compareStrings, normaliseText } from "../lib/text.ts";
import { identityOf } from "../lib/webex-id.ts";

const nonEmpty = v.pipe(v.string(), v.minLength(1));

export const namesSchema = v.array(
  v.strictObject({ column: v.picklist(["group", "room"]), name: nonEmpty, id: nonEmpty }),
);

/** A cell of rooms.csv that holds a name, and the id that the name led to. */
export type RememberedName = ReadonlyDeep<v.InferOutput<typeof namesSchema>>[number];

export interface NameMemory {
  /** Null for a name that no run has met. */
  recall(column: RememberedName["column"], name: string): string | null;
}

export const noNames: NameMemory = { recall: () => null };

/** Makes what earlier runs have kept ready to be asked. */
export function createNameMemory(names: readonly RememberedName[]): NameMemory {
  const byKey = new Map(names.map((one) => [keyOf(one), one.id]));
  return { recall: (column, name) => byKey.get(keyOf({ column, name })) ?? null };
}

/** True when two ids are of one thing; to which organisation a group belongs may be left out of its id. */
export function isSameThing(column: RememberedName["column"], id: string, other: string): boolean {
  if (column === "room") return identityOf(id, "ROOM") === identityOf(other, "ROOM");
  const [one, two] = [id, other].map((each) => identityOf(each, "SCIM_GROUP").split(":")[0]);
  return one === two;
}

/** Adds names met for the first time; old ones never change, or a returning row could meet a stranger's space. */
export function extendNames(
  kept: readonly RememberedName[],
  met: readonly RememberedName[],
): readonly RememberedName[] {
  const all = new Map([...met, ...kept].map((one) => [keyOf(one), one]));
  return [...all.values()].sort(
    (a, b) => compareStrings(a.column, b.column) || compareStrings(a.name, b.name),
  );
}

function keyOf({ column, name }: Pick<RememberedName, "column" | "name">): string {
  return `${column} ${normaliseText(name)}`;
}
