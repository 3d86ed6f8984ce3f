/**
 * Takes the body of a part whose URL was verified, for stores that have no HTTP of their own. Which upload is open, and how many
 * bytes a part of it has, the rows say. A part that comes again replaces the one before.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Backend } from '../backend/backend.ts';
import type { SentChecksum } from '../domain/checksum.ts';
import { MeasuredBody } from '../domain/measured-body.ts';
import type { Database } from '../metadata/database.ts';
import { selectPartExpected } from '../metadata/multipart.ts';

export interface PartRequest {
  readonly key: string;
  readonly store_id: string;
  readonly part_number: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly size: number | undefined;
  readonly checksums: readonly SentChecksum[];
}

/** @throws RowlockError `upload_gone` without an open upload that has this part, `too_large`, `incomplete_body`, `bad_digest` */
export async function receivePart(
  { db, backend }: { readonly db: Database; readonly backend: Backend },
  { key, store_id, part_number, body, size, checksums }: PartRequest,
): Promise<{ readonly etag: string }> {
  const expected = await selectPartExpected(db, { key, backend: backend.name, store_id, part_number });
  if (expected === undefined || backend.parts?.receive === undefined) {
    throw new RowlockError('upload_gone', 'The upload expired, was given up or is complete');
  }
  if (size !== undefined && size > expected) throw new RowlockError('too_large', `The part has ${expected} bytes`);
  const measured = new MeasuredBody(body, { sizeMax: expected, declaredSize: expected, checksums });
  const { etag } = await backend.parts.receive({ key, store_id }, { part_number, body: measured });
  return { etag };
}
