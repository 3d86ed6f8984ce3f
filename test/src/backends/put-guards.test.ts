/**
 * A presigned PUT that is used once more, with the same length and type and other bytes: at every store, by clients that send
 * the headers which they are told to send and by those that do not, before the commit, after it, and after all bytes were
 * read and compared.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Backends,
  Database,
  enableFaults,
  type FaultPoint,
  fsck,
  inspectDatabase,
  openBackends,
  sweep,
} from '@rowlock/server';
import { assertInvariants, requires, startService, type TestService, until } from '@rowlock/test-harness';
import { cephConfig } from './ceph-backend.js';

interface Signed {
  readonly file_id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string;
}

let service: TestService;
/** As a worker and an operator's commands have them. */
let backends: Backends;
let db: Database;

async function call(name: string, args: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return await service.fetch(`/rpc/${name}`, { as: 'ann', method: 'POST', headers, body: JSON.stringify(args) });
}

/** Where a completion ends; in a campaign everywhere. */
const points: readonly FaultPoint[] =
  process.env['ROWLOCK_ROUNDS'] === undefined
    ? ['complete.after_copy']
    : ['complete.before_copy', 'complete.after_copy', 'complete.before_commit'];
const wanted = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'note.txt', p_file_type: 'text/plain' };

/** Asks for a URL as a new client does, which sends the headers it is told, or as a deployed one, which sends its type. */
async function requestUpload(sendsHeaders: boolean): Promise<Signed> {
  const asked = sendsHeaders
    ? ((await (await call('request_upload', { ...wanted, p_file_size: 5 })).json()) as { request_id: string })
        .request_id
    : ((await (await call('request_upload_url', wanted)).json()) as string);
  const [row] = await until(
    async () => {
      const rows = await service.database.query<Signed>(
        `SELECT file_id, presigned_url AS url, put_headers AS headers, s3_key AS key FROM metadata.file_upload_requests
         WHERE id = $1 AND status = 'completed'`,
        [asked],
      );
      return rows.length === 1 ? rows : undefined;
    },
    { what: 'the URL is signed' },
  );
  assert.ok(row);
  return sendsHeaders ? row : { ...row, headers: { 'content-type': 'text/plain' } };
}

const put = async ({ url, headers }: Signed, body: string): Promise<number> =>
  (await fetch(url, { method: 'PUT', body, headers })).status;

/** As a client says that it is done; resolves when the object is there. */
async function complete({ file_id, url }: Signed): Promise<void> {
  const [, bucket, ...key] = new URL(url).pathname.split('/');
  const place = { p_s3_bucket: bucket, p_s3_original_key: key.join('/') };
  const answer = await call('create_file_record', { ...wanted, p_id: file_id, p_file_size: 5, ...place });
  assert.equal(answer.status, 200, await answer.text());
  await until(
    async () =>
      (await service.database.query('SELECT FROM metadata.files WHERE id = $1 AND object_id IS NOT NULL', [file_id]))
        .length === 1,
    { what: 'the upload is committed', timeoutMs: 15_000 },
  );
}

async function read({ file_id }: Signed): Promise<string | number> {
  const [row] = await service.database.query<{ name: string }>(
    'SELECT o.name FROM metadata.files AS f JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = $1',
    [file_id],
  );
  const answer = await service.fetch(`/storage/v1/object/files/${row?.name}`, { as: 'ann' });
  const text = await answer.text();
  return answer.ok ? text : answer.status;
}

const placeFiles = async (backend: string): Promise<void> => {
  await service.database.query("SELECT storage.set_bucket_backend('files', $1)", [backend]);
};

/** Reads all bytes of a store and compares them with what is known of them. */
const scrub = (name: string): ReturnType<typeof fsck> => fsck({ db, backend: backends.of(name) }, { scrub: true });
const runSweep = (): ReturnType<typeof sweep> => sweep({ db, backends }, { graceSeconds: 0, limit: 100 });

