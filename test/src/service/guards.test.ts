/**
 * Guards that stand behind another one, or that only an accident meets: what is asked again at commit, what begin
 * refuses before a byte is sent, and what must not stop the rest when one thing is broken.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Backends, Database, openBackend, sweep } from '@rowlock/server';
import { signToken, startService, type TestService, until } from '@rowlock/test-harness';
import pg from 'pg';

const json = { 'content-type': 'application/json' };

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [
    { name: 'box' },
    { name: 'small', file_size_limit: 1000 },
    { name: 'pictures', allowed_mime_types: ['image/*'] },
  ]) {
    await service.fetch('/storage/v1/bucket', {
      as: 'ann',
      method: 'POST',
      headers: json,
      body: JSON.stringify(bucket),
    });
  }
});
after(() => service.stop());

const bearer = async (sub: string): Promise<string> => `Bearer ${await signToken({ sub, role: 'authenticated' })}`;

/** An upload whose intent is written and whose body waits. */
async function beginSlowly(name: string, type = 'text/plain'): Promise<ClientRequest> {
  const upload = request(`${service.url}/storage/v1/object/box/${name}`, {
    method: 'POST',
    headers: { authorization: await bearer('ann'), 'content-type': type },
  });
  upload.write('the first half, ');
  await until(async () => (await service.database.query('SELECT FROM storage.uploads WHERE name = $1', [name]))[0], {
    what: 'the upload has begun',
  });
  return upload;
}

async function finish(upload: ClientRequest): Promise<{ status: number | undefined; reason: unknown }> {
  const answered = once(upload, 'response');
  upload.end('the second half');
  const [response] = (await answered) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return { status: response.statusCode, reason: JSON.parse(Buffer.concat(chunks).toString()).reason };
}

async function assertNothingLeft(name: string): Promise<void> {
  const rows = await service.database.query(
    `SELECT 'object' FROM storage.objects WHERE name = $1 UNION ALL SELECT 'upload' FROM storage.uploads WHERE name = $1`,
    [name],
  );
  assert.deepEqual(rows, []);
}

describe('what is asked again at commit', () => {
  test('the allow-list of the bucket, with the declared type', async () => {
    const upload = await beginSlowly('type-changed');
    await service.database.query("UPDATE storage.buckets SET allowed_mime_types = '{image/*}' WHERE id = 'box'");

    const answer = await finish(upload);

    await service.database.query("UPDATE storage.buckets SET allowed_mime_types = NULL WHERE id = 'box'");
    assert.deepEqual(answer, { status: 415, reason: 'media_type_not_allowed' });
    await assertNothingLeft('type-changed');
  });

  test('the size limit of the bucket, with the true size', async () => {
    const upload = await beginSlowly('limit-changed');
    await service.database.query("UPDATE storage.buckets SET file_size_limit = 20 WHERE id = 'box'");

    const answer = await finish(upload);

    await service.database.query("UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'box'");
    assert.deepEqual(answer, { status: 413, reason: 'too_large' });
    await assertNothingLeft('limit-changed');
  });

  test('the policies, as the caller', async () => {
    const upload = await beginSlowly('policy-changed');
    await service.database.query('ALTER POLICY objects_create ON storage.objects TO service_role');

    const answer = await finish(upload);

    await service.database.query('ALTER POLICY objects_create ON storage.objects TO authenticated');
    assert.deepEqual(answer, { status: 403, reason: 'not_allowed' });
    await assertNothingLeft('policy-changed');
  });

  test('whether the intent is still there', async () => {
    const upload = await beginSlowly('given-up');
    await service.database.query(
      "SELECT storage_internal.abandon_upload(id, 'x') FROM storage.uploads WHERE name = 'given-up'",
    );

    const answer = await finish(upload);

    assert.equal(answer.reason, 'upload_gone');
    await assertNothingLeft('given-up');
  });
});

