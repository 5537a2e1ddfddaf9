import { WebexError } from "./errors.ts";

export interface AccessOptions {
  readonly accessToken: string;
  /** Asked at most once, when Webex rejects the access token. */
  readonly renewToken?: () => Promise<string>;
  /** Told once, when Webex rejects the renewed token too. */
  readonly onLostAccess?: (error: Error) => void;
}

export interface Access {
  /** After a 401 renews the token once in a run and works once more; after a second 401 nothing more is begun. */
  use<T>(work: (token: string) => Promise<T>): Promise<T>;
}

/** Makes the access of one client; renews a dead token once for all requests that were refused with it. */
export function createAccess(options: AccessOptions): Access {
  let current = options.accessToken;
  let renewal: Promise<string> | null = null;
  let lost: WebexError | null = null;

  function lose(refusal: WebexError, reason: unknown): never {
    if (lost === null) {
      lost = refusal;
      options.onLostAccess?.(reason instanceof Error ? reason : new Error(String(reason)));
    }
    throw refusal;
  }

  async function renew(refused: string, refusal: WebexError): Promise<string> {
    if (refused !== options.accessToken || !options.renewToken) lose(refusal, refusal);
    renewal ??= options.renewToken();
    try {
      current = await renewal;
      return current;
    } catch (error) {
      return lose(refusal, error);
    }
  }

  return {
    async use(work) {
      if (lost !== null) throw lost;
      const token = current;
      try {
        return await work(token);
      } catch (error) {
        if (!isUnauthorised(error)) throw error;
        const next = await renew(token, error);
        return await work(next).catch((again: unknown) =>
          isUnauthorised(again) ? lose(again, again) : Promise.reject(again),
        );
      }
    },
  };
}

function isUnauthorised(error: unknown): error is WebexError {
  return error instanceof WebexError && error.status === 401;
}
