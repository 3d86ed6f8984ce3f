import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { canonicalQuery, canonicalRequestHash, type QueryPair, uriEncode, uriEncodePath } from './canonical.ts';
import { scopeText, signature, signingKey } from './signing-key.ts';

/**
 * AWS's published signing test suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4, the files
 * query-signed-request.txt): each names a decoded request and the signature of its query form.
 */
const suite: readonly {
  name: string;
  path?: string;
  query?: readonly QueryPair[];
  headers?: readonly (readonly [string, string])[];
  signature: string;
  withoutExpiry?: true;
}[] = [
  {
    name: 'get-header-value-trim',
    headers: [
      ['my-header1', ' value1'],
      ['my-header2', ' "a   b   c"'],
    ],
    signature: 'e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd3df3acd4',
  },
  {
    name: 'get-utf8',
    path: '/ሴ',
    signature: '10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44',
  },
  {
    name: 'get-unreserved',
    path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    signature: '95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005',
  },
  {
    name: 'get-slashes-unnormalized',
    path: '//example//',
    signature: '822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d4ba60fc2',
  },
  {
    name: 'get-space-unnormalized',
    path: '/example space/',
    signature: 'df2538a2f0e3833e12597dc3955a6a4545255907051db5a7c6e22550c4ddc380',
    withoutExpiry: true,
  },
  {
    name: 'get-vanilla-query-order-key-case',
    query: [
      ['Param2', 'value2'],
      ['Param1', 'value1'],
    ],
    signature: '86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5',
  },
  {
    name: 'get-vanilla-query-order-encoded',
    query: [
      ['Param-3', 'Value3'],
      ['Param', 'Value2'],
      ['ሴ', 'Value1'],
    ],
    signature: 'c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787',
  },
  {
    name: 'get-vanilla-utf8-query',
    query: [['ሴ', 'bar']],
    signature: '0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600',
  },
  {
    name: 'get-vanilla-empty-query-key',
    query: [['Param1', 'value1']],
    signature: '49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de',
  },
  {
    name: 'get-vanilla-with-session-token',
    query: [['X-Amz-Security-Token', '6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267']],
    signature: '7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c',
  },
];

for (const vector of suite) {
  test(`the published vector ${vector.name} is reproduced`, () => {
    const scope = { date: '20150830', region: 'us-east-1', service: 'service' };
    const headers = [['host', 'example.amazonaws.com'] as const, ...(vector.headers ?? [])];
    const own: QueryPair[] = [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', `AKIDEXAMPLE/${scopeText(scope)}`],
      ['X-Amz-Date', '20150830T123600Z'],
      ['X-Amz-SignedHeaders', headers.map(([name]) => name).join(';')],
    ];
    if (vector.withoutExpiry !== true) own.push(['X-Amz-Expires', '3600']);

    const hashed = canonicalRequestHash({
      method: 'GET',
      path: uriEncodePath(vector.path ?? '/'),
      query: canonicalQuery([...own, ...(vector.query ?? [])]),
      headers,
      payloadHash: hash('sha256', '', 'hex'),
    });
    const key = signingKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', scope);

    assert.equal(signature(key, '20150830T123600Z', scopeText(scope), hashed), vector.signature);
  });
}

test('only unreserved characters stay as they are', () => {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

  const unchanged = ascii.filter((character) => uriEncode(character) === character).join('');

  assert.equal(unchanged, '-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');
  assert.equal(uriEncode("!'()*+ é😀/"), '%21%27%28%29%2A%2B%20%C3%A9%F0%9F%98%80%2F');
});

test('a path keeps its slashes, doubled ones and dots too', () => {
  const encoded = uriEncodePath('/b//a b/../+~*/');

  assert.equal(encoded, '/b//a%20b/../%2B~%2A/');
});

test('a lone surrogate has no encoding', () => {
  assert.throws(() => uriEncode('\ud800'), URIError);
});

test('equal names are ordered by their values, and names by bytes, not by locale', () => {
  const query = canonicalQuery([
    ['b', '2'],
    ['b', '10'],
    ['a', ''],
    ['B', '1'],
  ]);

  assert.equal(query, 'B=1&a=&b=10&b=2');
});

test('a signing key is remembered and is not confused with that of another secret', () => {
  const scope = { date: '20240101', region: 'eu-central-1', service: 's3' };

  const first = signingKey('secret-one', scope);
  const again = signingKey('secret-one', { ...scope });
  const other = signingKey('secret-two', scope);

  assert.equal(again, first);
  assert.notEqual(other.export().toString('hex'), first.export().toString('hex'));
});

test('the oldest signing keys are forgotten, and derived again alike', () => {
  const scope = { date: '20240102', region: 'eu-central-1', service: 's3' };
  const first = signingKey('forgotten', scope);

  for (let i = 0; i < 500; i++) signingKey(`other-${i}`, scope);
  const again = signingKey('forgotten', scope);

  assert.notEqual(again, first);
  assert.ok(again.equals(first));
});
