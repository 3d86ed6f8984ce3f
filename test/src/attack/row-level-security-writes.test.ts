/** Rows 60 to 63 of the list of attacks: writing over what is hidden, reading errors, and rights that went away meanwhile. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { signToken, until } from '@rowlock/test-harness';
import pg from 'pg';
import { type Attacked, assertRefused, assertSaysNothing, attacked, sqlStateOf } from './standing.ts';

const mallory = { role: 'authenticated', sub: 'mallory' } as const;
const reader = `attack_reader_${process.pid}`;

let open: Attacked;

before(async () => {
  open = await attacked({
    config: {
      rules: {
        anonymous_role: 'anon',
        default_role: 'authenticated',
        allowed_roles: ['anon', 'authenticated', 'service_role', reader],
        role_claim: ['role'],
      },
    },
  });
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  for (const [as, path] of [
    ['olivia', 'vault/secret.txt'],
    ['olivia', 'files/secret.txt'],
    ['mallory', 'files/own.txt'],
  ] as const) {
    const put = await open.service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body: `of ${as}` });
    assert.equal(put.status, 201);
  }
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(async () => {
  await open.database.query(`DROP OWNED BY ${reader}`).catch(() => undefined);
  await open.stop();
});

/** The error of a statement that must fail. */
async function errorOf(statement: Promise<unknown>): Promise<pg.DatabaseError> {
  const error = await statement.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof pg.DatabaseError, 'the statement went through');
  return error;
}

test('60 an object cannot be renamed onto one that is hidden, nor into a bucket that is', async () => {
  const rename = (set: string): Promise<unknown> =>
    open.sql(mallory, `UPDATE storage.objects SET ${set} WHERE bucket_id = 'files' AND name = 'own.txt'`);

  const onto = await errorOf(rename("name = 'secret.txt'"));
  const intoHidden = await errorOf(rename("bucket_id = 'vault'"));
  const intoNowhere = await errorOf(rename("bucket_id = 'nihil'"));
  const ontoHidden = await errorOf(rename("bucket_id = 'vault', name = 'secret.txt'"));

  assert.equal(onto.code, '23505');
  assert.equal(onto.detail, undefined);
  for (const error of [intoHidden, ontoHidden]) {
    assert.deepEqual([error.code, error.message], [intoNowhere.code, intoNowhere.message]);
  }
});

test('60 an upsert over a hidden object changes nothing and shows nothing', async () => {
  const insert = `INSERT INTO storage.objects (bucket_id, name, version_id)
    SELECT 'files', 'secret.txt', version_id FROM storage.objects WHERE bucket_id = 'files' AND name = 'own.txt'`;

  const update = await sqlStateOf(
    open.sql(mallory, `${insert} ON CONFLICT (bucket_id, name) DO UPDATE SET version_id = excluded.version_id`),
  );
  const steal = await sqlStateOf(
    open.sql(mallory, `${insert} ON CONFLICT (bucket_id, name) DO UPDATE SET user_metadata = '{}' RETURNING size`),
  );
  const nothing = await open.sql(mallory, `${insert} ON CONFLICT DO NOTHING RETURNING *`);
  const deleted = await open.sql(mallory, "DELETE FROM storage.objects WHERE name = 'secret.txt' RETURNING *");
  const updated = await open.sql(
    mallory,
    "UPDATE storage.objects SET cache_control = 'x' WHERE name = 'secret.txt' RETURNING *",
  );

  assert.deepEqual([update, steal], ['42501', '42501']);
  assert.deepEqual([nothing, deleted, updated], [[], [], []]);
});

test('60 uploads with every wish to overwrite leave a hidden object alone', async () => {
  for (const [method, headers] of [
    ['POST', {}],
    ['POST', { 'x-upsert': 'true' }],
    ['PUT', {}],
    ['PUT', { 'if-match': '*' }],
  ] as const) {
    const init = { as: 'mallory', method, headers, body: 'mine now' };
    await assertRefused(await open.service.fetch('/storage/v1/object/files/secret.txt', init), [409, 412]);
  }
});

