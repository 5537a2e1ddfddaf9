import { createHash } from "node:crypto";
import type { Quirks } from "./quirks.ts";
import type { ApiRequest, Reply } from "./route.ts";
import { textField } from "./route.ts";

const scope =
  "spark:rooms_read spark:memberships_read spark:memberships_write spark:teams_read " +
  "spark:team_memberships_read spark:team_memberships_write spark:people_read identity:groups_read";

function oauthError(error: string, description: string): Reply {
  return { status: 400, body: { error, error_description: description } };
}

/** Webex's token endpoint and the tokens it has issued. */
export class Tokens {
  readonly clientId = "C0ffee00000000000000000000000000000000000000000000000000000000000";
  readonly clientSecret: string;
  readonly #quirks: Quirks;
  readonly #issued: string[] = [];
  readonly #accessTokens = new Map<string, number>();
  #refreshToken: string;
  #refreshExpiresAt = Number.POSITIVE_INFINITY;

  constructor(quirks: Quirks) {
    this.#quirks = quirks;
    this.clientSecret = this.#issue("client-secret");
    this.#refreshToken = this.#issue("refresh");
  }

  /** The one refresh token that works. */
  get currentRefreshToken(): string {
    return this.#refreshToken;
  }

  /** The client secret and every token issued so far. */
  get issued(): readonly string[] {
    return this.#issued;
  }

  /** Ends all access tokens, as their expiry or a revocation would. */
  expireAccessTokens(): void {
    this.#accessTokens.clear();
  }

  /** Whether a request's bearer is a live access token. */
  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/.exec(authorization ?? "")?.[1] ?? "";
    return (this.#accessTokens.get(token) ?? 0) > Date.now();
  }

  /** Answers `POST /access_token`. */
  answer(request: ApiRequest): Reply {
    const { body } = request;
    if (!request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
      return oauthError("invalid_request", "The request body must be form-urlencoded");
    }
    const grant = textField(body, "grant_type");
    if (!grant) return oauthError("invalid_request", "grant_type is missing");
    if (
      textField(body, "client_id") !== this.clientId ||
      textField(body, "client_secret") !== this.clientSecret
    ) {
      return oauthError("invalid_client", "The client id or secret is wrong");
    }
    if (grant !== "refresh_token") return oauthError("unsupported_grant_type", `${grant} is not supported`);
    if (textField(body, "refresh_token") !== this.#refreshToken || this.#refreshExpiresAt <= Date.now()) {
      return oauthError(
        "invalid_grant",
        "The refresh token provided is expired, revoked, malformed, or invalid",
      );
    }
    return { status: 200, body: this.#refresh() };
  }

  #refresh() {
    const {
      refreshToken = "rotates",
      refreshTokenExpiresIn = 7775999,
      accessTokenExpiresIn = 1209599,
    } = this.#quirks;
    const accessToken = this.#issue("access");
    this.#accessTokens.set(accessToken, Date.now() + accessTokenExpiresIn * 1000);
    if (refreshToken === "rotates") this.#refreshToken = this.#issue("refresh");
    this.#refreshExpiresAt = Date.now() + refreshTokenExpiresIn * 1000;
    return {
      access_token: accessToken,
      expires_in: accessTokenExpiresIn,
      ...(refreshToken !== "omitted" && { refresh_token: this.#refreshToken }),
      refresh_token_expires_in: refreshTokenExpiresIn,
      token_type: "Bearer",
      scope,
    };
  }

  // Shaped like real ones, with `_` and `-`, and never twice the same.
  #issue(kind: string): string {
    const text = createHash("sha256").update(`${kind} ${this.#issued.length}`).digest("base64url");
    const token = kind === "client-secret" ? text : `${text}_P0A1_99999999-8888-4777-8666-555555555555`;
    this.#issued.push(token);
    return token;
  }
}
