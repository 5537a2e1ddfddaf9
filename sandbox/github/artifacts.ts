import { crc32, deflateRawSync } from "node:zlib";
import { type ApiRequest, parameter, Refusal, type Routes } from "../router.ts";

/** What a run has uploaded: one file in one archive, as actions/upload-artifact makes it. */
interface Artifact {
  readonly id: number;
  readonly name: string;
  readonly createdAt: string;
  readonly runId: number;
  readonly branch: string;
  readonly isForks: boolean;
  readonly archive: Buffer;
}

/** What an artifact holds, and where it comes from. */
export interface Upload {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly runId: string;
  readonly branch?: string;
  /** Made by a run for a pull request from a fork. */
  readonly isForks?: boolean;
}

/** The artifacts of the repository's runs. */
export class Artifacts {
  readonly #all: Artifact[] = [];

  upload({ name, file, text, runId, branch = "main", isForks = false }: Upload, createdAt: string): void {
    const archive = zip(file, Buffer.from(text));
    const id = 7001 + this.#all.length;
    this.#all.push({ id, name, createdAt, runId: Number(runId), branch, isForks, archive });
  }

  /** The newest first, as GitHub lists them. */
  list(name: string | null): readonly Artifact[] {
    return this.#all.filter((artifact) => name === null || artifact.name === name).reverse();
  }

  find(request: ApiRequest): Artifact {
    const id = Number(parameter(request, "artifact_id"));
    const found = this.#all.find((artifact) => artifact.id === id);
    if (!found) throw new Refusal(404, "Not Found");
    return found;
  }

  delete(artifact: Artifact): void {
    this.#all.splice(this.#all.indexOf(artifact), 1);
  }
}

const repo = "/repos/{owner}/{repo}";

/** The route of the store that holds the archives: it is asked without a token, and refuses one. */
export const artifactStore = "GET /artifact-store/{artifact_id}";

/** The repository whose runs have artifacts. */
interface ArtifactHost {
  readonly artifacts: Artifacts;
  readonly serverUrl: string;
  readonly fullName: string;
}

/** https://docs.github.com/en/rest/actions/artifacts */
export function artifactRoutes({ artifacts, serverUrl, fullName }: ArtifactHost): Routes {
  const base = `${serverUrl}/api/v3/repos/${fullName}/actions/artifacts`;
  const describe = (artifact: Artifact) => ({
    id: artifact.id,
    node_id: `ART_${artifact.id}`,
    name: artifact.name,
    size_in_bytes: artifact.archive.length,
    url: `${base}/${artifact.id}`,
    archive_download_url: `${base}/${artifact.id}/zip`,
    expired: false,
    created_at: artifact.createdAt,
    updated_at: artifact.createdAt,
    expires_at: artifact.createdAt,
    workflow_run: {
      id: artifact.runId,
      repository_id: 1,
      head_repository_id: artifact.isForks ? 2 : 1,
      head_branch: artifact.branch,
      head_sha: "0".repeat(40),
    },
  });
  return {
    [`GET ${repo}/actions/artifacts`]: ({ url }) => {
      const found = artifacts.list(url.searchParams.get("name"));
      return { status: 200, body: { total_count: found.length, artifacts: found.map(describe) } };
    },
    [`DELETE ${repo}/actions/artifacts/{artifact_id}`]: (request) => {
      artifacts.delete(artifacts.find(request));
      return { status: 204 };
    },
    [`GET ${repo}/actions/artifacts/{artifact_id}/zip`]: (request) => {
      const { id } = artifacts.find(request);
      return { status: 302, headers: { location: `${serverUrl}/api/artifact-store/${id}?sig=sandbox` } };
    },
    [artifactStore]: (request) => {
      if (request.headers.authorization !== undefined || request.url.searchParams.get("sig") !== "sandbox")
        throw new Refusal(403, "AuthenticationFailed");
      return { status: 200, body: artifacts.find(request).archive };
    },
  };
}

/** One deflated file; sizes stand in the directory alone, as in an archive that is streamed. */
function zip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const fileName = Buffer.from(name);
  const streamed = 0x8;
  const deflated = 8;
  const numbers = (...fields: readonly (readonly [bytes: 2 | 4, value: number])[]) =>
    Buffer.concat(
      fields.map(([bytes, value]) => {
        const field = Buffer.alloc(bytes);
        field.writeUIntLE(value, 0, bytes);
        return field;
      }),
    );
  const sizes = [crc32(content), packed.length, content.length];
  const [crc = 0, packedBytes = 0, bytes = 0] = sizes;
  const about = (...known: readonly number[]) =>
    numbers(
      [2, 20],
      [2, streamed],
      [2, deflated],
      [4, 0],
      ...known.map((value) => [4, value] as const),
      [2, fileName.length],
      [2, 0],
    );
  const local = Buffer.concat([numbers([4, 0x04034b50]), about(0, 0, 0), fileName, packed]);
  const descriptor = numbers([4, 0x08074b50], [4, crc], [4, packedBytes], [4, bytes]);
  const central = Buffer.concat([
    numbers([4, 0x02014b50], [2, 20]),
    about(crc, packedBytes, bytes),
    numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, 0]),
    fileName,
  ]);
  const end = numbers(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, 1],
    [2, 1],
    [4, central.length],
    [4, local.length + descriptor.length],
    [2, 0],
  );
  return Buffer.concat([local, descriptor, central, end]);
}
