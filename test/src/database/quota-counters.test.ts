/**
 * Counters of quotas against the sums of the rows, while several connections copy, move, overwrite, delete and take back
 * in plain SQL and limits change under them. No instant shows more than a limit, and no counter drifts.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createMigratedDatabase,
  type MigratedDatabase,
  type SeededRandom,
  seededRandom,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1) * 40;
const sizes = [0, 1, 7, 50, 333];
const versionOf = (size: number): string => `00000000-0000-7000-8000-${String(size).padStart(12, '0')}`;
const owners = ['ann', 'bob'];
const buckets = ['left', 'right'];

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
  // Transactions of several statements that cross may deadlock; PostgreSQL ends one of them, here sooner than usual.
  await database.query(`ALTER DATABASE ${database.name} SET deadlock_timeout = '20ms'`);
  await database.query(
    `INSERT INTO storage.buckets (id, policy, quota_bytes, quota_objects) VALUES ('left', 'authenticated', 900, 12);
     INSERT INTO storage.buckets (id, policy, owner_quota_objects) VALUES ('right', 'authenticated', 6);
     INSERT INTO storage.buckets (id, policy) VALUES ('seeds', 'authenticated')`,
  );
  for (const size of sizes) {
    await database.query(
      `INSERT INTO storage.versions (id, backend, key, state, size, stored_at) VALUES ($1, 'disk', $2, 'stored', $3, now())`,
      [versionOf(size), `objects/${size}`, size],
    );
  }
  await database.query('ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference');
  for (const size of sizes) {
    await database.query("INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('seeds', $1, $2)", [
      String(size),
      versionOf(size),
    ]);
  }
  await database.query('ALTER TABLE storage.objects ENABLE TRIGGER objects_10_reference');
});
after(() => database.drop());

/** One statement of a caller, or several rows of it. */
function statement(random: SeededRandom): string {
  const [bucket, name] = [random.pick(buckets), String(random.integer(13))];
  switch (random.integer(6)) {
    case 0:
    case 1:
      return `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('${bucket}', '${name}', '${versionOf(random.pick(sizes))}')`;
    case 2:
      return `DELETE FROM storage.objects WHERE bucket_id = '${bucket}' AND name IN ('${name}', '${random.integer(13)}')`;
    case 3:
      return `UPDATE storage.objects SET version_id = '${versionOf(random.pick(sizes))}' WHERE bucket_id = '${bucket}' AND name = '${name}'`;
    case 4:
      return `UPDATE storage.objects SET bucket_id = '${random.pick(buckets)}', name = '${random.integer(13)}'
              WHERE bucket_id = '${bucket}' AND name = '${name}'`;
    default:
      return `INSERT INTO storage.objects (bucket_id, name, version_id)
              SELECT '${bucket}', name || 'c', version_id FROM storage.objects WHERE bucket_id = '${random.pick(buckets)}' LIMIT 3`;
  }
}

/** What a transaction may end with: a quota that is full, a name that is taken, rights, a deadlock that was ended. */
const expected: ReadonlySet<string> = new Set(['RWLCK', '23505', '42501', '40P01', '40001', '23503']);

async function transaction(connection: pg.Client, random: SeededRandom): Promise<void> {
  const level = random.integer(6) === 0 ? 'REPEATABLE READ' : 'READ COMMITTED';
  await connection.query(`BEGIN ISOLATION LEVEL ${level}`);
  await connection.query(
    "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)",
    [JSON.stringify({ sub: random.pick(owners) })],
  );
  for (let n = 1 + random.integer(3); n > 0; n -= 1) {
    await connection.query('SAVEPOINT before');
    await connection.query(statement(random));
    if (random.integer(5) === 0) await connection.query('ROLLBACK TO SAVEPOINT before');
  }
  await connection.query(random.integer(6) === 0 ? 'ROLLBACK' : 'COMMIT');
}

async function client(random: SeededRandom, refusals: string[]): Promise<void> {
  const connection = new pg.Client({ connectionString: database.apiUrl });
  await connection.connect();
  for (let round = 0; round < rounds; round += 1) {
    try {
      await transaction(connection, random);
    } catch (error) {
      const { code = 'none', message } = error as { readonly code?: string; readonly message: string };
      assert.ok(expected.has(code), `${code} ${message}`);
      refusals.push(code);
      await connection.query('ROLLBACK');
    }
  }
  await connection.end();
}

const overLimit = `
  SELECT 'left' AS over FROM storage.objects WHERE bucket_id = 'left' HAVING count(*) > 12 OR sum(size) > 900
  UNION ALL
  SELECT 'right' FROM storage.objects WHERE bucket_id = 'right' AND owner_id IS NOT NULL GROUP BY owner_id HAVING count(*) > 6`;

