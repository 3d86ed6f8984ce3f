/** What was there before an adoption: rows that are stuck, files that get their objects, and what becomes of both. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type BackfillOptions,
  type BackfillReport,
  backfillAdoption,
  createServer,
  fsck,
  installAdoption,
  type RunningWorker,
  switchAdoption,
} from '@rowlock/server';
import { jwtSecret, signToken, until } from '@rowlock/test-harness';
import pg from 'pg';
import * as adoptRows from '../../../packages/server/dist/metadata/adopt-rows.js';
import { answered, fileRow, fileSettled, poll, queueOf, withStores } from './callers.ts';
import { alice, bob, type CivicOs, createCivicOs, fileId, requestId } from './civic-os.ts';

describe('backfill of an adopted system', () => {
  let site: CivicOs;
  let worker: RunningWorker | undefined;

  before(async () => {
    site = await createCivicOs();
    await installAdoption(site.target);
    worker = await site.startWorker();
    await switchAdoption(site.target);
  });
  after(async () => {
    await worker?.stop();
    await site.drop();
  });

  const backfill = async (options: BackfillOptions = {}): Promise<BackfillReport> =>
    await withStores(site, (parts) => backfillAdoption(parts, { rowsPerSecond: 1000, ...options }));

  /** Whatever ran before: what is stuck is settled, and what can be taken is taken. */
  const ensureTaken = async (): Promise<void> => {
    if ((await fileRow(site, fileId(2))).object_id !== null) return;
    await backfill();
    await Promise.all([fileSettled(site, fileId(2)), fileSettled(site, fileId(5))]);
    await backfill();
  };

  test('a trial of the backfill counts and writes nothing', async () => {
    const rows = async (): Promise<string> =>
      createHash('sha256')
        .update(JSON.stringify(await site.query('SELECT * FROM metadata.files ORDER BY id')))
        .digest('hex');
    const were = await rows();

    const report = await backfill({ dryRun: true });

    // The request of ninety days ago is nobody's any more, and one has a job.
    assert.deepEqual([report.requests_enqueued, report.files_enqueued, report.files_taken], [1, 3, 3]);
    assert.equal(await rows(), were);
    assert.deepEqual(await site.query('SELECT FROM storage.objects'), []);
  });

  test('a backfill enqueues what is stuck, and gives files their objects and thumbnails where they are', async () => {
    await backfill();
    const [made, broken] = [await fileSettled(site, fileId(2)), await fileSettled(site, fileId(5))];
    const report = await backfill();

    assert.deepEqual([made.thumbnail_status, broken.thumbnail_status], ['completed', 'failed']);
    assert.equal((await answered(site, requestId(2))).status, 'completed');
    assert.equal((await poll(site, requestId(3)))?.status, 'pending');
    assert.deepEqual([report.files_taken, await queueOf(site, fileId(9))], [2, 'thumbnails']);
    assert.match((await fileRow(site, fileId(2))).s3_thumbnail_small_key ?? '', /\/thumb-small\.jpg$/);
    const objects = await site.query<{ name: string; owner_id: string | null; variants: number }>(
      `SELECT o.name, o.owner_id, (SELECT count(*)::int FROM storage.variants AS v
         WHERE v.source_version_id = o.version_id AND v.status = 'completed') AS variants
       FROM storage.objects AS o JOIN metadata.files AS f ON f.object_id = o.id ORDER BY o.name`,
    );
    assert.deepEqual(objects, [
      { name: `issues/1/${fileId(1)}/original.jpg`, owner_id: alice, variants: 3 },
      { name: `issues/1/${fileId(3)}/original.pdf`, owner_id: alice, variants: 3 },
      { name: `issues/1/${fileId(4)}/original.txt`, owner_id: null, variants: 0 },
      { name: `issues/2/${fileId(2)}/original.png`, owner_id: bob, variants: 3 },
      { name: `issues/2/${fileId(5)}/original.jpg`, owner_id: bob, variants: 0 },
    ]);
  });

  test('files without bytes, in another bucket or under a key of another get no object, and it is written down why', async () => {
    await ensureTaken();
    const found = await site.query<{ file_id: string; found: string }>(
      "SELECT file_id, found FROM rowlock_adopt.findings WHERE file_id::text LIKE 'f00%' ORDER BY file_id",
    );

    assert.deepEqual(
      found.map((each) => [each.file_id, each.found]),
      [
        [fileId(6), 'no_bytes'],
        [fileId(7), 'key_of_another'],
        [fileId(8), 'other_bucket'],
      ],
    );
    assert.equal((await fileRow(site, fileId(7))).object_id, null);
  });

  test('who may see the row may see the object, and nobody else', async () => {
    await ensureTaken();
    const names = async (sub: string): Promise<string[]> =>
      (await site.call<{ name: string }>(sub, 'SELECT name FROM storage.objects ORDER BY name')).map(
        ({ name }) => name,
      );

    const [ofAlice, ofBob] = [await names(alice), await names(bob)];

    assert.deepEqual([ofAlice.length, ofBob.length, ofAlice.filter((name) => ofBob.includes(name))], [3, 2, []]);
    assert.deepEqual(await site.call(undefined, 'SELECT FROM storage.objects'), []);
    await assert.rejects(
      site.call(alice, "SELECT rowlock_adopt.request_signed($1, 'a', 'b')", [requestId(3)]),
      /permission denied/,
    );
  });

  test('through Rowlock the bytes are private again: who may see the row reads them, and nobody else learns of them', async () => {
    await ensureTaken();
    const server = await createServer({
      host: '127.0.0.1',
      port: 0,
      database: { url: site.apiUrl, connections_max: 2, statement_timeout_ms: 10_000 },
      backend: site.backend,
      tokens: { secret: jwtSecret },
      rules: {
        anonymous_role: 'web_anon',
        default_role: 'authenticated',
        allowed_roles: ['web_anon', 'authenticated'],
        role_claim: ['role'],
      },
      signed_urls: { current: { id: 'test', secret: 'signed-url-secret-of-at-least-32-bytes' } },
      upload_bytes_max: 1000,
      public_url: undefined,
      cors_origins: [],
      allowed_hosts: [],
      console_folder: undefined,
    });
    const call = async (sub: string | undefined, method: string, n: number, extension: string): Promise<Response> => {
      const token = sub === undefined ? undefined : await signToken({ sub, role: 'authenticated' });
      const path = `/storage/v1/object/civic-os-files/issues/1/${fileId(n)}/original.${extension}`;
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const body = method === 'POST' ? { body: 'x' } : {};
      return await fetch(new URL(path, server.url), { method, headers, ...body });
    };

    const read = await call(alice, 'GET', 4, 'txt');
    const hidden = [await call(bob, 'GET', 4, 'txt'), await call(undefined, 'GET', 4, 'txt')];
    const missing = [await call(bob, 'GET', 6, 'txt'), await call(undefined, 'GET', 6, 'txt')];
    const written = [await call(bob, 'POST', 7, 'txt'), await call(bob, 'POST', 4, 'txt')];
    const referenced = await call(alice, 'DELETE', 1, 'jpg');
    await server.stop();

    // Alice did not upload it: she sees the issue that it belongs to.
    assert.deepEqual([read.status, await read.text()], [200, 'notes']);
    const codeOf = async (each: Response): Promise<unknown> => ((await each.json()) as { code: unknown }).code;
    assert.deepEqual(await Promise.all(hidden.map(codeOf)), await Promise.all(missing.map(codeOf)));
    assert.deepEqual(
      hidden.map(({ status }) => status),
      [404, 401],
    );
    assert.deepEqual(
      written.map(({ status }) => status),
      [403, 403],
    );
    // The issue names the file as its photo: that foreign key is the application's, and it wins.
    assert.equal(referenced.status, 409, await referenced.text());
    assert.notEqual((await fileRow(site, fileId(1))).object_id, null);
  });

  test('a repair removes bytes that nobody names, and none that an adopted row names', async () => {
    await ensureTaken();
    const put = (key: string): void => {
      mkdirSync(dirname(join(site.backend.root, key)), { recursive: true });
      writeFileSync(join(site.backend.root, key), 'x');
    };
    put('issues/1/nobody/original.txt');

    const report = await withStores(site, (parts) => fsck(parts, { repair: true, graceSeconds: 0 }));

    const isThere = (key: string): boolean => existsSync(join(site.backend.root, key));
    const keys = [`issues/1/${fileId(8)}/original.txt`, `issues/1/${fileId(9)}/original.pdf`];
    assert.deepEqual([...report.bytes_without_row].sort(), [...keys, 'issues/1/nobody/original.txt']);
    assert.deepEqual([isThere('issues/1/nobody/original.txt'), ...keys.map(isThere)], [false, true, true]);
  });

  test('every statement of workers is prepared as their role', async () => {
    const client = new pg.Client({ connectionString: site.workerUrl });
    await client.connect();

    const statements = Object.values(adoptRows).filter((each) => typeof each === 'object' && 'text' in each);

    assert.ok(statements.length >= 11);
    for (const { name, text } of statements) await client.query(`PREPARE ${name} AS ${text}`);
    await client.end();
  });

  test('whoever deletes the file deletes its object, whose bytes then go', async () => {
    await ensureTaken();
    await site.call(bob, 'SELECT public.delete_file_record($1)', [fileId(2)]);

    const left = async (): Promise<number> =>
      (
        await site.query("SELECT FROM storage.versions WHERE key LIKE '%' || $1 || '%' AND state <> 'gone'", [
          fileId(2),
        ])
      ).length;
    await until(async () => (await left()) === 0, { what: 'the bytes are purged', timeoutMs: 20_000 });
    assert.deepEqual(await site.query('SELECT FROM storage.objects WHERE name LIKE $1', [`%${fileId(2)}%`]), []);
  });
});
