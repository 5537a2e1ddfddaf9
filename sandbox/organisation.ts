import { readFile } from "node:fs/promises";

/** A person; `type` and `organisation` are given for bots, guests, devices and people of another organisation. */
export interface OrganisationPerson {
  readonly key: string;
  /** Null for somebody without a name, as Webex has some. */
  readonly displayName: string | null;
  readonly email: string;
  /** Addresses besides the first: `/people` tells and finds all of them, memberships only the first. */
  readonly moreEmails?: readonly string[];
  /** `place` and `device` are listed in groups as `machine`; unknown texts stand for future types. Default: person. */
  readonly type?: string;
  /** The name of another organisation: the person is external. */
  readonly organisation?: string;
  /** False for a deactivated account; told to administrators only. Default: what the site says, else true. */
  readonly loginEnabled?: boolean;
  /** True for somebody who has not accepted the invitation yet; told to administrators only. Default: false. */
  readonly invitePending?: boolean;
}

/** A group of people; `nestedGroups` appear among its members as entries of type `group`. */
export interface OrganisationGroup {
  readonly name: string;
  readonly members: readonly string[];
  readonly nestedGroups?: readonly string[];
}

/** A room; the token's owner is in it (and moderates it when it is locked) unless the room says otherwise. */
export interface OrganisationRoom {
  readonly title: string;
  readonly members: readonly string[];
  readonly moderators?: readonly string[];
  readonly isLocked?: boolean;
  readonly isPublic?: boolean;
  readonly type?: "group" | "direct";
  readonly team?: string;
  /** The team's General space: it has the team's uuid, and its members and moderators are the team's. */
  readonly general?: boolean;
  /** The name of another organisation that owns the room. */
  readonly organisation?: string;
  readonly ownerAbsent?: boolean;
  /** The cluster in the room's id, such as `urn:TEAM:us-west-2_r`. */
  readonly cluster?: string;
}

/** A team; the token's owner is in it, as a moderator unless `moderators` is given. */
export interface OrganisationTeam {
  readonly name: string;
  readonly members: readonly string[];
  readonly moderators?: readonly string[];
  readonly ownerAbsent?: boolean;
}

/** The people, groups, rooms and teams a sandbox starts with, as JSON: members are named by a person's key. */
export interface Organisation {
  readonly about?: string;
  readonly name: string;
  readonly people: readonly OrganisationPerson[];
  readonly groups: readonly OrganisationGroup[];
  readonly rooms: readonly OrganisationRoom[];
  readonly teams?: readonly OrganisationTeam[];
  /** The key of the token's owner; without it a person with the key `rollcall` is added. */
  readonly owner?: string;
  /** The Webex Meetings site; without it `/people` tells nobody about sites. */
  readonly meetings?: OrganisationMeetings;
}

/** Reads an organisation from a JSON file; a member nobody declared is found when a sandbox starts with it. */
export async function loadOrganisation(file: string | URL): Promise<Organisation> {
  return JSON.parse(await readFile(file, "utf8")) as Organisation;
}

/** A Webex Meetings site with its users; without a list everybody of the organisation is on it, as a host. */
export interface OrganisationMeetings {
  /** Without a scheme. Default: `<organisation>.webex.com`. */
  readonly site?: string;
  readonly users?: readonly OrganisationSiteUser[];
}

/** A user of the site; `delegates` are addresses as Webex spells them. */
export interface OrganisationSiteUser {
  readonly person: string;
  readonly delegates?: readonly string[];
  /** Default: true. */
  readonly isActive?: boolean;
  /** Default: true; a user who may not host is on the site as an attendee. */
  readonly mayHost?: boolean;
}