test('counters equal the sums of the rows, and no instant is over a limit, whatever is written at once', async () => {
  const random = seededRandom();
  const refusals: string[] = [];
  let running = true;
  const seen: unknown[] = [];
  const watch = (async () => {
    while (running) seen.push(...(await database.query(overLimit)));
  })();

  await Promise.all([1, 2, 3, 4].map(() => client(seededRandom(random.integer(2 ** 31)), refusals)));
  running = false;
  await watch;

  assert.deepEqual(seen, []);
  assert.deepEqual(await database.query('SELECT * FROM storage_internal.quota_drift()'), []);
  assert.ok(refusals.includes('RWLCK'), 'a control: quotas were reached');
});

test('limits that change while others write leave counters right, and hold once they are set', async () => {
  const random = seededRandom();
  const refusals: string[] = [];
  let running = true;
  const changes = (async () => {
    while (running) {
      const [bytes, each] = [random.pick(['100', '500', '900', 'NULL']), random.pick(['1', '6', 'NULL'])];
      for (const change of [
        `UPDATE storage.buckets SET quota_bytes = ${bytes}, quota_objects = NULL WHERE id = 'left'`,
        `UPDATE storage.buckets SET owner_quota_objects = ${each} WHERE id = 'right'`,
        `SELECT storage.set_owner_quota('ann', ${random.pick(['2000', 'NULL'])}, NULL)`,
        'SELECT storage_internal.quota_count()',
      ]) {
        await database.query(change).catch((error: { code: string }) => assert.equal(error.code, '40P01', change));
      }
    }
  })();

  await Promise.all([1, 2, 3].map(() => client(seededRandom(random.integer(2 ** 31)), refusals)));
  running = false;
  await changes;
  await database.query("UPDATE storage.buckets SET quota_bytes = 1, quota_objects = NULL WHERE id = 'left'");
  const waiting = async (): Promise<number> =>
    Number((await database.query<{ n: string }>('SELECT storage_internal.quota_count() AS n'))[0]?.n);
  await until(async () => (await waiting()) === 0, { what: 'every quota is counted' });

  assert.deepEqual(await database.query('SELECT * FROM storage_internal.quota_drift()'), []);
  await database.query("DELETE FROM storage.objects WHERE bucket_id = 'left'");
  const one = `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('left', 'x', '${versionOf(7)}')`;
  await assert.rejects(database.query(one), { message: 'quota_exceeded' });
});

test('where a quota fills up, writers of one object each are taken or refused, and none meets a deadlock', async () => {
  await database.query(
    "INSERT INTO storage.buckets (id, policy, quota_objects) VALUES ('narrow', 'authenticated', 10)",
  );
  const writers = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const writer = new pg.Client({ connectionString: database.apiUrl });
      await writer.connect();
      await writer.query(
        `SELECT set_config('request.jwt.claims', '{"sub":"ann"}', false), set_config('role', 'authenticated', false)`,
      );
      return writer;
    }),
  );
  const outcomes = new Map<string, number>();
  const write = async (writer: pg.Client, name: string): Promise<void> => {
    const insert = `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('narrow', $1, '${versionOf(1)}')`;
    const outcome = await writer.query(insert, [name]).then(
      () => 'taken',
      ({ message }: Error) => message,
    );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };

  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(writers.map(async (writer, n) => write(writer, `${n}`).then(() => write(writer, `${n} again`))));
    await database.query("DELETE FROM storage.objects WHERE bucket_id = 'narrow'");
  }
  await Promise.all(writers.map((writer) => writer.end()));

  assert.deepEqual(Object.fromEntries(outcomes), { taken: rounds * 10, quota_exceeded: rounds * 14 });
});

test('a counter that was changed by hand is found and set again by the repair', async () => {
  const [account] = await database.query<{ account_id: string }>(
    'UPDATE storage.quota_shards SET bytes_free = bytes_free + 5, objects_free = objects_free - 1 WHERE shard = 0 RETURNING account_id',
  );

  const drift = await database.query<{ bytes: string; objects: string }>(
    'SELECT * FROM storage_internal.quota_drift()',
  );
  const [repaired] = await database.query<{ n: string }>('SELECT storage_internal.quota_repair() AS n');

  assert.ok(account !== undefined);
  assert.ok(drift.length > 0 && drift.every(({ bytes, objects }) => bytes === '5' && objects === '-1'));
  assert.equal(Number(repaired?.n), drift.length);
  assert.deepEqual(await database.query('SELECT * FROM storage_internal.quota_drift()'), []);
});
