/**
 * Sections 12 to 14: policies as applications write them for Supabase Storage, pasted in unchanged: the functions that they
 * call, the columns that they read, and the operation that they tell apart.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { migrate } from '@rowlock/server';
import { createMigratedDatabase, type MigratedDatabase, signToken } from '@rowlock/test-harness';
import pg from 'pg';
import { ContractSite, type Json, rowsOf } from './contract-site.ts';

const una = '11111111-1111-4111-8111-111111111111';
const uwe = '22222222-2222-4222-8222-222222222222';

let database: MigratedDatabase;
let site: ContractSite;

before(async () => {
  database = await createMigratedDatabase();
  await migrate({ url: database.url, withAuthShim: true });
  site = await ContractSite.start({ database });
  await database.query(`INSERT INTO storage.buckets (id, name, owner_id) VALUES
    ('avatars', 'avatars', 'the app'), ('public-ish', 'public-ish', 'the app'), ('apart', 'apart', 'the app')`);
  await database.query(policies);
});
after(async () => {
  await site.stop();
  await database.drop();
});

/** In the words of the documentation and of forums, and with nothing of ours in them. */
const policies = `
  create policy "Users see the buckets of the app" on storage.buckets for select to authenticated using (true);
  create policy "Users upload to their own folder" on storage.objects for insert to authenticated
    with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid()::text));
  create policy "Users read their own objects" on storage.objects for select to authenticated
    using (bucket_id = 'avatars' and (select auth.uid()::text) = owner_id);
  create policy "Users update their own objects" on storage.objects for update to authenticated
    using (bucket_id = 'avatars' and (select auth.jwt()->>'sub') = owner_id);
  create policy "Users delete their own pictures" on storage.objects for delete to authenticated
    using (bucket_id = 'avatars' and storage.extension(name) = 'png' and (select auth.uid()) = path_tokens[1]::uuid);
  create policy "Only small pictures" on storage.objects as restrictive for insert to authenticated
    with check (bucket_id <> 'avatars' or (storage.extension(name) in ('jpg', 'png')
      and (metadata->>'size')::int < 100 and metadata->>'mimetype' like 'image/%'));
  create policy "Anyone lists the public folder" on storage.objects for select to anon
    using (bucket_id = 'public-ish' and (storage.foldername(name))[1] = 'public' and auth.role() = 'anon');
  create policy "Anyone knows the bucket" on storage.buckets for select to anon using (id = 'public-ish');
  create policy "The app writes" on storage.objects for insert to authenticated
    with check (bucket_id in ('public-ish', 'apart') and auth.role() = 'authenticated');
  create policy "The app reads" on storage.objects for select to authenticated using (bucket_id = 'apart');
`;

const png = { 'content-type': 'image/png' };

async function upload(as: string, path: string, body = 'x', headers: Readonly<Record<string, string>> = png) {
  const { status } = await site.ask('POST', `object/${path}`, { as, body, headers });
  return status;
}

test('14.1 the functions that policies call say the same of a name as there', async () => {
  const [row] = await database.query<Json>(`SELECT
    storage.foldername('a/b/c.tar.gz') AS folders, storage.foldername('c') AS none,
    storage.filename('a/b/c.tar.gz') AS file, storage.extension('a/b/c.tar.gz') AS extension`);
  const volatile = await database.query<Json>(
    `SELECT proname FROM pg_proc WHERE pronamespace = 'storage'::regnamespace
       AND proname IN ('foldername', 'filename', 'extension') AND provolatile <> 'i'`,
  );

  assert.deepEqual(row, { folders: ['a', 'b'], none: [], file: 'c.tar.gz', extension: 'gz' });
  assert.deepEqual(volatile, [], 'they are immutable, so that an index may call them');
});

test('14.2 policies that were written for Supabase hold, by folder, owner, extension, size and type', async () => {
  const own = `avatars/${una}/me.png`;

  assert.equal(await upload(una, own), 201);
  assert.equal(await upload(una, `avatars/${uwe}/me.png`), 403, 'the folder of somebody else');
  assert.equal(await upload(una, `avatars/${una}/me.gif`), 403, 'an extension that is not on the list');
  assert.equal(await upload(una, `avatars/${una}/big.png`, 'x'.repeat(100)), 403, 'a size that is too large');
  assert.equal(await upload(una, `avatars/${una}/text.png`, 'x', { 'content-type': 'text/plain' }), 403, 'a type');
  const read = async (as: string): Promise<number> => (await site.ask('GET', `object/${own}`, { as })).status;
  assert.deepEqual([await read(una), await read(uwe)], [200, 404]);
  assert.equal((await site.ask('PUT', `object/${own}`, { as: una, body: 'y', headers: png })).status, 200);
  assert.equal((await site.ask('DELETE', `object/${own}`, { as: uwe })).status, 200, 'hidden, so nothing to delete');
  assert.equal(await read(una), 200);
  await site.ask('DELETE', `object/${own}`, { as: una });
  assert.equal(await read(una), 404);
});

