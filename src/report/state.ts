import * as v from "valibot";
import { parseJson } from "../lib/json.ts";
import { extendNames, namesSchema, type RememberedName } from "../membership/names.ts";

/** Each part is judged on its own: a damaged one, or one of a later release, spoils no other. */
const stateSchema = v.looseObject({ version: v.literal(1) });

export interface State {
  readonly names: readonly RememberedName[];
  readonly rest: Readonly<Record<string, unknown>>;
  /** What cannot be read of the file, or the file as a whole; null when nothing is wrong, and where there is none. */
  readonly damage: string | null;
  readonly isStored: boolean;
}

/** Reads state.json; a missing file is an empty memory, a damaged one too. */
export function parseState(text: string | undefined): State {
  const empty = { names: [], rest: {}, damage: null, isStored: text !== undefined };
  if (text === undefined) return empty;
  const state = v.safeParse(stateSchema, parseJson(text));
  if (!state.success) return { ...empty, damage: v.getDotPath(state.issues[0]) ?? "the file as a whole" };
  const { version: _, names = [], ...rest } = state.output;
  const parsed = v.safeParse(namesSchema, names);
  if (parsed.success) return { ...empty, names: parsed.output, rest };
  return { ...empty, rest, damage: ["names", v.getDotPath(parsed.issues[0]) ?? []].flat().join(".") };
}

/** The file with the names that a run has met; null when it holds them all already. */
export function extendState(state: State, met: readonly RememberedName[]): string | null {
  const names = extendNames(state.names, met);
  if (state.isStored && state.damage === null && names.length === state.names.length) return null;
  return `${JSON.stringify({ version: 1, names, ...state.rest }, null, 2)}\n`;
}

/** What people are told of a memory that is not as the last run left it; null when nothing is wrong. */
export function describeLoss({ damage, isStored }: State, hasHistory: boolean): string | null {
  const consequence =
    "so Rollcall does not know where the names in rooms.csv led before; it goes by what they lead to now, and remembers that";
  if (damage !== null)
    return `state.json could not be read (${damage}), ${consequence}. The earlier file is in Git.`;
  if (isStored || !hasHistory) return null;
  return `state.json is missing, although earlier runs have left reports, ${consequence}.`;
}
