/**
 * F14: a pool of two connections under locks, deadlocks, refusals of every kind and a server that says nothing: callers
 * are told to come back, and none is ever given what another one may see.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, type Fault, until } from '@rowlock/test-harness';
import pg from 'pg';
import { ask, bucket, type FaultySite, pathOf, startFaultySite, writeObject } from './faulty-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
let site: FaultySite;
let admin: pg.Client;

before(async () => {
  site = await startFaultySite({ config: { database: { url: '', connections_max: 2, statement_timeout_ms: 500 } } });
  admin = new pg.Client({ connectionString: site.service.database.url });
  await admin.connect();
});
after(async () => {
  await admin.end();
  await site.stop();
});

const removeMany = (names: readonly string[]) =>
  ask(site.service, `/storage/v1/object/${bucket}`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prefixes: names }),
  });

function assertComeBack(answer: {
  readonly status: number | 'lost';
  readonly headers: Headers;
  readonly body: Buffer;
}) {
  assert.equal(answer.status, 503, answer.body.toString());
  assert.ok(Number(answer.headers.get('retry-after')) > 0, 'it says when to come back');
}

test('requests that wait for a lock for too long get 503 with Retry-After, and work when it is gone', async () => {
  await admin.query('BEGIN');
  await admin.query('LOCK TABLE storage.buckets IN ACCESS EXCLUSIVE MODE');

  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, i) => ask(site.service, pathOf(`locked-${i}`), { method: 'POST', body: 'x' })),
  );
  await admin.query('ROLLBACK');
  const after = await writeObject(site, 'unlocked', 'x');

  for (const answer of answers) assertComeBack(answer);
  assert.equal(after, 201);
  await assertInvariants(site.service, { history: site.history });
});

test('a write that waits for a row is given up whole', async () => {
  assert.equal(await writeObject(site, 'row', 'old'), 201);
  await admin.query('BEGIN');
  await admin.query("SELECT FROM storage.objects WHERE name = 'row' FOR UPDATE");

  const status = await writeObject(site, 'row', 'new');
  await admin.query('ROLLBACK');

  assert.equal(status, 503);
  assert.equal((await ask(site.service, pathOf('row'))).body.toString(), 'old');
  await assertInvariants(site.service, { history: site.history });
});

test('the victim of a deadlock gets 503 and has changed nothing', async () => {
  for (const name of ['dead-a', 'dead-b']) assert.equal(await writeObject(site, name, name), 201);
  const { service } = site;
  await service.database.query(`ALTER DATABASE ${service.database.name} SET deadlock_timeout = '100ms'`);
  await site.proxy.cut();
  await site.proxy.restore();
  await admin.query('BEGIN');
  await admin.query("SET LOCAL deadlock_timeout = '10s'");
  await admin.query("SELECT FROM storage.objects WHERE name = 'dead-b' FOR UPDATE");

  const removing = removeMany(['dead-a', 'dead-b']);
  const waiting = () => service.database.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
  await until(async () => (await waiting()).length > 0, { intervalMs: 2, what: 'the delete waits for a row' });
  const locked = admin.query("SELECT FROM storage.objects WHERE name = 'dead-a' FOR UPDATE");
  const answer = await removing;
  await locked;
  await admin.query('ROLLBACK');
  await service.database.query(`ALTER DATABASE ${service.database.name} RESET deadlock_timeout`);
  const again = await removeMany(['dead-a', 'dead-b']);

  for (const name of ['dead-a', 'dead-b']) await site.history.delete(`${bucket}/${name}`, async () => 'acknowledged');
  assertComeBack(answer);
  assert.equal(again.status, 200);
  assert.equal((JSON.parse(again.body.toString()) as unknown[]).length, 2);
  await assertInvariants(site.service);
});

test('whatever the database refuses for now is 503 with Retry-After', async () => {
  for (const sqlstate of ['40001', '40P01', '55P03', '57014', '53300', '53100', '53200', '25006', '57P03', '08006']) {
    site.proxy.arm({ at: 1, fault: { kind: 'error', sqlstate } });

    const answer = await ask(site.service, pathOf(`refused-${sqlstate}`), { method: 'POST', body: 'x' });

    assertComeBack(answer);
    assert.doesNotMatch(answer.body.toString(), /fault|SQLSTATE/);
  }
  await assertInvariants(site.service);
});

test('a database that says nothing more costs its statement and not the service', async () => {
  const armed = site.proxy.arm({ at: 1, fault: { kind: 'black_hole' } });

  const signal = AbortSignal.timeout(20_000);
  const answer = await ask(site.service, pathOf('silence'), { method: 'POST', body: 'x', signal });
  const after = await writeObject(site, 'after silence', 'x');

  assert.ok(armed.struck);
  assertComeBack(answer);
  assert.equal(after, 201);
  await assertInvariants(site.service, { history: site.history });
});

test('under faults by chance nobody is ever answered as somebody else', async () => {
  const { service, proxy, random } = site;
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id) VALUES ('of-ann', 'ann'), ('of-bob', 'bob')",
  );
  for (const owner of ['ann', 'bob']) {
    const path = `/storage/v1/object/of-${owner}/secret`;
    assert.equal((await ask(service, path, { as: owner, method: 'POST', body: `secret of ${owner}` })).status, 201);
  }
  const faults: readonly Fault[] = [
    { kind: 'cut_before' },
    { kind: 'cut_after' },
    { kind: 'truncate' },
    { kind: 'terminate' },
    { kind: 'error', sqlstate: '40001' },
    { kind: 'error', sqlstate: 'XX000' },
    { kind: 'delay', ms: 5 },
  ];
  const seen = new Set<string>();
  const look = async (): Promise<void> => {
    const as = random.pick(['ann', 'bob', undefined]);
    const owner = random.pick(['ann', 'bob']);
    if (random.integer(3) === 0) {
      const init = { as, method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"prefix":""}' };
      const { status, body } = await ask(service, `/storage/v1/object/list/of-${owner}`, init);
      if (as !== owner && status === 200) assert.equal(body.toString(), '[]', `${as} lists what is of ${owner}`);
      return;
    }
    const { status, body } = await ask(service, `/storage/v1/object/of-${owner}/secret`, { as });
    seen.add(`${as === owner} ${status}`);
    if (as !== owner) assert.notEqual(status, 200, `${as} reads what is of ${owner}`);
    if (status === 200) assert.equal(body.toString(), `secret of ${owner}`);
  };

  const missing = (): boolean => ['true 200', 'true 503', 'false 404'].some((answer) => !seen.has(answer));
  proxy.leaveToChance({ random, rate: 0.1, faults });
  // Which request a fault strikes is a matter of timing, whatever the seed: more of them until each has been seen.
  for (let batch = 0; batch < 20 * rounds || (missing() && batch < 200 * rounds); batch += 1) {
    await Promise.all(Array.from({ length: 8 }, look));
  }
  proxy.leaveToChance(undefined);

  assert.ok(!missing(), [...seen].join(', '));
  await assertInvariants(service);
});
