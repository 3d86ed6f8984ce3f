/**
 * What PostgreSQL planned for one caller never answers another: one pooled connection, roles with different policies,
 * the same statements; and what is prepared there, by the connection's own account.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Database } from '@rowlock/server';
import { startService, type TestService } from '@rowlock/test-harness';

let service: TestService;

before(async () => {
  service = await startService({ workers: false, config: {} });
  for (const body of [{ name: 'shown', public: true }, { name: 'hidden' }]) {
    await service.fetch('/storage/v1/bucket', {
      as: 'ann',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await service.fetch(`/storage/v1/object/${body.name}/a.txt`, { as: 'ann', method: 'POST', body: body.name });
  }
});
after(() => service.stop());

/** A second service on the same database whose pool has one connection: whatever is reused is reused there. */
async function onOneConnection(work: (one: TestService) => Promise<void>): Promise<void> {
  const one = await startService({
    workers: false,
    database: service.database,
    config: {
      backend: service.config.backend,
      database: { ...service.config.database, connections_max: 1 },
    },
  });
  try {
    await work(one);
  } finally {
    await one.stop();
  }
}

const callers: readonly (readonly [as: string | undefined, hidden: boolean])[] = [
  ['ann', true],
  [undefined, false],
  ['bob', false],
  ['service', true],
];

describe('64 on one connection a plan of one role answers no other', () => {
  for (const first of callers) {
    for (const second of callers) {
      test(`${first[0] ?? 'anonymous'}, then ${second[0] ?? 'anonymous'}`, async () => {
        await onOneConnection(async (one) => {
          // Five runs make PostgreSQL consider a generic plan; a sixth would use it.
          for (const [as, hidden] of [...Array.from({ length: 6 }, () => first), second, first, second]) {
            const shownObject = await one.fetch('/storage/v1/object/shown/a.txt', { as });
            const hiddenObject = await one.fetch('/storage/v1/object/hidden/a.txt', { as });
            const listed = await one.fetch('/storage/v1/object/list/hidden', {
              as,
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: '{"prefix":""}',
            });
            const buckets = await one.fetch('/storage/v1/bucket', { as });
            const names = ((await buckets.json()) as { name: string }[]).map(({ name }) => name);

            assert.equal(shownObject.status, 200);
            assert.equal(hiddenObject.status === 200, hidden, `${as}: ${hiddenObject.status}`);
            assert.equal((await listed.text()).includes('a.txt'), hidden);
            assert.equal(names.includes('hidden'), hidden);
            assert.ok(names.includes('shown'));
          }
        });
      });
    }
  }
});

test('statements of callers are prepared once for each role, and those of the login role once', async () => {
  const db = new Database({
    url: service.database.apiUrl,
    connectionsMax: 1,
    statementTimeoutMs: 10_000,
    applicationName: 'identity test',
  });
  const caller = (role: string) =>
    ({ role, claims: JSON.stringify({ role }) }) as unknown as Parameters<Database['asCaller']>[0];
  const visible = { name: 'visible_buckets', text: 'SELECT id FROM storage.buckets ORDER BY id' };

  const seen: Record<string, number> = {};
  for (const role of ['service_role', 'anon', 'authenticated', 'anon', 'service_role', 'authenticated']) {
    seen[role] = (await db.asCaller(caller(role), { operation: 'test' }, visible, [])).length;
  }
  const prepared = await db.run<{ name: string; n: number }>(
    {
      name: 'prepared',
      text: 'SELECT name, count(*)::int AS n FROM pg_prepared_statements GROUP BY name ORDER BY name',
    },
    [],
  );
  await db.close();

  assert.deepEqual(seen, { service_role: 3, anon: 1, authenticated: 2 });
  assert.deepEqual(
    prepared.map(({ name, n }) => `${name} ${n}`),
    [
      'caller_become 1',
      'prepared 1',
      'visible_buckets@anon 1',
      'visible_buckets@authenticated 1',
      'visible_buckets@service_role 1',
    ],
  );
});

test('a role whose name is as long as PostgreSQL allows has statements of its own', async () => {
  // Roles belong to the whole server: the name is this process's own.
  const roles = ['a', 'b'].map((last) => `long_${String(process.pid).padEnd(57, 'x')}${last}`);
  const db = new Database({
    url: service.database.url,
    connectionsMax: 1,
    statementTimeoutMs: 10_000,
    applicationName: 'identity test',
  });
  const found: unknown[] = [];
  try {
    for (const role of roles) {
      await service.database.query(`CREATE ROLE ${role}`);
      const caller = { role, claims: '{}' } as unknown as Parameters<Database['asCaller']>[0];
      const who = { name: 'who_is_it', text: 'SELECT current_user::text AS role' };
      found.push((await db.asCaller(caller, { operation: 'test' }, who, []))[0]?.['role']);
    }
    const prepared = await db.run<{ name: string }>(
      { name: 'prepared', text: "SELECT name FROM pg_prepared_statements WHERE name LIKE 'who_is_it%'" },
      [],
    );

    assert.deepEqual(found, roles);
    assert.equal(prepared.length, 2);
    assert.ok(prepared.every(({ name }) => name.length <= 63));
  } finally {
    await db.close();
    await service.database.query(`DROP ROLE IF EXISTS ${roles.join(', ')}`);
  }
});
