import type { DelegateChange, DelegationReader, DelegationWriter, SiteUser } from "../delegation/backend.ts";
import type { Listing } from "../lib/listing.ts";
import { createSemaphore } from "../lib/semaphore.ts";
import { errorMessage } from "../lib/text.ts";
import { WebexError } from "./errors.ts";
import { childOf, childrenOf, element, textOf } from "./xml.ts";
import { type XmlClient, XmlFailure } from "./xml-client.ts";

/** The API's maximum. https://developer.cisco.com/docs/webex-xml-api-reference-guide/lstsummaryuser */
const usersPerPage = 500;

/** More than any site has, so reaching it means that paging goes round in circles. */
const maxPages = 2_000;

const unknownUserId = "030001";

const noRecordId = "000015";

/** Creates a reader of the hosts' `schedulingPermission`; `webExId` is that of the token's owner. */
export function createXmlReader(client: XmlClient, webExId: string): DelegationReader {
  return {
    async proveAccess() {
      const privilege = childOf(await getUser(client, webExId), "privilege");
      const isAdministrator =
        textOf(privilege, "siteAdmin") === "true" && textOf(privilege, "roSiteAdmin") !== "true";
      if (isAdministrator) return;
      throw new Error(
        `the token's owner ${webExId} is not an administrator of the site, and only an administrator may see and change other people's delegates; nothing was changed. Make them a site administrator in Control Hub, or log in as one (npm run login)`,
      );
    },
    listUsers: () => listUsers(client),
    async findUser(address) {
      try {
        return describeUser(await getUser(client, address), address);
      } catch (error) {
        if (error instanceof XmlFailure && error.exceptionId === unknownUserId) return null;
        throw error;
      }
    },
    readDelegates: (host) => readDelegates(client, host),
  };
}

/**
 * Creates a writer of a host's whole list, because SetUser can do no less. It merges right after reading, so that it
 * overwrites little of what others do. https://developer.cisco.com/docs/webex-xml-api-reference-guide/setuser
 */
export function createXmlWriter(
  client: XmlClient,
  merge: (change: DelegateChange, latest: readonly string[]) => DelegateChange,
): DelegationWriter {
  // One host at a time keeps the time between reading and writing a list short.
  const semaphore = createSemaphore(1);
  const readLatest = (host: string) =>
    readDelegates(client, host).catch((error: unknown) => {
      const why = errorMessage(error);
      throw new Error(`nothing was written, because the list could not be read right before: ${why}`);
    });
  return {
    readsFirst: true,
    changeDelegates: (change, accepted) =>
      semaphore.run(async () => {
        const merged = merge(change, await readLatest(change.host));
        if (merged.add.length + merged.remove.length === 0) return merged;
        const list = element("schedulingPermission", merged.after.join(";"));
        await client.send({ operation: "SetUser", content: [element("webExId", change.host), list] });
        accepted(merged);
        return merged;
      }),
  };
}

async function readDelegates(client: XmlClient, host: string): Promise<readonly string[]> {
  // An absent list means no delegates, but only in a reply that is known to be about this host.
  const list = textOf(await getUser(client, host), "schedulingPermission") ?? "";
  return list
    .split(";")
    .map((delegate) => delegate.trim())
    .filter((delegate) => delegate !== "");
}

/** @throws {WebexError} unless the reply is about the requested user. */
async function getUser(client: XmlClient, webExId: string): Promise<unknown> {
  const user = await client.send({ operation: "GetUser", content: [element("webExId", webExId)] });
  const answered = textOf(user, "webExId");
  if (answered?.toLowerCase() === webExId.toLowerCase()) return user;
  throw describeOddity("GetUser", answered === null ? "it names no user" : "it is about another user");
}

/** https://developer.cisco.com/docs/webex-xml-api-reference-guide/lstsummaryuser */
async function listUsers(client: XmlClient): Promise<Listing<SiteUser>> {
  const users = new Map<string, SiteUser>();
  const incomplete = (reason: string): Listing<SiteUser> => ({
    complete: false,
    items: [...users.values()],
    reason,
  });
  let startFrom = 1;
  for (let page = 1; page <= maxPages; page += 1) {
    try {
      const body = await client.send({ operation: "LstsummaryUser", content: askForPage(startFrom) });
      const found = childrenOf(body, "user");
      for (const one of found) {
        const webExId = textOf(one, "webExId");
        if (webExId) users.set(webExId.toLowerCase(), describeUser(one, textOf(one, "email") ?? webExId));
      }
      const total = Number(textOf(body, "matchingRecords", "total") ?? Number.NaN);
      if (!Number.isInteger(total)) return incomplete("Webex did not say how many users the site has");
      startFrom += found.length;
      if (startFrom > total) return { complete: true, items: [...users.values()] };
      if (found.length === 0) return incomplete(`only ${startFrom - 1} of ${total} users arrived`);
    } catch (error) {
      if (error instanceof XmlFailure && error.exceptionId === noRecordId && startFrom === 1)
        return { complete: true, items: [] };
      if (error instanceof WebexError) return incomplete(error.message);
      throw error;
    }
  }
  return incomplete(`it has more than ${maxPages} pages`);
}

function askForPage(startFrom: number) {
  return [
    element(
      "listControl",
      element("serv:startFrom", String(startFrom)),
      element("serv:maximumNum", String(usersPerPage)),
    ),
    element("order", element("orderBy", "UID"), element("orderAD", "ASC")),
  ];
}

/** LstsummaryUser does not say whether a user may host; that is unknown, not false. */
function describeUser(user: unknown, address: string): SiteUser {
  const host = textOf(user, "privilege", "host");
  const names = [textOf(user, "firstName"), textOf(user, "lastName")].filter(Boolean);
  return {
    address: address.toLowerCase(),
    displayName: names.join(" "),
    isActive: textOf(user, "active") === "ACTIVATED",
    canHost: host === null ? null : host === "true",
  };
}

function describeOddity(operation: string, oddity: string): WebexError {
  const detail = `the reply is not as documented: ${oddity}`;
  return new WebexError({ method: "POST", path: `XML ${operation}`, status: 200, detail, trackingId: null });
}
