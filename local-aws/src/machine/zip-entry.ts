import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const DIRECTORY_HEADER = 0x02014b50;
const DIRECTORY_HEADER_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/**
 * The content of one file of a zip archive. For archives whose checksum is known: no zip64, no encryption.
 * Layout: PKWARE APPNOTE.TXT 4.3.
 *
 * @throws an Error that says in a few words why not
 */
export async function zipEntry(archive: Buffer, name: string): Promise<Buffer> {
  const end = archive.lastIndexOf(uint32(END_OF_DIRECTORY), archive.length - END_OF_DIRECTORY_BYTES);
  if (end < 0) throw new Error('no zip archive');
  const entries = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  for (let entry = 0; entry < entries; entry++) {
    if (archive.readUInt32LE(at) !== DIRECTORY_HEADER) throw new Error('a damaged zip archive');
    const nameEnd = at + DIRECTORY_HEADER_BYTES + archive.readUInt16LE(at + 28);
    if (archive.toString('utf8', at + DIRECTORY_HEADER_BYTES, nameEnd) === name) return content(archive, at);
    at = nameEnd + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`no '${name}' in the zip archive`);
}

/** @param at where the entry's header in the central directory begins */
async function content(archive: Buffer, at: number): Promise<Buffer> {
  const method = archive.readUInt16LE(at + 10);
  const packedSize = archive.readUInt32LE(at + 20);
  const size = archive.readUInt32LE(at + 24);
  const local = archive.readUInt32LE(at + 42);
  const begin =
    local + LOCAL_HEADER_BYTES + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(begin, begin + packedSize);
  if (method === STORED) return packed;
  if (method === DEFLATED) return promisify(inflateRaw)(packed, { maxOutputLength: size });
  throw new Error(`zip method ${method}`);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
