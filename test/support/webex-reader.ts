import type { Listing } from "../../src/lib/listing.ts";
import type { GroupReading } from "../../src/membership/diff.ts";
import type {
  AddressHolder,
  FoundGroup,
  Group,
  KnownPerson,
  MembershipReader,
  Room,
  RoomMember,
} from "../../src/membership/directory.ts";
import { complete, incomplete, owner, room } from "./builders.ts";

/** A made-up Webex; what is left out is empty. */
export interface ReadableWorld {
  readonly groups?: readonly GroupReading[];
  /** By title. */
  readonly rooms?: Readonly<Record<string, Listing<RoomMember>>>;
  /** Whom a look-up describes, by name. */
  readonly people?: Readonly<Record<string, KnownPerson>>;
  /** What Webex says a group's size is, where it is not the number of its members. */
  readonly sizes?: Readonly<Record<string, number | null>>;
  /** Whom an address leads to. */
  readonly holders?: Readonly<Record<string, Listing<AddressHolder>>>;
  /** What answers when it is asked for by itself: by its id, or a group by its name. */
  readonly single?: {
    readonly rooms?: Readonly<Record<string, Room>>;
    readonly groups?: Readonly<Record<string, FoundGroup>>;
    /** The listing of groups, where it is short enough. */
    readonly few?: Listing<Group>;
  };
}

/** A reader of a made-up Webex; `asked` is for which members and people it was asked, `sought` for which places. */
export function createReader(world: ReadableWorld) {
  const { groups = [], rooms = {}, people = {}, sizes = {}, holders = {}, single = {} } = world;
  const asked: string[] = [];
  const sought: string[] = [];
  const reader: MembershipReader = {
    readOwner: async () => owner,
    async listGroups() {
      sought.push("all groups");
      return complete(...groups.map((reading) => reading.group));
    },
    async listRooms() {
      sought.push("all rooms");
      return complete(...Object.keys(rooms).map((title) => room(title)));
    },
    async readRoom(id) {
      sought.push(`room ${id}`);
      return single.rooms?.[id] ?? null;
    },
    async readGroup(id) {
      sought.push(`group ${id}`);
      return single.groups?.[id] ?? null;
    },
    async findGroup(name) {
      sought.push(`group named ${name}`);
      return single.groups?.[name] ?? null;
    },
    async listFewGroups(maxPages) {
      sought.push(`groups on ${maxPages} pages`);
      return single.few ?? null;
    },
    async listGroupMembers({ displayName }) {
      asked.push(`group ${displayName}`);
      const members = groups.find((reading) => reading.group.displayName === displayName)?.members;
      const items = [...(members?.values() ?? [])];
      const size = sizes[displayName];
      const memberSize = size === undefined ? items.length : size;
      const heads = [{ key: null, displayName, memberSize, lastModified: null }];
      return { heads, members: complete(...items) };
    },
    async listRoomMembers({ title }) {
      asked.push(`room ${title}`);
      return rooms[title] ?? incomplete("no such room");
    },
    async findHolders(address) {
      asked.push(`address ${address}`);
      return holders[address] ?? complete();
    },
    async lookUpPeople(personIds) {
      if (personIds.length > 0) asked.push(`people ${personIds.join(" ")}`);
      const known = personIds.flatMap((id) => {
        const name = id.replace(/^id-/, "");
        const found = people[name];
        return found ? [[`PEOPLE/${name}`, found] as const] : [];
      });
      return { people: new Map(known), failure: null };
    },
  };
  return { reader, asked, sought };
}
