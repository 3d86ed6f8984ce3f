/**
 * Row 65 of the attacks: where everybody may create in a schema of the session's path, as in databases that came from
 * before PostgreSQL 15, an attacker's functions, aggregates, operators and tables fit our calls better than
 * PostgreSQL's own polymorphic ones. Each of theirs raises, so whatever runs one fails.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { migrate } from '@rowlock/server';
import {
  createEmptyDatabase,
  createMigratedDatabase,
  startService,
  type TestService,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';

let service: TestService;

/** Calls whose best match in pg_catalog is polymorphic, variadic or needs a cast, with what they are called with. */
const functions: Readonly<Record<string, readonly string[]>> = {
  to_json: ['text', 'json', 'jsonb', 'uuid', 'text[]', 'record'],
  to_jsonb: ['text', 'json', 'jsonb', 'uuid', 'record'],
  unnest: ['text[]', 'uuid[]', 'bigint[]', 'jsonb[]'],
  cardinality: ['text[]', 'uuid[]'],
  array_length: ['text[], integer', 'uuid[], integer'],
  array_append: ['text[], text', 'jsonb[], jsonb'],
  array_position: ['text[], text', 'uuid[], uuid'],
  format: ['text, text', 'text, name', 'text, text, text', 'text, name, text'],
  concat: ['text, text', 'text, text, text'],
  json_build_object: ['text, text', 'text, uuid', 'text, bigint'],
  jsonb_build_object: ['text, text', 'text, uuid', 'text, uuid[]', 'text, text, text, text'],
  hashtextextended: ['text, integer'],
  hashtext: ['unknown', 'varchar'],
  make_interval: ['secs double precision', 'secs integer'],
  pg_notify: ['varchar, varchar'],
  set_config: ['varchar, varchar, boolean', 'text, varchar, boolean'],
  current_setting: ['varchar, boolean'],
  encode: ['bytea, varchar'],
  strpos: ['varchar, varchar', 'text, varchar'],
  left: ['varchar, integer'],
  lower: ['varchar'],
  substr: ['varchar, integer', 'text, bigint'],
  starts_with: ['varchar, varchar', 'text, varchar'],
  floor: ['bigint', 'integer'],
  ceil: ['bigint', 'integer'],
};
const aggregates: Readonly<Record<string, readonly string[]>> = {
  json_agg: ['text', 'json', 'jsonb', 'record', 'name'],
  jsonb_agg: ['text', 'uuid', 'jsonb', 'json'],
  array_agg: ['text', 'uuid', 'name', 'bigint', 'jsonb'],
  json_object_agg: ['text, json', 'name, json'],
  min: ['uuid'],
};
const operators: readonly (readonly [operator: string, left: string, right: string])[] = [
  ['=', 'metadata.river_job_state', 'metadata.river_job_state'],
  ['<>', 'metadata.river_job_state', 'metadata.river_job_state'],
  ['=', 'text[]', 'text[]'],
  ['||', 'text[]', 'text[]'],
  ['||', 'text', 'uuid'],
  ['||', 'text', 'bigint'],
  ['||', 'text', 'json'],
  ['||', 'text[]', 'text'],
  ['||', 'jsonb[]', 'jsonb'],
  ['=', 'text', 'varchar'],
  ['=', 'varchar', 'text'],
  ['<=', 'bigint', 'numeric'],
  ['/', 'bigint', 'numeric'],
];

/** What an attacker makes in a schema where they may; a combination that PostgreSQL refuses is no attack. */
function hostileStatements(withQueue: boolean): readonly string[] {
  const body = (what: string): string =>
    `LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'hijacked by ${what.replaceAll("'", '')} as %', current_user; END $f$`;
  const made: string[] = [];
  for (const [name, signatures] of Object.entries(functions)) {
    for (const signature of signatures) {
      const returns = name === 'set_config' || name === 'format' || name === 'concat' ? 'text' : 'json';
      made.push(`CREATE FUNCTION public.${name}(${signature}) RETURNS ${returns} ${body(name)}`);
    }
  }
  for (const [name, signatures] of Object.entries(aggregates)) {
    for (const [at, signature] of signatures.entries()) {
      made.push(`CREATE FUNCTION public.step_${name}_${at}(json, ${signature}) RETURNS json ${body(name)}`);
      made.push(
        `CREATE AGGREGATE public.${name}(${signature}) (sfunc = public.step_${name}_${at}, stype = json, initcond = '[]')`,
      );
    }
  }
  for (const [at, [operator, left, right]] of operators.entries()) {
    if (withQueue || !left.startsWith('metadata.')) {
      made.push(`CREATE FUNCTION public.op_${at}(${left}, ${right}) RETURNS boolean ${body(`${left} ${operator}`)}`);
      made.push(
        `CREATE OPERATOR public.${operator} (leftarg = ${left}, rightarg = ${right}, function = public.op_${at})`,
      );
    }
  }
  for (const table of ['objects', 'buckets', 'river_job', 'old_rows', 'new_rows', 'pg_class', 'migrations']) {
    made.push(`CREATE VIEW public.${table} AS SELECT 1 / (random() * 0)::int AS id`);
  }
  return made;
}

