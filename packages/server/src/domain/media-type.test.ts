import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import sharp from 'sharp';
import { detectMediaType, isActiveType, normaliseMediaType } from './media-type.ts';

test('a declared type is stripped of parameters and lower-cased', () => {
  assert.equal(normaliseMediaType(' TEXT/HTML; charset=utf-8'), 'text/html');
  assert.equal(normaliseMediaType('image/svg+xml; x'), 'image/svg+xml');
  assert.equal(normaliseMediaType(''), undefined);
  assert.equal(normaliseMediaType(undefined), undefined);
});

test('what is not one media type is refused', () => {
  for (const declared of ['text/html,image/png', 'png', 'a/b/c', 'text/ html', 'image/\u00e9']) {
    assert.throws(
      () => normaliseMediaType(declared),
      (error) => isRowlockError(error, 'media_type_not_allowed'),
      declared,
    );
  }
});

test('markup is recognised whatever its name says', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['<!DOCTYPE html><p>hi', 'text/html'],
    ['  \n<script>alert(1)</script>', 'text/html'],
    ['<!-- x --><svg onload=alert(1)>', 'image/svg+xml'],
    ['<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
    ['<?xml version="1.0"?><x/>', 'text/xml'],
  ];

  for (const [text, type] of cases) {
    assert.equal(await detectMediaType(Buffer.from(text)), type, text);
  }
  assert.equal(await detectMediaType(Buffer.from('\ufeff<html>', 'utf16le')), 'text/html');
});

test('images are recognised and plain text is not certain', async () => {
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();

  assert.equal(await detectMediaType(png), 'image/png');
  assert.equal(await detectMediaType(Buffer.from('just text')), undefined);
  assert.equal(await detectMediaType(Buffer.alloc(0)), undefined);
});

test('a hostile header neither throws nor hangs', async () => {
  const asf = Buffer.concat([Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'), Buffer.alloc(39)]);

  assert.doesNotReject(detectMediaType(asf));
  assert.notEqual(await detectMediaType(asf), 'text/html');
});

test('what a browser would run is active', () => {
  for (const type of [
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'application/rdf+xml',
    'application/pdf',
  ]) {
    assert.ok(isActiveType(type), type);
  }
  for (const type of ['image/png', 'text/plain', 'application/octet-stream', null, undefined]) {
    assert.ok(!isActiveType(type), String(type));
  }
});
