import assert from 'node:assert/strict';
import { test } from 'node:test';
import { previewKind } from './preview-kind.ts';

for (const [content_type, detected_type, kind] of [
  ['image/jpeg', 'image/jpeg', 'picture'],
  ['application/octet-stream', 'image/png', 'picture'],
  ['image/svg+xml', 'image/svg+xml', 'text'],
  ['application/pdf', null, 'document'],
  ['video/mp4', 'video/mp4', 'video'],
  ['video/mp4', 'text/html', 'none'],
  ['audio/ogg', null, 'audio'],
  ['text/plain', null, 'text'],
  ['text/html', null, 'text'],
  ['text/plain', 'application/zip', 'none'],
  ['application/json', null, 'text'],
  ['application/x-executable', null, 'none'],
] as const) {
  test(`${content_type} with bytes of ${detected_type ?? 'any kind'} is shown as ${kind}`, () => {
    assert.equal(previewKind({ content_type, detected_type, size: 1 }), kind);
  });
}
