import { createHash, randomBytes } from "node:crypto";

/** What a person was asked for: who asks, where the answer goes, and the challenge that only the asker can meet. */
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
  /** Every code ever given out: codes are secrets as well. */
  readonly issued: string[] = [];

  /** The person allows it: a code that works once. */
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
