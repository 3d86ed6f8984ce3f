import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf } from '../page.ts';
import { addressOfFilter, filterOf } from './jobs-view.ts';

test('a filter is spelled as an address that is read as the same filter', () => {
  const filter = { state: 'discarded', queue: 'a/b', kind: 'ü' } as const;

  const page = pageOf(addressOfFilter(filter));

  assert.deepEqual(page.name === 'jobs' ? filterOf(page.about) : page, filter);
  assert.equal(addressOfFilter({}), '#jobs');
});

test('what is no filter is left out', () => {
  assert.deepEqual(filterOf(['state', 'nonesuch', 'other', 'x', 'queue']), {
    state: undefined,
    queue: undefined,
    kind: undefined,
  });
});
