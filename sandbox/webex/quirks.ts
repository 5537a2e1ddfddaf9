/** The ways in which Webex is known to be awkward, one switch each; all are off unless a default is named. */
export interface Quirks {
  /** What a refresh does to the refresh token. Default: `rotates`, the old one is dead. */
  readonly refreshToken?: "rotates" | "stays" | "omitted";
  /** Seconds a refresh token lives. Default: 7775999, 90 days. */
  readonly refreshTokenExpiresIn?: number;
  /** Seconds an access token lives. Default: 1209599, 14 days. */
  readonly accessTokenExpiresIn?: number;

  /** The scopes that the integration is registered with, and the first token has. Default: all that Rollcall uses. */
  readonly scope?: string;
  /** What a login is granted, whatever it asked for. */
  readonly grantedScope?: string;

  /** The most items of one page; a larger `max` or `count` is lowered silently. */
  readonly pageCaps?: Partial<Record<Listing, number>>;
  /** The next link holds `before` without a value. */
  readonly bareBefore?: boolean;
  /** The next link has lost all parameters but `max` and the cursor. */
  readonly lostFilters?: boolean;
  /** Empty pages that have a next link: one between two pages, or endlessly many after the last. */
  readonly emptyPages?: "between" | "after";
  /** The next link is the page's own address. */
  readonly loopingNext?: boolean;
  /** The next link names another origin (`localhost` instead of `127.0.0.1`: this server, so that it sees who follows). */
  readonly foreignNext?: boolean;
  /** Each page but the first begins with the last item of the page before. */
  readonly duplicatesAcrossPages?: boolean;

  /** `totalResults` of `/groups` counts one page only. */
  readonly groupTotalIsPageCount?: boolean;
  /** A group's members end after so many, while `memberSize` counts them all. */
  readonly groupMembersCut?: number;
  /** Keys of people whom no group shows among its members, while `memberSize` counts them. */
  readonly groupMembersMissing?: readonly string[];
  /** A page smaller than the group leaves out its first member (SPARK-322483: small pages hold other members). */
  readonly groupMembersByPageSize?: boolean;
  /** `/groups` and their members have `Link` headers as well. */
  readonly groupLinks?: boolean;
  /** An empty group has no `members` field. Default: true. */
  readonly membersOmittedWhenEmpty?: boolean;

  /** Titles of rooms that `/rooms` lists but whose memberships answer 404. */
  readonly listedRoomIs404?: readonly string[];
  /** Keys of people whose addition is answered 200 but doesn't happen. */
  readonly addsWithoutEffect?: readonly string[];
  /** A new member shows only after so many readings of the room's members. */
  readonly addVisibleAfterReads?: number;
  /** Keys of people whom `/people` doesn't find, by whatever it is asked. */
  readonly unseenPeople?: readonly string[];

  /** What meeting preferences do with `userEmail`. Default: `honoured` with the administrator's scopes, else `ignored`. */
  readonly userEmail?: "honoured" | "ignored" | "refused";
  /** The insertion of delegates answers what it was sent, not the resulting list. */
  readonly insertEchoes?: boolean;
  /** Changes of delegates are accepted but don't happen, through either API. */
  readonly delegatesWithoutEffect?: boolean;
  /** Whether the token's owner is administrator of the site. Default: true. */
  readonly siteAdmin?: boolean;
  /** The token's owner may only look at the site's settings. */
  readonly readOnlySiteAdmin?: boolean;
  /** Requests after which a session ticket of the XML API is dead. */
  readonly ticketUses?: number;
  /** The most users of one page of the XML API. Default: 500. */
  readonly xmlPageCap?: number;
  /** FAILUREs of the XML API, each met by one request for that operation, in order. */
  readonly xmlRefusals?: readonly {
    readonly operation: string;
    readonly exceptionId: string;
    readonly reason?: string;
  }[];
}

export type Listing =
  | "rooms"
  | "memberships"
  | "groups"
  | "groupMembers"
  | "people"
  | "teams"
  | "teamMemberships";

// https://developer.webex.com/docs/api: documented or observed where known, the same elsewhere.
const defaultCaps: Readonly<Record<Listing, number>> = {
  rooms: 1000,
  memberships: 1000,
  groups: 100,
  groupMembers: 500,
  people: 1000,
  teams: 1000,
  teamMemberships: 1000,
};

/** The most items a page of that listing holds. */
export function pageCap(quirks: Quirks, listing: Listing): number {
  return quirks.pageCaps?.[listing] ?? defaultCaps[listing];
}
