import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertGateway } from './gateway.ts';

test('a gateway has a port or a host name, and origins as browsers write them', () => {
  assert.doesNotThrow(() => assertGateway(undefined));
  assert.doesNotThrow(() =>
    assertGateway({ origins: ['https://app.example.com', 'http://localhost:4200'], port: 8001 }),
  );
  assert.doesNotThrow(() => assertGateway({ origins: [], hostname: 'files.example.com' }));

  assert.throws(() => assertGateway({ origins: [] }), /neither a port nor a host name/);
  for (const origin of [
    '*',
    'null',
    '',
    'app.example.com',
    'https://app.example.com/',
    'https://a.example/x',
    'file://',
  ]) {
    assert.throws(() => assertGateway({ origins: [origin], port: 8001 }), /is none: write it as https/, origin);
  }
});
