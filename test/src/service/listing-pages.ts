/**
 * Lists a bucket to its end over HTTP, page by page, and puts objects there without their bytes. It checks nothing but
 * that each page is an answer of the form that it should have.
 */
import assert from 'node:assert/strict';
import type { TestService } from '@rowlock/test-harness';
import type { ModelObject } from './listing-model.ts';

export interface Page {
  readonly hasNext: boolean;
  readonly nextCursor?: string;
  readonly nextCursorKey?: string;
  readonly folders: readonly { readonly name: string }[];
  readonly objects: readonly { readonly name: string; readonly id: string }[];
}

export interface Entry {
  readonly name: string;
  readonly id: string | null;
  readonly created_at: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
}

/** Posts JSON and reads the answer, which must be 200. */
export async function posted<T>(service: TestService, path: string, body: object, as?: string): Promise<T> {
  const init = { as, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await service.fetch(path, init);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text) as T;
}

/** Every entry of a listing with cursors: the pages as they came. */
export async function allPages(service: TestService, bucket: string, body: object, as?: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let cursor: string | undefined; ; ) {
    const asked = { ...body, ...(cursor === undefined ? {} : { cursor }) };
    const page = await posted<Page>(service, `/storage/v1/object/list-v2/${bucket}`, asked, as);
    pages.push(page);
    assert.equal(page.hasNext, page.nextCursor !== undefined);
    if (page.nextCursor === undefined) return pages;
    assert.ok(page.folders.length + page.objects.length > 0, 'a page that is not the last has entries');
    cursor = page.nextCursor;
  }
}

/** Every entry of a listing with offsets, as one list. */
export async function allOffsets(
  service: TestService,
  bucket: string,
  body: { readonly limit: number } & Readonly<Record<string, unknown>>,
  as?: string,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let offset = 0; ; offset += body.limit) {
    const page = await posted<Entry[]>(service, `/storage/v1/object/list/${bucket}`, { ...body, offset }, as);
    entries.push(...page);
    if (page.length < body.limit) return entries;
  }
}

/** Puts rows into a bucket, which is made where it is missing, without triggers and without bytes. */
export async function putRows(service: TestService, bucket: string, objects: readonly ModelObject[]): Promise<void> {
  const { database } = service;
  await database.query(
    "INSERT INTO storage.buckets (id, name, owner_id, policy) VALUES ($1, $1, 'ann', 'private') ON CONFLICT DO NOTHING",
    [bucket],
  );
  const rows = JSON.stringify(objects).replaceAll("'", "''");
  await database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.versions (id, backend, key, state, size, sha256, stored_at)
      VALUES ('00000000-0000-0000-0000-0000000000aa', 'disk', 'no/bytes', 'stored', 1, sha256(''), now()) ON CONFLICT DO NOTHING;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type, created_at, updated_at, last_accessed_at)
      SELECT '${bucket}', o ->> 'name', 'ann', '00000000-0000-0000-0000-0000000000aa', 1, 'text/plain', t, t, t
      FROM jsonb_array_elements('${rows}') AS o, to_timestamp((o ->> 'at')::numeric / 1000.0) AS t;
    COMMIT;
  `);
}
