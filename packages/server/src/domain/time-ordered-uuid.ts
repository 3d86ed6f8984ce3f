/** UUIDs of version 7 (RFC 9562 section 5.7), whose order is that of their making: kind to indexes. */
import { randomBytes } from 'node:crypto';

/** Makes a UUIDv7 of the given time in milliseconds and 74 random bits. */
export function timeOrderedUuid(now: number = Date.now(), random: (size: number) => Buffer = randomBytes): string {
  const bytes = Buffer.concat([Buffer.alloc(6), random(10)]);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
