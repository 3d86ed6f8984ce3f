import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressNetwork } from './address-network.ts';

test('addresses of one IPv6 network of 64 bits are one client, however they are written', () => {
  const same = [
    '2001:db8:1:2::1',
    '2001:DB8:1:2:ffff:ffff:ffff:ffff',
    '2001:0db8:0001:0002:0::',
    '2001:db8:1:2::1%eth0',
  ];

  assert.deepEqual(new Set(same.map(addressNetwork)), new Set(['2001:db8:1:2::/64']));
});

test('other networks are other clients', () => {
  const others = ['2001:db8:1:3::1', '2001:db8::1', '::1', 'fe80::1', '2001:db8:1::2', '64:ff9b::192.0.2.1'];

  assert.equal(new Set(others.map(addressNetwork)).size, others.length);
  assert.equal(addressNetwork('::1'), '0:0:0:0::/64');
});

test('an IPv4 address is a client by itself, and what is no address is only itself', () => {
  assert.deepEqual(['192.0.2.1', '', 'unix:'].map(addressNetwork), ['192.0.2.1', '', 'unix:']);
});
