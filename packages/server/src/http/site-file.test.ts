import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { formOf, siteFile } from './site-file.ts';

const text = 'export const words = "the same words over and over";\n'.repeat(40);
const file = siteFile(Buffer.from(text), 'text/javascript');

test('a file goes in the smallest form that a browser takes', async () => {
  const [brotli, gzip] = await Promise.all([formOf(file, 'gzip, deflate, br'), formOf(file, 'gzip')]);

  assert.deepEqual([brotli.encoding, gzip.encoding], ['br', 'gzip']);
  assert.equal(brotliDecompressSync(brotli.body).toString(), text);
  assert.equal(gunzipSync(gzip.body).toString(), text);
  assert.equal(new Set([brotli.etag, gzip.etag, file.etag]).size, 3);
});

test('what is refused, unknown or not worth it is not used', async () => {
  for (const header of [undefined, '', 'identity', 'br;q=0', 'gzip ; q=0.00, br;q=0', 'zstd', '*']) {
    assert.equal((await formOf(file, header)).encoding, undefined, header);
  }
  assert.equal((await formOf(siteFile(Buffer.from('short'), 'text/css'), 'br')).encoding, undefined);
});
