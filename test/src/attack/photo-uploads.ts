/**
 * Photographs that say where they were taken, and their way into the service as an application sends them. It asserts nothing of
 * what becomes of them. Invariant: whoever waited for an upload finds its file read.
 */
import assert from 'node:assert/strict';
import { until } from '@rowlock/test-harness';
import { drawn, scene } from '../../../packages/server/dist/imaging/sample-images.js';
import type { Attacked, SqlCaller } from './standing.ts';

/** A photograph that says where it was taken: 51.508, and this many degrees east. */
export async function photo(east = 7, says = true): Promise<Buffer> {
  const image = drawn(scene(320, 240)).jpeg();
  if (!says) return await image.toBuffer();
  return await image
    .withExif({
      IFD0: { Make: 'Acme', Model: 'Acme One', Artist: 'A. Photographer' },
      IFD2: { DateTimeOriginal: '2024:05:17 10:11:12', OffsetTimeOriginal: '+02:00' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '51/1 30/1 2880/100',
        GPSLongitudeRef: 'E',
        GPSLongitude: `${east}/1 0/1 0/1`,
      },
    })
    .toBuffer();
}

/** What `get_file_exif` answers. */
export interface Exif {
  readonly status: string;
  readonly location_status: string | null;
  readonly location_applied: string | null;
  readonly exif_data: Readonly<Record<string, unknown>> | null;
}

/** What a caller is told of a file. */
export async function exifOfFile(attack: Attacked, caller: SqlCaller, file: string): Promise<Exif | null> {
  const rows = await attack.sql<{ exif: Exif | null }>(caller, 'SELECT public.get_file_exif($1) AS exif', [file]);
  return rows[0]?.exif ?? null;
}

/** The version whose bytes a file has. */
export async function versionOfFile(attack: Attacked, file: string): Promise<string> {
  const [row] = await attack.database.query<{ id: string }>(
    'SELECT o.version_id AS id FROM storage.objects AS o JOIN metadata.files AS f ON f.object_id = o.id WHERE f.id = $1',
    [file],
  );
  assert.ok(row);
  return row.id;
}

/** A photo on its way to an entity. */
export interface PhotoUpload {
  readonly uploader: SqlCaller;
  readonly type: string;
  readonly id: number;
  readonly bytes: Buffer;
  readonly consent: boolean;
}

/** Uploads a photo for an entity, as an application does it, and waits until it was read. Returns the file's id. */
export async function uploadPhoto(
  attack: Attacked,
  { uploader, type, id, bytes, consent }: PhotoUpload,
): Promise<string> {
  const [row] = await attack.sql<{ asked: { readonly request_id: string; readonly file_id: string } }>(
    uploader,
    `SELECT public.request_upload($1, $2, 'photo.jpg', 'image/jpeg', p_consent_location => $3) AS asked`,
    [type, String(id), consent],
  );
  assert.ok(row);
  const { request_id, file_id } = row.asked;
  const signed =
    'SELECT presigned_url AS url, put_headers AS headers, s3_key AS key, s3_bucket AS bucket FROM metadata.file_upload_requests WHERE id = $1';
  const request = await until(async () => {
    const [now] = await attack.database.query<{
      url: string | null;
      headers: Record<string, string>;
      key: string;
      bucket: string;
    }>(signed, [request_id]);
    return now?.url ? { ...now, url: now.url } : undefined;
  });
  const put = await fetch(request.url, { method: 'PUT', headers: request.headers, body: new Uint8Array(bytes) });
  assert.equal(put.status, 200, await put.text());
  await attack.sql(uploader, "SELECT public.create_file_record($1, $2, $3, 'photo.jpg', 'image/jpeg', $4, $5, $6)", [
    file_id,
    type,
    String(id),
    bytes.length,
    request.bucket,
    request.key,
  ]);
  await until(async () => (await exifOfFile(attack, uploader, file_id))?.status === 'extracted', {
    what: 'the photo was read',
  });
  return file_id;
}
