import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGateway } from './gateway-checks.ts';
import { Settings } from './options.ts';

const check = (env: Readonly<Record<string, string>>): readonly string[] =>
  checkGateway(new Settings({}, env)).map(({ state, says }) => `${state}: ${says}`);

test('a gateway that is off is not judged', () => {
  assert.deepEqual(check({ GATEWAY_ORIGINS: '*' }), []);
});

test('an application and a gateway below one domain can work', () => {
  const GATEWAY_ORIGINS = 'https://app.example.com,http://localhost:4200';

  assert.match(check({ GATEWAY_ORIGINS, GATEWAY_HOSTNAME: 'files.example.com' }).join(), /^ok: sessions for https/);
  assert.match(check({ GATEWAY_ORIGINS, GATEWAY_PORT: '8001' }).join(), /^ok/);
});

test('origins that no browser sends, or sends no cookie from, are found', () => {
  const hostname = { GATEWAY_HOSTNAME: 'files.example.com' };
  const cases: Readonly<Record<string, RegExp>> = {
    '': /^warn: no page may begin a session/,
    '*': /^fail: no browser sends the origin "\*"/,
    null: /^fail: no browser sends/,
    'https://app.example.com/': /^fail: no browser sends/,
    'app.example.com': /^fail: no browser sends/,
    'https://APP.example.com': /^fail: no browser sends/,
    'http://app.example.com': /^warn: .* is another site than any https host/,
    'https://files.example.com': /^fail: .* is the gateway itself/,
    'https://app.example.org': /^warn: .* are two sites/,
  };

  for (const [GATEWAY_ORIGINS, says] of Object.entries(cases)) {
    const found = check({ ...hostname, GATEWAY_ORIGINS });
    assert.equal(found.length, 1, GATEWAY_ORIGINS);
    assert.match(found[0] ?? '', says);
  }
});

test('the host of the API is not the gateway', () => {
  const env = { GATEWAY_ORIGINS: 'https://app.example.com', GATEWAY_HOSTNAME: 'files.example.com' };

  assert.match(check({ ...env, PUBLIC_URL: 'https://files.example.com' }).join(), /^fail: .* PUBLIC_URL too/);
});
