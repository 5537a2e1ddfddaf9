import type { Context } from "../cli/context.ts";
import type { OptionsOf } from "../cli/options.ts";
import type { Config } from "../config/settings.ts";
import { attempt } from "../delegation/backend.ts";
import { type ListedDelegation, pairOf } from "../delegation/expiring.ts";
import { observeLists } from "../delegation/observe.ts";
import { replaceFile } from "../disk/write-atomic.ts";
import { toDateString } from "../lib/date.ts";
import { suggestAddress } from "../lib/did-you-mean.ts";
import { createMatcher, foldAddress } from "../lib/email.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { quoteText } from "../lib/text.ts";
import { encodePersonId, identityOf, readReference } from "../lib/webex-id.ts";
import type {
  FoundGroup,
  Group,
  GroupListing,
  MembershipReader,
  Room,
  RoomMember,
} from "../membership/directory.ts";
import { checkLimits } from "../membership/limits.ts";
import { endMappings } from "../membership/mapping.ts";
import { observe, readRooms } from "../membership/observe.ts";
import { isAddress } from "../membership/person-rows.ts";
import { planChanges } from "../membership/plan.ts";
import { findRoom } from "../membership/resolve.ts";
import {
  type AskedPerson,
  explainRoom,
  explainUnmanaged,
  findOwnRows,
  findSince,
  type PersonInRoom,
  type Sight,
} from "../membership/why.ts";
import { createRenderer } from "../report/renderer.ts";
import { formatAnswer, type Right, renderAnswer, type WhyAnswer } from "../report/why.ts";
import { openBackend } from "../run/delegation-backend.ts";
import { proveFiles } from "../run/destinations.ts";
import { type Inputs, readInputs } from "../run/inputs.ts";
import { readMemory } from "../run/memory.ts";
import { openNewestFiles } from "../run/newest-files.ts";
import { readPastChanges } from "../run/past-changes.ts";
import { openSession, type Session } from "../run/session.ts";
import { maxConnections } from "../webex/client.ts";
import { createWebexReader } from "../webex/directory.ts";
import { listRoomMembers } from "../webex/memberships.ts";

/**
 * Says where a person is, because of which row, since when, and what holds them there; changes nothing but the token.
 * Returns the exit code. @throws when nobody bears the address, or `--space` leads to no space.
 */
export async function runWhy(options: OptionsOf<"why">, context: Context): Promise<number> {
  const { settings, paths, runner, print, paint } = context;
  const asked = readAsked(options.person);
  const files = await openNewestFiles(context);
  const inputs = await readInputs(paths, files.read);
  const config = settings.readConfig();
  await proveFiles([paths.json]);
  const session = await openSession(config, context);
  try {
    const found = await answer({ ...options, asked }, { inputs, config, session }, context);
    const told = { ...found, notices: [...files.describe(), ...found.notices] };
    const isLeaving = options.leaving === true;
    if (paths.json !== null) await replaceFile(paths.json, formatAnswer(told));
    await runner.writeSummary(createRenderer().renderWhy(told, isLeaving));
    print(renderAnswer(told, isLeaving, paint));
    return 0;
  } finally {
    session.close();
  }
}

type Asked = { readonly address: string } | { readonly id: string };

function readAsked(person: string): Asked {
  const text = person.trim();
  if (isAddress(text)) return { address: text };
  const reference = readReference(text);
  if (reference !== null && (reference.type === null || reference.type === "PEOPLE")) return { id: text };
  throw new Error(`--person ${quoteText(person)} is neither an e-mail address nor the id of a person`);
}

interface Opened {
  readonly inputs: Inputs;
  readonly config: Config;
  readonly session: Session;
}

