import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JobDetails } from '@rowlock/client';
import {
  countInWords,
  durationInWords,
  filterInWords,
  momentOfState,
  nearMoment,
  outcomeInWords,
  rateInWords,
  timelineOf,
} from './job-wording.ts';

const now = new Date('2026-01-02T03:04:05Z');

const job: JobDetails = {
  id: '1',
  kind: 'made',
  queue: 'default',
  state: 'retryable',
  attempt: 2,
  max_attempts: 25,
  priority: 1,
  tags: [],
  created_at: '2026-01-02T03:00:00Z',
  scheduled_at: '2026-01-02T03:05:05Z',
  attempted_at: '2026-01-02T03:03:00Z',
  finalized_at: null,
  error_count: 1,
  last_error: 'no',
  cancel_requested_at: null,
  args_begin: '{}',
  args: {},
  metadata: {},
  output: null,
  attempted_by: ['one', 'two'],
  errors: [{ at: '2026-01-02T03:01:00Z', attempt: 1, error: 'no', trace: null }],
  logs: [],
};

test('a number that was not counted to its end says that there are more', () => {
  const said = [countInWords(0, 10_000), countInWords(10_000, 10_000), countInWords(10_001, 10_000)];

  assert.deepEqual(said, ['0', '10,000', '10,000+']);
});

test('lengths of time are said in their largest unit, with two digits', () => {
  const said = [-3, 0.0004, 0.34, 0.9999, 1.44, 12, 59.9, 90, 3600, 9000, 200_000].map(durationInWords);

  assert.deepEqual(said, ['0 ms', '0 ms', '340 ms', '1 s', '1.4 s', '12 s', '60 s', '2 min', '1 h', '2.5 h', '2.3 d']);
});

test('a rate below one a second is said by the minute', () => {
  assert.deepEqual([0, 0.05, 0.5, 1.26, 260.4].map(rateInWords), [
    '0 / s',
    '3 / min',
    '30 / min',
    '1.3 / s',
    '260 / s',
  ]);
});

test('moments are before or behind now', () => {
  const said = ['2026-01-02T03:04:00Z', '2026-01-02T03:05:05Z', 'infinity'].map((moment) => nearMoment(moment, now));

  assert.deepEqual(said, ['5 s ago', 'in 1 min', 'never']);
});

test('a line says of each state the moment that matters for it', () => {
  const said = [
    momentOfState(job, now),
    momentOfState({ ...job, state: 'available', scheduled_at: '2026-01-02T03:02:05Z' }, now),
    momentOfState({ ...job, state: 'running' }, now),
    momentOfState({ ...job, state: 'discarded', finalized_at: '2026-01-02T02:04:05Z' }, now),
  ];

  assert.deepEqual(said, ['due in 1 min', 'due since 2 min', 'running since 1 min', 'discarded 1 h ago']);
});

test('what came of an action names what was left, and why', () => {
  const all = outcomeInWords('retry', { changed: ['1', '2'], unchanged: [] });
  const some = outcomeInWords('delete', { changed: ['1'], unchanged: [{ id: '2', why: 'running' }] });
  const none = outcomeInWords('cancel', { changed: [], unchanged: [{ id: '2', why: 'ended' }] });

  assert.equal(all, 'Retried 2 jobs.');
  assert.equal(some, 'Deleted 1 job. Left 1 job: running.');
  assert.equal(none, 'Left 1 job: ended already.');
  assert.equal(filterInWords({ state: 'discarded', queue: 'thumbnails' }), 'discarded jobs in thumbnails');
});

test('the timeline of a job has its errors, its last attempt and what comes next, in order', () => {
  const retryable = timelineOf(job).map(({ says }) => says);
  const atOnce = timelineOf({ ...job, errors: [{ at: '2026-01-02T03:03:00Z', attempt: 2, error: 'no', trace: null }] });
  const completed = timelineOf({ ...job, state: 'completed', finalized_at: '2026-01-02T03:03:01Z' });

  assert.deepEqual(retryable, ['Inserted', 'Attempt 1 failed', 'Attempt 2 began at two', 'The next attempt is due']);
  assert.deepEqual(
    atOnce.slice(1, 3).map(({ says }) => says),
    ['Attempt 2 began at two', 'Attempt 2 failed'],
  );
  assert.equal(completed.at(-1)?.says, 'Completed');
});
