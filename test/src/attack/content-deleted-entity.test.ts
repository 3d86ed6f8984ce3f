/**
 * Rows 23 and 63 of the list of attacks, for files of entities: what a file was for is deleted, or is no longer its
 * uploader's to see, between the request and the completion. Nothing of the file stays.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import pg from 'pg';
import { type Attacked, assertRefused, assertRefusedByDoor, attacked, sqlStateOf } from './standing.ts';

let attack: Attacked;
const as = 'olivia';
const olivia = { role: 'authenticated', sub: as } as const;

before(async () => {
  attack = await attacked();
  await attack.database.query(`
    CREATE TABLE public.issue (id int PRIMARY KEY, reader text NOT NULL DEFAULT 'olivia');
    ALTER TABLE public.issue ENABLE ROW LEVEL SECURITY;
    CREATE POLICY reader ON public.issue USING (reader = storage.claim('sub'));
    GRANT SELECT ON public.issue TO authenticated;
    SELECT storage.attach_entity('public.issue');`);
  await attack.remember();
});
beforeEach(() => attack.database.query('INSERT INTO public.issue (id) VALUES (1)'));
afterEach(async () => {
  await attack.database.query('DELETE FROM public.issue');
  await attack.database.query('DELETE FROM metadata.file_upload_requests');
  await attack.assertUnharmed();
});
after(() => attack.stop());

interface Upload {
  readonly id: string;
  readonly url: string;
  readonly file_id: string;
}

interface Polled {
  readonly status: string;
  readonly url: string | null;
  readonly file_id: string;
  readonly error: string | null;
}

const post = (name: string, body: object): Promise<Response> => attack.send('POST', `/rpc/${name}`, body, as);

async function polled(id: string): Promise<Polled> {
  const rows = (await (
    await attack.service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as })
  ).json()) as Polled[];
  assert.ok(rows[0]);
  return rows[0];
}

const wanted = { p_entity_type: 'issue', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };

async function requested(): Promise<Upload> {
  const answer = await post('request_upload_url', wanted);
  assert.equal(answer.status, 200);
  const id = (await answer.json()) as string;
  const { url, file_id } = await until(async () => {
    const row = await polled(id);
    return row.url === null ? undefined : { ...row, url: row.url };
  });
  return { id, url, file_id };
}

const put = ({ url }: Upload): Promise<Response> =>
  fetch(url, { method: 'PUT', body: 'bytes', headers: { 'content-type': 'text/plain' } });

const recordOf = ({ file_id, url }: Upload): object => ({
  p_id: file_id,
  ...wanted,
  p_file_size: 5,
  p_s3_bucket: 'civic-os-files',
  p_s3_original_key: new URL(url).pathname.replace('/civic-os-files/', ''),
});

async function assertNothingOf(upload: Upload): Promise<void> {
  await attack.settle();
  const files = await attack.database.query('SELECT FROM metadata.files');
  const objects = await attack.database.query("SELECT FROM storage.objects WHERE bucket_id = 'files'");
  const uploads = await attack.database.query('SELECT FROM storage.uploads');
  assert.deepEqual([files, objects, uploads], [[], [], []]);
  assert.equal((await polled(upload.id)).error, 'what the file was for was deleted');
}

/** Sweeps as if nobody had reported the uploads for hours. */
async function sweepUnreported(): Promise<void> {
  await attack.database.query("UPDATE storage.uploads SET created_at = now() - interval '2 hours'");
  await attack.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
  await attack.settle();
}

test('23 deleting an entity ends the uploads for it: no PUT, no record, no file', async () => {
  const upload = await requested();

  await attack.database.query('DELETE FROM public.issue WHERE id = 1');
  // As a signer would, who had begun before.
  await attack.database.query(
    "SELECT storage_internal.requests_signed(ARRAY[$1::uuid], ARRAY['http://late.example'], '{b}', '{NULL}', ARRAY[now()])",
    [upload.id],
  );

  assert.deepEqual(await polled(upload.id), {
    status: 'failed',
    url: null,
    file_id: upload.file_id,
    error: 'what the file was for was deleted',
  });
  await assertRefusedByDoor(await put(upload), 410, 'NoSuchUpload');
  await assertRefused(await post('create_file_record', recordOf(upload)), 403);
  await assertRefused(await post('request_upload_url', wanted), 403);
  await assertNothingOf(upload);
});

