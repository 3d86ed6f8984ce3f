/** What operators ask, asked by anybody and all the time: row 101. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { enableFaults } from '@rowlock/server';
import { startService, type TestService, until } from '@rowlock/test-harness';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let service: Attacked;

before(async () => {
  service = await attacked();
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('secret-bucket', 'olivia')");
  await service.remember();
});
afterEach(() => service.assertUnharmed());
after(() => service.stop());

test('101 a thousand questions for readiness try the disk and the database once a second', async () => {
  let tried = 0;
  enableFaults((point) => {
    if (point === 'file.link') tried += 1; // a check writes a file and links it
  });
  const began = performance.now();

  for (let round = 0; round < 20; round += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const answer = await service.service.fetch(i % 10 === 0 ? '/healthz' : '/readyz');
        assert.equal(answer.status, 200);
        await answer.arrayBuffer();
      }),
    );
  }

  enableFaults(undefined);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(tried >= 1 && tried <= seconds + 1, `${tried} times in ${seconds} s`);
});

test('101 metrics are found out once for all who ask at the same time', async () => {
  const ask = async (): Promise<string> => (await service.service.fetch('/metrics')).text();

  const texts = await Promise.all(Array.from({ length: 20 }, ask));

  assert.equal(new Set(texts).size, 1);
});

test('101 no label of a metric names a bucket, an object, a caller or what a stranger wrote', async () => {
  await service.service.fetch('/storage/v1/object/secret-bucket/secret-object', { as: 'secret-caller' });
  await service.service.fetch('/storage/v1/object/list/secret-bucket', { as: 'secret-caller', method: 'POST' });
  await service.service.fetch('/secret-path/secret-object?secret-query');
  await service.service.fetch('/healthz', { headers: { 'x-request-id': 'secret-id' } });
  await service.service.fetch('/healthz', { method: 'PROPFIND' });

  const text = await until(
    async () => {
      const found = await (await service.service.fetch('/metrics')).text();
      return found.includes('PROPFIND') ? found : undefined;
    },
    { what: 'the last of them is in the metrics' },
  );
  assert.doesNotMatch(text, /secret|olivia|standing/);
});

test('101 with a token configured, metrics are for those who have it', async () => {
  const closed: TestService = await startService({
    workers: false,
    database: service.database,
    config: { metrics_token: 'the token of the operators' },
  });
  try {
    await assertRefused(await closed.fetch('/metrics'), 401, 'auth_required');
    await assertRefused(await closed.fetch('/metrics', { as: 'service' }), 401, 'invalid_token');
    for (const wrong of [
      'Bearer',
      'Bearer the token',
      'Basic x',
      'Bearer the token of the operators2',
      'x'.repeat(5000),
    ]) {
      await assertRefused(await closed.fetch('/metrics', { headers: { authorization: wrong } }), 401);
    }

    const right = await closed.fetch('/metrics', { headers: { authorization: 'Bearer the token of the operators' } });

    assert.equal(right.status, 200);
    assert.match(await right.text(), /rowlock_http_request_duration_seconds/);
    assert.equal((await closed.fetch('/healthz')).status, 200, 'and health is for everybody');
  } finally {
    await closed.stop();
  }
});
