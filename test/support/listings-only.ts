import type { SingleReader } from "../../src/membership/directory.ts";

/** Of a made-up Webex that answers with whole listings alone. */
export const listingsOnly: SingleReader = {
  readRoom: async () => null,
  readGroup: async () => null,
  findGroup: async () => null,
  listFewGroups: async () => null,
};