describe('what begin refuses before a byte is sent', () => {
  /** The status of the answer to a client that sends its body only when it is told to. */
  async function ask(path: string, headers: string): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `POST /storage/v1/object/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${await bearer('ann')}\r\nexpect: 100-continue\r\n${headers}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString().slice(0, 'HTTP/1.1 100'.length);
  }

  test('a declared size over the limit of the bucket', async () => {
    assert.equal(await ask('small/a', 'content-length: 1001'), 'HTTP/1.1 413');
    assert.equal(await ask('small/a', 'content-length: 1000'), 'HTTP/1.1 100');
  });

  test('a declared type outside of the allow-list', async () => {
    const text = 'content-type: text/plain\r\ncontent-length: 10';

    assert.equal(await ask('pictures/a', text), 'HTTP/1.1 415');
    assert.equal(await ask('pictures/a', text.replace('text/plain', 'image/png')), 'HTTP/1.1 100');
  });

  test('a name that is taken, where overwriting is not wanted', async () => {
    await service.fetch('/storage/v1/object/box/taken', { as: 'ann', method: 'POST', body: 'x' });

    assert.equal(await ask('box/taken', 'x-upsert: false\r\ncontent-length: 1'), 'HTTP/1.1 409');
  });
});

describe('what the edge refuses', () => {
  test('a body without a length is cut while it streams, and not at its end', async () => {
    const upload = request(`${service.url}/storage/v1/object/small/endless`, {
      method: 'POST',
      headers: { authorization: await bearer('ann') },
      signal: AbortSignal.timeout(10_000),
    });
    const answered = once(upload, 'response');
    upload.on('error', () => undefined);

    upload.write('x'.repeat(2000));

    const [response] = (await answered) as [IncomingMessage];
    assert.equal(response.statusCode, 413);
    upload.destroy();
  });

  test('an error that is ours shows nothing of the inside', async () => {
    await service.database.query('ALTER TABLE storage.buckets RENAME COLUMN overwrite TO gone');

    const answer = await service.fetch('/storage/v1/bucket', { as: 'ann' });
    const body = await answer.text();

    await service.database.query('ALTER TABLE storage.buckets RENAME COLUMN gone TO overwrite');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(body, /overwrite|column|storage|Error:/);
    assert.equal(JSON.parse(body).reason, 'internal');
  });

  test('a host name that is not listed is not answered', async () => {
    const listed = await startService({
      workers: false,
      database: service.database,
      config: { allowed_hosts: ['files.example'] },
    });
    const ask = async (host: string): Promise<number | undefined> => {
      const asked = request(`${listed.url}/healthz`, { headers: { host } }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };

    const statuses = [await ask('files.example'), await ask('evil.example'), await ask('127.0.0.1')];
    await listed.stop();

    assert.deepEqual(statuses, [200, 403, 403]);
  });

  test('an origin that is not listed gets no CORS header', async () => {
    const listed = await startService({
      workers: false,
      database: service.database,
      config: { cors_origins: ['https://good.example'] },
    });
    const allowed = async (origin: string): Promise<string | null> =>
      (await listed.fetch('/storage/v1/bucket', { headers: { origin } })).headers.get('access-control-allow-origin');

    const answers = [
      await allowed('https://good.example'),
      await allowed('https://evil.example'),
      await allowed('https://good.example.evil.example'),
      await allowed('null'),
    ];
    await listed.stop();

    assert.deepEqual(
      answers.map((answer) => answer === 'https://good.example'),
      [true, false, false, false],
    );
    assert.deepEqual(answers.slice(1), [null, null, null]);
  });

  test('a parameter that a function does not have is refused', async () => {
    const answer = await service.fetch('/rpc/get_file_storage_stats', {
      as: 'ann',
      method: 'POST',
      headers: json,
      body: '{"p_extra": 1}',
    });

    assert.equal(answer.status, 400);
  });
});

describe('what is broken does not stop the rest', () => {
  test('a dropped entity table hides its files and breaks no listing', async () => {
    await service.database.query(`
      CREATE TABLE public.ticket (id int PRIMARY KEY); INSERT INTO public.ticket VALUES (1);
      GRANT SELECT ON public.ticket TO authenticated; SELECT storage.attach_entity('public.ticket')`);
    await service.fetch('/storage/v1/object/files/t/of-a-ticket', { as: 'ann', method: 'POST', body: 'x' });
    await service.database.query(`
      INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, object_id)
      SELECT 'ticket', '1', 'x', 'text/plain', 1, 'x', id FROM storage.objects WHERE name = 't/of-a-ticket'`);
    const list = async (as: string): Promise<[number, string]> => {
      const options = { as, method: 'POST', headers: json, body: '{"prefix":"t/"}' };
      const answer = await service.fetch('/storage/v1/object/list/files', options);
      return [answer.status, await answer.text()];
    };
    const [, before] = await list('bob');

    await service.database.query('DROP TABLE public.ticket');
    const [status, after] = await list('bob');
    const [own] = await list('ann');

    assert.match(before, /of-a-ticket/, 'bob saw it by the row of its entity');
    assert.deepEqual([status, after, own], [200, '[]', 200]);
  });

  test('an upload that cannot be committed keeps no other from the sweep', async () => {
    const options = { url: service.database.workerUrl, connectionsMax: 2, statementTimeoutMs: 10_000 };
    const db = new Database({ ...options, applicationName: 'guards test' });
    const backend = await openBackend(service.config.backend);
    for (const entity of ['stuck', 'well']) {
      await service.fetch('/rpc/request_upload_url', {
        as: 'ann',
        method: 'POST',
        headers: json,
        body: JSON.stringify({ p_entity_type: entity, p_entity_id: '1', p_file_name: 'a', p_file_type: 'text/plain' }),
      });
    }
    const keys = await service.database.query<{ key: string }>(
      "SELECT key FROM storage.versions WHERE key ~ '^(stuck|well)/' ORDER BY key",
    );
    for (const { key } of keys) {
      await backend.put(
        key,
        (async function* () {
          yield Buffer.from('bytes');
        })(),
      );
    }
    await service.database.query(
      "UPDATE storage.uploads SET created_at = now() - interval '2 hours' WHERE kind = 'direct'",
    );
    await service.database.query("UPDATE storage.uploads SET caller_role = 'no_such_role' WHERE name LIKE 'stuck/%'");

    const report = await sweep({ db, backends: new Backends(backend) }, { graceSeconds: 60, limit: 100 });
    await db.close();

    assert.equal(keys.length, 2);
    assert.deepEqual([report.failed, report.completed], [1, 1]);
    const objects = await service.database.query("SELECT FROM storage.objects WHERE name LIKE 'well/%'");
    assert.equal(objects.length, 1);
  });
});

test('a purge outside of READ COMMITTED is refused: its look for references would be an old one', async () => {
  const client = new pg.Client({ connectionString: service.database.workerUrl });
  await client.connect();
  const purgeAt = async (level: string): Promise<unknown> => {
    await client.query(`BEGIN ISOLATION LEVEL ${level}`);
    try {
      return (await client.query('SELECT * FROM storage_internal.purge_begin(gen_random_uuid())')).rowCount;
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      await client.query('ROLLBACK');
    }
  };

  const outcomes = [await purgeAt('REPEATABLE READ'), await purgeAt('SERIALIZABLE'), await purgeAt('READ COMMITTED')];
  await client.end();

  assert.deepEqual(outcomes, ['25000', '25000', 0]);
});
