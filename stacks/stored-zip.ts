import { crc32 } from 'node:zlib';

/** 1980-01-01 00:00, the earliest moment that a zip can tell: the same content is the same zip at any time. */
const DATE = 0x0021;
/** Mode of a file that anyone may read, where Unix keeps it. */
const READABLE = 0o100644 * 2 ** 16;
const VERSION = 20;

/**
 * A zip of one file, as it is: what zlib makes of the same bytes differs between its versions and processors, so that a
 * compressed one would be another zip on another machine (PKWARE, "APPNOTE.TXT", 4.3).
 */
export function storedZip(name: string, content: Buffer): Buffer {
  const file = Buffer.from(name);
  /** Flags, method (0: stored), time, date, checksum, both sizes, length of the name. */
  const common = Buffer.alloc(22);
  common.writeUInt16LE(DATE, 6);
  common.writeUInt32LE(crc32(content), 8);
  common.writeUInt32LE(content.length, 12);
  common.writeUInt32LE(content.length, 16);
  common.writeUInt16LE(file.length, 20);

  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(VERSION, 4);
  common.copy(local, 6);

  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  // Made by Unix (3).
  central.writeUInt16LE((3 << 8) | VERSION, 4);
  central.writeUInt16LE(VERSION, 6);
  common.copy(central, 8);
  central.writeUInt32LE(READABLE, 38);

  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + file.length, 12);
  end.writeUInt32LE(local.length + file.length + content.length, 16);

  return Buffer.concat([local, file, content, central, file, end]);
}
