import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { type ApiRequest, type Reply, textField } from "../router.ts";
import type { Quirks } from "./quirks.ts";

const registered =
  "spark:rooms_read spark:memberships_read spark:memberships_write spark:teams_read " +
  "spark:team_memberships_read spark:team_memberships_write spark:people_read identity:groups_read " +
  "meeting:admin_preferences_read meeting:admin_preferences_write spark-admin:people_read spark:all";

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

/** Webex's token endpoint and the tokens it has issued. */
export class Tokens {
  readonly clientId = "C0ffee00000000000000000000000000000000000000000000000000000000000";
  readonly clientSecret: string;
  readonly grants = new Grants();
  readonly #quirks: Quirks;
  readonly #clock: Clock;
  readonly #issued: string[] = [];
  readonly #accessTokens = new Map<string, { readonly expiresAt: number; readonly scope: string }>();
  #refreshToken: string;
  #refreshExpiresAt = Number.POSITIVE_INFINITY;
  #scope: string;

  constructor(quirks: Quirks, clock: Clock) {
    this.#quirks = quirks;
    this.#clock = clock;
    this.#scope = quirks.scope ?? registered;
    this.clientSecret = this.#issue("client-secret");
    this.#refreshToken = this.#issue("refresh");
  }

  get currentRefreshToken(): string {
    return this.#refreshToken;
  }

  /** The client secret and every token and code issued so far. */
  get issued(): readonly string[] {
    return [...this.#issued, ...this.grants.issued];
  }

  expireAccessTokens(): void {
    this.#accessTokens.clear();
  }

  accepts(authorization: string | undefined): boolean {
    return this.expiryOf(authorization) > this.#clock.now();
  }

  scopesOf(authorization: string | undefined): readonly string[] {
    return this.#find(authorization)?.scope.split(" ") ?? [];
  }

  /** When the bearer's access token expires, in ms; 0 for one that is not known. */
  expiryOf(authorization: string | undefined): number {
    return this.#find(authorization)?.expiresAt ?? 0;
  }

  #find(authorization = "") {
    return this.#accessTokens.get(/^Bearer (.+)$/.exec(authorization)?.[1] ?? "");
  }

  knowsScopes(scope: string): boolean {
    const known = (this.#quirks.scope ?? registered).split(" ");
    return scope.split(" ").every((one) => known.includes(one));
  }

  /** An error as OAuth has it, RFC 6749, section 5.2. */
  refuse(error: string, description: string): Reply {
    return { status: 400, body: { error, error_description: description } };
  }

  answer(request: ApiRequest): Reply {
    const { body } = request;
    if (!request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
      return this.refuse("invalid_request", "The request body must be form-urlencoded");
    }
    const grant = textField(body, "grant_type");
    if (!grant) return this.refuse("invalid_request", "grant_type is missing");
    const { authorization } = request.headers;
    const isBasic = authorization?.startsWith("Basic ") ?? false;
    const isClient = isBasic
      ? authorization === this.#basic
      : textField(body, "client_id") === this.clientId &&
        textField(body, "client_secret") === this.clientSecret;
    if (!isClient) {
      const refusal = this.refuse("invalid_client", "The client id or secret is wrong");
      // RFC 6749, section 5.2: who comes with the header is told which one.
      return isBasic ? { ...refusal, status: 401, headers: { "www-authenticate": "Basic" } } : refusal;
    }
    if (grant === "authorization_code") return this.#answerCode(body);
    if (grant !== "refresh_token") return this.refuse("unsupported_grant_type", `${grant} is not supported`);
    if (
      textField(body, "refresh_token") !== this.#refreshToken ||
      this.#refreshExpiresAt <= this.#clock.now()
    ) {
      return this.refuse(
        "invalid_grant",
        "The refresh token provided is expired, revoked, malformed, or invalid",
      );
    }
    return { status: 200, body: this.#refresh() };
  }

  /** Answers `POST /device/token`: 428 until the person has decided. */
  answerDevice({ headers, body }: ApiRequest): Reply {
    if (headers.authorization !== this.#basic) {
      return { ...this.refuse("invalid_client", "The client id or secret is wrong"), status: 401 };
    }
    if (textField(body, "grant_type") !== deviceGrant) {
      return this.refuse("unsupported_grant_type", "Only the device grant is supported here");
    }
    return this.#grant(() => {
      const scope = this.grants.redeemDevice(textField(body, "device_code") ?? "");
      if (scope !== null) return { status: 200, body: this.#logIn(scope) };
      const message = "The device authorization is pending";
      return { status: 428, body: { message, errors: [{ description: "authorization_pending" }] } };
    });
  }

  get #basic(): string {
    return `Basic ${Buffer.from(`${this.clientId}:${this.clientSecret}`).toString("base64")}`;
  }

