import { WebexError } from "./errors.ts";

/** What an exception id of the XML API means to whoever runs Rollcall, where it is known. */
const meanings: Readonly<Record<string, string>> = {
  "000001": "access denied: the token's owner must be administrator of the site",
  "000015": "no such record",
  "000035": "the service behind the XML API does not respond; run again later",
  "000045": "the rate limit is reached; run again later",
  "030001": "the site has no such user",
  "030002":
    "wrong user or credential: the token needs the scope spark:all, and its owner an account on the site",
  "060019": "the host is unknown",
  "060021": "the token's owner may not schedule for this host",
};

/** The XML API answered FAILURE, which it does inside of HTTP 200. */
export class XmlFailure extends WebexError {
  /** Decides what the failure means; the reason is for people and may change. */
  readonly exceptionId: string;

  constructor(operation: string, exceptionId: string, reason: string) {
    const meaning = meanings[exceptionId];
    const detail = `FAILURE ${exceptionId}: ${reason}${meaning ? ` (${meaning})` : ""}`;
    super({ method: "POST", path: `XML ${operation}`, status: 200, detail, trackingId: null });
    this.exceptionId = exceptionId;
  }

  /**
   * Whether the session ticket may have died: nobody documents that failure's id, so any id without a known meaning
   * may be it, and wrong credentials too.
   */
  get mayBeDeadTicket(): boolean {
    return this.exceptionId === "030002" || !Object.hasOwn(meanings, this.exceptionId);
  }
}
