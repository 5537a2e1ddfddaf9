import type { Mode } from "./mapping.ts";

/** How a run ended, worst first where several apply: failed, partial, held, changed, converged. */
export type RunStatus = "converged" | "changed" | "held" | "partial" | "failed";

/** Why a removal waits for approval; where several apply, the first in this order is named. */
export type HeldReason =
  | "team-general-space"
  | "empty-group"
  | "empties-room"
  | "removals-per-room"
  | "removals-per-run";

/** Why somebody who is in no feeding group stays in the room. */
export type KeptReason =
  | "self"
  | "last-moderator"
  | "moderator"
  | "bot"
  | "external"
  | "listed"
  | "add-only"
  | "audit";

/** Something a person has to put right; `line` and `column` point into rooms.csv where they are known. */
export interface Problem {
  readonly line: number | null;
  readonly column: string | null;
  readonly message: string;
}

/** A person as Webex described them at the time of the run; all texts are data from outside. */
export interface RecordedPerson {
  readonly personId: string;
  readonly displayName: string;
  /** Null when Webex has not told the address: a group's member list does not hold it. */
  readonly email: string | null;
}

/** One failed change, with Webex's tracking id where it gave one. */
export interface FailedChange extends RecordedPerson {
  readonly action: "add" | "remove";
  readonly error: string;
  readonly trackingId: string | null;
}

/** What one run saw and did in one room. */
export interface RoomRecord {
  readonly roomId: string;
  readonly title: string;
  readonly groups: readonly string[];
  readonly mode: Mode;
  /** The lines of rooms.csv that feed this room. */
  readonly lines: readonly number[];
  /** Members before and after the run; null when the room's member list could not be read. */
  readonly before: number | null;
  readonly after: number | null;
  readonly added: readonly RecordedPerson[];
  readonly removed: readonly (RecordedPerson & { readonly wasModerator: boolean })[];
  readonly held: readonly (RecordedPerson & { readonly reason: HeldReason })[];
  readonly failed: readonly FailedChange[];
  readonly kept: readonly (RecordedPerson & { readonly reason: KeptReason })[];
  /** In `audit` rooms: people of the groups who are not in the room. */
  readonly missing: readonly RecordedPerson[];
  /** Present only when the room, or its removals, were left alone: why. `problems` tells what to do. */
  readonly frozen?: string;
}

/** What the run did with the credential; never the credential itself. */
export interface TokenRecord {
  readonly refreshed: boolean;
  readonly rotated: boolean;
  /** When the stored refresh token expires, as the server stated it (UTC, ISO 8601); null when it did not. */
  readonly refreshTokenExpiresAt: string | null;
}

/** The record of one run: what `--json` writes, what the report is rendered from, what `restore` undoes. */
export interface RunRecord {
  readonly version: 1;
  readonly command: "sync" | "plan" | "restore";
  /** Present only where a run was undone, or that was planned: the file of its record. */
  readonly undoes?: string;
  readonly status: RunStatus;
  /** UTC, ISO 8601, whole seconds. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Names all removals that are held, for `--approve`; null when none is. */
  readonly digest: string | null;
  readonly totals: {
    readonly rooms: number;
    readonly added: number;
    readonly removed: number;
    readonly held: number;
    readonly failed: number;
    readonly kept: number;
  };
  readonly rooms: readonly RoomRecord[];
  readonly problems: readonly Problem[];
  /** Things worth knowing that need no repair, e.g. that an approval named another digest. */
  readonly notices: readonly string[];
  readonly token: TokenRecord | null;
}