  #answerCode(body: unknown): Reply {
    const field = (name: string) => textField(body, name) ?? "";
    return this.#grant(() => {
      const scope = this.grants.redeem(field("code"), field("redirect_uri"), field("code_verifier"));
      return { status: 200, body: this.#logIn(scope) };
    });
  }

  #grant(work: () => Reply): Reply {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof GrantRefused)) throw error;
      return this.refuse(error.error, error.message);
    }
  }

  /** A login begins a new line of refresh tokens; the old one is dead. */
  #logIn(scope: string) {
    const granted = this.#quirks.grantedScope ?? scope;
    this.#scope = granted;
    this.#refreshToken = this.#issue("refresh");
    return { ...this.#refresh("stays"), refresh_token: this.#refreshToken };
  }

  #refresh(mode = this.#quirks.refreshToken ?? "rotates") {
    const { refreshTokenExpiresIn = 7775999, accessTokenExpiresIn = 1209599 } = this.#quirks;
    const accessToken = this.#issue("access");
    const now = this.#clock.now();
    this.#accessTokens.set(accessToken, {
      expiresAt: now + accessTokenExpiresIn * 1000,
      scope: this.#scope,
    });
    if (mode === "rotates") this.#refreshToken = this.#issue("refresh");
    this.#refreshExpiresAt = now + refreshTokenExpiresIn * 1000;
    return {
      access_token: accessToken,
      expires_in: accessTokenExpiresIn,
      ...(mode !== "omitted" && { refresh_token: this.#refreshToken }),
      refresh_token_expires_in: refreshTokenExpiresIn,
      token_type: "Bearer",
      scope: this.#scope,
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

export interface ConsentRequest {
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string;
  readonly challenge: string | null;
}

interface DeviceRequest {
  readonly userCode: string;
  readonly scope: string;
  decision: "pending" | "allowed" | "denied";
}

/** A grant that the token endpoint refuses, in OAuth's words. */
export class GrantRefused extends Error {
  constructor(
    readonly error: string,
    message: string,
  ) {
    super(message);
  }
}

/** The codes that consent pages have given out and the token endpoint has not taken yet. */
export class Grants {
  readonly #codes = new Map<string, ConsentRequest>();
  readonly #devices = new Map<string, DeviceRequest>();
  readonly issued: string[] = [];

  allow(request: ConsentRequest): string {
    const code = this.#make();
    this.#codes.set(code, request);
    return code;
  }

  /** Takes a code and returns the scope that goes with it. @throws {GrantRefused} when it is not for the caller. */
  redeem(code: string, redirectUri: string, verifier: string): string {
    const request = this.#codes.get(code);
    // Gone at the first attempt, whatever comes of it.
    this.#codes.delete(code);
    if (!request) throw new GrantRefused("invalid_grant", "The code is invalid, expired or was used before");
    if (request.redirectUri !== redirectUri)
      throw new GrantRefused("invalid_grant", "The redirect_uri is not the one that the code was given to");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (request.challenge !== null && request.challenge !== challenge)
      throw new GrantRefused("invalid_grant", "The code_verifier does not meet the code_challenge");
    return request.scope;
  }

  startDevice(scope: string): { deviceCode: string; userCode: string } {
    const deviceCode = this.#make();
    const userCode = String(100_000 + this.#devices.size);
    this.#devices.set(deviceCode, { userCode, scope, decision: "pending" });
    return { deviceCode, userCode };
  }

  /** The person decides on a device's code; false when nobody asked with that code. */
  decideDevice(userCode: string, decision: "allowed" | "denied"): boolean {
    const device = [...this.#devices.values()].find((candidate) => candidate.userCode === userCode);
    if (device) device.decision = decision;
    return device !== undefined;
  }

  /** The scope of a device that was allowed; null while the person has not decided. */
  redeemDevice(deviceCode: string): string | null {
    const device = this.#devices.get(deviceCode);
    if (!device)
      throw new GrantRefused("invalid_grant", "The device code is invalid, expired or was used before");
    if (device.decision === "pending") return null;
    this.#devices.delete(deviceCode);
    if (device.decision === "denied") throw new GrantRefused("access_denied", "The person refused");
    return device.scope;
  }

  #make(): string {
    const code = randomBytes(24).toString("base64url");
    this.issued.push(code);
    return code;
  }
}