test('14.3 a policy for anonymous callers opens what it says', async () => {
  assert.equal(await upload(una, 'public-ish/public/a.png'), 201);
  assert.equal(await upload(una, 'public-ish/private/a.png'), 201);
  const read = async (path: string): Promise<number> =>
    (await site.ask('GET', `object/public-ish/${path}`, { as: 'nobody' })).status;

  assert.deepEqual([await read('public/a.png'), await read('private/a.png')], [200, 404]);
});

/** What a caller gets to see of an object in each way that reads it, while one policy more restricts reading. */
async function seenWhile(condition: string): Promise<Readonly<Record<string, unknown>>> {
  await database.query(`CREATE POLICY apart ON storage.objects AS RESTRICTIVE FOR SELECT TO authenticated
    USING (bucket_id <> 'apart' OR ${condition})`);
  try {
    const status = async (method: string, path: string, json?: object): Promise<number> =>
      (await site.ask(method, path, { as: uwe, ...(json === undefined ? {} : { json }) })).status;
    const listed = await site.ask('POST', 'object/list/apart', { as: uwe, json: {} });
    return {
      get: await status('GET', 'object/apart/a.png'),
      info: await status('GET', 'object/info/apart/a.png'),
      sign: await status('POST', 'object/sign/apart/a.png', { expiresIn: 60 }),
      list: rowsOf(listed).length,
    };
  } finally {
    await database.query('DROP POLICY apart ON storage.objects');
  }
}

test('14.4 a policy tells operations apart, by their whole names or without what all of them begin with', async () => {
  assert.equal(await upload(una, 'apart/a.png'), 201);
  const onlyGet = { get: 200, info: 404, sign: 404, list: 0 };

  assert.deepEqual(await seenWhile('true'), { get: 200, info: 200, sign: 200, list: 1 });
  assert.deepEqual(await seenWhile("storage.operation() = 'storage.object.get'"), onlyGet);
  assert.deepEqual(await seenWhile("storage.allow_only_operation('object.get')"), onlyGet);
  assert.deepEqual(await seenWhile("storage.allow_only_operation('storage.object.get')"), onlyGet);
  assert.deepEqual(await seenWhile("storage.allow_any_operation(ARRAY['object.list', 'storage.object.info'])"), {
    get: 404,
    info: 200,
    sign: 404,
    list: 1,
  });
  for (const none of ["'get'", "'object'", "''", 'NULL', "'object.get.x'"]) {
    const seen = await seenWhile(`storage.allow_only_operation(${none})`);
    assert.deepEqual(seen, { get: 404, info: 404, sign: 404, list: 0 }, none);
  }
});

test('14.4 what is no operation of ours is none that a policy allows', async () => {
  const [row] = await database.query<Json>(`SELECT
    storage.allow_only_operation('object.get') AS outside, storage.allow_any_operation('{}') AS empty,
    storage.allow_any_operation(NULL) AS unknown, storage.allow_only_operation(NULL) AS nothing`);

  assert.deepEqual(row, { outside: false, empty: false, unknown: false, nothing: false });
});

test('12.1 a policy sees the claims and the role of the token that asks, and of no other', async () => {
  await database.query(`CREATE POLICY claims ON storage.objects AS RESTRICTIVE FOR SELECT TO authenticated USING (
    bucket_id <> 'apart' OR (current_setting('request.jwt.claims', true)::jsonb ->> 'team' = 'red'
      AND current_setting('role') = 'authenticated' AND current_user = 'authenticated'))`);
  const read = async (claims: Json): Promise<number> => {
    const authorization = `Bearer ${await signToken({ sub: uwe, role: 'authenticated', ...claims })}`;
    return (await site.ask('GET', 'object/apart/a.png', { as: 'nobody', headers: { authorization } })).status;
  };

  const statuses = [
    await read({ team: 'red' }),
    await read({}),
    await read({ team: 'blue' }),
    await read({ team: 'red' }),
  ];
  await database.query('DROP POLICY claims ON storage.objects');

  assert.deepEqual(statuses, [200, 404, 404, 200]);
});

