import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { KeyedMac } from './keyed-mac.ts';

const ofNode = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('base64url');
const published = (secret: string, text: string): string =>
  Buffer.from(new KeyedMac(secret).of(text), 'base64url').toString('hex');

test('a mac is that of the published vectors of RFC 4231', () => {
  const cases = [
    ['\x0b'.repeat(20), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  ] as const;

  for (const [secret, text, mac] of cases) assert.equal(published(secret, text), mac);
});

test('a mac is that of node:crypto, whatever the lengths of key and text, and in whatever order they come', () => {
  const texts = [
    '',
    'a',
    'é\u{1f600}\ud800',
    'x'.repeat(8192),
    'é'.repeat(9000),
    'short again',
    'y'.repeat(100_000),
    'z',
  ];

  for (const length of [1, 31, 63, 64, 65, 200]) {
    const secret = 's'.repeat(length);
    const mac = new KeyedMac(secret);

    assert.deepEqual(
      texts.map((text) => mac.of(text)),
      texts.map((text) => ofNode(secret, text)),
      `a key of ${length} bytes`,
    );
  }
});
