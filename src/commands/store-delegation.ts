import type { Surroundings } from "../config/actions.ts";
import type { Config } from "../config/settings.ts";
import { editGrants, type GrantEdit } from "../delegation/edit-grants.ts";
import type { DelegationRecord } from "../delegation/record.ts";
import { messageOf } from "../message-of.ts";
import type { DelegationInput } from "../report/delegation.ts";
import type { DelegationRenderer } from "../report/delegation-render.ts";
import { addressOf, type DraftFiles, nameRun, storeFiles } from "./store-files.ts";

/** A delegation run's page and record, and what it changes in delegations.csv. */
export interface DelegationOrder {
  readonly input: DelegationInput;
  readonly reportsDir: string;
  readonly grantsFile: string;
  readonly edit: GrantEdit;
}

/** Makes the files of one run for one commit, on top of delegations.csv as it is there at that moment. */
export function draftDelegation(
  { input, reportsDir, grantsFile, edit }: DelegationOrder,
  surroundings: Surroundings,
  renderer: DelegationRenderer,
): DraftFiles {
  const [page, record] = renderer.renderFiles(input, nameRun(input.record, surroundings), reportsDir);
  return async (read) => {
    // After an answer that got lost on the way, the branch may hold this very run already.
    if ((await read(record.path)) === record.text) return [];
    const isConcerned = edit.set.length + edit.takeOut.length > 0;
    const grants = isConcerned ? editGrants(await read(grantsFile), edit) : null;
    return [page, record, ...(grants === null ? [] : [{ path: grantsFile, text: grants }])];
  };
}

/** Stores the files of a delegation run. Never throws: the run must tell the rest all the same. */
export async function storeDelegation(
  order: DelegationOrder,
  place: Config["reportPlace"],
  surroundings: Surroundings,
  renderer: DelegationRenderer,
): Promise<{ readonly address: string | null; readonly error: string | null }> {
  const [page, record] = renderer.renderFiles(
    order.input,
    nameRun(order.input.record, surroundings),
    order.reportsDir,
  );
  try {
    const draft = draftDelegation(order, surroundings, renderer);
    await storeFiles(place, record.path, draft, describeCommit(order.input.record));
    return { address: addressOf(place, page.path), error: null };
  } catch (error) {
    return { address: null, error: messageOf(error) };
  }
}

function describeCommit({ mode, hosts }: DelegationRecord): string {
  return `Rollcall: delegate, ${mode} for ${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`;
}
