/**
 * One image soak: a worker with two decoders in a process of its own makes thumbnails of what is uploaded in bursts, for as
 * long as is asked, and its memory is looked at all the while. It judges nothing; that is for the report. Invariant: every
 * upload is waited for, so what is left undone is seen.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startService, type TestService, temporaryFolder, until } from '@rowlock/test-harness';
import { nowMs } from '../../../../bench/dist/load/paced.js';
import { keep } from '../../../../bench/dist/measure/kept-processes.js';
import type { SoakPicture } from './soak-pictures.ts';
import { type MemorySample, memoryOf } from './worker-memory.ts';

export interface ImageSoakOptions {
  readonly minutes: number;
  /** Files uploaded a minute. */
  readonly rate: number;
  /** Files uploaded at once: both decoders are at work then. */
  readonly burst: number;
  readonly sampleMs: number;
  readonly pictures: readonly SoakPicture[];
}

export interface ImageSoakFindings {
  readonly samples: readonly MemorySample[];
  readonly uploaded: number;
  readonly made: number;
  /** Of jobs and of variants, what failed for good and why: a file that is replaced may go while it is read, and is tried again. */
  readonly failures: readonly string[];
  /** Stored at the end, of names that are used again and again. */
  readonly versions: number;
}

/** Uploads go to so many names: what was there before is replaced, and purged by the worker. */
const names = 80;
const settleTimeoutMs = 120_000;
const decodersAtOnce = 2;
const program = fileURLToPath(new URL('../../../../packages/cli/dist/main.js', import.meta.url));

/** Runs a soak; `progress` gets every sample. */
export async function runImageSoak(
  options: ImageSoakOptions,
  progress: (sample: MemorySample) => void,
): Promise<ImageSoakFindings> {
  const service = await startService({ workers: false });
  try {
    await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('soak', 'ann')");
    const worker = await startWorker(service);
    try {
      return await soak({ service, worker: worker.pid, begin: nowMs() }, options, progress);
    } finally {
      await worker.stop();
    }
  } finally {
    await service.stop();
  }
}

interface Stage {
  readonly service: TestService;
  /** Its process id. */
  readonly worker: number;
  /** Milliseconds since 1970. */
  readonly begin: number;
}

async function soak(
  stage: Stage,
  options: ImageSoakOptions,
  progress: (sample: MemorySample) => void,
): Promise<ImageSoakFindings> {
  const samples: MemorySample[] = [];
  const over = new AbortController();
  const sampling = sampleAll(stage, options, over.signal, (sample) => {
    samples.push(sample);
    progress(sample);
  });
  let uploaded = 0;
  try {
    uploaded = await uploadAll(stage, options);
  } finally {
    over.abort();
    await sampling;
  }
  const { query } = stage.service.database;
  const open = (): Promise<{ open: number; made: number }[]> =>
    query(`SELECT count(*) FILTER (WHERE state NOT IN ('completed', 'cancelled', 'discarded'))::int AS open,
        count(*) FILTER (WHERE state = 'completed')::int AS made
      FROM metadata.river_job WHERE kind = 'thumbnail_generate'`);
  const isSettled = async (): Promise<boolean> => (await open())[0]?.open === 0;
  await until(isSettled, { timeoutMs: settleTimeoutMs, intervalMs: 200, what: 'all thumbnails are made' });
  const failed = await query<{ reason: string }>(
    `SELECT format('a job: %s', errors[array_length(errors, 1)] ->> 'error') AS reason
       FROM metadata.river_job WHERE kind = 'thumbnail_generate' AND state IN ('cancelled', 'discarded')
     UNION ALL SELECT format('%s of %s: %s', v.preset, o.name, v.status)
       FROM storage.variants AS v JOIN storage.objects AS o ON o.version_id = v.source_version_id
       WHERE v.status <> 'completed'`,
  );
  const [versions] = await query<{ count: number }>('SELECT count(*)::int AS count FROM storage.versions');
  return {
    samples,
    uploaded,
    made: (await open())[0]?.made ?? 0,
    failures: failed.map(({ reason }) => reason),
    versions: versions?.count ?? 0,
  };
}

/** Returns how many files were uploaded. */
async function uploadAll(
  { service, begin }: Stage,
  { minutes, rate, burst, pictures }: ImageSoakOptions,
): Promise<number> {
  const bursts = Math.max(1, Math.round((minutes * rate) / burst));
  for (let n = 0; n < bursts; n += 1) {
    await delay(Math.max(0, begin + (n * burst * 60_000) / rate - nowMs()));
    await Promise.all(
      Array.from({ length: burst }, async (_, i) => {
        const at = n * burst + i;
        await upload(service, `${at % names}`, pictures[at % pictures.length] as SoakPicture);
      }),
    );
  }
  return bursts * burst;
}

async function upload(service: TestService, name: string, { type, bytes }: SoakPicture): Promise<void> {
  const answer = await service.fetch(`/storage/v1/object/soak/${name}`, {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': type, 'x-upsert': 'true' },
    body: new Uint8Array(bytes),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`An upload answered ${answer.status}`);
}

async function sampleAll(
  { service, worker, begin }: Stage,
  { sampleMs }: ImageSoakOptions,
  signal: AbortSignal,
  took: (sample: MemorySample) => void,
): Promise<void> {
  for (let n = 1; !signal.aborted; n += 1) {
    await delay(Math.max(0, begin + n * sampleMs - nowMs()), undefined, { signal }).catch(() => undefined);
    const [jobs] = await service.database.query<{ ended: number }>(
      "SELECT count(*)::int AS ended FROM metadata.river_job WHERE kind = 'thumbnail_generate' AND state = 'completed'",
    );
    took({ at_ms: nowMs() - begin, ...memoryOf(worker), ended: jobs?.ended ?? 0 });
  }
}

/** `rowlock work` as it is deployed, of all queues, beside the service's database and folder. */
async function startWorker(service: TestService): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const { NODE_OPTIONS: _, ...shell } = process.env;
  const { access_key_id, secret_access_key } = service.config.backend;
  const env = {
    ...shell,
    WORKER_DATABASE_URL: service.database.workerUrl,
    STORAGE_ROOT: service.root,
    S3_ACCESS_KEY_ID: access_key_id,
    S3_SECRET_ACCESS_KEY: secret_access_key,
  };
  const log = join(temporaryFolder(), 'worker.log');
  const descriptor = openSync(log, 'w');
  const args = [program, 'work', '--thumbnail-max-workers', String(decodersAtOnce)];
  const child = keep(spawn(process.execPath, args, { env, stdio: ['ignore', descriptor, descriptor] }));
  closeSync(descriptor);
  const exited = once(child, 'exit');
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`The worker has ended: ${readFileSync(log, 'utf8')}`);
      return /^ready/m.test(readFileSync(log, 'utf8'));
    },
    { timeoutMs: 30_000, what: 'the worker is ready' },
  );
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
