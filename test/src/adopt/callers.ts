/**
 * What callers of an adopted system do and see, and what its rows say: shared by the tests of adoption. It asserts nothing.
 */
import { type Backend, type Backends, Database, openBackends } from '@rowlock/server';
import { until } from '@rowlock/test-harness';
import { alice, type CivicOs } from './civic-os.ts';

export interface RequestRow extends Record<string, unknown> {
  readonly status: string;
  readonly url: string | null;
  readonly file_id: string | null;
  readonly error: string | null;
}

export interface FileRow extends Record<string, unknown> {
  readonly thumbnail_status: string;
  readonly thumbnail_error: string | null;
  readonly s3_thumbnail_small_key: string | null;
  readonly object_id: string | null;
}

/** What works on rows and bytes. */
export interface Stores {
  readonly db: Database;
  readonly backend: Backend;
  readonly backends: Backends;
}

/** Alice asks for an upload URL of an issue; the request's id. */
export async function requestUpload(site: CivicOs, name: string, entity = '1'): Promise<string> {
  const [row] = await site.call<{ id: string }>(
    alice,
    "SELECT public.request_upload_url('issues', $1, $2, 'image/jpeg') AS id",
    [entity, name],
  );
  return row?.id ?? '';
}

/** What a client sees of a request now. */
export async function poll(site: CivicOs, id: string): Promise<RequestRow | undefined> {
  return (await site.call<RequestRow>(alice, 'SELECT * FROM public.get_upload_url($1)', [id]))[0];
}

/** Waits as a client does. */
export async function answered(site: CivicOs, id: string): Promise<RequestRow> {
  return await until(
    async () => {
      const row = await poll(site, id);
      return row?.status === 'completed' || row?.status === 'failed' ? row : undefined;
    },
    { what: `request ${id} is answered`, timeoutMs: 10_000 },
  );
}

/** A file's row. */
export async function fileRow(site: CivicOs, id: string): Promise<FileRow> {
  const [row] = await site.query<FileRow>('SELECT * FROM metadata.files WHERE id = $1', [id]);
  if (row === undefined) throw new Error(`There is no file ${id}`);
  return row;
}

/** Waits until a file's thumbnails are made, or not. */
export async function fileSettled(site: CivicOs, id: string): Promise<FileRow> {
  return await until(
    async () => {
      const row = await fileRow(site, id);
      return row.thumbnail_status === 'pending' || row.thumbnail_status === 'processing' ? undefined : row;
    },
    { what: `file ${id} is settled`, timeoutMs: 10_000 },
  );
}

/** The queue of the last job of a request or a file. */
export async function queueOf(site: CivicOs, id: string): Promise<string | undefined> {
  const [row] = await site.query<{ queue: string }>(
    `SELECT queue FROM metadata.river_job WHERE args ->> 'request_id' = $1 OR args ->> 'file_id' = $1
     ORDER BY id DESC LIMIT 1`,
    [id],
  );
  return row?.queue;
}

/** Runs the work as commands do, with database and store open. */
export async function withStores<T>(site: CivicOs, work: (stores: Stores) => Promise<T>): Promise<T> {
  const db = new Database({
    url: site.workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 30_000,
    applicationName: 'rowlock upkeep',
  });
  const backends = await openBackends(site);
  try {
    return await work({ db, backends, backend: backends.default });
  } finally {
    await db.close();
    await backends.close();
  }
}
