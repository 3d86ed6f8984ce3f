/**
 * Fills a bucket with rows by the million: with triggers off, in pieces on two connections, and with the indexes that
 * nothing depends on made afterwards. No object has bytes, and all share one version; it is a bucket to look at.
 */
import type { MigratedDatabase } from '@rowlock/test-harness';

export interface RowsOrder {
  readonly bucket: string;
  /** Rows are numbered from here, where so many are there already, to before `to`. */
  readonly from: number;
  readonly to: number;
}

/** Objects in each folder: `folder-00000/`, `folder-00001/` … */
export const rowsOfFolder = 1000;

const version = '00000000-0000-0000-0000-0000000000aa';
const rowsOfPiece = 250_000;
const connections = 2;

/** Makes rows of a bucket of ann's: each hundredth is hers, the others are of five thousand users. */
export async function loadRows(database: MigratedDatabase, order: RowsOrder): Promise<void> {
  if (order.to <= order.from) return;
  await database.query(`
    BEGIN;
    INSERT INTO storage.buckets (id, name, owner_id) VALUES ('${order.bucket}', '${order.bucket}', 'ann')
      ON CONFLICT DO NOTHING;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.versions (id, backend, key, state, size, sha256, stored_at)
      VALUES ('${version}', 'disk', 'no/bytes', 'stored', 1, sha256(''), now()) ON CONFLICT DO NOTHING;
    COMMIT;`);
  const indexes = await dropIndexes(database);
  const pieces: (readonly [number, number])[] = [];
  for (let at = order.from; at < order.to; at += rowsOfPiece) pieces.push([at, Math.min(at + rowsOfPiece, order.to)]);
  const work = async (): Promise<void> => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      await database.query(pieceOf(order.bucket, ...piece));
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  await Promise.all(indexes.map(async (definition) => await database.query(definition)));
  await database.query('VACUUM ANALYZE storage.objects');
}

/** Drops the indexes that no constraint needs; answers how to make them again. */
async function dropIndexes(database: MigratedDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index AS i
     WHERE i.indrelid = 'storage.objects'::regclass AND NOT i.indisunique`,
  );
  for (const { name } of rows) await database.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}

/** Ids in order, so that their index grows at its end. */
function pieceOf(bucket: string, from: number, to: number): string {
  return `
    BEGIN;
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    INSERT INTO storage.objects (id, bucket_id, name, owner_id, version_id, size, content_type, sha256, metadata)
      SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '${bucket}',
        'folder-' || lpad((n / ${rowsOfFolder})::text, 5, '0') || '/file ' || n || '.jpg',
        CASE WHEN n % 100 = 0 THEN 'ann' ELSE 'user-' || n % 5000 END, '${version}',
        n, 'image/jpeg', sha256(n::text::bytea),
        storage.object_metadata(n, 'image/jpeg', NULL, sha256(n::text::bytea), '${version}', now())
      FROM generate_series(${from}, ${to - 1}) AS n;
    COMMIT;`;
}
