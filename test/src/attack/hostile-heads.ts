/**
 * Beginnings of files that cost whoever wants to know their type: parts that loop, count without end, nest or inflate.
 * Each is at most 64 KiB, which is all that is looked at. It sends nothing.
 */
import { deflateRawSync, gzipSync } from 'node:zlib';

const headBytes = 65_536;
const repeated = (bytes: Buffer): Buffer => Buffer.alloc(headBytes, bytes);
const asf = Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex');

function box(type: string, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(size);
  bytes.write(type, 4, 'latin1');
  return bytes;
}

function zipEntry(name: string, data: Buffer, { method = 0, flags = 0, size = data.length } = {}): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt16LE(method, 8);
  if (flags === 0) head.writeUInt32LE(data.length, 18);
  if (flags === 0) head.writeUInt32LE(size, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), data]);
}

function inflatingEntry(name: string, bytes: number): Buffer {
  return zipEntry(name, deflateRawSync(Buffer.alloc(bytes), { level: 9 }), { method: 8, size: bytes });
}

function nested(depth: number): Buffer {
  return depth === 0 ? Buffer.alloc(10) : gzipSync(nested(depth - 1));
}

const beginWith = (first: Buffer, then: Buffer): Buffer =>
  Buffer.concat([first, repeated(then)]).subarray(0, headBytes);

/** By what each does. */
export const hostileHeads: Readonly<Record<string, Buffer>> = {
  'an ASF header of 55 bytes with an object of none': Buffer.concat([asf, Buffer.alloc(39)]),
  'ASF objects of no size': beginWith(Buffer.concat([asf, Buffer.alloc(14)]), Buffer.alloc(24)),
  'MP4 boxes without end': beginWith(Buffer.concat([box('ftyp', 16), Buffer.from('isom\0\0\0\0')]), box('free', 8)),
  'MP4 boxes of no size': repeated(box('ftyp', 0)),
  'JPEG 2000 boxes without end': beginWith(Buffer.from('0000000c6a5020200d0a870a', 'hex'), box('jp2h', 8)),
  'EBML elements without end': beginWith(Buffer.from('1a45dfa301ffffffffffffff', 'hex'), Buffer.from([0xec, 0x80])),
  'ID3 headers, one behind the other': repeated(Buffer.from('ID3\u0004\0\0\0\0\0\0', 'latin1')),
  'a TIFF of 65,535 tags': beginWith(Buffer.from('49492a0008000000ffff', 'hex'), Buffer.alloc(12)),
  'MPEG synchronisation without end': repeated(Buffer.from([0xff, 0xe2])),
  'a ZIP of two thousand entries': repeated(zipEntry('a', Buffer.alloc(0))),
  'a ZIP entry without its size': zipEntry('a', Buffer.alloc(60_000, 0x50), { flags: 8 }),
  'sixty content types of a megabyte': repeated(inflatingEntry('[Content_Types].xml', 2 ** 20)),
  'a ZIP in a ZIP': zipEntry('x.zip', inflatingEntry('[Content_Types].xml', 2 ** 20)),
  'gzip of sixty megabytes': gzipSync(Buffer.alloc(60 * 2 ** 20)).subarray(0, headBytes),
  'gzip in gzip, two hundred deep': nested(200),
  'comments without end': repeated(Buffer.from('<!---->')),
  'document types without end': repeated(Buffer.from('<!doctype [')),
  'spaces without end': Buffer.alloc(headBytes, ' '),
};
