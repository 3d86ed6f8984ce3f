/**
 * Past the functions that ask, there is no way to a signature: the functions behind them cannot be named, a path, a role or a
 * plan that is changed on the way changes nothing, and no session can be made to say a key.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { dayKeys } from '../../../packages/server/dist/backend/s3/day-keys.js';
import { files, keyIn, objects, type PresignSite, requests, row, startPresignSite, versions } from './presign-site.ts';
import { daysOf, plainStore } from './presign-stores.ts';

const roles = ['anon', 'authenticated', 'service_role'] as const;

let site: PresignSite;
let database: PresignSite['database'];
let attempt: PresignSite['attempt'];

before(async () => {
  site = await startPresignSite();
  ({ database, attempt } = site);
});
after(() => site.stop());

describe('64 past the functions that ask', () => {
  const hidden = `'${versions.hidden}'`;
  const direct = [
    `SELECT storage_sign.sign(${hidden}, 60)`,
    `SELECT storage_sign.sign_many(ARRAY[${hidden}]::uuid[], 60)`,
    `SELECT storage_sign.sign_put('${requests.theirs}', 60)`,
    `SELECT storage_internal.sign_request('${requests.theirs}')`,
    "SELECT storage_sign.uri_encode_bytes('a')",
    'SELECT storage_sign.assert_terms(1, 1, 1)',
    "SELECT 'storage_sign.sign'::regproc",
    "SELECT storage_internal.signing_keys_store('disk', '[]', NULL)",
    `PREPARE p AS SELECT storage_sign.sign(${hidden}, 60)`,
    `DO $$ BEGIN PERFORM storage_sign.sign(${hidden}, 60); END $$`,
    `SELECT query_to_xml('SELECT storage_sign.sign(${hidden.replaceAll("'", "''")}, 60)', true, true, '')`,
    'SELECT * FROM storage.s3_signing_keys',
    'SELECT inner_pad FROM storage.s3_signing_keys',
    'SELECT count(*) FROM storage.s3_signing_keys',
    'TABLE storage.s3_signing_keys',
    'COPY storage.s3_signing_keys TO STDOUT',
    "SELECT table_to_xml('storage.s3_signing_keys', true, true, '')",
  ];
  for (const statement of direct) {
    for (const role of [...roles, 'rowlock_authenticator']) {
      test(`${role} cannot: ${statement.slice(0, 60)}`, async () => {
        assert.deepEqual(await attempt(statement, { role }), { code: '42501' });
      });
    }
  }

  test('nor in a function, a trigger, an operator, an aggregate or a view of ones own', async () => {
    await database.query('GRANT CREATE ON SCHEMA public TO authenticated');
    const definitions = [
      `CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT storage_sign.sign(${hidden}, 60); END`,
      'CREATE OPERATOR public.### (leftarg = uuid, rightarg = integer, function = storage_sign.sign)',
      'CREATE AGGREGATE public.agg(uuid) (sfunc = storage_sign.sign, stype = text)',
      `CREATE TEMP VIEW v AS SELECT storage_sign.sign(${hidden}, 60)`,
      `CREATE TEMP TABLE t (a text DEFAULT storage_sign.sign(${hidden}, 60))`,
      'CREATE CAST (uuid AS text) WITH FUNCTION storage_sign.sign(uuid, integer, text)',
      'CREATE TEMP TABLE keys (LIKE storage.s3_signing_keys INCLUDING ALL)',
    ];
    const codes: string[] = [];
    for (const definition of definitions) {
      await site.client.query('BEGIN; SET LOCAL ROLE authenticated');
      codes.push(
        await site.client.query(definition).then(
          () => 'defined',
          (error: { code: string }) => error.code,
        ),
      );
      await site.client.query('ROLLBACK');
    }
    await database.query('REVOKE CREATE ON SCHEMA public FROM authenticated');

    assert.deepEqual(
      codes,
      definitions.map(() => '42501'),
    );
  });

  test("nor by its number, as the protocol's call of a function does", async () => {
    const [signer] = await database.query<{ oid: number }>(
      "SELECT 'storage_sign.sign(uuid, integer, text)'::regprocedure::oid::int AS oid",
    );
    const caller = new pg.Client({ connectionString: database.apiUrl });
    await caller.connect();
    await caller.query('SET ROLE authenticated');
    const refused = once(caller, 'error');

    (caller as unknown as { connection: { stream: Socket } }).connection.stream.write(
      functionCall(signer?.oid ?? 0, [versions.hidden, '60', 'a.jpg']),
    );

    const [error] = (await refused) as [{ code: string; message: string }];
    await caller.end();
    assert.equal(error.code, '42501');
    assert.match(error.message, /schema storage_sign/);
  });

  test('the worker writes keys and reads none', async () => {
    const worker = new pg.Client({ connectionString: database.workerUrl });
    await worker.connect();
    try {
      await assert.rejects(worker.query('SELECT backend FROM storage.s3_signing_keys'), { code: '42501' });
      await assert.rejects(worker.query(`SELECT storage_sign.sign(${hidden}, 60)`), { code: '42501' });
      await assert.doesNotReject(worker.query("SELECT storage_internal.signing_keys_store('other', '[]', NULL)"));
    } finally {
      await worker.end();
    }
  });

  test('who was granted nothing calls none of the functions', async () => {
    const name = `nobody_${process.pid}`;
    await database.query(`CREATE ROLE ${name} LOGIN PASSWORD 'nobody'`);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'nobody';
    const nobody = new pg.Client({ connectionString: url.href });
    await nobody.connect();
    try {
      for (const call of [
        `public.get_download_url('${objects.shown}')`,
        `public.get_download_urls('{${objects.shown}}')`,
        `public.file_urls('{${files.own}}')`,
        "public.get_upload_url_sync('a', 'b', 'c', 'image/jpeg')",
        'public.download_url(NULL)',
        'public.original_url(NULL)',
        'public.thumbnail_small_url(NULL)',
      ]) {
        await assert.rejects(nobody.query(`SELECT ${call}`), { code: '42501' }, call);
      }
    } finally {
      await nobody.end();
      await database.query(`DROP ROLE ${name}`);
    }
  });
});

describe('65 names that are found first', () => {
  test('functions and operators of a path of ones own are not run, and see no key', async () => {
    await database.query('CREATE SCHEMA evil AUTHORIZATION authenticated');
    const shadows = [
      ...[
        'sha256(bytea)',
        'encode(bytea, text)',
        'convert_to(text, name)',
        'concat(VARIADIC text[])',
        'octet_length(text)',
      ],
      ...[
        'to_char(timestamp, text)',
        'upper(text)',
        'replace(text, text, text)',
        'statement_timestamp()',
        'set_config(text, text, boolean)',
      ],
    ].map(
      (signature) =>
        `CREATE FUNCTION evil.${signature} RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$`,
    );
    await database.query(
      `SET ROLE authenticated; ${shadows.join(';')};
       CREATE FUNCTION evil.cat(bytea, bytea) RETURNS bytea LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked'; END $f$;
       CREATE OPERATOR evil.|| (leftarg = bytea, rightarg = bytea, function = evil.cat);
       CREATE TABLE evil.objects (id uuid); CREATE TABLE evil.versions (id uuid); RESET ROLE`,
    );
    for (const path of ['evil, pg_catalog, public', 'evil', "''", 'pg_temp, evil, public']) {
      const first = `SET LOCAL search_path = ${path}`;
      for (const call of [
        `storage.presign_get(o) FROM storage.objects AS o WHERE o.id = '${objects.own}'`,
        `public.download_url(o) FROM public.storage_objects AS o WHERE o.id OPERATOR(pg_catalog.=) '${objects.own}'`,
        `public.get_download_url('${objects.own}', 60, 'My photo.jpg')`,
        `u.url FROM public.get_download_urls('{${objects.own}}', 60, true) AS u`,
        `u.original_url FROM public.file_urls('{${files.own}}') AS u`,
      ]) {
        assert.equal(
          keyIn(await attempt(`SELECT ${call}`, { first })),
          '/civic-os-files/objects/own',
          `${path}: ${call}`,
        );
      }
    }
    await database.query('DROP SCHEMA evil CASCADE');
  });
});

describe('66 what a session can be made to say', () => {
  test('no plan, message or error has a key in it', async () => {
    const [key] = dayKeys(plainStore, (await daysOf(database)).slice(0, 1));
    const pads = [key?.inner_pad ?? '', key?.outer_pad ?? ''].map((hex) => Buffer.from(hex, 'hex').subarray(0, 12));
    const spellings = pads.flatMap((pad) => [
      pad.toString('hex'),
      [...pad].join(' '),
      [...pad].map((byte) => (byte << 24) >> 24).join(' '),
      pad.toString('base64').slice(0, 12),
    ]);
    site.notices.length = 0;
    const loud = `SET LOCAL client_min_messages = debug5; SET LOCAL debug_print_plan = on; SET LOCAL debug_print_parse = on;
      SET LOCAL debug_print_rewritten = on; SET LOCAL debug_pretty_print = off; SET LOCAL plan_cache_mode = force_custom_plan`;
    const statements = [
      `SELECT public.get_download_url('${objects.own}')`,
      `SELECT count(*) FROM public.get_download_urls('{${objects.own},${objects.shown}}')`,
      `SELECT storage.presign_get(o) FROM storage.objects AS o`,
      `SELECT storage.presign_put('${requests.own}')`,
      `EXPLAIN (ANALYZE, VERBOSE, BUFFERS, SETTINGS) SELECT public.get_download_url('${objects.own}')`,
      `SELECT public.get_download_url('${objects.own}', 3601)`,
    ];
    for (const statement of [...statements, ...statements]) {
      site.notices.push(JSON.stringify(await attempt(statement, { first: loud })));
    }
    const said = site.notices.join('\n');

    assert.match(said, /PLANNEDSTMT/, 'the plans were shown');
    for (const spelling of spellings) {
      assert.ok(!said.includes(spelling), `${spelling} was said`);
    }
  });

  test('statistics keep no sample of a key', async () => {
    await database.query('ANALYZE storage.s3_signing_keys');

    assert.deepEqual(
      await database.query(
        "SELECT attname FROM pg_stats WHERE tablename = 's3_signing_keys' AND attname IN ('inner_pad', 'outer_pad')",
      ),
      [],
    );
  });
});

describe('68 roles and claims that change on the way', () => {
  test('a statement that was prepared for one caller signs nothing for another', async () => {
    const statements = {
      one: `SELECT public.get_download_url('${objects.own}')`,
      many: `SELECT url FROM public.get_download_urls('{${objects.own}}')`,
      row: `SELECT storage.presign_get(${row('storage.objects', { id: objects.own })})`,
    };
    for (const [name, text] of Object.entries(statements)) {
      const seen: string[] = [];
      await site.client.query(`PREPARE ${name} AS ${text}`);
      const callers = [
        ...Array.from({ length: 7 }, () => ['authenticated', 'mallory']),
        ['anon', 'mallory'],
        ['authenticated', 'victor'],
        ['service_role', 'x'],
        ['anon', ''],
        ['authenticated', 'mallory'],
      ];
      for (const [role, sub] of callers) {
        seen.push(keyIn(await attempt(`EXECUTE ${name}`, { role: role ?? '', sub: sub ?? '' })));
      }

      const url = '/civic-os-files/objects/own';
      const no = '{"value":null}';
      assert.deepEqual(seen, [...Array.from({ length: 7 }, () => url), no, no, url, no, url], name);
    }
  });

  test('a role that is changed within the statement is judged as what it is then, or was', async () => {
    const outcome = await attempt(
      `SELECT set_config('role', 'anon', true), public.get_download_url('${objects.hidden}'), set_config('role', 'authenticated', true),
         public.get_download_url('${objects.hidden}')`,
    );

    assert.deepEqual(outcome, { value: null });
  });

  test('a login of its own becomes neither the owner nor the service', async () => {
    const name = `mallory_${process.pid}`;
    await database.query(`CREATE ROLE ${name} LOGIN PASSWORD 'mallory' IN ROLE authenticated`);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'mallory';
    const login = new pg.Client({ connectionString: url.href });
    await login.connect();
    try {
      for (const statement of [
        'SET ROLE rowlock_owner',
        'SET ROLE service_role',
        'SET SESSION AUTHORIZATION rowlock_owner',
        `SELECT set_config('role', 'service_role', true), public.get_download_url('${objects.hidden}')`,
        `SELECT storage_sign.sign('${versions.hidden}', 60)`,
        'SET row_security = off; SELECT storage.presign_get(o) FROM storage.objects AS o',
      ]) {
        await assert.rejects(login.query(statement), { code: '42501' }, statement);
        await login.query('RESET row_security');
      }
    } finally {
      await login.end();
      await database.query(`DROP ROLE ${name}`);
    }
  });
});

/** The message FunctionCall of the protocol, with arguments and answer as text. */
function functionCall(oid: number, values: readonly string[]): Buffer {
  const parts = values.flatMap((value) => [int(4, Buffer.byteLength(value)), Buffer.from(value)]);
  const body = Buffer.concat([int(4, oid), int(2, 0), int(2, values.length), ...parts, int(2, 0)]);
  return Buffer.concat([Buffer.from('F'), int(4, body.length + 4), body]);
}

function int(bytes: 2 | 4, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
