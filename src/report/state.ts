import * as v from "valibot";
import { type KeptUpdate, parseKept, updateKept } from "../delegation/kept.ts";
import { parseJson } from "../lib/json.ts";
import { extendNames, namesSchema, type RememberedName } from "../membership/names.ts";
import type { Told } from "./message.ts";

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

/**
 * The file with the names that a run has met, what it keeps, and what it told (`undefined`: as before); null when it
 * holds all that already.
 */
export function extendState(
  state: State,
  met: readonly RememberedName[],
  kept: KeptUpdate | null = null,
  told: Told | null | undefined = undefined,
): string | null {
  const names = extendNames(state.names, met);
  const before = parseKept(state.rest.delegations);
  const delegations = kept === null ? before.kept : updateKept(before.kept, kept);
  const isSame = before.damage === null && JSON.stringify(delegations) === JSON.stringify(before.kept);
  const extended = kept === null || isSame ? state.rest : { ...state.rest, delegations };
  const rest = told === undefined ? extended : remember(extended, told);
  const hasNewNames = !state.isStored || state.damage !== null || names.length !== state.names.length;
  if (!hasNewNames && rest === state.rest) return null;
  return `${JSON.stringify({ version: 1, names, ...rest }, null, 2)}\n`;
}

function remember({ told: _, ...rest }: State["rest"], told: Told | null): State["rest"] {
  return told === null ? rest : { ...rest, told };
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
