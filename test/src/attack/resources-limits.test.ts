/**
 * Rows 102 and 107 of the list of attacks: quotas raced and walked around by everything that writes, rate limits dodged
 * by headers, addresses and tokens.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, signToken, startService, type TestService } from '@rowlock/test-harness';
import pg from 'pg';

const json = { 'content-type': 'application/json' };

describe('quotas', () => {
  let service: TestService;
  let sql: pg.Client;

  before(async () => {
    service = await startService();
    sql = new pg.Client({ connectionString: service.database.apiUrl });
    await sql.connect();
    for (const [name, settings] of Object.entries(buckets)) {
      const body = JSON.stringify({ name, policy: 'authenticated', ...settings });
      const made = await service.fetch('/storage/v1/bucket', { as: 'victor', method: 'POST', headers: json, body });
      assert.equal(made.status, 201, await made.text());
    }
    for (const name of ['wide/a', 'wide/b', 'narrow/only']) await upload(name, 10);
  });
  after(async () => {
    await sql.end();
    await assertInvariants(service);
    await service.stop();
  });

  const buckets = {
    wide: {},
    narrow: { quota_objects: 1, quota_bytes: 10 },
    race: { quota_objects: 1 },
    lots: { owner_quota_objects: 3 },
    kept: { quota_bytes: 25 },
  };

  async function upload(path: string, bytes: number, init: RequestInit = {}): Promise<number> {
    const answer = await service.fetch(`/storage/v1/object/${path}`, {
      as: 'mallory',
      method: 'POST',
      body: new Uint8Array(bytes),
      ...init,
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Runs statements as a caller that has SQL, in one transaction; the message of what failed, or how many rows went. */
  async function asCaller(statements: readonly string[], level = 'READ COMMITTED'): Promise<string | number> {
    await sql.query(`BEGIN ISOLATION LEVEL ${level}`);
    try {
      await sql.query(
        "SELECT set_config('request.jwt.claims', '{\"sub\":\"mallory\"}', true), set_config('role', 'authenticated', true)",
      );
      let rows = 0;
      for (const statement of statements) rows = (await sql.query(statement)).rowCount ?? 0;
      await sql.query('COMMIT');
      return rows;
    } catch (error) {
      await sql.query('ROLLBACK');
      return (error as Error).message;
    }
  }

  const copyTo = (bucket: string, name: string): string =>
    `INSERT INTO storage.objects (bucket_id, name, version_id)
     SELECT '${bucket}', '${name}', version_id FROM storage.objects WHERE bucket_id = 'wide' AND name = 'a'`;

  test('102 of a hundred uploads at once with room for one, one succeeds, and nobody ever sees two', async () => {
    const watched: number[] = [];
    let racing = true;
    const watch = (async () => {
      while (racing) {
        const [row] = await service.database.query<{ n: number }>(
          "SELECT count(*)::int AS n FROM storage.objects WHERE bucket_id = 'race'",
        );
        watched.push(row?.n ?? 0);
      }
    })();

    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => upload(`race/${n}`, 5)));
    racing = false;
    await watch;

    assert.equal(answers.filter((status) => status === 201).length, 1);
    assert.equal(answers.filter((status) => status === 413).length, 99);
    assert.ok(watched.length > 2 && Math.max(...watched) <= 1, `seen: ${Math.max(...watched)}`);
  });

  test('102 a quota is not walked around by copies, moves, inserts and updates in SQL', async () => {
    const copied = await asCaller([copyTo('narrow', 'copied')]);
    const moved = await asCaller([
      "UPDATE storage.objects SET bucket_id = 'narrow' WHERE bucket_id = 'wide' AND name = 'b'",
    ]);
    const both = await asCaller([
      "DELETE FROM storage.objects WHERE bucket_id = 'narrow'",
      copyTo('narrow', 'one'),
      copyTo('narrow', 'two'),
    ]);
    const forged = await asCaller([
      "SELECT set_config('storage.restoring', '1', true), set_config('storage.operation', 'storage.object.restore', true)",
      "SELECT set_config('storage.declared', '{\"size\":0}', true)",
      copyTo('narrow', 'copied'),
    ]);
    const control = await asCaller([copyTo('wide', 'copied')]);

    assert.deepEqual([copied, moved, both], ['quota_exceeded', 'quota_exceeded', 'quota_exceeded']);
    assert.ok(typeof forged === 'string');
    assert.equal(control, 1);
  });

  test('102 nor by copies, moves and renames over HTTP, nor by a body that does not say how long it is', async () => {
    const relocate = async (how: string): Promise<number> => {
      const body = JSON.stringify({
        bucketId: 'wide',
        sourceKey: 'a',
        destinationBucket: 'narrow',
        destinationKey: how,
      });
      return (await service.fetch(`/storage/v1/object/${how}`, { as: 'mallory', method: 'POST', headers: json, body }))
        .status;
    };
    const chunked = upload('narrow/chunked', 0, {
      body: new Blob([new Uint8Array(9)]).stream(),
      duplex: 'half',
    } as RequestInit);

    assert.deepEqual([await relocate('copy'), await relocate('move'), await chunked], [413, 413, 413]);
  });

  test('102 nor by a transaction that looks at the database as it was before the quota', async () => {
    await sql.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await sql.query(
      "SELECT set_config('request.jwt.claims', '{\"sub\":\"mallory\"}', true), set_config('role', 'authenticated', true)",
    );
    await sql.query('SELECT count(*) FROM storage.objects');
    const set = await service.fetch('/storage/v1/bucket/wide', {
      as: 'victor',
      method: 'PUT',
      headers: json,
      body: JSON.stringify({ quota_objects: 3 }),
    });

    const late = await sql.query(copyTo('wide', 'late')).catch((error: { code: string }) => error.code);
    await sql.query('ROLLBACK');

    assert.equal(set.status, 200);
    assert.equal(late, '40001');
    assert.equal(await asCaller([copyTo('wide', 'over')]), 'quota_exceeded');
  });

  test('102 nobody else pays: objects count for whom they belong to, and overwriting changes no owner', async () => {
    for (const n of [1, 2, 3]) assert.equal(await upload(`lots/${n}`, 1), 201);

    const beyond = await upload('lots/4', 1);
    const overwritten = await service.fetch('/storage/v1/object/lots/1', {
      as: 'victor',
      method: 'PUT',
      body: 'longer',
    });
    const others = await service.fetch('/storage/v1/object/lots/5', { as: 'victor', method: 'POST', body: 'x' });

    assert.deepEqual([beyond, overwritten.status, others.status], [413, 200, 201]);
    const [usage] = await service.database.query<{ n: string }>(
      `SELECT sum(a.objects_max) - sum(s.free) AS n FROM storage.quota_accounts AS a
         JOIN storage.quotas AS q ON q.id = a.quota_id AND q.bucket_id = 'lots',
         LATERAL (SELECT sum(objects_free) AS free FROM storage.quota_shards WHERE account_id = a.id) AS s
       WHERE a.owner_id = 'mallory'`,
    );
    assert.equal(Number(usage?.n), 3);
  });

  test('102 versions that are kept count until they go', async () => {
    await service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'kept'");
    const first = await upload('kept/a', 10);
    const overwrite = { method: 'PUT' };
    const second = await upload('kept/a', 10, overwrite);
    const third = await upload('kept/a', 10, overwrite);

    const gone = await service.fetch('/storage/v1/object/kept/a', { as: 'mallory', method: 'DELETE' });
    const stillFull = await upload('kept/b', 10);
    await service.database.query("DELETE FROM storage.object_history WHERE bucket_id = 'kept'");
    const again = await upload('kept/b', 10);

    assert.deepEqual([first, second, third, gone.status, stillFull, again], [201, 200, 413, 200, 413, 201]);
  });

  test('102 user metadata that SQL writes is bounded as well', async () => {
    const write = (bytes: number): string =>
      `UPDATE storage.objects SET user_metadata = jsonb_build_object('a', repeat('x', ${bytes}))
       WHERE bucket_id = 'wide' AND name = 'a'`;

    const beyond = await asCaller([write(1_048_577)]);
    const within = await asCaller([write(65_536)]);

    assert.match(String(beyond), /objects_user_metadata_bounded/);
    assert.equal(within, 1);
  });

  test('102 the tables of quotas are nobody’s to read or write', async () => {
    const tries = [
      'SELECT * FROM storage.quota_shards',
      'UPDATE storage.quota_shards SET bytes_free = 1000000',
      'DELETE FROM storage.quotas',
      "SELECT storage.set_owner_quota('mallory', NULL, NULL)",
      "SELECT storage_internal.quota_take(1, -100, -100, 'service_role')",
    ];

    for (const statement of tries) {
      assert.match(String(await asCaller([statement])), /permission denied/, statement);
    }
  });
});