async function answer(
  { asked, space }: { readonly asked: Asked; readonly space?: string },
  opened: Opened,
  context: Context,
): Promise<WhyAnswer> {
  const { inputs, config, session } = opened;
  const { policy, grants } = inputs;
  const { log, count } = context;
  const { mappings } = endMappings(inputs.mappings, toDateString(context.now()));
  const memory = await readMemory(config.reportTarget, context);
  const reader = createWebexReader(session.client);
  const [owner, rooms] = await Promise.all([reader.readOwner(), reader.listRooms()]);
  const only = space === undefined ? null : findRoom(space, rooms, { owner, memory: memory.names });
  if (only && "failure" in only) throw new Error(`--space: ${only.failure}`);
  const { key, person } = await findPerson(asked, reader, rooms.items);

  const { watched, sight } = watch(
    { ...reader, readOwner: async () => owner, listRooms: async () => rooms },
    key,
  );
  const [observation] = await observe(watched, [mappings], { log, count, memory: memory.names });
  const plan = planChanges(observation, policy);
  const checked = checkLimits(plan.rooms, policy);
  const mapped = new Set(checked.rooms.map(({ feed }) => feed.room.key));
  const isAsked = (room: Room) => only === null || room.key === only.found.key;
  const unmapped = rooms.items.filter((room) => !mapped.has(room.key) && isAsked(room));
  const listings = await findMemberships(session, unmapped, { key, person });
  const spaces = [
    ...checked.rooms
      .filter(({ feed }) => isAsked(feed.room))
      .map((room) => ({ key: room.feed.room.key, found: explainRoom(room, mappings, sight) })),
    ...listings.map(({ room, member }) => ({
      key: room.key,
      found: member && explainUnmanaged(room, member),
    })),
  ];
  const past = await readPastChanges(config.reportTarget, key, context);
  const rights = await findRights(person, opened, context);
  const isTheirs = createMatcher(person.emails);
  return {
    person,
    spaces: spaces.flatMap(({ key: room, found }): PersonInRoom[] =>
      found === null ? [] : [{ ...found, since: found.isMember ? findSince(past.changes, room) : null }],
    ),
    delegations: rights.found,
    protectedBy: policy.protect.people.filter(isTheirs).map((value) => ({ key: "protect.people", value })),
    only: only?.found.title ?? null,
    ownRows: findOwnRows(mappings, isTheirs),
    ownGrants: grants.filter(({ host, delegate }) => isTheirs(host) || isTheirs(delegate)),
    problems: plan.problems,
    notices: [
      ...memory.notices,
      ...(rooms.complete ? [] : [`not all spaces could be read: ${rooms.reason}`]),
      ...listings.flatMap(({ notice }) => notice ?? []),
      ...past.notices,
      ...rights.notices,
    ],
  };
}

interface Found {
  readonly key: string;
  readonly person: AskedPerson;
}

/** Finds whom an address or an id means. @throws when that is nobody, or several, or cannot be asked. */
async function findPerson(asked: Asked, reader: MembershipReader, rooms: readonly Room[]): Promise<Found> {
  if ("id" in asked) {
    const key = identityOf(asked.id, "PEOPLE");
    const { people, failure } = await reader.lookUpPeople([asked.id]);
    const person = people.get(key);
    if (person) return describePerson({ key, personId: encodePersonId(asked.id), ...person });
    throw new Error(
      failure === null
        ? `nobody has the id ${quoteText(asked.id)}`
        : `Webex could not be asked who ${quoteText(asked.id)} is: ${failure}`,
    );
  }
  const holders = await reader.findHolders(asked.address);
  if (!holders.complete)
    throw new Error(`Webex could not be asked who bears ${quoteText(asked.address)}: ${holders.reason}`);
  const people = [...new Map(holders.items.map((holder) => [holder.key, holder])).values()];
  const [only, ...others] = people;
  if (only && others.length === 0) return describePerson(only);
  if (only) {
    const ids = people.map(({ displayName, personId }) => `${displayName} (${personId})`).sort();
    throw new Error(
      `${people.length} people bear ${quoteText(asked.address)}; give the id of the one you mean: ${ids.join(", ")}`,
    );
  }
  return await findGuest(asked.address, reader, rooms);
}

/** People of other organisations are found among the members of the spaces only. */
async function findGuest(address: string, reader: MembershipReader, rooms: readonly Room[]): Promise<Found> {
  const members = new Map<string, RoomMember>();
  await readRooms(reader, rooms, {
    take(_, { items }) {
      for (const member of items) if (member.email !== null) members.set(foldAddress(member.email), member);
    },
  });
  const guest = members.get(foldAddress(address));
  if (guest) {
    const { key, personId, displayName, email } = guest;
    return describePerson({ key, personId, displayName, emails: email === null ? [] : [email] });
  }
  const hint = suggestAddress(foldAddress(address), [...members.keys()]);
  throw new Error(`nobody bears the address ${quoteText(address)}${hint}`);
}

