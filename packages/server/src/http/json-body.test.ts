/** Every document that is plain is read as JSON.parse reads it, whatever its texts are made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { type SeededRandom, seededRandom } from '@rowlock/test-harness';
import { parseJsonBody } from './json-body.ts';

const pieces: readonly string[] = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  ' ',
  '1e400',
  'a',
  'ü',
  '\u2028',
  '\n',
  '😀',
  '\ud800',
];

function randomText(random: SeededRandom): string {
  return Array.from({ length: random.integer(7) }, () => random.pick(pieces)).join('');
}

function randomValue(random: SeededRandom, depth: number): unknown {
  const kind = random.integer(depth > 5 ? 4 : 6);
  if (kind === 0) return randomText(random);
  if (kind === 1) return random.pick([0, -0.5, 1e21, 5e-324, -1.7976931348623157e308]);
  if (kind <= 3) return random.pick([true, false, null]);
  const values = Array.from({ length: random.integer(5) }, () => randomValue(random, depth + 1));
  return kind === 4 ? values : Object.fromEntries(values.map((value) => [randomText(random), value]));
}

test('what is plain is read as JSON.parse reads it', () => {
  const random = seededRandom();
  for (let round = 0; round < 2000; round += 1) {
    const indent = random.pick(['', ' ', '\t']);
    const text = JSON.stringify(randomValue(random, 0), null, indent);

    assert.deepEqual(parseJsonBody(Buffer.from(text), 'application/json'), JSON.parse(text), text);
  }
});

test('what is cut off or changed in one place is read as JSON.parse reads it, or refused', () => {
  const random = seededRandom();
  for (let round = 0; round < 2000; round += 1) {
    const whole = JSON.stringify(randomValue(random, 0));
    const at = random.integer(whole.length + 1);
    const text = `${whole.slice(0, at)}${random.pick(pieces)}${random.pick(['', whole.slice(at)])}`;
    const bytes = Buffer.from(text);

    let read: unknown;
    try {
      read = parseJsonBody(bytes, undefined);
    } catch (error) {
      assert.ok(isRowlockError(error, 'invalid_request'), text);
      continue;
    }

    assert.deepEqual(read, JSON.parse(bytes.toString()), text);
  }
});

test('nothing at all is null, and a space is not', () => {
  assert.equal(parseJsonBody(new Uint8Array(), 'application/json'), null);
  assert.throws(() => parseJsonBody(Buffer.from(' '), 'application/json'));
});

test('sixty-four levels are read, and one more is not', () => {
  const nested = (depth: number): Buffer => Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`);

  assert.ok(parseJsonBody(nested(64), undefined));
  assert.throws(() => parseJsonBody(nested(65), undefined));
});

test('a body that is not UTF-8 leaves nothing behind for the next one', () => {
  const cut = Buffer.from('{"a":"é"}').subarray(0, 7);

  assert.throws(() => parseJsonBody(cut, undefined), /not UTF-8/);

  assert.deepEqual(parseJsonBody(Buffer.from('{"a":"é"}'), undefined), { a: 'é' });
});
