import type { ListedDelegation } from "../delegation/expiring.ts";
import { createMatcher, foldAddress } from "../lib/email.ts";
import { compareStrings } from "../lib/text.ts";
import {
  codeSpan,
  escapeMarkdown,
  joinMarkdown,
  linkTo,
  type Markdown,
  md,
  messageLength,
} from "./markdown.ts";
import { sortBy, takeRows } from "./rows.ts";

/** What a run knows of the hosts that delegations.csv names. */
export interface Scheduling {
  readonly hosts: readonly {
    readonly host: string;
    /** Null when the list could not be read: unknown is never empty. */
    readonly delegates: readonly string[] | null;
    /** The delegates whose revocation waits for approval. */
    readonly held: readonly string[];
    /** Why the host is not as the file says; null when it is. */
    readonly error: string | null;
  }[];
  /** The rows of delegations.csv. */
  readonly grants: readonly ListedDelegation[];
}

/** Builds the page of who may schedule for whom. It names no time and no line: only other delegates are news. */
export function viewScheduling({ hosts, grants }: Scheduling, fileAddress: string | null, maxRows: number) {
  return {
    file: fileAddress === null ? md`delegations.csv` : linkTo(md`delegations.csv`, fileAddress),
    hosts: takeRows(
      sortBy(hosts, ({ host }) => [foldAddress(host)]),
      maxRows,
      ({ host, delegates, held, error }) => {
        const rows = grants.filter((grant) => foldAddress(grant.host) === foldAddress(host));
        const isHeld = createMatcher(held);
        return {
          host: codeSpan(host),
          error: error === null ? null : escapeMarkdown(error, messageLength),
          note: delegates === null ? md`not known` : delegates.length === 0 ? md`nobody` : null,
          delegates: [...(delegates ?? [])]
            .sort((a, b) => compareStrings(foldAddress(a), foldAddress(b)))
            .map((delegate) => describeDelegate(delegate, rows, isHeld)),
        };
      },
    ),
  };
}

function describeDelegate(
  delegate: string,
  rows: readonly ListedDelegation[],
  isHeld: (address: string) => boolean,
): Markdown {
  const isSame = createMatcher([delegate]);
  const row = rows.find((one) => isSame(one.delegate));
  const facts = [
    codeSpan(delegate),
    ...(row === undefined
      ? isHeld(delegate)
        ? []
        : [md`not in delegations.csv, so Rollcall leaves it alone`]
      : [row.until === null ? md`without end` : md`until ${escapeMarkdown(row.until)}`]),
    ...(isHeld(delegate) ? [md`✋ revocation waits for approval`] : []),
  ];
  return joinMarkdown(facts, " · ");
}