function describePerson(
  found: Omit<AskedPerson, "displayName"> & { readonly key: string; readonly displayName: string },
): Found {
  const { key, personId, displayName, emails } = found;
  return { key, person: { personId, displayName: displayName || null, emails } };
}

/** A reader that notes where one person is seen: of everybody else nothing is kept. */
function watch(
  reader: MembershipReader,
  key: string,
): { readonly watched: MembershipReader; readonly sight: Sight } {
  const memberships = new Map<string, RoomMember>();
  const groups = new Set<string>();
  const note = (group: Group, listing: GroupListing | null) => {
    if (listing?.members.items.some((member) => member.key === key)) groups.add(group.key);
  };
  const noteFound = (found: FoundGroup | null) => {
    if (found) note(found.group, found.listing);
    return found;
  };
  const watched: MembershipReader = {
    ...reader,
    readGroup: async (id) => noteFound(await reader.readGroup(id)),
    findGroup: async (name) => noteFound(await reader.findGroup(name)),
    async listGroupMembers(group) {
      const listing = await reader.listGroupMembers(group);
      note(group, listing);
      return listing;
    },
    async listRoomMembers(room) {
      const listing = await reader.listRoomMembers(room);
      const member = listing.items.find((one) => one.key === key);
      if (member) memberships.set(room.key, member);
      return listing;
    },
  };
  return { watched, sight: { key, memberships, groups } };
}

interface InRoom {
  readonly room: Room;
  readonly member: RoomMember | null;
  /** Why it is not known whether they are in it. */
  readonly notice: string | null;
}

/** Asks each room for one person's membership alone: what else is in it does not matter. */
async function findMemberships(
  { client }: Session,
  rooms: readonly Room[],
  { key, person }: Found,
): Promise<readonly InRoom[]> {
  const semaphore = createSemaphore(maxConnections);
  const look = async (room: Room): Promise<InRoom> => {
    const listing = await listRoomMembers(client, room, identityOf, person.personId);
    const member = listing.items.find((one) => one.key === key) ?? null;
    const isUnknown = member === null && !listing.complete;
    const notice = isUnknown
      ? `who is in ${quoteText(room.title)} could not be read: ${listing.reason}`
      : null;
    return { room, member, notice };
  };
  return await Promise.all(rooms.map((room) => semaphore.run(() => look(room))));
}

interface Rights {
  readonly found: readonly Right[];
  readonly notices: readonly string[];
}

/** Who may schedule for the person, and for whom they may among the hosts of delegations.csv. Never throws. */
async function findRights(
  { emails }: AskedPerson,
  { inputs: { grants, policy }, config, session }: Opened,
  { runner }: Context,
): Promise<Rights> {
  const { siteUrl } = config;
  const unknown = (why: string): Rights => ({
    found: [],
    notices: [`who may schedule meetings for whom is not known: ${why}`],
  });
  if (siteUrl === null)
    return grants.length === 0 ? { found: [], notices: [] } : unknown("WEBEX_SITE_URL is not set");
  const opened = await attempt(async () => {
    const { reader } = await openBackend(
      policy.delegation.backend,
      { ...config, siteUrl },
      session,
      runner.mask,
    );
    await reader.proveAccess(false);
    return reader;
  });
  if ("error" in opened) return unknown(opened.error);
  const reader = opened.value;
  const isTheirs = createMatcher(emails);
  const own = emails.slice(0, 1);
  const hosts = [...own, ...new Set(grants.map(({ host }) => host).filter((host) => !isTheirs(host)))];
  const rows = new Map(grants.map((grant) => [pairOf(grant), grant]));
  const found: Right[] = [];
  const notices: string[] = [];
  for (const [host, answer] of await observeLists(reader, hosts)) {
    if ("error" in answer) {
      const user = await attempt(() => reader.findUser(foldAddress(host)));
      // Who is not on the site has no meetings there.
      if (!("value" in user) || user.value !== null)
        notices.push(`the delegates of ${host} could not be read: ${answer.error}`);
      continue;
    }
    const concerned = isTheirs(host) ? answer.value : answer.value.filter(isTheirs);
    found.push(...concerned.map((delegate) => describeRight(host, delegate, rows)));
  }
  return { found, notices };
}

function describeRight(host: string, delegate: string, rows: ReadonlyMap<string, ListedDelegation>): Right {
  const row = rows.get(pairOf({ host, delegate }));
  return { host, delegate, until: row?.until ?? null, line: row?.line ?? null };
}
