import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insertDefaults, withDefaults } from './client-options.ts';

test('a kind is looked up among those that were given only', () => {
  const defaults = insertDefaults({ schema: 'river', kinds: { work: { queue: 'q' } } });
  const prototype = insertDefaults({ schema: 'river', kinds: Object.create({ work: { queue: 'q' } }) });

  assert.equal(withDefaults({ kind: 'work', args: {} }, defaults).queue, 'q');
  assert.equal(withDefaults({ kind: 'work', args: {} }, prototype).queue, undefined);
  assert.throws(() => insertDefaults({ schema: 'river', kinds: { 'no kind': {} } }), { reason: 'invalid_job' });
});

test('an option that is undefined says nothing', () => {
  const defaults = insertDefaults({ schema: 'river', defaults: { queue: 'q', tags: ['abc'] } });
  const job = { kind: 'work', args: undefined, queue: undefined as never, tags: [] };

  assert.deepEqual(withDefaults(job, defaults), { kind: 'work', args: undefined, queue: 'q', tags: [] });
});
