import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type S3BackendConfig, s3Settings } from './s3-config.ts';

const minimal = { bucket: 'files', region: 'eu-central-1' };

test('without an endpoint it is AWS, at the bucket as a virtual host', () => {
  const settings = s3Settings(minimal);

  assert.equal(settings.public_endpoint, 'https://s3.eu-central-1.amazonaws.com');
  assert.equal(settings.force_path_style, false);
  assert.equal(settings.quirks.conditional_complete, true);
  assert.equal(s3Settings({ ...minimal, bucket: 'a.b.c' }).force_path_style, true);
  assert.equal(
    s3Settings({ ...minimal, region: 'cn-north-1' }).public_endpoint,
    'https://s3.cn-north-1.amazonaws.com.cn',
  );
});

test('with an endpoint it is a store of which nothing is assumed, by path', () => {
  const settings = s3Settings({ ...minimal, endpoint: 'http://store:9000' });

  assert.equal(settings.public_endpoint, 'http://store:9000');
  assert.equal(settings.force_path_style, true);
  assert.equal(settings.quirks.conditional_put, false);
  assert.equal(settings.quirks.checksums, false);
});

const refused: readonly [Partial<S3BackendConfig>, RegExp][] = [
  [{ bucket: '' }, /bucket/],
  [{ bucket: '../other' }, /bucket/],
  [{ region: 'eu central' }, /region/],
  [{ flavour: 'r2' }, /endpoint is missing/],
  [{ endpoint: 'store:9000' }, /endpoint is not an http/],
  [{ endpoint: 'ftp://store' }, /endpoint is not an http/],
  [{ endpoint: 'http://user:pass@store' }, /endpoint has more/],
  [{ endpoint: 'http://store?x=1' }, /endpoint has more/],
  [{ public_endpoint: 'files.example.com' }, /public_endpoint/],
  [{ key_prefix: 'rowlock' }, /key_prefix/],
  [{ key_prefix: '/' }, /key_prefix/],
  [{ key_prefix: '../' }, /key_prefix/],
  [{ idle_ms: 0 }, /idle_ms/],
  [{ page_keys: 1001 }, /page_keys/],
  [{ parts_at_once: -1 }, /parts_at_once/],
];

for (const [options, says] of refused) {
  test(`${JSON.stringify(options)} cannot work and is refused`, () => {
    assert.throws(() => s3Settings({ ...minimal, ...options }), says);
  });
}
