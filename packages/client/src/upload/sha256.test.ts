import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Sha256 } from './sha256.ts';

test('it is the SHA-256 of the whole, wherever the pieces end', () => {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000, 70_001]) {
    const bytes = randomBytes(size);
    const expected = createHash('sha256').update(bytes).digest('hex');
    for (const piece of [1, 7, 64, 100, 4096]) {
      const hash = new Sha256();

      for (let from = 0; from < size; from += piece) hash.update(bytes.subarray(from, from + piece));

      assert.equal(hash.hex(), expected, `${size} bytes by ${piece}`);
    }
  }
});
