/**
 * Uploads what somebody calls an image and says what became of its thumbnails. It makes no image. Invariant: it
 * returns only when the job has ended, and the original was read again by then.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from '@rowlock/test-harness';
import type { Attacked } from './standing.ts';

export interface Outcome {
  /** `made`, `none` where no thumbnail was wanted, or why there is none. */
  readonly thumbnails: string;
  /** Of the job's row; undefined where there was no job. */
  readonly job: string | undefined;
  readonly attempts: number;
  /** Of the upright image, as recorded; null where it is none. */
  readonly size: readonly [width: number, height: number] | null;
}

const owner = 'olivia';

/** The address of an object in the bucket `photos`. */
export const photoPath = (name: string): string => `/storage/v1/object/photos/${encodeURIComponent(name)}`;

/** Uploads bytes as an image of that type. */
export async function upload({ service }: Attacked, name: string, bytes: Buffer, type = 'image/jpeg'): Promise<void> {
  const answer = await service.fetch(photoPath(name), {
    as: owner,
    method: 'PUT',
    body: new Uint8Array(bytes),
    headers: { 'content-type': type },
  });
  assert.ok(answer.ok, await answer.text());
}

/** Uploads bytes, waits for their thumbnails and reads the original again. */
export async function outcomeOf(attack: Attacked, name: string, bytes: Buffer, type?: string): Promise<Outcome> {
  await upload(attack, name, bytes, type);
  const outcome = await until(() => ended(attack, name), { timeoutMs: 60_000, what: `${name} has its thumbnails` });
  const again = await attack.service.fetch(photoPath(name), { as: owner });
  assert.ok(Buffer.from(await again.arrayBuffer()).equals(bytes), `${name} can be downloaded`);
  return outcome;
}

interface Row extends Record<string, unknown> {
  readonly statuses: readonly string[] | null;
  readonly error: string | null;
  readonly job: string | null;
  readonly attempt: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

/** What became of an object's thumbnails, or undefined as long as its job has not ended. */
export async function ended({ database }: Attacked, name: string): Promise<Outcome | undefined> {
  const [row] = await database.query<Row>(
    `SELECT array_agg(DISTINCT v.status) FILTER (WHERE v.id IS NOT NULL) AS statuses, min(v.error) AS error,
       min(j.state::text) AS job, min(j.attempt)::integer AS attempt, min(m.width) AS width, min(m.height) AS height
     FROM storage.objects AS o
     LEFT JOIN storage.variants AS v ON v.source_version_id = o.version_id
     LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id
     LEFT JOIN metadata.river_job AS j
       ON j.kind = 'thumbnail_generate' AND j.args ->> 'version_id' = o.version_id::text
     WHERE o.bucket_id = 'photos' AND o.name = $1`,
    [name],
  );
  assert.ok(row !== undefined);
  const isRunning = row.job !== null && !['completed', 'cancelled', 'discarded'].includes(row.job);
  if (isRunning) return undefined;
  const statuses = row.statuses ?? [];
  return {
    thumbnails:
      statuses.length === 0 ? 'none' : statuses.join() === 'completed' ? 'made' : (row.error ?? statuses.join()),
    job: row.job ?? undefined,
    attempts: row.attempt ?? 0,
    size: row.width === null || row.height === null ? null : [row.width, row.height],
  };
}

/** The decoder processes that belong to this process, which has the workers. On Linux only. */
export function decoderPids(parent: number = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parentOf = Number(/\) . (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
        return parentOf === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('decoder-process');
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error, 'it may be gone by now');
        return false;
      }
    });
}
