/**
 * Uploads in parts over HTTP, as they are meant and as they are not: what arrives becomes one object or nothing, whoever comes
 * back goes on, and nobody else can. The store is the disk, whose URLs the server answers itself.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { abortMultipart, createClient, isRowlockError, type StorageClient, uploadInParts } from '@rowlock/client';
import { Database, openBackends, sweep } from '@rowlock/server';
import { assertInvariants, signToken, startService, type TestService, until } from '@rowlock/test-harness';

const partBytes = 5 * 2 ** 20;
const v1 = '/storage/v1/upload/multipart';

let service: TestService;
let client: StorageClient;

before(async () => {
  service = await startService({ blobs: true });
  client = createClient({ url: service.url, token: await signToken({ sub: 'ann', role: 'authenticated' }) });
  await service.database.query(
    `INSERT INTO storage.buckets (id, owner_id, file_size_limit, allowed_mime_types)
     VALUES ('films', 'ann', NULL, NULL), ('small', 'ann', 1000000, NULL), ('rows', 'ann', NULL, NULL), ('texts', 'ann', NULL, '{text/*}')`,
  );
  await service.database.query("SELECT storage.set_bucket_backend('rows', 'postgres')");
});
after(() => service.stop());

interface Begun {
  readonly upload_id: string;
  readonly part_size: number;
  readonly part_count: number;
  readonly expires_at: string;
}
interface Signed {
  readonly urls: readonly { readonly part_number: number; readonly size: number; readonly url: string }[];
  readonly expires_at: string;
}

/** As Ann unless said; `null` for nobody. */
const send = (method: string, path: string, body?: unknown, as: string | null = 'ann') =>
  service.fetch(path, {
    method,
    as: as ?? undefined,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

async function begin(changes: object = {}): Promise<Begun> {
  const answer = await send('POST', v1, {
    bucket: 'films',
    name: randomUUID(),
    size: partBytes + 5,
    part_size: partBytes,
    ...changes,
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return (await answer.json()) as Begun;
}

async function urlsOf(uploadId: string, ...parts: number[]): Promise<string[]> {
  const answer = await send('POST', `${v1}/${uploadId}/sign`, { parts });
  assert.equal(answer.status, 200, await answer.clone().text());
  return ((await answer.json()) as Signed).urls.map(({ url }) => url);
}

const put = (url: string, body: Uint8Array<ArrayBuffer>): Promise<Response> => fetch(url, { method: 'PUT', body });
const bytes = (size: number): Buffer<ArrayBuffer> => Buffer.from(randomBytes(size));
const reasonOf = async (answer: Response): Promise<string> => ((await answer.json()) as { reason: string }).reason;
const foldersOfParts = (): readonly string[] => {
  const folder = join(service.root, '.parts');
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** Lets the workers' sweep run here, now. */
async function sweepNow(): Promise<void> {
  const url = service.database.workerUrl;
  const db = new Database({ url, connectionsMax: 2, statementTimeoutMs: 10_000, applicationName: 'parts test' });
  const backends = await openBackends(service.config);
  await sweep({ db, backends }, { graceSeconds: 0, limit: 1000 });
  await Promise.all([db.close(), backends.close()]);
}

test('a file goes up in parts, a few at once, and is one object with all of its bytes', async () => {
  const file = bytes(3 * partBytes + 12);
  const progress: number[] = [];

  const stored = await uploadInParts(client, { bucket: 'films', name: 'whole.bin' }, new Blob([file]), {
    partSize: partBytes,
    contentType: 'video/mp4',
    metadata: { take: 3 },
    sha256: createHash('sha256').update(file).digest('hex'),
    onProgress: ({ sent }) => progress.push(sent),
  });
  const read = Buffer.from(await (await client.download('films', 'whole.bin')).arrayBuffer());
  const info = await client.info('films', 'whole.bin');

  assert.ok(read.equals(file));
  assert.deepEqual([stored.size, stored.content_type, stored.owner_id], [file.length, 'video/mp4', 'ann']);
  assert.equal(info.sha256, createHash('sha256').update(file).digest('hex'));
  assert.equal(progress.length, 4);
  assert.equal(progress.at(-1), file.length);
  assert.deepEqual(foldersOfParts(), []);
});

test('whoever comes back sends only what is missing', async () => {
  const file = bytes(3 * partBytes);
  const stop = new AbortController();
  const puts: string[] = [];
  const counted: typeof fetch = async (url, init) => {
    puts.push(new URL(String(url)).searchParams.get('partNumber') ?? '');
    return await fetch(url, init);
  };
  let uploadId = '';
  const place = { bucket: 'films', name: 'resumed.bin' };
  const options = { partSize: partBytes, atOnce: 1, fetch: counted };

  await assert.rejects(
    uploadInParts(client, place, new Blob([file]), {
      ...options,
      signal: stop.signal,
      onBegun: (id) => {
        uploadId = id;
      },
      onProgress: ({ sent }) => sent >= 2 * partBytes && stop.abort(),
    }),
    { name: 'AbortError' },
  );
  const state = (await (await send('GET', `${v1}/${uploadId}`)).json()) as { parts: { part_number: number }[] };
  await sweepNow();
  await uploadInParts(client, place, new Blob([file]), { ...options, uploadId });
  const read = Buffer.from(await (await client.download('films', 'resumed.bin')).arrayBuffer());
  const again = await uploadInParts(client, place, new Blob([file]), { ...options, uploadId });

  assert.deepEqual(
    state.parts.map(({ part_number }) => part_number),
    [1, 2],
  );
  assert.deepEqual(puts, ['1', '2', '3']);
  assert.ok(read.equals(file));
  assert.equal(again.path, 'resumed.bin');
});

describe('86 parts as the store has them', () => {
  test('a part that comes again replaces the one before, and the one before cannot be named any more', async () => {
    const { upload_id } = await begin({ name: 'replaced.bin' });
    const [first = '', second = ''] = await urlsOf(upload_id, 1, 2);
    const [wrong, right, tail] = [bytes(partBytes), bytes(partBytes), bytes(5)];

    const before = await put(first, wrong);
    await put(second, tail);
    const after = await put(first, right);
    const etags = [before, after].map((answer) => answer.headers.get('etag') ?? '');
    const listed = (await (await send('GET', `${v1}/${upload_id}`)).json()) as { parts: { etag: string }[] };
    const named = (etag: string) => [
      { part_number: 1, etag },
      { part_number: 2, etag: listed.parts[1]?.etag },
    ];
    const refused = await send('POST', `${v1}/${upload_id}/complete`, { parts: named(etags[0] ?? '') });
    const completed = await send('POST', `${v1}/${upload_id}/complete`, { parts: named(etags[1] ?? '') });
    const read = Buffer.from(await (await client.download('films', 'replaced.bin')).arrayBuffer());

    assert.notEqual(etags[0], etags[1]);
    assert.deepEqual([refused.status, await reasonOf(refused), completed.status], [400, 'invalid_part', 201]);
    assert.ok(read.equals(Buffer.concat([right, tail])));
  });

  test('what is missing, unordered or named twice is refused, and the upload goes on; completing twice is answered twice', async () => {
    const { upload_id } = await begin({ name: 'missing.bin' });
    const [first = '', second = ''] = await urlsOf(upload_id, 1, 2);
    const complete = (parts?: unknown) => send('POST', `${v1}/${upload_id}/complete`, { parts });
    await put(first, bytes(partBytes));

    const missing = await complete();
    await put(second, bytes(5));
    const { parts } = (await (await send('GET', `${v1}/${upload_id}`)).json()) as { parts: object[] };
    const wrong = [
      await complete([...parts].reverse()),
      await complete([parts[0], parts[0]]),
      await complete(parts.slice(0, 1)),
      await complete([...parts, { part_number: 3, etag: 'x' }]),
    ];
    const [one, two] = await Promise.all([complete(parts), complete()]);
    const again = await complete();

    assert.equal(await reasonOf(missing), 'invalid_part');
    for (const answer of wrong) assert.deepEqual([answer.status, await reasonOf(answer)], [400, 'invalid_part']);
    assert.deepEqual([one.status, two.status].sort(), [200, 201]);
    assert.equal(again.status, 200);
    assert.deepEqual(((await again.json()) as { id: string }).id, ((await one.json()) as { id: string }).id);
  });

  test('a URL is for one part of one length, and for nothing once the upload is complete or given up', async () => {
    const { upload_id } = await begin({ name: 'bound.bin' });
    const [first = '', second = ''] = await urlsOf(upload_id, 1, 2);
    const short = await put(first, bytes(partBytes - 1));
    const long = await put(second, bytes(6));
    const otherPart = await put(second.replace('partNumber=2', 'partNumber=1'), bytes(5));
    const whole = await put(second.replace(/&partNumber=2&uploadId=[^&]+/, ''), bytes(5));
    const read = await fetch(second);
    await put(first, bytes(partBytes));
    await put(second, bytes(5));
    await send('POST', `${v1}/${upload_id}/complete`, {});
    const late = await put(second, bytes(5));
    const given = await begin();
    const [url = ''] = await urlsOf(given.upload_id, 1);
    await put(url, bytes(partBytes));

    const deleted = await send('DELETE', `${v1}/${given.upload_id}`);
    const again = await send('DELETE', `${v1}/${given.upload_id}`);
    const tooLate = await put(url, bytes(partBytes));

    for (const answer of [short, long, otherPart, whole, read]) assert.equal(answer.status, 403);
    assert.deepEqual([late.status, tooLate.status], [410, 410]);
    assert.match(await late.text(), /<Code>NoSuchUpload<\/Code>/);
    assert.deepEqual([deleted.status, again.status], [200, 200]);
    assert.equal(await reasonOf(await send('DELETE', `${v1}/${upload_id}`)), 'upload_gone');
    await until(() => foldersOfParts().length === 0, { what: 'the parts are gone' });
  });
});

describe('23 whose upload it is', () => {
  test("69 an upload in parts is its uploader's: for others it is not there", async () => {
    const { upload_id } = await begin({ name: 'own.bin' });
    const ask = async (id: string, as: string | null): Promise<unknown[]> => {
      const answers = [
        await send('GET', `${v1}/${id}`, undefined, as),
        await send('POST', `${v1}/${id}/sign`, { parts: [1] }, as),
        await send('POST', `${v1}/${id}/complete`, {}, as),
        await send('DELETE', `${v1}/${id}`, undefined, as),
      ];
      return await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]));
    };

    const theirs = await ask(upload_id, 'bob');
    const nobodys = await ask(randomUUID(), 'bob');
    const anonymous = await ask(upload_id, null);
    const own = await send('GET', `${v1}/${upload_id}`);
    const service_ = await send('GET', `${v1}/${upload_id}`, undefined, 'service');

    assert.deepEqual(theirs, nobodys);
    assert.deepEqual(
      theirs.map((each) => (each as [number])[0]),
      [410, 410, 410, 410],
    );
    assert.deepEqual(anonymous, nobodys);
    assert.deepEqual([own.status, service_.status], [200, 200]);
    await send('DELETE', `${v1}/${upload_id}`);
  });

  test('the service goes on with it for whoever began it', async () => {
    const { upload_id } = await begin({ name: 'helped.bin', size: 3 });
    const answer = await send('POST', `${v1}/${upload_id}/sign`, { parts: [1] }, 'service');
    await put(((await answer.json()) as Signed).urls[0]?.url ?? '', bytes(3));

    const completed = await send('POST', `${v1}/${upload_id}/complete`, {}, 'service');

    assert.deepEqual([completed.status, ((await completed.json()) as { owner_id: string }).owner_id], [201, 'ann']);
  });

  test('a caller who is nobody begins none, and one who has too many open begins no other', async () => {
    const { database } = service;
    await database.query("INSERT INTO storage.buckets (id) VALUES ('anybodys')");
    await database.query(
      "CREATE POLICY anybody ON storage.objects FOR INSERT TO authenticated WITH CHECK (bucket_id = 'anybodys')",
    );
    const asked = JSON.stringify({ bucket: 'anybodys', name: 'x', size: 3 });
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await signToken({ role: 'authenticated' })}`,
    };
    const set = 'UPDATE storage.settings SET value = $1 WHERE name = $2';

    const nobody = await service.fetch(v1, { method: 'POST', headers, body: asked });
    const { upload_id } = await begin({ bucket: 'anybodys' });
    await database.query(set, ['1', 'upload_requests_open_max']);
    const second = await send('POST', v1, { bucket: 'anybodys', name: 'y', size: 3 });
    await database.query(set, ['1000', 'upload_requests_open_max']);
    await send('DELETE', `${v1}/${upload_id}`);

    assert.deepEqual([nobody.status, await reasonOf(nobody)], [401, 'auth_required']);
    assert.deepEqual([second.status, await reasonOf(second)], [429, 'rate_limited']);
  });
});

test('31 sizes and numbers have limits, and a refusal says what to do', async () => {
  const gibi = 2 ** 30;
  const refused = async (changes: object): Promise<[number, string, string]> => {
    const answer = await send('POST', v1, { bucket: 'films', name: 'x', size: 10, ...changes });
    const { reason, message } = (await answer.json()) as { reason: string; message: string };
    return [answer.status, reason, message];
  };

  const large = await refused({ size: 5 * 1024 * gibi + 1 });
  const many = await refused({ size: 60 * gibi, part_size: partBytes });
  const small = await refused({ part_size: partBytes - 1 });
  const parts = await begin({ size: 5 * 1024 * gibi, name: 'largest.bin', part_size: undefined });

  assert.deepEqual(large.slice(0, 2), [413, 'too_large']);
  assert.deepEqual(many.slice(0, 2), [400, 'invalid_request']);
  assert.match(many[2], /at most 10000 parts: one has 6442451 bytes or more/);
  assert.match(small[2], /A part has 5242880 to/);
  assert.equal((await refused({ size: 0 }))[0], 400);
  assert.deepEqual((await refused({ bucket: 'small', size: 1_000_001 })).slice(0, 2), [413, 'too_large']);
  assert.deepEqual((await refused({ bucket: 'texts', content_type: 'image/png' })).slice(0, 2), [
    415,
    'media_type_not_allowed',
  ]);
  assert.match((await refused({ bucket: 'rows', size: 100 * 2 ** 20 }))[2], /at most 16777216 are accepted/);
  assert.deepEqual((await refused({ bucket: 'rows' })).slice(0, 2), [501, 'not_implemented']);
  const hidden = await send('POST', v1, { bucket: 'rows', name: 'x', size: 10 }, 'bob');
  assert.deepEqual((await refused({ bucket: 'nowhere' })).slice(0, 2), [404, 'bucket_not_found']);
  assert.deepEqual([hidden.status, await reasonOf(hidden)], [404, 'bucket_not_found']);
  assert.deepEqual([parts.part_count <= 10_000, parts.part_size], [true, 525 * 2 ** 20]);
  assert.equal((await send('POST', `${v1}/${parts.upload_id}/sign`, { parts: [10_000] })).status, 400);
  assert.equal((await send('POST', `${v1}/${parts.upload_id}/sign`, { parts: [1], expiresIn: 3601 })).status, 400);
  assert.equal((await send('POST', `${v1}/${parts.upload_id}/sign`, { parts: Array(1001).fill(1) })).status, 400);
  await send('DELETE', `${v1}/${parts.upload_id}`);
});

test('27 a limit holds at its byte, and one that is lowered meanwhile holds when the upload is complete', async () => {
  const { upload_id } = await begin({ bucket: 'small', name: 'at.bin', size: 1_000_000 });
  const [url = ''] = await urlsOf(upload_id, 1);
  await put(url, bytes(1_000_000));
  const beyond = await send('POST', v1, { bucket: 'small', name: 'x', size: 1_000_001 });
  await service.database.query("UPDATE storage.buckets SET file_size_limit = 999999 WHERE id = 'small'");

  const completed = await send('POST', `${v1}/${upload_id}/complete`, {});

  assert.deepEqual([beyond.status, completed.status], [413, 413]);
  assert.equal(await reasonOf(completed), 'too_large');
  assert.equal((await send('GET', `${v1}/${upload_id}`)).status, 410);
});

test('bytes that are not what was declared are refused when they are complete, and go', async () => {
  const digest = createHash('sha256').update('other').digest('hex');

  await assert.rejects(
    uploadInParts(client, { bucket: 'films', name: 'digest.bin' }, new Blob([bytes(10)]), { sha256: digest }),
    (error) => isRowlockError(error, 'bad_digest'),
  );
  await assert.rejects(
    uploadInParts(
      client,
      { bucket: 'texts', name: 'text.txt' },
      new Blob([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')]),
      {
        contentType: 'text/plain',
      },
    ),
    (error) => isRowlockError(error, 'media_type_not_allowed'),
  );

  assert.equal(await client.exists('films', 'digest.bin'), false);
});

test('an upload that nobody completed is completed when its time is over, where all of it is there, and else given up', async () => {
  const [whole, half] = [await begin({ name: 'forgotten.bin' }), await begin({ name: 'half.bin' })];
  const [first = '', second = ''] = await urlsOf(whole.upload_id, 1, 2);
  const [other = ''] = await urlsOf(half.upload_id, 1);
  await Promise.all([put(first, bytes(partBytes)), put(second, bytes(5)), put(other, bytes(partBytes))]);

  await sweepNow();
  const early = await client.exists('films', 'forgotten.bin');
  await service.database.query("UPDATE storage.uploads SET expires_at = now() - interval '1 second'");
  await service.database.query(
    "UPDATE storage.versions SET expires_at = now() - interval '1 second' WHERE state = 'writing'",
  );
  await sweepNow();

  assert.deepEqual(
    [early, await client.exists('films', 'forgotten.bin'), await client.exists('films', 'half.bin')],
    [false, true, false],
  );
  assert.equal((await send('GET', `${v1}/${half.upload_id}`)).status, 410);
  await until(() => foldersOfParts().length === 0, { what: 'the parts are gone' });
});

test('an upload in parts counts against quotas as soon as it begins, and not any more when it is given up', async () => {
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id, quota_bytes) VALUES ('full', 'ann', 30000000)",
  );
  const { upload_id } = await begin({ bucket: 'full', size: 20_000_000 });

  const second = await send('POST', v1, { bucket: 'full', name: 'b', size: 20_000_000 });
  await abortMultipart(client, upload_id);
  const third = await begin({ bucket: 'full', size: 20_000_000 });
  await send('DELETE', `${v1}/${third.upload_id}`);

  assert.deepEqual([second.status, await reasonOf(second)], [413, 'quota_exceeded']);
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(service);
});
