import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { clientAddresses } from './client-address.ts';

/** As much of a request as its address takes. */
const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

test('without trusted proxies the address is that of the connection, whatever a header says', () => {
  const addressOf = clientAddresses([]);

  assert.equal(addressOf(from('192.0.2.7', '10.0.0.1')), '192.0.2.7');
  assert.equal(addressOf(from('::ffff:192.0.2.7')), '192.0.2.7');
  assert.equal(addressOf(from(undefined, '10.0.0.1')), '');
});

test('behind trusted proxies the address is the first from the right that is none of them', () => {
  const addressOf = clientAddresses(['10.0.0.0/8', '::1']);

  for (const [connection, header, expected] of [
    ['10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '203.0.113.9, 192.0.2.7', '192.0.2.7'],
    ['10.0.0.1', '203.0.113.9, 192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['::1', ' 192.0.2.7:4711 ', '192.0.2.7'],
    ['::1', '[2001:db8::1]:443', '2001:db8::1'],
    ['::1', '::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '10.0.0.1', '192.0.2.7'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', '192.0.2.7, for=evil', '10.0.0.1'],
    ['10.0.0.1', `192.0.2.7${', 10.0.0.1'.repeat(40)}`, '10.0.0.1'],
  ] as const) {
    assert.equal(addressOf(from(connection, header)), expected, `${connection} with ${header}`);
  }
});
