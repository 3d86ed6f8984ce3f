import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { assertExpiry, createUrlSigner, signedUrlSecondsMax } from './signed-url.ts';

const current = { id: 'b', secret: 'the-current-secret-of-thirty-two-bytes' };
const old = { id: 'a', secret: 'the-previous-secret-of-thirty-two-byte' };
const grant = { bucket: 'box', name: 'a/b.txt', object_id: 'o1', preset: undefined };
const in60 = (): Date => new Date(Date.now() + 60_000);

test('a token opens what it was signed for', async () => {
  const signer = createUrlSigner({ current });

  const token = await signer.sign({ ...grant, preset: 'small' }, in60());
  const opened = await signer.verify(token, 'box', 'a/b.txt');

  assert.equal(opened.object_id, 'o1');
  assert.equal(opened.preset, 'small');
});

test('another bucket, another name or a changed token is an invalid signature', async () => {
  const signer = createUrlSigner({ current });
  const token = await signer.sign(grant, in60());
  const forged = await createUrlSigner({ current: { id: 'b', secret: 'x'.repeat(32) } }).sign(grant, in60());
  const unknown = await createUrlSigner({ current: { id: 'z', secret: current.secret } }).sign(grant, in60());

  for (const [value, bucket, name] of [
    [token, 'other', 'a/b.txt'],
    [token, 'box', 'a/c.txt'],
    [`${token}x`, 'box', 'a/b.txt'],
    [forged, 'box', 'a/b.txt'],
    [unknown, 'box', 'a/b.txt'],
    ['', 'box', 'a/b.txt'],
  ] as const) {
    await assert.rejects(signer.verify(value, bucket, name), (error) => isRowlockError(error, 'invalid_signature'));
  }
});

test('an expired token is expired only when its signature is right', async () => {
  const signer = createUrlSigner({ current });
  const past = new Date(Date.now() - 1000);

  await assert.rejects(signer.verify(await signer.sign(grant, past), 'box', 'a/b.txt'), (e) =>
    isRowlockError(e, 'url_expired'),
  );
  const forged = await createUrlSigner({ current: { ...current, secret: 'y'.repeat(32) } }).sign(grant, past);
  await assert.rejects(signer.verify(forged, 'box', 'a/b.txt'), (e) => isRowlockError(e, 'invalid_signature'));
});

test('keys rotate with an overlap', async () => {
  const before = await createUrlSigner({ current: old }).sign(grant, in60());

  await assert.doesNotReject(createUrlSigner({ current, previous: [old] }).verify(before, 'box', 'a/b.txt'));
  await assert.rejects(createUrlSigner({ current }).verify(before, 'box', 'a/b.txt'));
});

test('a lifetime is a whole number of seconds up to seven days', () => {
  for (const seconds of [1, 3600, signedUrlSecondsMax]) {
    assert.doesNotThrow(() => assertExpiry(seconds));
  }
  for (const seconds of [0, -1, 1.5, signedUrlSecondsMax + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => assertExpiry(seconds),
      (e) => isRowlockError(e, 'invalid_expiry'),
    );
  }
});