describe('rate limits', () => {
  let service: TestService;

  const begin = (config: NonNullable<Parameters<typeof startService>[0]>['config']): Promise<TestService> =>
    startService({ workers: false, config: { ...config } });
  const get = async (headers: Record<string, string> = {}, path = '/storage/v1/bucket'): Promise<Response> => {
    const answer = await service.fetch(path, { headers });
    await answer.arrayBuffer();
    return answer;
  };
  const bearer = async (claims: Record<string, unknown>): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await signToken({ role: 'authenticated', ...claims })}`,
  });

  test('107 headers that claim another address change nothing where no proxy is trusted', async () => {
    service = await begin({ rate_limits: { address: { reads: 5 } } });
    try {
      const spoofed = [
        'x-forwarded-for',
        'X-FORWARDED-FOR',
        'x-real-ip',
        'forwarded',
        'client-ip',
        'cf-connecting-ip',
        'true-client-ip',
      ];
      for (let n = 0; n < 5; n += 1) await get({ 'x-forwarded-for': `198.51.100.${n}` });

      const refused = await Promise.all(spoofed.map((name) => get({ [name]: '203.0.113.9' })));

      for (const answer of refused) {
        assert.equal(answer.status, 429);
        assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
        assert.equal(answer.headers.get('ratelimit-policy'), '"address-reads";q=5;w=60');
        assert.match(answer.headers.get('ratelimit') ?? '', /^"address-reads";r=0;t=\d+$/);
      }
      assert.equal((await get({}, '/healthz')).status, 200, 'probes are answered');
    } finally {
      await service.stop();
    }
  });

  test('107 behind a trusted proxy the last address that it appended counts, and of IPv6 its network', async () => {
    service = await begin({ rate_limits: { address: { reads: 2 } }, trusted_proxies: ['127.0.0.1', '10.0.0.0/8'] });
    try {
      const from = async (forwarded: string): Promise<number> => (await get({ 'x-forwarded-for': forwarded })).status;

      const one = [
        await from('192.0.2.1'),
        await from('1.1.1.1, 192.0.2.1'),
        await from('2.2.2.2, 192.0.2.1, 10.1.1.1'),
      ];
      const rotated = [
        await from('2001:db8:1:1::1'),
        await from('2001:db8:1:1:ffff::2'),
        await from('2001:0db8:1:1::3'),
        await from('2001:db8:1:2::1'),
      ];
      const mapped = [await from('::ffff:198.51.100.1'), await from('198.51.100.1'), await from('::FFFF:c633:6401')];

      assert.deepEqual(one, [200, 200, 429]);
      assert.deepEqual(rotated, [200, 200, 429, 200]);
      assert.deepEqual(mapped, [200, 200, 429]);
    } finally {
      await service.stop();
    }
  });

  test('107 a new token of the same subject is the same caller, and another subject is another', async () => {
    service = await begin({ rate_limits: { subject: { reads: 3, writes: 1, signs: 1 } } });
    try {
      const as = async (claims: Record<string, unknown>): Promise<number> => (await get(await bearer(claims))).status;

      const tokens = [
        await as({ sub: 'mallory' }),
        await as({ sub: 'mallory', jti: '2' }),
        await as({ sub: 'mallory', x: 1 }),
      ];
      const fourth = await as({ sub: 'mallory', jti: '4' });
      const other = await as({ sub: 'olivia' });

      assert.deepEqual(tokens, [200, 200, 200]);
      assert.deepEqual([fourth, other], [429, 200]);
    } finally {
      await service.stop();
    }
  });

  test('107 a refused request reaches neither the database nor the disk', async () => {
    service = await begin({ rate_limits: { address: { writes: 1 } } });
    try {
      const send = async (): Promise<number> => {
        const answer = await service.fetch('/storage/v1/bucket', {
          as: 'mallory',
          method: 'POST',
          headers: json,
          body: JSON.stringify({ name: 'made' }),
        });
        return answer.status;
      };
      const first = await send();
      await service.database.query('ALTER TABLE storage.buckets RENAME TO away');
      const refused = await send();
      await service.database.query('ALTER TABLE storage.away RENAME TO buckets');

      assert.deepEqual([first, refused], [201, 429]);
    } finally {
      await service.stop();
    }
  });
});
