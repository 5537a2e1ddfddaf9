import { access, constants, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { TokenStore } from "../token/rotate.ts";
import { replaceFile } from "./replace-file.ts";

const ownerOnly = 0o600;

/**
 * Keeps the refresh token in a file that only its owner may read. While the file does not exist, `seed` stands in
 * for it: the first run stores it there.
 */
export function createTokenFile(path: string, seed: string | null): TokenStore {
  return {
    async load() {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw new Error(`the token file ${path} cannot be read: ${error.message}`);
      });
      const token = text.trim() || seed;
      if (!token)
        throw new Error(`the token file ${path} holds no refresh token; npm run login gets the first one`);
      if (/\s/.test(token))
        throw new Error(`the token file ${path} must hold the refresh token and nothing else`);
      return token;
    },
    async prove() {
      // A neighbour is written and renamed, so it is the folder that has to be writable.
      const probe = `${path}.probe`;
      await replaceFile(probe, "", ownerOnly).catch((error: Error) => {
        throw new Error(`the token file's folder ${dirname(path)} cannot be written: ${error.message}`);
      });
      await access(probe, constants.W_OK);
    },
    save: (refreshToken) => replaceFile(path, `${refreshToken}\n`, ownerOnly),
  };
}
