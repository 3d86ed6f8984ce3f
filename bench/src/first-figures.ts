/**
 * First figures of the foundation: uploads, downloads, signing, presigning by job, thumbnails, memory of a large
 * transfer. One service process beside its PostgreSQL with fsync on, 16 connections; the load runs on the same cores.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import {
  createMigratedDatabase,
  freePort,
  type MigratedDatabase,
  signToken,
  temporaryFolder,
  until,
} from '@rowlock/test-harness';
import sharp from 'sharp';
import { closedLoop, percentile, type Sample, send } from './load.ts';
import { machineFacts } from './machine.ts';

const connections = 16;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 8);

interface Bench {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  readonly database: MigratedDatabase;
  readonly child: ChildProcess;
}

async function start(): Promise<Bench> {
  const database = await createMigratedDatabase('bench');
  const port = await freePort();
  const program = fileURLToPath(new URL('../../test/dist/service/crash-server.js', import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      CRASH_API_URL: database.apiUrl,
      CRASH_WORKER_URL: database.workerUrl,
      CRASH_ROOT: `${temporaryFolder()}/blobs`,
      CRASH_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null || child.pid === undefined) {
    throw new Error('the service did not start');
  }
  await once(child.stdout, 'data');
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bench', 'ann')");
  const token = await signToken({ sub: 'ann', role: 'authenticated' });
  return { url: `http://127.0.0.1:${port}`, token, pid: child.pid, database, child };
}

const object = (bench: Bench, name: string): string => `${bench.url}/storage/v1/object/bench/${name}`;
const headers = (bench: Bench): Record<string, string> => ({ authorization: `Bearer ${bench.token}` });

function residentMiB(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

async function small(bench: Bench): Promise<Record<string, Sample>> {
  const body = Buffer.alloc(10 * 1024, 7);
  const upload = await closedLoop(connections, seconds, (i) => ({
    url: object(bench, `small/${i}`),
    method: 'POST',
    headers: headers(bench),
    body,
  }));
  const known = Math.min(upload.count, 1000);
  const download = await closedLoop(connections, seconds, (i) => ({
    url: object(bench, `small/${i % known}`),
    method: 'GET',
    headers: headers(bench),
  }));
  const sign = await closedLoop(connections, seconds, (i) => ({
    url: object(bench, `sign/x`).replace('/object/bench/sign/x', `/object/sign/bench/small/${i % known}`),
    method: 'POST',
    headers: headers(bench),
  }));
  const list = await closedLoop(connections, seconds, () => ({
    url: `${bench.url}/storage/v1/object/list/bench`,
    method: 'POST',
    headers: { ...headers(bench), 'content-type': 'application/json' },
    body: Buffer.from('{"prefix":"small","limit":100}'),
  }));
  return { upload_10k: upload, download_10k: download, sign, list_100: list };
}

async function large(bench: Bench): Promise<Record<string, Sample>> {
  const body = Buffer.alloc(64 * 2 ** 20, 7);
  const upload = await closedLoop(2, seconds, (i) => ({
    url: object(bench, `large/${i % 4}`),
    method: 'PUT',
    headers: headers(bench),
    body,
  }));
  const download = await closedLoop(2, seconds, (i) => ({
    url: object(bench, `large/${i % 2}`),
    method: 'GET',
    headers: headers(bench),
  }));
  return { upload_64m: upload, download_64m: download };
}

/** Requests at a steady rate, each timed from when it should have started until its URL is in the row. */
async function presign(bench: Bench, perSecond: number): Promise<object> {
  const durations: number[] = [];
  const begin = performance.now();
  const all: Promise<void>[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  for (let i = 0; i < perSecond * seconds; i += 1) {
    const due = begin + (i * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    all.push(
      bench.database
        .query<{ id: string }>(
          "SELECT set_config('request.jwt.claims', '{\"sub\":\"ann\"}', false), public.request_upload_url('issue', '1', 'a.jpg', 'image/jpeg') AS id",
        )
        .then(() => undefined),
    );
  }
  await Promise.all(all);
  agent.destroy();
  await until(
    async () =>
      (await bench.database.query("SELECT FROM metadata.file_upload_requests WHERE status <> 'completed' LIMIT 1"))
        .length === 0,
    { timeoutMs: 60_000 },
  );
  const rows = await bench.database.query<{ ms: number }>(
    'SELECT extract(epoch FROM (updated_at - created_at)) * 1000 AS ms FROM metadata.file_upload_requests',
  );
  durations.push(...rows.map((row) => Number(row.ms)).sort((a, b) => a - b));
  return {
    rate_asked: perSecond,
    count: durations.length,
    insert_to_url_p50_ms: percentile(durations, 0.5),
    insert_to_url_p95_ms: percentile(durations, 0.95),
    insert_to_url_p99_ms: percentile(durations, 0.99),
  };
}

async function thumbnails(bench: Bench): Promise<object> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const photo = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'teal', noise } })
    .blur(2)
    .jpeg({ quality: 90 })
    .toBuffer();
  const count = 20;
  const agent = new Agent({ keepAlive: true });
  const begin = performance.now();
  for (let i = 0; i < count; i += 1) {
    await send(agent, {
      url: object(bench, `photos/${i}.jpg`),
      method: 'POST',
      headers: { ...headers(bench), 'content-type': 'image/jpeg' },
      body: photo,
    });
  }
  await until(
    async () => {
      const [row] = await bench.database.query<{ n: string }>(
        "SELECT count(*) AS n FROM storage.variants WHERE status = 'completed'",
      );
      return Number(row?.n) === count * 3;
    },
    { timeoutMs: 120_000 },
  );
  const elapsed = performance.now() - begin;
  agent.destroy();
  return { photo_mib: photo.byteLength / 2 ** 20, photos: count, upload_and_all_three_ms_each: elapsed / count };
}

