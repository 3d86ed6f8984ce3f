import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { type ChecksumAlgorithm, sentChecksums, startChecksum } from './checksum.ts';

/** The check values of the CRC catalogue: of the nine digits. */
const ofNineDigits: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  md5: '25f9e794323b453885f5181f1b624d0b',
  sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  sha512:
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
};

test('every algorithm gives its published check value, however the bytes are cut', () => {
  for (const [algorithm, expected] of Object.entries(ofNineDigits)) {
    for (const cut of [0, 1, 4, 9]) {
      const running = startChecksum(algorithm as ChecksumAlgorithm);

      running.update(Buffer.from('123456789'.slice(0, cut)));
      running.update(Buffer.from('123456789'.slice(cut)));

      assert.equal(running.digest().toString('hex'), expected, algorithm);
    }
  }
});

test('checksums are read in every spelling', () => {
  const md5 = Buffer.from(ofNineDigits.md5, 'hex').toString('base64');
  const sha256 = Buffer.from(ofNineDigits.sha256, 'hex').toString('base64');

  const found = sentChecksums([
    ['Content-MD5', md5],
    ['x-amz-checksum-crc32', 'y/Q5Jg=='],
    ['x-amz-checksum-type', 'FULL_OBJECT'],
    ['digest', `SHA-256=${sha256},unixsum=30637`],
    ['content-digest', `sha-256=:${sha256}:`],
    ['content-length', '9'],
  ]);

  assert.deepEqual(
    found.map(({ algorithm, value }) => [algorithm, value.toString('base64')]),
    [
      ['md5', md5],
      ['crc32', 'y/Q5Jg=='],
      ['sha256', sha256],
      ['sha256', sha256],
    ],
  );
});

test('a checksum that is none is refused and not skipped', () => {
  for (const [name, value] of [
    ['content-md5', ''],
    ['content-md5', 'not base64 at all!'],
    ['content-md5', 'AAAA'],
    ['x-amz-checksum-crc32', 'AAAAAAAA'],
    ['x-amz-checksum-crc99', 'AAAAAA=='],
    ['x-amz-checksum-constructor', 'AAAAAA=='],
    ['digest', 'sha-256'],
    ['digest', 'sha-256=AAAA'],
  ] as const) {
    assert.throws(
      () => sentChecksums([[name, value]]),
      (error) => isRowlockError(error, 'bad_digest'),
      `${name}: ${value}`,
    );
  }
});
