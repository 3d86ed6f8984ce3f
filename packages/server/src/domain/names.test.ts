import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { assertBucketName, baseName, decodePath, normaliseObjectName } from './names.ts';

const refused = (reason: 'invalid_name' | 'name_too_long' | 'invalid_bucket_name') => (error: unknown) =>
  isRowlockError(error, reason);

test('ordinary and Unicode names are accepted as they are', () => {
  for (const name of ['a', 'a/b.jpg', 'été/日本語 😀.png', 'a b+c%d', "it's (1)", 'constructor', '__proto__', 'a..b']) {
    assert.equal(normaliseObjectName(name), name.normalize('NFC'));
  }
});

test('a name is normalised to NFC', () => {
  assert.equal(normaliseObjectName('e\u0301'), '\u00e9');
});

test('names that could be taken for paths are refused', () => {
  for (const name of ['', '/a', 'a/', 'a//b', '.', '..', 'a/./b', '../../etc/passwd', 'a/..']) {
    assert.throws(() => normaliseObjectName(name), refused('invalid_name'), JSON.stringify(name));
  }
});

test('control characters and broken Unicode are refused', () => {
  for (const name of ['a\u0000.png', 'a\r\nb', 'a\u007f', 'a\u0085', 'a\ud800']) {
    assert.throws(() => normaliseObjectName(name), refused('invalid_name'), JSON.stringify(name));
  }
  assert.throws(() => decodePath('%ff%fe'), refused('invalid_name'));
});

test('a name is limited by its bytes and not by its characters', () => {
  assert.equal(normaliseObjectName('a'.repeat(1024)).length, 1024);
  assert.throws(() => normaliseObjectName('a'.repeat(1025)), refused('name_too_long'));
  assert.throws(() => normaliseObjectName('é'.repeat(513)), refused('name_too_long'));
});

test('bucket names follow the rules of S3, with underscores allowed', () => {
  for (const name of ['avatars', 'public_docs', 'a-b.c', '123']) {
    assert.doesNotThrow(() => assertBucketName(name));
  }
  for (const name of [
    '',
    'ab',
    'A B',
    'Upper',
    '..',
    'a..b',
    '-ab',
    'ab-',
    'a'.repeat(64),
    '192.168.0.1',
    'xn--a',
    'a/b',
    'sign',
    'public',
  ]) {
    assert.throws(() => assertBucketName(name), refused('invalid_bucket_name'), name);
  }
});

test('the base name is the last segment', () => {
  assert.equal(baseName('a/b/c.jpg'), 'c.jpg');
  assert.equal(baseName('c.jpg'), 'c.jpg');
});
