/**
 * Events of a real store, pushed by it to `POST /events/s3`: what comes is completed without a word of its client, by what the
 * store has and not by what the event says, once, and what came to a committed key is found out.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, requires, startService, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { cephConfig } from './ceph-backend.js';
import { pushEvents } from './ceph-topics.js';

const secret = 'events-secret-of-at-least-32-bytes-.-';
let service: TestService;
let bucket: string;
let prefix: string;

interface Signed {
  readonly file_id: string;
  readonly url: string;
}

/** Asks as a deployed client does, which then sends its type and nothing else. */
async function requestUrl(type = 'text/plain', name = 'note.txt'): Promise<Signed> {
  const asked = await service.fetch('/rpc/request_upload_url', {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ p_entity_type: 'issue', p_entity_id: '7', p_file_name: name, p_file_type: type }),
  });
  const id = (await asked.json()) as string;
  const [row] = await until(
    async () => {
      const rows = await service.database.query<Signed>(
        "SELECT file_id, presigned_url AS url FROM metadata.file_upload_requests WHERE id = $1 AND status = 'completed'",
        [id],
      );
      return rows.length === 1 ? rows : undefined;
    },
    { what: 'the URL is signed' },
  );
  assert.ok(row);
  return row;
}

async function put({ url }: Signed, body: string | Buffer, type = 'text/plain'): Promise<void> {
  const answer = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(Buffer.from(body)),
    headers: { 'content-type': type },
  });
  assert.equal(answer.status, 200, await answer.text());
}

interface FileRow extends Record<string, unknown> {
  readonly object_id: string | null;
  readonly thumbnail_status: string;
  readonly created_by: string;
  readonly file_size: string;
}

async function fileWhen({ file_id }: Signed, isSo: (file: FileRow) => boolean, what: string): Promise<FileRow> {
  return await until(
    async () => {
      const [file] = await service.database.query<FileRow>('SELECT * FROM metadata.files WHERE id = $1', [file_id]);
      return file !== undefined && isSo(file) ? file : undefined;
    },
    { what, timeoutMs: 20_000 },
  );
}

/** As a store says it, with lies about everything but the place. */
const records = (...keys: readonly string[]): object => ({
  Records: keys.map((key) => ({
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: bucket }, object: { key: prefix + key, size: 999_999, eTag: 'made-up' } },
  })),
});

