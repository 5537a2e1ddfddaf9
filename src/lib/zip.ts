import { inflateRawSync } from "node:zlib";

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;

const endBytes = 22;

/**
 * Reads one file of a ZIP archive by its name; null where there is none. Sizes come from the central directory, as
 * streamed archives leave them out elsewhere. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * @throws when it is not an archive, is cut short, or the file has more than `maxBytes`.
 */
export function readZipEntry(archive: Buffer, name: string, maxBytes: number): Buffer | null {
  const end = archive.lastIndexOf(toBytes(endSignature));
  if (end === -1 || end + endBytes > archive.length) throw new Error("not a whole ZIP archive");
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== centralSignature) throw new Error("the ZIP archive is damaged");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      archive.readUInt16LE(at + offset),
    );
    const found = archive.toString("utf8", at + 46, at + 46 + (nameLength ?? 0));
    if (found === name) return readEntry(archive, at, maxBytes);
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  }
  return null;
}

function readEntry(archive: Buffer, central: number, maxBytes: number): Buffer {
  const method = archive.readUInt16LE(central + 10);
  const packedBytes = archive.readUInt32LE(central + 20);
  const local = archive.readUInt32LE(central + 42);
  if (archive.readUInt32LE(local) !== localSignature) throw new Error("the ZIP archive is damaged");
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + packedBytes);
  if (method === 0 && packed.length <= maxBytes) return packed;
  if (method === 8) return inflateRawSync(packed, { maxOutputLength: maxBytes });
  throw new Error("the ZIP archive holds its file in a way that is not read here");
}

function toBytes(signature: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(signature);
  return bytes;
}
