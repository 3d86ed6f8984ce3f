/**
 * Bytes as rows: the statements of `storage.blobs` and its chunks, each one function that a login role may execute. It
 * knows no keys' meaning and no objects. Invariant: every call is one statement by itself, whatever became of the one before.
 */
import { Database, type DatabaseOptions, type Statement } from './database.ts';

const statement = (name: string, text: string): Statement => ({ name, text });

export const blobPut: Statement = statement('blob_put', 'SELECT storage_internal.blob_put($1, $2, $3)');
export const blobAppend: Statement = statement('blob_append', 'SELECT storage_internal.blob_append($1, $2, $3)');
export const blobFinish: Statement = statement('blob_finish', 'SELECT storage_internal.blob_finish($1, $2, $3)');
export const blobDiscard: Statement = statement('blob_discard', 'SELECT storage_internal.blob_discard($1)');
export const blobHead: Statement = statement('blob_head', 'SELECT * FROM storage_internal.blob_head($1)');
export const blobRead: Statement = statement('blob_read', 'SELECT * FROM storage_internal.blob_read($1, $2, $3)');
export const blobPiece: Statement = statement('blob_piece', 'SELECT storage_internal.blob_piece($1, $2, $3) AS bytes');
export const blobDelete: Statement = statement('blob_delete', 'SELECT storage_internal.blob_delete($1) AS deleted');
export const blobPage: Statement = statement('blob_page', 'SELECT * FROM storage_internal.blob_page($1, $2, $3)');
export const blobsUnfinished: Statement = statement(
  'blobs_unfinished',
  'SELECT * FROM storage_internal.blobs_unfinished()',
);
export const blobsRemoveUnfinished: Statement = statement(
  'blobs_remove_unfinished',
  'SELECT storage_internal.blobs_remove_unfinished($1) AS removed',
);
export const blobCheck: Statement = statement('blob_check', 'SELECT storage_internal.blob_check()');

interface Row extends Record<string, unknown> {
  readonly id: string;
  readonly key: string;
  readonly size: string;
  readonly created_at: Date;
}

interface StoredBlob {
  readonly id: string;
  readonly key: string;
  readonly size: number;
  readonly created_at: Date;
}

const blobOf = ({ id, key, size, created_at }: Row): StoredBlob => ({ id, key, size: Number(size), created_at });

/** The blobs of one database, with a pool of their own. */
export class StoredBlobs {
  readonly #db: Database;

  constructor(options: DatabaseOptions) {
    this.#db = new Database(options);
  }

  /** @throws RowlockError `object_exists` */
  async put(id: string, key: string, bytes: Uint8Array): Promise<void> {
    await this.#db.run(blobPut, [id, key, asBuffer(bytes)]);
  }

  /** @throws RowlockError `unavailable` where the unfinished blob was swept */
  async append(id: string, place: number, chunk: Uint8Array): Promise<void> {
    await this.#db.run(blobAppend, [id, place, asBuffer(chunk)]);
  }

  /** @throws RowlockError `object_exists`, `unavailable` where the unfinished blob was swept */
  async finish(id: string, key: string, size: number): Promise<void> {
    await this.#db.run(blobFinish, [id, key, size]);
  }

  async discard(id: string): Promise<void> {
    await this.#db.run(blobDiscard, [id]);
  }

  async head(key: string): Promise<StoredBlob | undefined> {
    const [row] = await this.#db.run<Row>(blobHead, [key]);
    return row && blobOf(row);
  }

  async read(
    key: string,
    start: number,
    count: number,
  ): Promise<{ readonly row: StoredBlob; readonly bytes: Buffer } | undefined> {
    const [row] = await this.#db.run<Row & { bytes: Buffer | null }>(blobRead, [key, start, count]);
    return row && { row: blobOf(row), bytes: row.bytes ?? Buffer.alloc(0) };
  }

  async readOn(id: string, start: number, count: number): Promise<Buffer | undefined> {
    const [row] = await this.#db.run<{ bytes: Buffer | null }>(blobPiece, [id, start, count]);
    return row?.bytes ?? undefined;
  }

  async delete(key: string): Promise<boolean> {
    const [row] = await this.#db.run<{ deleted: boolean }>(blobDelete, [key]);
    return row?.deleted ?? false;
  }

  async page(after: string, from: string, limit: number): Promise<readonly StoredBlob[]> {
    return (await this.#db.run<Row>(blobPage, [after, from, limit])).map(blobOf);
  }

  async unfinished(): Promise<readonly { readonly id: string; readonly size: number; readonly age_ms: number }[]> {
    const rows = await this.#db.run<{ id: string; size: string; age_ms: number }>(blobsUnfinished, []);
    return rows.map(({ id, size, age_ms }) => ({ id, size: Number(size), age_ms }));
  }

  async removeUnfinished(olderThanMs: number): Promise<number> {
    const [row] = await this.#db.run<{ removed: string }>(blobsRemoveUnfinished, [olderThanMs]);
    return Number(row?.removed ?? 0);
  }

  async check(): Promise<void> {
    await this.#db.run(blobCheck, []);
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

/** The driver sends buffers as bytes, and other arrays as text. */
function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
