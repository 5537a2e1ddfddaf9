import type { MembershipWriter } from "../membership/apply.ts";
import type { WebexClient } from "./client.ts";
import { addMember, removeMember } from "./memberships.ts";

/** The writer that changes memberships. `plan` and `--dry-run` are never given one. */
export function createWebexWriter(client: WebexClient): MembershipWriter {
  return {
    addMember: (room, person) => addMember(client, room, person),
    removeMember: (room, member) => removeMember(client, room, member),
  };
}
