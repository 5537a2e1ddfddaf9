import type { SiteConfig } from "../config/settings.ts";
import { type DelegationReader, type DelegationWriter, rememberAnswers } from "../delegation/backend.ts";
import { mergeChange } from "../delegation/plan.ts";
import type { BackendName } from "../delegation/record.ts";
import { createRestReader, createRestWriter } from "../webex/delegation-rest.ts";
import { readOwner } from "../webex/people.ts";
import type { Session } from "./session.ts";

/** One interface of Webex, opened: its reader, and a way to get its writer where something is to be changed. */
export interface OpenBackend {
  readonly reader: DelegationReader;
  createWriter(): DelegationWriter;
}

/** Opens the interface that was asked for. @throws when the token's owner cannot be read (XML only). */
export async function openBackend(
  name: BackendName,
  { siteUrl, xmlUrl }: SiteConfig,
  session: Session,
  mask: (secret: string) => void,
): Promise<OpenBackend> {
  const { client, scopes } = session;
  if (name === "rest") {
    return {
      reader: createRestReader({ client, siteUrl, scopes }),
      createWriter: () => createRestWriter({ client, siteUrl }),
    };
  }
  const { email: webExId } = await readOwner(client);
  if (webExId === null) {
    throw new Error("Webex does not say the e-mail address of the token's owner, which the XML API needs");
  }
  // Loaded only for this interface: the XML parser takes its time.
  const [{ createXmlClient }, { createXmlReader, createXmlWriter }] = await Promise.all([
    import("../webex/xml-client.ts"),
    import("../webex/delegation-xml.ts"),
  ]);
  const [siteName = ""] = siteUrl.split(".");
  const { accessToken, stop } = session;
  const xml = createXmlClient({
    url: xmlUrl,
    siteName,
    webExId,
    accessToken,
    mask,
    stop,
  });
  return {
    reader: createXmlReader(xml, webExId),
    createWriter: () => createXmlWriter(xml, mergeChange),
  };
}

/** Opens each interface once; where nothing is written, each question is asked once as well. */
export function openBackends(
  session: Session,
  mask: (secret: string) => void,
  mayWrite: boolean,
): (name: BackendName, config: SiteConfig) => Promise<OpenBackend> {
  const opened = new Map<BackendName, Promise<OpenBackend>>();
  return (name, config) => {
    const backend = opened.get(name) ?? openBackend(name, config, session, mask).then(share);
    opened.set(name, backend);
    return backend;
  };

  function share(backend: OpenBackend): OpenBackend {
    return mayWrite ? backend : { ...backend, reader: rememberAnswers(backend.reader) };
  }
}
