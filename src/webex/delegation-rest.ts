import type { DelegationReader, DelegationWriter } from "../delegation/backend.ts";
import type { WebexClient } from "./client.ts";
import { WebexError } from "./errors.ts";
import { deleteDelegateEmails, insertDelegateEmails, readDelegateEmails } from "./preferences.ts";
import { findSitePerson, listSitePeople } from "./site-people.ts";

/** Which site is meant, and what the token may do there. */
export interface RestBackendOptions {
  readonly client: WebexClient;
  /** Without a scheme, in lower case. */
  readonly siteUrl: string;
  /** Null when Webex did not say what it granted. */
  readonly scopes: readonly string[] | null;
}

const readScope = "meeting:admin_preferences_read";
const writeScope = "meeting:admin_preferences_write";
/** Nobody can have an address below .invalid (RFC 2606). */
const nobody = "rollcall-targeting-check@nobody.invalid";

/** Reads delegates through the meeting preferences. https://developer.webex.com/docs/api/v1/meeting-preferences */
export function createRestReader({ client, siteUrl, scopes }: RestBackendOptions): DelegationReader {
  return {
    async proveAccess(mayWrite) {
      requireScopes(scopes, mayWrite ? [readScope, writeScope] : [readScope]);
      await proveTargeting(client, siteUrl);
    },
    listUsers: () => listSitePeople(client, siteUrl),
    findUser: (address) => findSitePerson(client, siteUrl, address),
    readDelegates: (host) => readDelegateEmails(client, { userEmail: host, siteUrl }),
  };
}

/**
 * Changes delegates by insert and delete with the difference only. The update of the whole object is never used: it
 * would rewrite other settings of the host, and clear the list when it is left out.
 */
export function createRestWriter({
  client,
  siteUrl,
}: Pick<RestBackendOptions, "client" | "siteUrl">): DelegationWriter {
  return {
    async changeDelegates({ host, add, remove, removeFirst }) {
      const target = { userEmail: host, siteUrl };
      const insert = async () => {
        if (add.length > 0) await insertDelegateEmails(client, target, add);
      };
      if (!removeFirst) await insert();
      if (remove.length > 0) await deleteDelegateEmails(client, target, remove);
      if (removeFirst) await insert();
    },
  };
}

/** Without the administrator's scopes Webex ignores whom a call names, and changes the caller's own delegates. */
function requireScopes(scopes: readonly string[] | null, needed: readonly string[]): void {
  if (scopes === null) {
    throw new Error(
      `Webex did not say which scopes the token has, and without ${needed.join(" and ")} it would change the token owner's own delegates; nothing was changed`,
    );
  }
  const missing = needed.filter((scope) => !scopes.includes(scope));
  if (missing.length === 0) return;
  throw new Error(
    `the token lacks ${missing.join(" and ")}, without which Webex would change the token owner's own delegates; nothing was changed. Add the scopes to the integration and log in again (npm run login) as a full administrator of the organisation who is also administrator of the site`,
  );
}

/** A reading for somebody who cannot exist must fail; when it succeeds, Webex answers for somebody else. */
async function proveTargeting(client: WebexClient, siteUrl: string): Promise<void> {
  try {
    await readDelegateEmails(client, { userEmail: nobody, siteUrl });
  } catch (error) {
    // Only a refusal of this user proves anything: a dead token or a busy Webex refuses everybody.
    if (error instanceof WebexError && [400, 403, 404].includes(error.status ?? 0)) return;
    throw error;
  }
  throw new Error(
    `Webex answered for ${nobody}, who cannot exist: it ignores which host is named and would change the token owner's own delegates. Nothing was changed. Check that the token's owner is a full administrator of the organisation and administrator of ${siteUrl}, or use --backend xml`,
  );
}