async function tell(body: object): Promise<Record<string, number>> {
  const headers = { authorization: `Bearer ${secret}` };
  const answer = await service.fetch('/events/s3', { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as Record<string, number>;
}

const putKeyOf = ({ url }: Signed): string => new URL(url).pathname.slice(`/${bucket}/${prefix}`.length);
const placeFiles = (backend: string): Promise<unknown> =>
  service.database.query("SELECT storage.set_bucket_backend('files', $1)", [backend]);

describe('events of a store', { skip: requires('ceph') }, () => {
  before(async () => {
    const store = await cephConfig();
    bucket = store.bucket;
    prefix = store.key_prefix ?? '';
    const s3 = { kind: 's3', ...store } as const;
    const kept = { ...s3, name: 'kept', key_prefix: `kept-${prefix}`, upload_guard: 'recheck' } as const;
    service = await startService({ config: { other_backends: [s3, kept], events_s3_secret: secret } });
    const { host } = new URL(service.url);
    await pushEvents(store, `http://rowlock:${secret}@${host}/events/s3`);
    await placeFiles('s3');
  });
  after(() => service?.stop());

  test('R119 a photo whose client vanished after the PUT is committed, and gets its thumbnails', async () => {
    const photo = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#936' } })
      .jpeg()
      .toBuffer();
    const upload = await requestUrl('image/jpeg', 'lamp.jpg');

    await put(upload, photo, 'image/jpeg');
    const file = await fileWhen(upload, (now) => now.thumbnail_status === 'completed', 'the thumbnails are there');

    assert.deepEqual([file.created_by, file.file_size], ['ann', String(photo.length)]);
    assert.ok(file.object_id);
  });

  test('what is not what it was said to be is refused and purged, though nobody reports it', async () => {
    await service.database.query("UPDATE storage.buckets SET allowed_mime_types = '{image/*}' WHERE id = 'files'");
    const upload = await requestUrl('image/png', 'page.png');

    await put(upload, '<!doctype html><script>alert(1)</script>', 'image/png');
    const keys = `SELECT v.state FROM storage.versions AS v WHERE v.key LIKE '%' || $1 || '%' OR v.key = $2`;
    const states = await until(
      async () => {
        const rows = await service.database.query<{ state: string }>(keys, [upload.file_id, putKeyOf(upload)]);
        return rows.every(({ state }) => state === 'gone') ? rows : undefined;
      },
      { what: 'its bytes are purged', timeoutMs: 20_000 },
    );
    await service.database.query("UPDATE storage.buckets SET allowed_mime_types = NULL WHERE id = 'files'");
    const files = await service.database.query('SELECT FROM metadata.files WHERE id = $1', [upload.file_id]);

    assert.deepEqual([states.length, files.length], [2, 0]);
  });

  test('many events of one key at once are one job and one commit, and events that come late change nothing', async () => {
    const upload = await requestUrl();
    const key = putKeyOf(upload);
    await service.database.query(
      "UPDATE storage.uploads SET announced_at = now() WHERE id::text = split_part($1, '/', 2)",
      [key],
    );
    await put(upload, 'first');
    await service.database.query(
      "UPDATE storage.uploads SET announced_at = NULL WHERE id::text = split_part($1, '/', 2)",
      [key],
    );

    const told = await Promise.all(Array.from({ length: 12 }, () => tell(records(key, key, key))));
    const file = await fileWhen(upload, (now) => now.object_id !== null, 'it is committed');
    const late = await tell(records(key));
    const [counts] = await service.database.query<{ jobs: string; changes: string; size: string }>(
      `SELECT (SELECT count(*) FROM metadata.river_job WHERE kind = 'upload_complete' AND args ->> 'upload_id' = split_part($1, '/', 2)) AS jobs,
         (SELECT count(*) FROM storage.changes WHERE object_id = $2) AS changes, (SELECT size FROM storage.objects WHERE id = $2) AS size`,
      [key, file.object_id],
    );

    assert.ok(told.every(({ unknown }) => unknown === 0));
    assert.deepEqual(counts, { jobs: '1', changes: '1', size: '5' });
    assert.deepEqual([late['arrived'], late['unknown']], [0, 0]);
  });

  test('an event without bytes completes nothing; one that nothing is known of is counted', async () => {
    const upload = await requestUrl();
    const elsewhere = {
      Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'another' }, object: { key: 'a' } } }],
    };
    const removed = {
      Records: [{ eventName: 'ObjectRemoved:Delete', s3: { bucket: { name: bucket }, object: { key: `${prefix}a` } } }],
    };

    const early = await tell(records(putKeyOf(upload)));
    const unknown = await tell(records('issue/1/nothing/original.jpg', 'incoming/not-an-id', 'a b+%00', '\u0000'));
    const ignored = [await tell(elsewhere), await tell(removed), await tell({ Event: 's3:TestEvent' })];
    const files = await service.database.query('SELECT FROM metadata.files WHERE id = $1', [upload.file_id]);
    const metrics = await (await service.fetch('/metrics')).text();

    assert.equal(early['arrived'], 1);
    assert.equal(files.length, 0);
    assert.equal(unknown['unknown'], 2);
    for (const each of ignored)
      assert.deepEqual(each, { arrived: 0, rechecked: 0, adopted: 0, unknown: 0, ignored: 1 });
    assert.match(metrics, /^rowlock_store_events_total\{about="unknown"\} [1-9]/m);
  });

  test('a PUT that is replayed to a kept key is found out as it comes', async () => {
    await placeFiles('kept');
    const upload = await requestUrl();
    await put(upload, 'first');
    await fileWhen(upload, (now) => now.object_id !== null, 'it is committed');

    await put(upload, 'other');
    const [found] = await until(
      async () => {
        const rows = await service.database.query<{ reason: string }>(
          'SELECT quarantine_reason AS reason FROM storage.quarantine',
        );
        return rows.length > 0 ? rows : undefined;
      },
      { what: 'the change is found', timeoutMs: 20_000 },
    );

    assert.match(found?.reason ?? '', /replaced/);
    await service.database.query('DELETE FROM metadata.files WHERE id = $1', [upload.file_id]);
  });

  test('without a secret there is no such route', async () => {
    const other = await startService({ workers: false, database: service.database });
    const headers = { authorization: `Bearer ${secret}` };

    const answer = await other.fetch('/events/s3', { method: 'POST', headers, body: '{}' });
    await other.stop();

    assert.equal(answer.status, 404);
  });

  test('all of this is whole', async () => {
    // Connections of the service that was stopped above may be seen a moment longer.
    await assertInvariants(service, { services: 2 });
  });
});
