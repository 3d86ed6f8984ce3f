import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jsonbText } from './jsonb-text.ts';
import { QueueDatabase } from './queue-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

test('what jsonb refuses is replaced, in keys and in strings, and everything else stays', async () => {
  const value = { 'a\u0000': 'b\u0000\uD800c\uDC00', '\uDFFF': ['\\u0000', '\\\u0000', '\u001f"\\', '😀'] };

  const { rows } = await database.pool.query('SELECT $1::jsonb AS value', [jsonbText(value)]);

  assert.deepEqual(rows[0]?.value, {
    'a\uFFFD': 'b\uFFFD\uFFFDc\uFFFD',
    '\uFFFD': ['\\u0000', '\\\uFFFD', '\u001f"\\', '😀'],
  });
});

test('what JSON cannot say is null', () => {
  assert.equal(jsonbText(undefined), 'null');
});