test('61 no error of a constraint names a hidden row, over SQL or HTTP', async () => {
  const statements = [
    "INSERT INTO storage.buckets (id) VALUES ('vault')",
    "UPDATE storage.objects SET name = 'secret.txt' WHERE name = 'own.txt'",
    `INSERT INTO storage.objects (bucket_id, name, version_id)
       SELECT 'files', 'secret.txt', version_id FROM storage.objects WHERE name = 'own.txt'`,
    "UPDATE storage.objects SET version_id = '00000000-0000-4000-8000-000000000000' WHERE name = 'own.txt'",
    "UPDATE storage.objects SET bucket_id = 'nihil' WHERE name = 'own.txt'",
    "INSERT INTO storage.objects (bucket_id, name) VALUES ('vault', 'x')",
  ];

  for (const statement of statements) {
    const { code, detail } = await errorOf(open.sql(mallory, statement));
    assert.match(String(code), /^(23\d\d\d|42501)$/, statement);
    assert.doesNotMatch(detail ?? '', /vault|secret/, statement);
  }
  const taken = await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'mallory');
  await assertRefused(taken, 409, 'bucket_exists');
  const full = await open.service.fetch('/storage/v1/bucket/vault', { as: 'olivia', method: 'DELETE' });
  await assertRefused(full, 409, 'bucket_not_empty');
  const call = await open.send('POST', '/rpc/delete_file_record', { p_file_id: "x' OR true --" }, 'mallory');
  const text = await call.text();
  assert.equal(call.status, 400);
  assertSaysNothing(text);
  assert.equal((JSON.parse(text) as { readonly details: unknown }).details, null);
});

describe('62 a role that may only read', () => {
  before(async () => {
    await open.database.query(`
      CREATE ROLE ${reader} NOLOGIN;
      GRANT ${reader} TO rowlock_authenticator;
      GRANT anon TO ${reader};
      CREATE POLICY attack_reads ON storage.objects FOR SELECT TO ${reader} USING (true);
      CREATE POLICY attack_reads ON storage.buckets FOR SELECT TO ${reader} USING (true);
    `);
  });
  after(async () => {
    await open.database.query(`
      DROP POLICY attack_reads ON storage.objects;
      DROP POLICY attack_reads ON storage.buckets;
      DROP OWNED BY ${reader};
      DROP ROLE ${reader};
    `);
  });

  test('62 reads everything and writes nothing, by any route', async () => {
    const headers = { authorization: `Bearer ${await signToken({ role: reader, sub: 'olivia' })}` };
    const json = { ...headers, 'content-type': 'application/json' };
    const path = '/storage/v1/object/vault/secret.txt';
    const ask = { p_entity_type: 'x', p_entity_id: '1', p_file_name: 'a', p_file_type: 'text/plain' };

    const read = await open.service.fetch(path, { headers });
    const writes: readonly (readonly [string, RequestInit])[] = [
      [path, { method: 'PUT', headers, body: 'x' }],
      [path, { method: 'DELETE', headers }],
      ['/storage/v1/object/vault/new.txt', { method: 'POST', headers, body: 'x' }],
      ['/storage/v1/object/files/new.txt', { method: 'POST', headers, body: 'x' }],
      ['/storage/v1/bucket', { method: 'POST', headers: json, body: '{"name":"new-bucket"}' }],
      ['/storage/v1/bucket/vault', { method: 'DELETE', headers }],
      ['/rpc/request_upload_url', { method: 'POST', headers: json, body: JSON.stringify(ask) }],
    ];

    assert.equal(await read.text(), 'of olivia');
    for (const [to, init] of writes) {
      const answer = await open.service.fetch(to, init);
      assert.equal(answer.status, 403, `${init.method} ${to}: ${await answer.text()}`);
    }
    const many = await open.service.fetch('/storage/v1/object/vault', {
      method: 'DELETE',
      headers: json,
      body: '{"prefixes":["secret.txt"]}',
    });
    assert.deepEqual(await many.json(), [], 'and of exact names none goes');
  });

  test('62 functions that only look cannot write, and those that write are no GET', async () => {
    const get = await open.send('GET', '/rpc/delete_file_record?p_file_id=x', undefined, 'olivia');
    const unknown = await open.send('POST', '/rpc/commit_upload', {}, 'olivia');
    const inherited = await open.send('GET', '/rpc/__proto__', undefined, 'olivia');

    assert.deepEqual([get.status, unknown.status, inherited.status], [405, 404, 404]);
  });
});