test('23 bytes that arrived for an entity that was then deleted are swept and make no file', async () => {
  const upload = await requested();
  assert.equal((await put(upload)).status, 200);

  await attack.database.query('DELETE FROM public.issue WHERE id = 1');
  await sweepUnreported();

  await assertNothingOf(upload);
});

test('23 a file that was recorded goes with its entity, committed or not', async () => {
  for (const isSettled of [true, false]) {
    await attack.database.query('INSERT INTO public.issue (id) VALUES (1) ON CONFLICT DO NOTHING');
    const upload = await requested();
    if (isSettled) await put(upload);
    const recorded = await post('create_file_record', recordOf(upload));
    assert.equal(recorded.status, 200);
    if (isSettled) await attack.settle();

    await attack.database.query('DELETE FROM public.issue WHERE id = 1');

    await attack.settle();
    assert.deepEqual(await attack.database.query('SELECT FROM metadata.files'), []);
    assert.deepEqual(await attack.database.query('SELECT FROM storage.uploads'), []);
  }
});

test('63 an upload for an entity that its uploader can no longer see is refused at completion', async () => {
  const upload = await requested();
  assert.equal((await put(upload)).status, 200);

  await attack.database.query("UPDATE public.issue SET reader = 'victor' WHERE id = 1");
  await sweepUnreported();

  await assertRefused(await post('create_file_record', recordOf(upload)), 403);
  assert.deepEqual(await attack.database.query('SELECT FROM metadata.files'), []);
  assert.deepEqual(await attack.database.query('SELECT FROM storage.uploads'), []);
});

/** Two transactions side by side. */
async function withTwo(work: (deleting: pg.Client, attaching: pg.Client) => Promise<void>): Promise<void> {
  const deleting = new pg.Client({ connectionString: attack.database.url });
  const attaching = new pg.Client({ connectionString: attack.database.apiUrl });
  try {
    await Promise.all([deleting.connect(), attaching.connect()]);
    await deleting.query('BEGIN');
    await attaching.query('BEGIN');
    await attaching.query(
      "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
      [JSON.stringify(olivia)],
    );
    await work(deleting, attaching);
  } finally {
    await Promise.all([deleting.end(), attaching.end()]);
  }
}

const untilSomebodyWaits = (): Promise<unknown> =>
  until(
    async () =>
      (
        await attack.database.query(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'",
        )
      ).length > 0,
    { what: 'one transaction waits for the other' },
  );

const request = "SELECT public.request_upload_url('issue', '1', 'a.txt', 'text/plain') AS id";

test('23 who attaches while the entity is being deleted waits, and is then refused', async () => {
  await withTwo(async (deleting, attaching) => {
    await deleting.query('DELETE FROM public.issue WHERE id = 1');
    const refused = sqlStateOf(attaching.query(request));
    await untilSomebodyWaits();
    await deleting.query('COMMIT');

    assert.equal(await refused, '42501');
  });
});

for (const rows of [1, 150]) {
  test(`23 who deletes ${rows} entities while somebody attaches waits, and takes the upload along`, async () => {
    await attack.database.query(`INSERT INTO public.issue (id) SELECT generate_series(2, ${rows})`);
    await withTwo(async (deleting, attaching) => {
      const { rows: asked } = await attaching.query<{ id: string }>(request);
      const deleted = deleting.query('DELETE FROM public.issue');
      await untilSomebodyWaits();
      await attaching.query('COMMIT');
      await deleted;
      await deleting.query('COMMIT');

      await attack.settle();
      const { status, url } = await polled(asked[0]?.id ?? '');
      assert.deepEqual({ status, url }, { status: 'failed', url: null }, 'whatever the signer did meanwhile');
    });
    assert.deepEqual(await attack.database.query('SELECT FROM storage.uploads'), []);
  });
}
