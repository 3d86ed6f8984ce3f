/**
 * The network that an address belongs to, as far as one client can choose its own: an IPv4 address by itself, an IPv6
 * address by its first 64 bits, since whoever has one has 2^64. It compares nothing and knows no ranges.
 */
import { isIPv6 } from 'node:net';

/** A text that is the same for all addresses of one client's network. What is no IPv6 address is its own network. */
export function addressNetwork(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::') ?? [];
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array.from({ length: Math.max(8 - before.length - after.length, 0) }, () => '0');
  const all = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${all.slice(0, 4).map(plainGroup).join(':')}::/64`;
}

/** Groups of 16 bits; dotted digits at the end stand for two. */
function groups(text: string): string[] {
  return text.split(':').flatMap((group) => (group === '' ? [] : group.includes('.') ? ['0', '0'] : [group]));
}

function plainGroup(group: string): string {
  return Number.parseInt(group, 16).toString(16);
}