/** An upload that has begun and not ended: the intent is written, part of the body has been sent. */
async function halfUploaded(
  path: string,
): Promise<{ readonly sent: ClientRequest; readonly answer: Promise<unknown[]> }> {
  const authorization = `Bearer ${open.tokens.olivia}`;
  const sent = request(`${open.service.url}${path}`, { method: 'POST', headers: { authorization } });
  const answer = once(sent, 'response');
  sent.write('first half, ');
  await until(async () => (await open.database.query("SELECT FROM storage.uploads WHERE state = 'open'")).length > 0, {
    what: 'the upload has begun',
  });
  return { sent, answer };
}

test('63 a right that goes away during an upload is asked for again at its end, and the bytes are collected', async () => {
  const { sent, answer } = await halfUploaded('/storage/v1/object/vault/late.txt');

  await open.database.query("UPDATE storage.buckets SET owner_id = 'zoe' WHERE id = 'vault'");
  sent.end('second half');
  const [response] = (await answer) as [IncomingMessage];

  await open.database.query("UPDATE storage.buckets SET owner_id = 'olivia' WHERE id = 'vault'");
  const body = Buffer.concat(await response.toArray()).toString();
  assert.equal(response.statusCode, 403, body);
  assertSaysNothing(body);
  const left = await open.database.query("SELECT FROM storage.objects WHERE name = 'late.txt'");
  assert.equal(left.length, 0);
  await bytesAreCollected();
});

test('63 a bucket that goes away during an upload leaves no bytes', async () => {
  await open.send('POST', '/storage/v1/bucket', { name: 'brief' }, 'olivia');
  await open.remember();
  const { sent, answer } = await halfUploaded('/storage/v1/object/brief/late.txt');

  const gone = await open.service.fetch('/storage/v1/bucket/brief', { as: 'olivia', method: 'DELETE' });
  sent.end('second half');
  const [response] = (await answer) as [IncomingMessage];

  assert.equal(gone.status, 200);
  assert.equal(response.statusCode, 404, Buffer.concat(await response.toArray()).toString());
  await bytesAreCollected();
});

test('63 a right that goes away before a direct upload is complete refuses the file', async () => {
  const ask = { p_entity_type: 'note', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };
  const id = (await (await open.send('POST', '/rpc/request_upload_url', ask, 'olivia')).json()) as string;
  const row = await until(async () => {
    const rows = await open.database.query<{ presigned_url: string; file_id: string; s3_key: string }>(
      "SELECT presigned_url, file_id, s3_key FROM metadata.file_upload_requests WHERE id = $1 AND status = 'completed'",
      [id],
    );
    return rows[0];
  });
  const put = await fetch(row.presigned_url, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'x' });
  assert.equal(put.status, 200);

  await open.database.query("UPDATE storage.buckets SET owner_id = 'zoe' WHERE id = 'files'");
  const record = {
    ...ask,
    p_id: row.file_id,
    p_file_size: 1,
    p_s3_bucket: 'civic-os-files',
    p_s3_original_key: row.s3_key,
  };
  const recorded = await open.send('POST', '/rpc/create_file_record', record, 'olivia');
  await open.settle();

  await open.database.query("UPDATE storage.buckets SET owner_id = NULL WHERE id = 'files'");
  assert.ok([200, 403].includes(recorded.status), await recorded.text());
  const objects = await open.database.query('SELECT FROM storage.objects WHERE name = $1', [row.s3_key]);
  const [version] = await open.database.query<{ state: string }>('SELECT state FROM storage.versions WHERE key = $1', [
    row.s3_key,
  ]);
  assert.deepEqual([objects.length, version?.state ?? 'gone'], [0, 'gone']);
  await bytesAreCollected();
});

/** Nothing is left but the three objects, and the times at which buckets were changed. */
async function bytesAreCollected(): Promise<void> {
  await open.settle();
  assert.equal((await open.fsck()).keys, 3, 'the bytes are collected');
  await open.remember();
}
