import { suggestAddress } from "../lib/did-you-mean.ts";
import { addressForm, foldAddress } from "../lib/email.ts";
import type { Listing } from "../lib/listing.ts";
import type { Problem } from "../lib/problem.ts";
import { quoteText } from "../lib/text.ts";
import type { AddressHolder, GroupMember, Owner, RoomMember } from "./directory.ts";
import { isRow, type Mapping } from "./mapping.ts";

/** A row whose `group` cell is an address: that one person belongs in the room. */
export interface PersonRow {
  readonly line: number;
  /** As the cell has it. */
  readonly address: string;
  readonly finding: AddressFinding;
  /** Null as long as nobody was found: a person of another organisation is found among the room's members only. */
  readonly person: GroupMember | null;
  /** A group has the address for its name, so the row is clear only when nobody bears it. */
  readonly isGroupName: boolean;
}

/** Whom the directory finds by an address. */
export type AddressFinding =
  | { readonly kind: "person"; readonly person: GroupMember }
  /** Nobody of the own organisation; `keys` are those of others whom the directory knows nevertheless. */
  | { readonly kind: "elsewhere"; readonly keys: readonly string[] }
  /** Nobody may be taken for the person; `keys` are those who might be, null when that may be anybody. */
  | { readonly kind: "unclear"; readonly reason: string; readonly keys: readonly string[] | null };

/** What the directory says of addresses, by their folded form. */
export type AddressBook = ReadonlyMap<string, AddressFinding>;

/** The addresses in the `group` cells of rows that bring people, folded. */
export function listRowAddresses(mappings: readonly Mapping[]): readonly string[] {
  const rows = mappings.filter((mapping) => isRow(mapping) && mapping.kind !== "ended");
  return [...new Set(rows.flatMap(({ group }) => (isAddress(group) ? [foldAddress(group)] : [])))];
}

/** True for a cell that may be somebody's address. */
export function isAddress(cell: string): boolean {
  return addressForm.test(cell);
}

/** Decides whom an address leads to. Pure. */
export function judgeHolders(holders: Listing<AddressHolder>, { orgKey }: Owner): AddressFinding {
  if (!holders.complete) {
    return { kind: "unclear", reason: `could not be looked up: ${holders.reason}`, keys: null };
  }
  const people = [...new Map(holders.items.map((holder) => [holder.key, holder])).values()];
  const own = people.filter((holder) => [holder.orgKey, null].includes(orgKey) || holder.orgKey === null);
  const keys = people.map(({ key }) => key);
  const [only, ...others] = own;
  if (only === undefined) return { kind: "elsewhere", keys };
  const unclear = (reason: string): AddressFinding => ({ kind: "unclear", reason, keys });
  if (others.length > 0) {
    const names = own.map(({ displayName, emails }) => `${displayName} (${emails.join(", ")})`).sort();
    return unclear(`is the address of ${own.length} people: ${names.join("; ")}`);
  }
  if (only.kind !== "person" && only.kind !== null) {
    const what = only.kind === "other" ? "something else" : `a ${only.kind}`;
    return unclear(`is the address of ${what}, not of a person`);
  }
  if (only.mayLogIn === false) return unclear("is the address of a deactivated account");
  const { key, personId, displayName } = only;
  return { kind: "person", person: { key, personId, displayName, type: "user" } };
}

/** What stands in the way of one row; `reason` goes on behind its address. */
export interface RowFault {
  readonly row: PersonRow;
  readonly reason: string;
}

/** Finds the people of a room's rows, those of other organisations among its members. Pure. */
export function findPeople(
  rows: readonly PersonRow[],
  members: readonly RoomMember[],
): { readonly rows: readonly PersonRow[]; readonly faults: readonly RowFault[] } {
  const found = rows.map((row) => findPerson(row, members));
  return {
    rows: found.map(({ row }) => row),
    faults: found.flatMap(({ row, fault }) => (fault === null ? [] : [{ row, reason: fault }])),
  };
}

function findPerson(
  row: PersonRow,
  members: readonly RoomMember[],
): { readonly row: PersonRow; readonly fault: string | null } {
  const { finding, isGroupName } = row;
  const meant = finding.kind === "elsewhere" ? members.filter((member) => mayMean(row, member)) : [];
  const [guest, ...others] = meant;
  const isSomebody = finding.kind !== "elsewhere" || guest !== undefined;
  if (isGroupName && isSomebody) {
    const isKnown = finding.kind !== "unclear" || finding.keys !== null;
    const why = finding.kind === "unclear" ? ` (it ${finding.reason})` : "";
    const fault = `is a group's name, and ${isKnown ? "somebody's address" : "may be somebody's address"}, too${why}; write the group's id, or another address of the person`;
    return { row, fault };
  }
  if (isGroupName) return { row, fault: null };
  if (finding.kind === "unclear") return { row, fault: finding.reason };
  if (finding.kind === "person") return { row: { ...row, person: finding.person }, fault: null };
  if (guest === undefined) {
    return { row, fault: "is the address of nobody in the organisation, and of no member of the space" };
  }
  if (others.length > 0) return { row, fault: `is the address of ${meant.length} members of the space` };
  const { key, personId, displayName } = guest;
  return { row: { ...row, person: { key, personId, displayName, type: "user" } }, fault: null };
}

/** True for a member who may be the person of a row: nobody else may be removed instead of them. */
export function mayMean({ address, finding }: PersonRow, { key, email }: RoomMember): boolean {
  if (finding.kind === "person") return finding.person.key === key;
  const isNamed = email !== null && foldAddress(email) === foldAddress(address);
  return isNamed || (finding.keys?.includes(key) ?? false);
}

/** The problem of a row, with the addresses nearest to it. Pure. */
export function explainRow({ row, reason }: RowFault, addresses: readonly string[]): Problem {
  const { line, address, isGroupName } = row;
  const others = [...new Set(addresses.map(foldAddress))].filter((other) => other !== foldAddress(address));
  const hint = isGroupName ? "" : suggestAddress(foldAddress(address), others);
  return { line, column: "group", message: `${quoteText(address)} ${reason}${hint}` };
}
