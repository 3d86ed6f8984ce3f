import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { assertAddressRanges, isAddressRange, isInRanges, plainAddress } from './address-ranges.ts';

test('an address lies in the ranges that hold it, and in no other', () => {
  for (const [address, ranges, expected] of [
    ['10.1.2.3', ['10.0.0.0/8'], true],
    ['11.0.0.0', ['10.0.0.0/8'], false],
    ['192.0.2.7', ['192.0.2.7'], true],
    ['192.0.2.8', ['192.0.2.7'], false],
    ['192.0.2.8', ['192.0.2.7', '192.0.2.8/31'], true],
    ['2001:db8::1', ['2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['8.8.8.8', ['0.0.0.0/0'], true],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['8.8.8.8', ['::/0'], false],
    ['8.8.8.8', [], false],
    ['', ['0.0.0.0/0'], false],
    ['10.1.2.3, 8.8.8.8', ['0.0.0.0/0'], false],
  ] as const) {
    assert.equal(isInRanges(address, ranges), expected, `${address} in ${ranges.join(' ')}`);
  }
});

test('an IPv4 address in an IPv6 form is that IPv4 address', () => {
  for (const form of ['::ffff:10.1.2.3', '::FFFF:10.1.2.3', '::ffff:a01:203', '::ffff:0a01:0203']) {
    assert.equal(plainAddress(form), '10.1.2.3', form);
    assert.ok(isInRanges(form, ['10.0.0.0/8']), form);
  }
  assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1');
});

test('what is no range is refused', () => {
  for (const text of ['10.0.0.0/8', '10.0.0.1', '::1', '2001:db8::/128', '0.0.0.0/0']) {
    assert.ok(isAddressRange(text), text);
  }
  for (const text of [
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/1e1',
    '10.0.0/8',
    '010.0.0.0/8',
    'localhost',
    '::ffff:10.0.0.0/104',
    'fe80::1%eth0',
  ]) {
    assert.ok(!isAddressRange(text), text);
    assert.throws(
      () => assertAddressRanges([text]),
      (error) => isRowlockError(error, 'invalid_request'),
    );
  }
  assert.throws(() => assertAddressRanges(Array.from({ length: 9 }, () => '10.0.0.1')));
});