describe('a presigned PUT that is replayed', { skip: requires('ceph') }, () => {
  before(async () => {
    const ceph = { kind: 's3', ...(await cephConfig()) } as const;
    const kept = { ...ceph, name: 'kept', key_prefix: `kept-${ceph.key_prefix}`, upload_guard: 'recheck' } as const;
    const plain = { ...ceph, name: 'plain', key_prefix: `plain-${ceph.key_prefix}`, flavour: 'generic' } as const;
    service = await startService({ blobs: true, config: { other_backends: [ceph, kept, plain] } });
    backends = await openBackends(service.config);
    const url = service.database.workerUrl;
    db = new Database({ url, connectionsMax: 2, statementTimeoutMs: 10_000, applicationName: 'operator' });
  });
  after(async () => {
    await db?.close();
    await backends?.close();
    await service?.stop();
  });

  for (const [store, sendsHeaders, second] of [
    ['disk', false, 412],
    ['postgres', false, 412],
    ['s3', true, 412],
    ['s3', false, 200],
    ['plain', true, 200],
  ] as const) {
    const client = sendsHeaders ? 'sends its headers' : 'sends its type only';
    test(`changes nothing at ${store}, by a client that ${client}: after the commit and after a scrub`, async () => {
      await placeFiles(store);
      const upload = await requestUpload(sendsHeaders);

      const first = await put(upload, 'first');
      await complete(upload);
      const replayed = await put(upload, 'other');
      const afterCommit = await read(upload);
      const { left } = await scrub(store);
      const again = await put(upload, 'again');

      assert.deepEqual([first, replayed, again], [200, second, second]);
      assert.deepEqual([afterCommit, await read(upload), left], ['first', 'first', 0]);
      const keeps = new URL(upload.url).pathname.endsWith(upload.key);
      assert.equal(keeps, second === 412, 'where the store refuses nothing, the URL is for a key of its own');
    });
  }

  test('before the commit it replaces what waits there, and what was checked is what is committed', async () => {
    await placeFiles('s3');
    const upload = await requestUpload(false);

    await put(upload, 'first');
    await put(upload, 'other');
    await complete(upload);
    await put(upload, 'third');

    assert.equal(await read(upload), 'other');
  });

  test('what it leaves at the key of the URL is removed, and the key remembered', async () => {
    await placeFiles('s3');
    const upload = await requestUpload(false);
    const key = new URL(upload.url).pathname.replace(/^.*\/incoming\//, 'incoming/');

    await put(upload, 'first');
    await complete(upload);
    await put(upload, 'other');

    await until(
      async () => {
        const rows = await service.database.query<{ state: string }>(
          'SELECT state FROM storage.versions WHERE key = $1',
          [key],
        );
        return rows.length === 1 && rows[0]?.state === 'gone';
      },
      { what: 'the bytes under the key of its own are purged', timeoutMs: 15_000 },
    );
  });

  test('where the key must be kept it is found out, and what was changed is served to nobody', async () => {
    await placeFiles('kept');
    const [upload, untouched] = [await requestUpload(false), await requestUpload(true)];
    for (const each of [upload, untouched]) {
      await put(each, 'first');
      await complete(each);
    }
    const versionOf = `SELECT o.version_id FROM metadata.files AS f JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = $1`;
    const [watched] = await service.database.query<{ in_time: boolean }>(
      `SELECT recheck_at BETWEEN now() + interval '14 minutes' AND now() + interval '17 minutes' AND put_until > recheck_at AS in_time
       FROM storage.versions WHERE id = (${versionOf})`,
      [upload.file_id],
    );

    const replayed = await put(upload, 'other');
    const link = await service.fetch(`/storage/v1/object/sign/files/${upload.key}`, { as: 'ann', method: 'POST' });
    const { signedURL } = (await link.json()) as { signedURL: string };
    const byLink = async (): Promise<number> => (await service.fetch(`/storage/v1${signedURL}`)).status;
    const served = await byLink();
    await service.database.query('UPDATE storage.versions SET recheck_at = now() WHERE recheck_at IS NOT NULL');
    await service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
    const [quarantined] = await until(
      async () => {
        const rows = await db.run<{ name: string; quarantine_reason: string }>(
          { name: 'test_quarantine', text: 'SELECT name, quarantine_reason FROM storage.quarantine' },
          [],
        );
        return rows.length > 0 ? rows : undefined;
      },
      { what: 'the change is found', timeoutMs: 15_000 },
    );
    const url = (await (await call('get_download_url', { p_id: upload.file_id })).json()) as string | null;
    const audited = await service.database.query<{ detail: Record<string, unknown> }>(
      "SELECT detail FROM storage.audit_log WHERE operation = 'storage.version.quarantined'",
    );
    const { counts, left } = await scrub('kept');
    const { quarantined: told } = await inspectDatabase(service.database.workerUrl);

    assert.equal(new URL(upload.url).pathname.endsWith(upload.key), true, 'the key of the URL is that of the file');
    assert.deepEqual([watched?.in_time, replayed], [true, 200]);
    assert.deepEqual([served, await byLink()], [200, 404]);
    assert.deepEqual([quarantined?.name, await read(upload), url], [upload.key, 403, null]);
    assert.match(quarantined?.quarantine_reason ?? '', /replaced/);
    assert.equal(await read(untouched), 'first');
    assert.equal(audited.length, 1);
    assert.notEqual(audited[0]?.detail['found_etag'], audited[0]?.detail['committed_etag']);
    assert.deepEqual([counts.quarantined, left, told], [1, 1, 1]);
  });

  test('of two that complete one upload, one copies, and the other leaves it its key', async () => {
    await placeFiles('s3');
    const upload = await requestUpload(false);
    await put(upload, 'first');
    const claim = (): Promise<{ key: string | null }[]> =>
      service.database.query<{ key: string | null }>(
        `SELECT storage_internal.claim_incoming(upload_id, 5, 'objects/00/' || gen_random_uuid()) AS key
         FROM metadata.file_upload_requests WHERE file_id = $1`,
        [upload.file_id],
      );

    const [first] = await claim();
    const [second] = await claim();
    await service.database.query('UPDATE storage.uploads SET copying_until = now() WHERE copying_until IS NOT NULL');
    const [late] = await claim();
    await service.database.query('UPDATE storage.uploads SET copying_until = now() WHERE copying_until IS NOT NULL');
    await complete(upload);
    const [file] = await service.database.query<{ key: string; is_its_own: boolean }>(
      `SELECT f.s3_original_key AS key, f.s3_original_key = v.key AS is_its_own FROM metadata.files AS f
       JOIN storage.objects AS o ON o.id = f.object_id JOIN storage.versions AS v ON v.id = o.version_id WHERE f.id = $1`,
      [upload.file_id],
    );

    const remembered = await service.database.query(
      "SELECT FROM storage.versions WHERE key = $1 AND state <> 'stored'",
      [upload.key],
    );
    assert.deepEqual([first?.key, second?.key, remembered.length], [upload.key, null, 1]);
    assert.match(late?.key ?? '', /^objects\/00\//);
    assert.ok(
      file?.is_its_own && ![upload.key, late?.key].includes(file.key),
      'who was late committed a key of its own',
    );
    assert.equal(await read(upload), 'first');
  });

  test('of a file that is deleted while its URL is out, what comes late is known and removed', async () => {
    await placeFiles('s3');
    const upload = await requestUpload(true);
    await put(upload, 'first');
    await complete(upload);
    const stateOf = async (): Promise<string | undefined> =>
      (
        await service.database.query<{ state: string }>('SELECT state FROM storage.versions WHERE key = $1', [
          upload.key,
        ])
      )[0]?.state;

    await service.database.query('DELETE FROM metadata.files WHERE id = $1', [upload.file_id]);
    await until(async () => (await stateOf()) !== 'stored' && (await stateOf()) !== 'purging', {
      what: 'it is purged',
    });
    const late = await put(upload, 'other');
    const { counts } = await scrub('s3');
    await service.database.query("UPDATE storage.versions SET expires_at = now() WHERE state = 'gone' AND key = $1", [
      upload.key,
    ]);
    const remembered = await stateOf();
    await runSweep();
    const left = await backends.of('s3').head(upload.key);

    assert.deepEqual([late, remembered, counts.bytes_without_row], [200, 'gone', 0]);
    assert.deepEqual([left, await stateOf()], [undefined, undefined]);
  });

  for (const point of points) {
    test(`a closed tab loses nothing: the sweep completes the upload, also where a first try ended at ${point}`, async (t) => {
      await placeFiles('s3');
      const upload = await requestUpload(false);
      await put(upload, 'first');
      await service.database.query("UPDATE storage.uploads SET created_at = created_at - interval '1 hour'");
      t.after(() => enableFaults(undefined));
      enableFaults((at: FaultPoint) => {
        if (at === point) throw new Error(`ended at ${point}`);
      });

      const ended = await runSweep();
      enableFaults(undefined);
      await service.database.query('UPDATE storage.uploads SET copying_until = now() WHERE copying_until IS NOT NULL');
      const swept = await runSweep();

      assert.deepEqual([ended.completed, ended.failed], [0, 1]);
      assert.deepEqual([swept.completed, swept.failed], [1, 0]);
      assert.equal(await read(upload), 'first');
    });
  }

  test('all of this is whole', async () => {
    await service.database.query(
      'DELETE FROM storage.objects WHERE version_id IN (SELECT id FROM storage.versions WHERE quarantined_at IS NOT NULL)',
    );
    await assertInvariants(service);
  });
});
