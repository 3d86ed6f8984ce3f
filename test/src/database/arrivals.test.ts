/**
 * What an UPDATE brings into another bucket, one object or a folder: every row is asked of the policies for INSERT there, by
 * its true values, and whoever forges what is remembered of the first is refused by the last.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import pg from 'pg';

/** Objects of a folder that moves, and single moves before it on the same connection. */
const many = 2000;
const single = 8;

let service: TestService;
let owner: pg.Client;

const json = { 'content-type': 'application/json' };

before(async () => {
  service = await startService({ workers: false });
  owner = new pg.Client({ connectionString: service.database.url });
  await owner.connect();
  for (const name of ['home', 'away']) {
    const init = { as: 'ann', method: 'POST', headers: json, body: JSON.stringify({ name }) };
    assert.equal((await service.fetch('/storage/v1/bucket', init)).status, 201);
  }
  for (const [name, body] of [
    ['docs/short', 'ab'],
    ['docs/other', 'cd'],
    ['docs/too-long', 'abcdef'], // the last in every order, so that another is asked first
  ] as const) {
    const init = { as: 'ann', method: 'PUT', body };
    assert.equal((await service.fetch(`/storage/v1/object/home/${name}`, init)).status, 201);
  }
  await owner.query(
    `CREATE POLICY only_short ON storage.objects AS RESTRICTIVE FOR INSERT TO authenticated
       WITH CHECK (bucket_id <> 'away' OR size < 5)`,
  );
});
after(async () => {
  await owner.end();
  await service.stop();
});

/** Begins a transaction of the caller's on the connection of the owner. */
async function begin(): Promise<void> {
  await owner.query('ROLLBACK');
  await owner.query('BEGIN');
  await owner.query(
    `SELECT set_config('request.jwt.claims', '{"sub":"ann"}', true), set_config('role', 'authenticated', true)`,
  );
}

beforeEach(begin);

/** The rows of a statement as the caller of the open transaction, or the code of its error. */
async function run(text: string): Promise<unknown> {
  try {
    return (await owner.query(text)).rows;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const moved = (more = ''): string => `UPDATE storage.objects SET bucket_id = 'away' WHERE bucket_id = 'home' ${more}`;

describe('what comes into another bucket', () => {
  test('is asked row by row: one that may not come keeps all of them', async () => {
    assert.equal(await run(moved()), '42501');
  });

  test('comes where each of them may', async () => {
    const came = await run(`${moved("AND name <> 'docs/too-long'")} RETURNING size::int`);

    assert.deepEqual(came, [{ size: 2 }, { size: 2 }]);
  });

  test('is asked by what it is and not by what a transaction declared', async () => {
    await owner.query(`SELECT set_config('storage.declared', '{"size":1}', true)`);

    assert.equal(await run(moved("AND name = 'docs/too-long'")), '42501');
  });

  test('is asked when it has come, also where the answer of before is forged', async () => {
    const forged = `SELECT set_config('storage.arrival_asked', concat_ws('/', statement_timestamp(), current_user, 'away'), true)`;
    const forgedMove = moved("AND name = 'docs/too-long' AND (SELECT true FROM forged)");

    assert.equal(await run(`WITH forged AS MATERIALIZED (${forged}) ${forgedMove}`), '42501');
  });

  test('does not tell which names are taken to whoever may put nothing there', async () => {
    await owner.query('ROLLBACK');
    await owner.query(
      'CREATE POLICY nothing ON storage.objects AS RESTRICTIVE FOR INSERT WITH CHECK (bucket_id <> $$away$$)',
    );
    await owner.query("UPDATE storage.objects SET bucket_id = 'away' WHERE name = 'docs/other'");
    const to = async (name: string): Promise<unknown> => {
      await begin();
      const answer = await run(
        `UPDATE storage.objects SET bucket_id = 'away', name = '${name}' WHERE name = 'docs/short'`,
      );
      await owner.query('ROLLBACK');
      return answer;
    };

    const answers = [await to('docs/other'), await to('docs/free')];
    await owner.query('DROP POLICY nothing ON storage.objects');
    await owner.query("UPDATE storage.objects SET bucket_id = 'home' WHERE name = 'docs/other'");

    assert.deepEqual(answers, ['42501', '42501']);
  });

  test('leaves no trace of the question: one change and one line of the log for each object', async () => {
    await run(moved("AND name = 'docs/short'"));
    await owner.query('SET LOCAL ROLE NONE');

    const changes = 'SELECT type, previous_bucket_id FROM storage.changes WHERE xid = pg_current_xact_id()';
    const log = `SELECT operation FROM storage.audit_log WHERE occurred_at = now()`;
    assert.deepEqual(await run(changes), [{ type: 'storage.object.updated', previous_bucket_id: 'home' }]);
    assert.deepEqual(await run(log), [{ operation: 'storage.object.moved' }]);
    assert.deepEqual(await run('SELECT count(*)::int AS n FROM storage.objects'), [{ n: 3 }]);
  });

  test('a row that is only a question is written by nobody', async () => {
    const question = (name: string): string =>
      `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('home', '${name}', storage.no_version())`;

    assert.equal(await run(question('docs/short')), '23503');
    await owner.query('ROLLBACK AND CHAIN');
    assert.equal(await run(`${question('docs/new')} ON CONFLICT DO NOTHING`), '23503');
    await owner.query('ROLLBACK AND CHAIN');
    assert.equal(
      await run("UPDATE storage.objects SET version_id = storage.no_version() WHERE name = 'docs/short'"),
      '23503',
    );
  });
});

describe('a connection that has moved single objects', () => {
  test('moves a folder to another bucket and back', async () => {
    await owner.query(
      `INSERT INTO storage.objects (bucket_id, name, version_id)
       SELECT 'home', format('many/%s', i), version_id FROM storage.objects, generate_series(1, $1::integer) AS i
       WHERE name = 'docs/short'`,
      [many],
    );
    for (let i = 0; i < single; i += 1) {
      await owner.query(moved("AND name = 'docs/short'"));
      await owner.query("UPDATE storage.objects SET bucket_id = 'home' WHERE bucket_id = 'away'");
    }

    const there = await run("SELECT * FROM storage.move_prefix('home', 'many/', 'away', 'came/')");
    const back = await run("SELECT * FROM storage.move_prefix('away', 'came/', 'home', 'many/')");

    assert.deepEqual(
      [there, back],
      [[{ moved: String(many), withheld: '0' }], [{ moved: String(many), withheld: '0' }]],
    );
  });

  test('has planned no trigger for one row: old and new rows are paired by FULL JOIN only', async () => {
    await owner.query('ROLLBACK');

    const { rows } = await owner.query<{ name: string; source: string }>(
      `SELECT DISTINCT p.oid::regproc::text AS name, p.prosrc AS source
       FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
       WHERE t.tgoldtable IS NOT NULL AND t.tgnewtable IS NOT NULL AND t.tgrelid = 'storage.objects'::regclass`,
    );

    const paired = /\b(old|new)_rows\b[^;]*?\b(?!\1)(old|new)_rows\b/g;
    const loops = rows.flatMap(({ name, source }) =>
      [...source.matchAll(paired)].filter(([text]) => !/ FULL JOIN (old|new)_rows$/.test(text)).map(() => name),
    );
    assert.ok(rows.length >= 5, 'triggers with both tables');
    assert.deepEqual(loops, []);
  });
});

test('after all of it every invariant holds', async () => {
  await owner.query('ROLLBACK');

  await assertInvariants(service);
});
