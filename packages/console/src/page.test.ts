import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOfPage, pageOf } from './page.ts';
import { home } from './place.ts';

test('a page of the service is spelt so that it is read back the same', () => {
  for (const about of [[], ['120'], ['a b/c', '50 %', '#?']]) {
    const page = pageOf(addressOfPage('jobs', ...about));

    assert.deepEqual(page, { name: 'jobs', about });
  }
});

test('a bucket is no page, whatever its name', () => {
  const page = pageOf('#/jobs/');

  assert.deepEqual(page, { name: 'files', place: { bucket: 'jobs', folders: [] } });
});

test('what names no page is the list of buckets', () => {
  for (const hash of ['', '#', '#jobs2', '#jobs/%E0%A4%A']) {
    const page = pageOf(hash);

    assert.deepEqual(page.name, 'files');
  }
  assert.deepEqual(pageOf('#nothing/%E0%A4%A'), { name: 'files', place: home });
});
