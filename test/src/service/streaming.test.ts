/** Half a gigabyte passes through the server both ways while its memory stays small. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { platform } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  createMigratedDatabase,
  freePort,
  type MigratedDatabase,
  signToken,
  temporaryFolder,
} from '@rowlock/test-harness';

const size = 2 ** 29;
const residentMax = 200 * 2 ** 20;

let database: MigratedDatabase;
let server: ChildProcess;
let url: string;
let headers: Record<string, string>;

before(async () => {
  database = await createMigratedDatabase();
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('large', 'ann')");
  const port = await freePort();
  url = `http://127.0.0.1:${port}/storage/v1/object/large/file`;
  headers = { authorization: `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}` };
  server = spawn(process.execPath, [fileURLToPath(new URL('./crash-server.js', import.meta.url))], {
    env: {
      ...process.env,
      CRASH_API_URL: database.apiUrl,
      CRASH_WORKER_URL: database.workerUrl,
      CRASH_ROOT: `${temporaryFolder()}/blobs`,
      CRASH_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(server.stdout);
  await once(server.stdout, 'data');
});
after(async () => {
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
  await database.drop();
});

/** The largest resident set of a process since it began, in bytes. */
function residentPeak(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

const notLinux = platform() === 'linux' ? false : 'the peak of a process is read from /proc, which only Linux has';

test('half a gigabyte up and down keeps the process under 200 MiB', { skip: notLinux }, async () => {
  const chunk = Buffer.alloc(2 ** 20, 'rowlock');
  const sent = createHash('sha256');
  const received = createHash('sha256');

  const upload = request(url, { method: 'POST', headers });
  const answered = once(upload, 'response');
  await pipeline(
    Readable.from(
      (function* () {
        for (let i = 0; i < size / chunk.byteLength; i += 1) {
          sent.update(chunk);
          yield chunk;
        }
      })(),
    ),
    upload,
  );
  const [response] = (await answered) as [NodeJS.ReadableStream & { statusCode: number }];
  response.resume();
  const download = await fetch(url, { headers });
  let bytes = 0;
  for await (const part of download.body ?? []) {
    received.update(part);
    bytes += part.byteLength;
  }

  assert.equal(response.statusCode, 201, 'chunked, without a length');
  assert.equal(bytes, size);
  assert.equal(received.digest('hex'), sent.digest('hex'));
  const peak = residentPeak(server.pid ?? 0);
  assert.ok(peak < residentMax, `${Math.round(peak / 2 ** 20)} MiB`);
});
