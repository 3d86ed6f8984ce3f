import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkInsert, type JobInsertOptions } from './job-insert-options.ts';

const job: JobInsertOptions = { kind: 'work', args: {} };

test('what River’s clients accept is accepted', () => {
  const accepted: Partial<JobInsertOptions>[] = [
    { kind: 'ab' },
    { kind: '9-[x]<y>/z.a·b:c+d' },
    { kind: 'k'.repeat(127) },
    { queue: 'a' },
    { queue: 'a-b_c|d9' },
    { queue: 'q'.repeat(64) },
    { tags: ['abc', 'a-b', 'A_9', 't'.repeat(255)] },
    { priority: 4, maxAttempts: 32_767 },
    { args: null },
    { scheduledAt: new Date(0) },
  ];

  for (const options of accepted)
    assert.doesNotThrow(() => checkInsert({ ...job, ...options }), JSON.stringify(options));
});

test('what River’s clients refuse is refused', () => {
  const refused: Partial<JobInsertOptions>[] = [
    { kind: 'a' },
    { kind: '-ab' },
    { kind: 'a b' },
    { kind: 'äb' },
    { kind: 'k'.repeat(128) },
    { queue: '' },
    { queue: 'A' },
    { queue: '-a' },
    { queue: 'a--b' },
    { queue: 'q'.repeat(65) },
    { tags: ['ab'] },
    { tags: ['a,b'] },
    { tags: ['-ab'] },
    { tags: ['t'.repeat(256)] },
    { priority: 0 },
    { priority: 5 },
    { priority: 1.5 },
    { maxAttempts: 0 },
    { maxAttempts: 32_768 },
    { metadata: [] as never },
    { scheduledAt: new Date(Number.NaN) },
  ];

  for (const options of refused) {
    assert.throws(() => checkInsert({ ...job, ...options }), { reason: 'invalid_job' }, JSON.stringify(options));
  }
});

test('a name on which a backtracking pattern would never end is refused', () => {
  assert.throws(() => checkInsert({ ...job, queue: `${'a'.repeat(50_000)}!` }), { reason: 'invalid_job' });
});