async function makeHostile(url: string, withQueue: boolean): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let made = 0;
  try {
    await client.query('GRANT CREATE ON SCHEMA public TO PUBLIC');
    await client.query('SET ROLE authenticated');
    for (const statement of hostileStatements(withQueue)) {
      made += await client.query(statement).then(
        () => 1,
        () => 0,
      );
    }
  } finally {
    await client.end();
  }
  return made;
}

before(async () => {
  const database = await createMigratedDatabase();
  await database.query('GRANT USAGE ON SCHEMA metadata TO PUBLIC');
  assert.ok((await makeHostile(database.url, false)) > 60);
  service = await startService({ database });
});
after(async () => {
  await service.stop();
  await service.database.drop();
});

const post = (path: string, body: unknown): Promise<Response> =>
  service.fetch(path, {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function assertOk(what: string, response: Response): Promise<string> {
  const text = await response.text();
  assert.ok(response.ok, `${what}: ${response.status} ${text}`);
  return text;
}

test("65 the attacker's functions and operators are those that an unqualified call runs", async () => {
  for (const call of [
    `SELECT to_json('{}'::json)`,
    `SELECT format('%s', current_database())`,
    `SELECT json_agg(r) FROM (SELECT 1) AS r`,
    `SELECT hashtextextended('x', 0)`,
    `SELECT '{a}'::text[] = '{a}'::text[]`,
  ]) {
    await assert.rejects(service.database.query(call), /hijacked by/, call);
  }
});

test('65 uploads, reads, lists, links and deletes run none of them', async () => {
  await assertOk('bucket', await post('/storage/v1/bucket', { name: 'box', allowed_mime_types: ['text/*'] }));
  const put = { as: 'ann', method: 'PUT', body: 'text', headers: { 'content-type': 'text/plain' } };
  await assertOk('create', await service.fetch('/storage/v1/object/box/a/b.txt', put));
  await assertOk('overwrite', await service.fetch('/storage/v1/object/box/a/b.txt', put));
  await assertOk('read', await service.fetch('/storage/v1/object/box/a/b.txt', { as: 'ann' }));
  await assertOk('buckets', await service.fetch('/storage/v1/bucket', { as: 'ann' }));
  await assertOk('list', await post('/storage/v1/object/list/box', { prefix: 'a/', search: 'b' }));
  for (const body of [
    {},
    { recursive: true },
    { limit: 1, offset: 1 },
    { sortBy: { column: 'name', order: 'desc' } },
  ]) {
    await assertOk('list', await post('/storage/v1/object/list/box', body));
  }
  for (const column of ['name', 'created_at']) {
    const pages = { with_delimiter: true, limit: 1, sortBy: { column, order: 'desc' } };
    await assertOk('pages', await post('/storage/v1/object/list-v2/box', pages));
  }
  await assertOk('zip', await service.fetch('/storage/v1/object/zip/box/a', { as: 'ann' }));

  const signed = JSON.parse(await assertOk('sign', await post('/storage/v1/object/sign/box/a/b.txt', {})));

  await assertOk('link', await fetch(signed.url));
  await assertOk('delete', await service.fetch('/storage/v1/object/box/a/b.txt', { as: 'ann', method: 'DELETE' }));
});

test('65 functions of the API schema and the workers behind them run none of them', async () => {
  const named = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };
  const id = JSON.parse(await assertOk('request', await post('/rpc/request_upload_url', named)));
  const row = await until(
    async () => {
      const rows = JSON.parse(await assertOk('poll', await post('/rpc/get_upload_url', { p_request_id: id })));
      return rows[0]?.status === 'completed' ? rows[0] : undefined;
    },
    { what: 'the upload URL is signed' },
  );
  await assertOk('put', await fetch(row.url, { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' } }));
  const [, bucket, ...key] = new URL(row.url).pathname.split('/');

  await assertOk(
    'record',
    await post('/rpc/create_file_record', {
      ...named,
      p_id: row.file_id,
      p_file_size: 1,
      p_s3_bucket: bucket,
      p_s3_original_key: key.join('/'),
    }),
  );

  await until(
    async () => (await service.database.query('SELECT FROM metadata.files WHERE object_id IS NOT NULL')).length > 0,
    { what: 'the upload is completed' },
  );
  await assertOk('stats', await post('/rpc/get_file_storage_stats', {}));
  await assertOk('delete', await post('/rpc/delete_file_record', { p_file_id: row.file_id }));
  await until(async () => (await service.database.query('SELECT FROM storage.versions')).length === 0, {
    what: 'the bytes are purged',
  });
});

test('65 a migration runs none of them, the first nor the next', async () => {
  const database = await createEmptyDatabase();
  await makeHostile(database.url, false);

  await assert.doesNotReject(migrate({ url: database.url }));
  await makeHostile(database.url, true);
  await assert.doesNotReject(migrate({ url: database.url }));

  await database.drop();
});
