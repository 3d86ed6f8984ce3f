import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inChunks } from '../conformance/sample-bytes.ts';
import { scriptedStore } from './scripted-store.ts';

test('what a store is to keep beside an object, and to say of it, goes with its bytes; nothing takes the place of the mark', async (t) => {
  const store = await scriptedStore(t, () => ({ headers: { etag: '"abc"' } }));

  await store.backend.put('objects/ab/x', inChunks(Buffer.from('bytes')), {
    contentType: 'image/webp',
    cacheControl: 'private, max-age=60',
    metadata: { 'original-key': 'objects/cd/y', 'rowlock-put': 'mine' },
  });

  const headers = store.seen.find(({ method }) => method === 'PUT')?.headers;
  assert.deepEqual(
    [headers?.['content-type'], headers?.['cache-control'], headers?.['x-amz-meta-original-key']],
    ['image/webp', 'private, max-age=60', 'objects/cd/y'],
  );
  assert.match(String(headers?.['x-amz-meta-rowlock-put']), /^[0-9a-f-]{36}$/);
});
