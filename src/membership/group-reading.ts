import type { Group, GroupMember, Listing } from "./directory.ts";

/** The members of one group, by key, and whether they are surely all. */
export type GroupReading = { readonly group: Group; readonly members: ReadonlyMap<string, GroupMember> } & (
  | { readonly complete: true }
  | { readonly complete: false; readonly reason: string }
);

/**
 * A group's list counts as complete only when every page arrived, every member is a user, and there are exactly as
 * many distinct members as Webex says. Small pages have been seen to leave members out, and a nested group would
 * hide its people.
 */
export function judgeGroup(
  group: Group,
  memberSize: number | null,
  listing: Listing<GroupMember>,
): GroupReading {
  const users = listing.items.filter((member) => member.type === "user");
  const members = new Map(users.map((member) => [member.key, member]));
  const others = listing.items.find((member) => member.type !== "user");
  const reason = !listing.complete
    ? listing.reason
    : others?.type === "group"
      ? `it holds the group "${others.displayName}", and nested groups are not expanded`
      : others
        ? `it holds a member of type "${others.type}" ("${others.displayName}")`
        : memberSize === null
          ? "Webex does not say how many members it has"
          : members.size !== memberSize
            ? `${members.size} of ${memberSize} members arrived`
            : null;
  return reason === null ? { group, members, complete: true } : { group, members, complete: false, reason };
}