test('13.1 the columns that policies and queries read are there, and named as there', async () => {
  const columns = await database.query<{ readonly known: string }>(`
    SELECT table_name || '.' || column_name || ' ' || data_type AS known FROM information_schema.columns
    WHERE table_schema = 'storage' AND table_name IN ('buckets', 'objects')`);

  const known = new Set(columns.map((column) => column.known));
  const time = 'timestamp with time zone';
  const expected = [
    'buckets.id text',
    'buckets.name text',
    'buckets.owner_id text',
    'buckets.public boolean',
    'buckets.file_size_limit bigint',
    'buckets.allowed_mime_types ARRAY',
    `buckets.created_at ${time}`,
    `buckets.updated_at ${time}`,
    'objects.id uuid',
    'objects.bucket_id text',
    'objects.name text',
    'objects.owner_id text',
    'objects.metadata jsonb',
    'objects.user_metadata jsonb',
    'objects.path_tokens ARRAY',
    'objects.version text',
    `objects.created_at ${time}`,
    `objects.updated_at ${time}`,
    `objects.last_accessed_at ${time}`,
  ];
  assert.deepEqual(
    expected.filter((column) => !known.has(column)),
    [],
  );
});

test('13.2 row-level security is on for what callers may reach, and without a policy they see nothing of it', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const ask = async (text: string): Promise<readonly Json[]> => (await client.query<Json>(text)).rows;
  const seen = async (): Promise<readonly Json[]> => {
    await ask(`SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '{"sub":"${una}","role":"authenticated"}'`);
    const buckets = await ask('SELECT id FROM storage.buckets');
    await ask('RESET ROLE');
    return buckets;
  };

  const open = await ask(`SELECT relname FROM pg_class
    WHERE relnamespace = 'storage'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity
      AND (has_any_column_privilege('authenticated', oid, 'SELECT') OR has_any_column_privilege('anon', oid, 'SELECT'))`);
  await client.query('BEGIN');
  const before = await seen();
  await client.query(`DO $$ DECLARE p record; BEGIN
    FOR p IN SELECT * FROM pg_policies WHERE schemaname = 'storage' AND tablename IN ('buckets', 'objects') LOOP
      EXECUTE format('DROP POLICY %I ON storage.%I', p.policyname, p.tablename);
    END LOOP; END $$`);
  const after = await seen();
  await client.query('ROLLBACK');
  await client.end();

  assert.deepEqual(open, []);
  assert.ok(before.length > 0);
  assert.deepEqual(after, []);
});

test('13.5 in SQL a bucket is public by its policy or by its flag, and the two never differ', async () => {
  const say = (id: string): Promise<Record<string, unknown>[]> =>
    database.query(`SELECT policy, public FROM storage.buckets WHERE id = '${id}'`);
  await database.query(`
    INSERT INTO storage.buckets (id, policy) VALUES ('by-policy', 'public');
    INSERT INTO storage.buckets (id, name, public) VALUES ('by-flag', 'by-flag', true), ('by-no-flag', 'by-no-flag', false)`);

  assert.deepEqual(await say('by-policy'), [{ policy: 'public', public: true }]);
  assert.deepEqual(await say('by-flag'), [{ policy: 'public', public: true }]);
  assert.deepEqual(await say('by-no-flag'), [{ policy: 'private', public: false }]);
  await database.query("UPDATE storage.buckets SET policy = 'private' WHERE id = 'by-policy'");
  await database.query("UPDATE storage.buckets SET public = false WHERE id = 'by-flag'");
  await database.query("UPDATE storage.buckets SET public = true WHERE id = 'by-no-flag'");
  assert.deepEqual(await say('by-policy'), [{ policy: 'private', public: false }]);
  assert.deepEqual(await say('by-flag'), [{ policy: 'private', public: false }]);
  assert.deepEqual(await say('by-no-flag'), [{ policy: 'public', public: true }]);
  const contradicts = "INSERT INTO storage.buckets (id, policy, public) VALUES ('both', 'authenticated', true)";
  await assert.rejects(database.query(contradicts), { code: '23514' });
});
