import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import fc from 'fast-check';
import { described, goldens } from './go-described.test.ts';
import { entriesOf, goJson } from './go-json.ts';

interface Case {
  readonly name: string;
  readonly input: unknown;
  readonly json: string;
}

test('values are written as Go wrote them', () => {
  const cases = goldens<Case>('go-json');

  for (const { name, input, json } of cases) assert.equal(goJson(described(input)), json, name);

  assert.ok(cases.length >= 150);
});

test('what is written says to JSON.parse what JSON.stringify says', () => {
  const { seed } = seededRandom();
  const value = fc.jsonValue({ noUnicodeString: false, maxDepth: 5 });

  fc.assert(
    fc.property(value, (given) => {
      const plain: unknown = JSON.parse(
        JSON.stringify(given, (_key, each: unknown) => (Object.is(each, -0) ? 0 : each)),
      );

      const parsed: unknown = JSON.parse(goJson(given), (_key, each: unknown) => (Object.is(each, -0) ? 0 : each));

      assert.deepEqual(wellFormed(parsed), wellFormed(plain));
    }),
    { seed: seed | 0, numRuns: 500 },
  );
});

test('what JSON.stringify leaves out is left out', () => {
  const value = { a: undefined, b: () => 1, c: Symbol('c'), d: [undefined, () => 1], e: { toJSON: () => undefined } };

  assert.equal(goJson(value), '{"d":[null,null]}');
  assert.equal(goJson(undefined), 'null');
});

test('objects that say what they are as JSON are asked', () => {
  const url = new URL('https://example.org/?a=1&b=2');

  assert.equal(goJson({ url }), '{"url":"https://example.org/?a=1\\u0026b=2"}');
  assert.deepEqual([...(entriesOf({ toJSON: () => ({ a: 1 }) }) ?? [])], [['a', 1]]);
});

test('what JSON cannot say is refused and not replaced', () => {
  const ring: Record<string, unknown> = {};
  ring['ring'] = ring;

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN), ring]) {
    assert.throws(() => goJson({ value }), { reason: 'invalid_job' }, String(value));
  }
});

/** Halves of surrogate pairs are replaced on purpose, in keys as well. */
function wellFormed(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value).replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (found) => (found.length > 2 ? '\ufffd' : found)),
  );
}
