import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptErrorJson, errorText, errorTrace } from './attempt-error.ts';

test('an entry has the fields that River decodes, its time in RFC 3339', () => {
  const json = attemptErrorJson({ at: new Date(0).toISOString(), attempt: 3, error: 'no', trace: '' });

  assert.equal(json, '{"at":"1970-01-01T00:00:00.000Z","attempt":3,"error":"no","trace":""}');
});

test('endless texts are cut', () => {
  const entry = JSON.parse(attemptErrorJson({ at: '', attempt: 1, error: 'e'.repeat(1e6), trace: 't'.repeat(1e6) }));

  assert.equal(entry.error.length, 16_384);
  assert.equal(entry.trace.length, 16_384);
});

test('anything that can be thrown has a text', () => {
  class Odd extends Error {
    override readonly message = { not: 'text' } as unknown as string;
  }
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;

  const texts = [new Error('a'), new TypeError(''), 'b', 7n, undefined, null, circular].map(errorText);

  assert.deepEqual(texts.slice(0, 6), ['a', 'TypeError', 'b', '7n', 'undefined', 'null']);
  assert.match(texts[6] ?? '', /Circular/);
  assert.equal(typeof errorText(new Odd()), 'string');
});

test('a trace has the frames and not the message', () => {
  const trace = errorTrace(new Error('secret\nof two lines'));

  assert.match(trace, /^ +at .*attempt-error\.test/);
  assert.doesNotMatch(trace, /secret/);
  assert.equal(errorTrace('text'), '');
});
