import type { Config } from "../config/settings.ts";
import type { DelegationReader, DelegationWriter } from "../delegation/backend.ts";
import type { BackendName } from "../delegation/record.ts";
import type { Runner } from "../github/runner.ts";
import { createRestReader, createRestWriter } from "../webex/delegation-rest.ts";
import { readOwner } from "../webex/people.ts";
import type { Session } from "./session.ts";

/** One interface of Webex, opened: its reader, and a way to get its writer for whoever is to change something. */
export interface OpenBackend {
  readonly reader: DelegationReader;
  createWriter(): DelegationWriter;
}

/** Opens the interface that was asked for. @throws when the token's owner cannot be read (XML only). */
export async function openBackend(
  name: BackendName,
  config: Config & { readonly siteUrl: string },
  session: Session,
  runner: Runner,
): Promise<OpenBackend> {
  const { client, scopes } = session;
  const { siteUrl } = config;
  if (name === "rest") {
    return {
      reader: createRestReader({ client, siteUrl, scopes }),
      createWriter: () => createRestWriter({ client, siteUrl }),
    };
  }
  const { email: webExId } = await readOwner(client);
  if (webExId === null) {
    throw new Error("Webex does not tell the e-mail address of the token's owner, which the XML API needs");
  }
  // Loaded only for this interface: the XML parser takes its time.
  const [{ createXmlClient }, { createXmlReader, createXmlWriter }] = await Promise.all([
    import("../webex/xml-client.ts"),
    import("../webex/delegation-xml.ts"),
  ]);
  const [siteName = ""] = siteUrl.split(".");
  const { accessToken, stop } = session;
  const xml = createXmlClient({
    url: config.xmlUrl,
    siteName,
    webExId,
    accessToken,
    mask: runner.mask,
    stop,
  });
  return {
    reader: createXmlReader(xml, webExId),
    createWriter: () => createXmlWriter(xml),
  };
}

/** The configuration of a run that has a site. @throws when WEBEX_SITE_URL is not set. */
export function requireSite(config: Config): Config & { readonly siteUrl: string } {
  const { siteUrl } = config;
  if (siteUrl === null) throw new Error("WEBEX_SITE_URL is missing (the Webex Meetings site)");
  return { ...config, siteUrl };
}