async function memory(bench: Bench): Promise<object> {
  const idle = residentMiB(bench.pid);
  let peak = idle;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(bench.pid));
  }, 20);
  const chunk = Buffer.alloc(2 ** 20, 7);
  const response = await fetch(object(bench, 'gigabyte'), {
    method: 'POST',
    headers: { ...headers(bench), 'content-length': String(2 ** 30) },
    body: new ReadableStream({
      pull: (() => {
        let left = 1024;
        return (controller: ReadableStreamDefaultController) => {
          left -= 1;
          controller.enqueue(chunk);
          if (left === 0) {
            controller.close();
          }
        };
      })(),
    }),
    duplex: 'half',
  } as unknown as RequestInit);
  const afterUpload = peak;
  const agent = new Agent();
  const bytes = await send(agent, { url: object(bench, 'gigabyte'), method: 'GET', headers: headers(bench) });
  clearInterval(timer);
  return {
    status: response.status,
    bytes,
    idle_mib: idle,
    upload_1gib_peak_mib: afterUpload,
    upload_and_download_1gib_peak_mib: peak,
  };
}

/** Runs everything once and writes one JSON file. */
export async function main(): Promise<void> {
  const bench = await start();
  const results: Record<string, unknown> = { memory: await memory(bench) };
  Object.assign(results, await small(bench), await large(bench), {
    presign_by_job: await presign(bench, 200),
    thumbnails_12_megapixels: await thumbnails(bench),
  });
  const [settings] = await bench.database.query('SELECT version(), current_setting($1) AS fsync', ['fsync']);
  bench.child.kill('SIGTERM');
  await bench.database.drop();
  const report = {
    name: 'first-figures',
    at: new Date().toISOString(),
    machine: machineFacts(),
    postgres: settings,
    connections,
    seconds_each: seconds,
    results,
  };
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify(report, (_key, value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value), 2)}\n`;
  writeFileSync(`${folder}${report.at.slice(0, 10)}-first-figures.json`, text);
  process.stdout.write(text);
}

await main();
