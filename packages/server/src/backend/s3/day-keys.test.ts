import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { dayKeys } from './day-keys.ts';
import { signingKey } from './signing-key.ts';

const store = {
  endpoint: 'https://s3.eu-central-1.amazonaws.com',
  region: 'eu-central-1',
  bucket: 'some-bucket',
  credentials: { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
} as const;

const sha256 = (...parts: readonly Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

test('two hashes with the pads are the HMAC of the derived key', () => {
  const [key] = dayKeys(store, ['20260304']);
  const text = Buffer.from('anything');

  const [inner, outer] = [key?.inner_pad, key?.outer_pad].map((pad) => Buffer.from(pad ?? '', 'hex'));

  assert.ok(inner?.length === 64 && outer?.length === 64);
  assert.deepEqual(
    sha256(outer, sha256(inner, text)),
    createHmac('sha256', signingKey(store.credentials.secret_access_key, { ...store, date: '20260304', service: 's3' }))
      .update(text)
      .digest(),
  );
});

test('every day has a key of its own, and none has the secret in it', () => {
  const keys = dayKeys(store, ['20260304', '20260305']);

  const text = JSON.stringify(keys);

  assert.deepEqual(
    keys.map(({ scope }) => scope),
    ['20260304/eu-central-1/s3/aws4_request', '20260305/eu-central-1/s3/aws4_request'],
  );
  assert.notEqual(keys[0]?.inner_pad, keys[1]?.inner_pad);
  assert.ok(!text.includes('wJalr') && !text.includes(Buffer.from('AWS4wJalr').toString('hex')));
});

test('what a URL spells the same all day is spelled already', () => {
  const [path] = dayKeys({ ...store, key_prefix: 'rowlock/' }, ['20260304']);
  const credentials = { ...store.credentials, session_token: 'a/b+c=' };
  const endsAt = new Date('2026-03-04T12:00:00Z');
  const [virtual] = dayKeys({ ...store, credentials, addressing: 'virtual' }, ['20260304'], endsAt);

  assert.equal(`${path?.origin}${path?.path_prefix}`, 'https://s3.eu-central-1.amazonaws.com/some-bucket/rowlock/');
  assert.equal(`${virtual?.origin}${virtual?.path_prefix}`, 'https://some-bucket.s3.eu-central-1.amazonaws.com/');
  assert.equal(virtual?.host, 'some-bucket.s3.eu-central-1.amazonaws.com');
  assert.equal(virtual?.query_token, '&X-Amz-Security-Token=a%2Fb%2Bc%3D');
  assert.equal(virtual?.credential_ends_at, endsAt);
  assert.equal(path?.query_token, '');
  assert.equal(path?.credential_ends_at, undefined);
});
