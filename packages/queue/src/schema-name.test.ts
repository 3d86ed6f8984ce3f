import assert from 'node:assert/strict';
import { test } from 'node:test';
import { channelName, schemaName } from './schema-name.ts';

test('River’s rule for the name of a schema holds', () => {
  for (const name of ['metadata', '_a', 'Mixed9', 's'.repeat(46)]) assert.equal(schemaName(name).quoted, `"${name}"`);

  for (const name of ['', '9a', 'a-b', 'a"b', 'a b', 'ä', 's'.repeat(47)]) {
    assert.throws(() => schemaName(name), { reason: 'invalid_schema_name' }, name);
  }
});

test('a channel is the schema and the topic with a point between them', () => {
  assert.equal(channelName(schemaName('metadata'), 'river_insert'), 'metadata.river_insert');
});
