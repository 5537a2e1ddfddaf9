import type { Half } from "../http.ts";
import { type ApiRequest, Refusal, type Reply } from "../router.ts";
import type { Meetings, SiteUser } from "./meetings.ts";
import type { Tokens } from "./oauth.ts";
import type { Quirks } from "./quirks.ts";
import type { World } from "./world.ts";
import { findXml, MalformedXml, readXml, type XmlElement } from "./xml-document.ts";

const schema = "http://www.webex.com/schemas/2002/06/service";

const typePrefix = "java:com.webex.service.binding.user.";

const maxUsers = 500;

/** A FAILURE, which the API sends inside of HTTP 200. */
class XmlRefusal extends Error {
  constructor(
    readonly exceptionId: string,
    reason: string,
  ) {
    super(reason);
  }
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function reply(response: string, content = "", type = ""): Reply {
  const xsi = `xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`;
  const body = `<serv:body><serv:bodyContent xsi:type="use:${type}" ${xsi}>${content}</serv:bodyContent></serv:body>`;
  return {
    status: 200,
    headers: { "content-type": "text/xml;charset=UTF-8" },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<serv:message xmlns:serv="${schema}" xmlns:use="${schema}/user">` +
      `<serv:header><serv:response>${response}<serv:gsbStatus>PRIMARY</serv:gsbStatus></serv:response></serv:header>` +
      `${body}</serv:message>`,
  };
}

function succeed(operation: string, content: string): Reply {
  const type = `${operation.charAt(0).toLowerCase()}${operation.slice(1)}Response`;
  return reply("<serv:result>SUCCESS</serv:result>", content, type);
}

function fail({ exceptionId, message }: XmlRefusal): Reply {
  const result = `<serv:result>FAILURE</serv:result><serv:reason>${escapeXml(message)}</serv:reason>`;
  return reply(`${result}<serv:exceptionID>${exceptionId}</serv:exceptionID>`);
}

class Tickets {
  readonly issued: string[] = [];
  readonly #left = new Map<string, number>();

  constructor(readonly uses: number) {}

  issue(): string {
    const ticket = `4832534b000000050b9f1a7c_${this.issued.length + 1}`;
    this.issued.push(ticket);
    this.#left.set(ticket, this.uses);
    return ticket;
  }

  use(ticket: string): boolean {
    const left = this.#left.get(ticket) ?? 0;
    this.#left.set(ticket, left - 1);
    return left > 0;
  }
}

/** The XML API: user service only, strict about the form of what it is sent. */
export function createXmlService(
  world: World,
  meetings: Meetings,
  tokens: Tokens,
  quirks: Quirks,
): { readonly half: Half; readonly tickets: readonly string[] } {
  const tickets = new Tickets(quirks.ticketUses ?? Number.POSITIVE_INFINITY);
  const refusals = [...(quirks.xmlRefusals ?? [])];

  function describeUser({ person, delegates, isActive, mayHost }: SiteUser): string {
    const isOwner = person === world.owner;
    const list =
      delegates.length > 0
        ? `<use:schedulingPermission>${escapeXml(delegates.join(";"))}</use:schedulingPermission>`
        : "";
    return (
      `<use:webExId>${escapeXml(person.email)}</use:webExId>` +
      `<use:privilege><use:host>${mayHost}</use:host><use:siteAdmin>${isOwner && quirks.siteAdmin !== false}</use:siteAdmin>` +
      `<use:roSiteAdmin>${isOwner && quirks.readOnlySiteAdmin === true}</use:roSiteAdmin></use:privilege>${list}` +
      `<use:active>${isActive ? "ACTIVATED" : "DEACTIVATED"}</use:active>`
    );
  }

  function findUser(content: XmlElement): SiteUser {
    const user = meetings.find(findXml(content, "webExId")?.text ?? "");
    if (!user) throw new XmlRefusal("030001", "Corresponding User not found");
    return user;
  }

  function requireAdmin(): void {
    if (quirks.siteAdmin === false) {
      throw new XmlRefusal("000001", "Access denied, additional privileges are required");
    }
  }

  function setUser(content: XmlElement): string {
    requireAdmin();
    const user = findUser(content);
    const extra = content.children.find(({ name }) => name !== "webExId" && name !== "schedulingPermission");
    // The real one would take it, and change the account: https://developer.cisco.com/docs/webex-xml-api-reference-guide/setuser
    if (extra) throw new XmlRefusal("999999", `The sandbox takes no ${extra.name}`);
    const list = findXml(content, "schedulingPermission")?.text;
    if (list !== undefined && !quirks.delegatesWithoutEffect) {
      user.delegates = list.split(";").filter((delegate) => delegate !== "");
    }
    return "";
  }

  function listUsers(content: XmlElement): string {
    requireAdmin();
    const number = (name: string, otherwise: number) =>
      Number(findXml(content, "listControl", name)?.text ?? otherwise);
    const startFrom = number("startFrom", 1);
    const count = Math.min(number("maximumNum", 50), quirks.xmlPageCap ?? maxUsers);
    const { users } = meetings;
    const page = users.slice(startFrom - 1, startFrom - 1 + count);
    if (page.length === 0) throw new XmlRefusal("000015", "Sorry, no record found");
    const items = page.map(({ person, isActive }) => {
      const [first = "", ...last] = (person.displayName ?? "").split(" ");
      return (
        `<use:user><use:webExId>${escapeXml(person.email)}</use:webExId><use:firstName>${escapeXml(first)}</use:firstName>` +
        `<use:lastName>${escapeXml(last.join(" "))}</use:lastName><use:email>${escapeXml(person.email)}</use:email>` +
        `<use:active>${isActive ? "ACTIVATED" : "DEACTIVATED"}</use:active></use:user>`
      );
    });
    const records = `<serv:total>${users.length}</serv:total><serv:returned>${page.length}</serv:returned><serv:startFrom>${startFrom}</serv:startFrom>`;
    return `${items.join("")}<use:matchingRecords>${records}</use:matchingRecords>`;
  }

  function authenticate(content: XmlElement): string {
    const token = findXml(content, "accessToken")?.text ?? "";
    const bearer = `Bearer ${token}`;
    const isGood = tokens.accepts(bearer) && tokens.scopesOf(bearer).includes("spark:all");
    if (!isGood) throw new XmlRefusal("030002", "Wrong user or password");
    return `<use:sessionTicket>${tickets.issue()}</use:sessionTicket><use:timeToLive>5400</use:timeToLive>`;
  }

  function perform(operation: string, content: XmlElement): string {
    if (operation === "GetUser") return describeUser(findUser(content));
    if (operation === "SetUser") return setUser(content);
    if (operation === "LstsummaryUser") return listUsers(content);
    throw new XmlRefusal("000010", `The sandbox does not know ${operation}`);
  }

  async function answer(request: ApiRequest): Promise<Reply> {
    const message = await readXml(typeof request.body === "string" ? request.body : "");
    const content = findXml(message, "body", "bodyContent");
    const context = findXml(message, "header", "securityContext");
    const value = (name: string) => findXml(context, name)?.text ?? "";
    const operation = content?.type?.startsWith(typePrefix) ? content.type.slice(typePrefix.length) : "";
    if (!content) throw new XmlRefusal("000010", "There is no bodyContent");
    const next = refusals.findIndex((one) => one.operation === operation);
    const [planned] = next < 0 ? [] : refusals.splice(next, 1);
    if (planned) throw new XmlRefusal(planned.exceptionId, planned.reason ?? "As declared by the test");
    if (value("siteName") !== meetings.site.split(".")[0] || value("webExID") !== world.owner.email) {
      throw new XmlRefusal("030002", "Wrong user or password");
    }
    if (operation === "AuthenticateUser") return succeed(operation, authenticate(content));
    if (!tickets.use(value("sessionTicket"))) throw new XmlRefusal("030049", "Session ticket is expired");
    return succeed(operation, perform(operation, content));
  }

  const half: Half = {
    name: "xml",
    prefixes: ["/WBXService"],
    routes: {
      "POST /XMLService": async (request) => {
        try {
          return await answer(request);
        } catch (error) {
          if (error instanceof XmlRefusal) return fail(error);
          if (error instanceof MalformedXml)
            return fail(new XmlRefusal("000010", `Malformed: ${error.message}`));
          throw error;
        }
      },
    },
    readsTexts: true,
    // Cisco's own examples name no type.
    authorise: ({ headers: { "content-type": type } }) => {
      if (type && !/^(text|application)\/xml\b/.test(type)) throw new Refusal(415, "Unsupported Media Type");
    },
    headers: () => ({}),
    errorBody: ({ message }) => message,
  };
  return { half, tickets: tickets.issued };
}
