/**
 * The queue over HTTP for operators: who is shown what. Jobs are rows that no worker takes, so that each test sees the
 * states that it made. What is done to them is `job-changes.test.ts`; a test of the console has them worked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestService } from '@rowlock/test-harness';
import { json, type QueueSite, startQueueSite } from './queue-site.ts';

interface JobLine {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly state: string;
}

interface Page {
  readonly jobs: readonly JobLine[];
  readonly next_cursor: string | null;
}

let site: QueueSite;
let service: TestService;

before(async () => {
  site = await startQueueSite();
  service = site.service;
});
after(() => service.stop());

const routes: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', 'jobs/overview'],
  ['GET', 'jobs'],
  ['GET', 'jobs/count'],
  ['GET', 'jobs/1'],
  ['POST', 'jobs/retry', { ids: ['1'] }],
  ['POST', 'jobs/cancel', { filter: { state: 'available' } }],
  ['POST', 'jobs/delete', { ids: ['1'] }],
  ['PUT', 'jobs/queues/default', { paused: true }],
  ['GET', 'health'],
];

for (const [method, path, body] of routes) {
  test(`${method} ${path} is refused to everybody but the service role`, async () => {
    const init = body === undefined ? {} : { body: JSON.stringify(body), headers: json };

    const signedIn = await service.fetch(`/storage/v1/${path}`, { as: 'alice', method, ...init });
    const anonymous = await service.fetch(`/storage/v1/${path}`, { method, ...init });

    assert.equal(signedIn.status, 403);
    assert.equal(((await signedIn.json()) as { reason: string }).reason, 'not_allowed');
    assert.equal(anonymous.status, 401);
    assert.equal(((await anonymous.json()) as { reason: string }).reason, 'auth_required');
  });
}

test('an overview counts states and queues, how long the oldest waits, and what ended in the last minute', async () => {
  await site.makeJobs(3, { queue: 'counted' });
  await site.makeJobs(2, { queue: 'counted', state: 'retryable' });
  await site.makeJobs(4, { queue: 'counted', state: 'completed', kind: 'counted_kind' });

  const overview = await site.ask<{
    readonly states: Readonly<Record<string, number>>;
    readonly kinds: readonly string[];
    readonly queues: readonly {
      readonly name: string;
      readonly counts: Readonly<Record<string, number>>;
      readonly oldest_due_seconds: number;
      readonly completed_per_second: number;
      readonly p95_seconds: number;
      readonly is_known: boolean;
    }[];
  }>('GET', 'jobs/overview');

  const queue = overview.queues.find(({ name }) => name === 'counted');
  assert.deepEqual(queue?.counts, { available: 3, retryable: 2 });
  assert.ok(queue.oldest_due_seconds >= 3600 && queue.oldest_due_seconds < 7200);
  assert.ok(Math.abs(queue.completed_per_second - 4 / 60) < 0.01);
  assert.ok(queue.p95_seconds > 3500);
  assert.equal(queue.is_known, false, 'no worker has served it');
  assert.ok((overview.states['completed'] ?? 0) >= 4);
  assert.ok(overview.kinds.includes('counted_kind'));
});

for (const state of [undefined, 'available', 'completed']) {
  test(`pages of ${state ?? 'all'} jobs show each one once, in one order, whatever comes meanwhile`, async () => {
    const queue = `paged-${state ?? 'all'}`;
    const made = await site.makeJobs(25, { queue, ...(state === undefined ? {} : { state }) });
    const query = `queue=${queue}&limit=10${state === undefined ? '' : `&state=${state}`}`;
    const seen: string[] = [];
    const sizes: number[] = [];

    for (let cursor: string | null = ''; cursor !== null; ) {
      const at: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Page = await site.ask('GET', `jobs?${query}${at}`);
      seen.push(...page.jobs.map(({ id }) => id));
      sizes.push(page.jobs.length);
      if (sizes.length === 1) await site.makeJobs(1, { queue: 'elsewhere', state: 'pending' });
      cursor = page.next_cursor;
    }

    assert.deepEqual(sizes, [10, 10, 5]);
    assert.deepEqual([...seen].sort(), [...made].sort());
    const newestFirst = [...made].sort((a, b) => Number(b) - Number(a));
    // Each was made to end a second before the one that was inserted before it, so the first inserted ended last.
    assert.deepEqual(seen, state === undefined ? newestFirst : newestFirst.toReversed());
  });
}

test('a rare kind is found however many newer jobs there are, and a filter is counted', async () => {
  const [rare] = await site.makeJobs(1, { queue: 'deep', kind: 'rare_kind' });
  await site.makeJobs(12_000, { queue: 'deep', kind: 'frequent_kind' });

  const page = await site.ask<Page>('GET', 'jobs?kind=rare_kind');
  const counts = [
    await site.ask('GET', 'jobs/count?kind=rare_kind'),
    await site.ask('GET', 'jobs/count?queue=deep&state=available'),
  ];

  assert.deepEqual(
    page.jobs.map(({ id }) => id),
    [rare],
  );
  assert.deepEqual(counts, [
    { count: 1, is_exact: true },
    { count: 10_000, is_exact: false },
  ]);
  await service.database.query("DELETE FROM metadata.river_job WHERE queue = 'deep'");
});

test('a job is shown with errors, logs and output, and without its secrets', async () => {
  const url = 'https://store.example/b/k?X-Amz-Signature=c0ffee&X-Amz-Expires=60';
  const quoted = [
    '{"password":"sesame-1"}',
    'token="sesame-2"',
    "secret: 'sesame-3'",
    'client_secret=sesame-4',
    '\\"token\\": \\"sesame-5\\"',
  ];
  const [id] = await site.makeJobs(1, {
    queue: 'secret',
    state: 'discarded',
    args: { object: 'a.jpg', put: { url }, api_key: 'sesame', headers: { Authorization: 'Bearer open-sesame' } },
    metadata: {
      'river:log': [{ attempt: 1, log: `GET ${url}` }],
      said: quoted,
      output: { link: url, size: 3 },
      tag: 'kept',
    },
    errors: [{ at: '2026-01-02T03:04:05Z', attempt: 1, error: `403 from ${url}`, trace: `at put (${url})` }],
  });

  const answer = await service.fetch(`/storage/v1/jobs/${id}`, { as: 'service' });
  const text = await answer.text();
  const list = await (await service.fetch('/storage/v1/jobs?queue=secret', { as: 'service' })).text();
  const job = JSON.parse(text) as Record<string, unknown> & { readonly errors: readonly { error: string }[] };

  for (const secret of ['c0ffee', 'sesame', 'X-Amz-Expires']) {
    assert.ok(!text.includes(secret), `${secret} is shown`);
    assert.ok(!list.includes(secret), `${secret} is listed`);
  }
  assert.equal(job.errors[0]?.error, '403 from https://store.example/b/k?…');
  assert.deepEqual(job['output'], { link: 'https://store.example/b/k?…', size: 3 });
  const { said, ...metadata } = job['metadata'] as { readonly said: readonly string[]; readonly tag: string };
  assert.deepEqual(metadata, { tag: 'kept' });
  assert.equal(said.length, quoted.length);
  assert.deepEqual(job['logs'], [{ attempt: 1, log: 'GET https://store.example/b/k?…' }]);
});

test('a job or a queue that is not there is said to be missing, and what is no id is refused', async () => {
  const missing = await service.fetch('/storage/v1/jobs/999999999', { as: 'service' });
  const noQueue = await service.fetch('/storage/v1/jobs/queues/nonesuch', {
    as: 'service',
    method: 'PUT',
    headers: json,
    body: '{"paused": true}',
  });
  const statuses = await Promise.all(
    [
      'jobs/0',
      'jobs/abc',
      'jobs?state=done',
      'jobs?limit=0',
      'jobs?cursor=nonsense',
      'jobs?cursor=["x"]',
      'jobs?state=completed&cursor=["1","2026-99-99"]',
    ].map(async (path) => (await service.fetch(`/storage/v1/${path}`, { as: 'service' })).status),
  );

  assert.equal(((await missing.json()) as { reason: string }).reason, 'job_not_found');
  assert.equal(((await noQueue.json()) as { reason: string }).reason, 'queue_not_found');
  assert.deepEqual(statuses, [400, 400, 400, 400, 400, 400, 400]);
});
