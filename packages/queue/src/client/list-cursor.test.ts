import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { JobDetails } from '../job.ts';
import { decodeListCursor, encodeListCursor } from './list-cursor.ts';

const job = { id: '9007199254740993', kind: 'work', queue: 'default' } as JobDetails;

test('a cursor is read as it was written', () => {
  const time = '2026-01-02T03:04:05.123456Z';

  assert.deepEqual(decodeListCursor(encodeListCursor(job, 'scheduled_at', time)), {
    id: job.id,
    order: 'scheduled_at',
    time,
  });
  assert.deepEqual(decodeListCursor(encodeListCursor(job, 'id', null)), { id: job.id, order: 'id', time: null });
  assert.equal(decodeListCursor(encodeListCursor(job, 'time', 'infinity')).time, null);
});

test('whatever a job is called, its cursor is the same in both alphabets of base64, since River v0.43 mixes them', () => {
  for (const kind of ['a·b', '<b>', '???', '~~~', 'ÿÿÿ>>>', '😀']) {
    const cursor = encodeListCursor({ ...job, kind }, 'id', null);

    assert.match(cursor, /^[A-Za-z0-9]+=*$/, kind);
    assert.equal(JSON.parse(Buffer.from(cursor, 'base64').toString()).kind, kind);
  }
});

test('a kind that looks like an id is not taken for it, and other orders of keys are read', () => {
  const tricky = encodeListCursor({ ...job, kind: '"id":7,' }, 'id', null);
  const json = '{"time":"0001-01-01T00:00:00Z", "sort_field" : "time", "id" : 12, "kind":"k","queue":"q","new":1}';

  assert.equal(decodeListCursor(tricky).id, job.id);
  assert.deepEqual(decodeListCursor(Buffer.from(json).toString('base64')), { id: '12', order: 'time', time: null });
});
