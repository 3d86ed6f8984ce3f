/**
 * Ranges of network addresses, as `10.0.0.0/8`, `2001:db8::/32` or one address. It knows nothing of who asks or how an
 * address was learnt. An IPv4 address that is written as an IPv6 one is that IPv4 address everywhere.
 */
import { BlockList, isIP } from 'node:net';
import { RowlockError } from '@rowlock/client/contract';

/** Most ranges that one thing may be bound to. */
export const addressRangesMax = 8;

const mappedDotted: RegExp = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const mappedHex: RegExp = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/** An address without its zone, and as IPv4 where it is one in IPv6's clothes. */
export function plainAddress(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const dotted = mappedDotted.exec(bare)?.[1];
  if (dotted !== undefined) return dotted;
  const [, high, low] = mappedHex.exec(bare) ?? [];
  if (high === undefined || low === undefined) return bare;
  const bits = [high, low].map((part) => Number.parseInt(part, 16));
  return bits.flatMap((part) => [part >> 8, part & 255]).join('.');
}

/** Whether a text is one address, or an address, a slash and how many of its first bits count. */
export function isAddressRange(text: string): boolean {
  const { family, address, bits } = parts(text);
  return family !== 0 && address === plainAddress(address) && bits >= 0 && bits <= (family === 4 ? 32 : 128);
}

/** @throws RowlockError `invalid_request` for a text that is no range */
export function assertAddressRanges(texts: readonly string[]): void {
  const wrong = texts.find((text) => !isAddressRange(text));
  if (wrong !== undefined || texts.length > addressRangesMax) {
    throw new RowlockError(
      'invalid_request',
      `At most ${addressRangesMax} addresses, each such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32`,
    );
  }
}

/** Prepares the question whether an address lies in one of the ranges. What is no address lies in none. */
export function rangeMatcher(ranges: readonly string[]): (address: string) => boolean {
  // One list for each family: BlockList itself finds IPv4 addresses in ::/0.
  const lists = { 4: new BlockList(), 6: new BlockList() } as const;
  for (const { family, address, bits } of ranges.map(parts)) {
    if (family === 4) lists[4].addSubnet(address, bits, 'ipv4');
    else lists[6].addSubnet(address, bits, 'ipv6');
  }
  return (address) => {
    const plain = plainAddress(address);
    switch (isIP(plain)) {
      case 4:
        return lists[4].check(plain, 'ipv4');
      case 6:
        return lists[6].check(plain, 'ipv6');
      default:
        return false;
    }
  };
}

/** Whether an address lies in one of the ranges. */
export function isInRanges(address: string, ranges: readonly string[]): boolean {
  return rangeMatcher(ranges)(address);
}

/** Bits are -1 where they are not written in plain digits. */
function parts(text: string): { readonly family: number; readonly address: string; readonly bits: number } {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const family = isIP(address);
  const digits = slash < 0 ? String(family === 4 ? 32 : 128) : text.slice(slash + 1);
  return { family, address, bits: /^\d{1,3}$/.test(digits) ? Number(digits) : -1 };
}
