/**
 * Checksums that clients send with a body, in the headers of HTTP and of S3: which were sent, and what the bytes give.
 * It compares nothing with anything that is stored. A checksum that cannot be understood is refused, never skipped.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { RowlockError } from '@rowlock/client/contract';

export type ChecksumAlgorithm = 'md5' | 'sha1' | 'sha256' | 'sha512' | 'crc32' | 'crc32c' | 'crc64nvme';

/** What a client says that a body's checksum is. */
export interface SentChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
}

/** A checksum that is being computed. */
export interface RunningChecksum {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

const bytesOf: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha256: 32,
  sha512: 64,
  crc32: 4,
  crc32c: 4,
  crc64nvme: 8,
};

/** Headers that begin like a checksum and say something about it. */
const aboutChecksums: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-type',
]);

/**
 * Reads every checksum of a body from headers, or from the signed query of an S3 URL: `Content-MD5`,
 * `x-amz-checksum-*`, and `Digest`, `Content-Digest` and `Repr-Digest` (RFC 3230, RFC 9530), whose algorithms that we do
 * not know are left out as those RFCs say.
 *
 * @throws RowlockError `bad_digest` for one that is not base64 of the right length, or of an unknown algorithm of S3
 */
export function sentChecksums(
  headers: Iterable<readonly [string, string | readonly string[] | undefined]>,
): readonly SentChecksum[] {
  const found: SentChecksum[] = [];
  for (const [given, raw] of headers) {
    const name = given.toLowerCase();
    const value = typeof raw === 'string' ? raw : raw?.join(',');
    if (value === undefined || aboutChecksums.has(name)) {
      continue;
    }
    if (name === 'content-md5') {
      found.push(checksum('md5', value));
    } else if (name.startsWith('x-amz-checksum-')) {
      found.push(checksum(name.slice('x-amz-checksum-'.length), value));
    } else if (name === 'digest' || name === 'content-digest' || name === 'repr-digest') {
      found.push(...digestMembers(value));
    }
  }
  return found;
}

/** Starts a checksum. */
export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'crc32':
      return startCrc32();
    case 'crc32c':
      return startReflected(crc32cTable, 4);
    case 'crc64nvme':
      return startReflected(crc64nvmeTable, 8);
    default: {
      const hash = createHash(algorithm);
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
  }
}

function isAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(bytesOf, name);
}

function checksum(algorithm: string, value: string): SentChecksum {
  const bytes = Buffer.from(value.trim(), 'base64');
  if (!isAlgorithm(algorithm) || bytes.byteLength !== bytesOf[algorithm] || bytes.toString('base64') !== value.trim()) {
    throw new RowlockError('bad_digest', 'A checksum that was sent is not one of an algorithm that is known here');
  }
  return { algorithm, value: bytes };
}

/** `sha-256=…, md5=…`, the values between colons in RFC 9530. */
function digestMembers(header: string): SentChecksum[] {
  return header.split(',').flatMap((member) => {
    const [, name = '', value = ''] = /^\s*([A-Za-z0-9-]{1,20})=:?([A-Za-z0-9+/=]{1,100}):?\s*$/.exec(member) ?? [];
    const algorithm = name
      .toLowerCase()
      .replace(/^sha-(?=256|512)/, 'sha')
      .replace(/^sha$/, 'sha1');
    if (name === '') {
      throw new RowlockError('bad_digest', 'A digest that was sent cannot be read');
    }
    return isAlgorithm(algorithm) ? [checksum(algorithm, value)] : [];
  });
}

function startCrc32(): RunningChecksum {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

/** A table of a reflected polynomial, in two halves: JavaScript's integers have 32 bits. */
interface ReflectedTable {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

function reflectedTable(polynomialHigh: number, polynomialLow: number): ReflectedTable {
  const table = { high: new Uint32Array(256), low: new Uint32Array(256) };
  for (let byte = 0; byte < 256; byte += 1) {
    let high = 0;
    let low = byte;
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) {
        high ^= polynomialHigh;
        low ^= polynomialLow;
      }
    }
    table.high[byte] = high;
    table.low[byte] = low;
  }
  return table;
}

/** Castagnoli's polynomial (RFC 3720, appendix B.4), and that of NVM Express (Rocksoft), both reflected. */
const crc32cTable: ReflectedTable = reflectedTable(0, 0x82f63b78);
const crc64nvmeTable: ReflectedTable = reflectedTable(0x9a6c9329, 0xac4bc9b5);

/** A reflected CRC that begins with ones and ends inverted. */
function startReflected(table: ReflectedTable, bytes: 4 | 8): RunningChecksum {
  let high = bytes === 8 ? 0xffffffff : 0;
  let low = 0xffffffff;
  return {
    update: (chunk) => {
      for (const byte of chunk) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (table.low[at] ?? 0);
        high = (high >>> 8) ^ (table.high[at] ?? 0);
      }
    },
    digest: () => {
      const out = Buffer.alloc(8);
      out.writeUInt32BE(~high >>> 0, 0);
      out.writeUInt32BE(~low >>> 0, 4);
      return out.subarray(8 - bytes);
    },
  };
}
