/**
 * `rowlock dev` as a newcomer meets it: one line when it is ready, a sample photo with thumbnails, links that work, keys
 * in a private file, and an end that leaves nothing running.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, temporaryFolder, until } from '@rowlock/test-harness';
import sharp from 'sharp';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const run = promisify(execFile);
const running = new Set<ChildProcess>();

after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

interface Dev {
  readonly child: ChildProcess;
  readonly port: number;
  /** What it has printed, both streams. */
  output(): string;
  exit: Promise<number | null>;
}

function start(data: string, port: number, ...options: string[]): Dev {
  const child = spawn(process.execPath, [program, 'dev', '--data', data, '--port', String(port), ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const exit = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, port, output: () => text, exit };
}

async function ready(dev: Dev): Promise<void> {
  await until(
    () => {
      if (dev.child.exitCode !== null) {
        throw new Error(`rowlock dev ended: ${dev.output()}`);
      }
      return dev.output().includes(`ready http://127.0.0.1:${dev.port}\n`);
    },
    { timeoutMs: 60_000, what: 'rowlock dev is ready' },
  );
}

/** Asks it to stop; answers how long that took, in milliseconds. */
async function stop(dev: Dev, signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
  const begin = performance.now();
  dev.child.kill(signal);
  await dev.exit;
  return performance.now() - begin;
}

interface DevFile {
  readonly url: string;
  readonly database_url: string;
  readonly anon_key: string;
  readonly authenticated_key: string;
  readonly service_key: string;
  readonly jwt_secret: string;
  readonly s3: Readonly<Record<string, string>>;
}

const devFile = (data: string): DevFile => JSON.parse(readFileSync(join(data, 'dev.json'), 'utf8')) as DevFile;

test('the first start shows a photo with thumbnails, and the second finds everything again', async () => {
  const data = join(temporaryFolder({ mode: 0o711 }), 'data');
  const port = await freePort();

  const first = start(data, port);
  await ready(first);
  await until(() => /render\/image\/sign/.test(first.output()), { timeoutMs: 60_000, what: 'the demo is printed' });
  const file = devFile(data);

  assert.equal(statSync(join(data, 'dev.json')).mode & 0o777, 0o600);
  assert.deepEqual(Object.keys(file), [
    'url',
    'database_url',
    'jwt_secret',
    'anon_key',
    'authenticated_key',
    'service_key',
    's3',
  ]);
  assert.deepEqual(Object.keys(file.s3), ['endpoint', 'region', 'bucket', 'access_key_id', 'secret_access_key']);
  assert.equal(file.url, `http://127.0.0.1:${port}`);
  const links = first.output().match(/http:\/\/\S+token=[\w.-]+\S*/g) ?? [];
  const images = await Promise.all(
    links.map(async (link) =>
      sharp(Buffer.from(await (await fetch(link.replace(/['"]$/, ''))).arrayBuffer())).metadata(),
    ),
  );
  assert.ok(images.length >= 2);
  assert.ok(
    images.some(({ width }) => (width ?? 0) > 800),
    'the photo',
  );
  assert.ok(
    images.some(({ width, height }) => width === height && [150, 400, 800].includes(width ?? 0)),
    'its thumbnail',
  );
  assert.ok((await stop(first, 'SIGINT')) < 5000);

  const second = start(data, port);
  await ready(second);
  assert.equal(devFile(data).jwt_secret, file.jwt_secret, 'keys survive');
  const listed = await fetch(`${file.url}/storage/v1/object/list/demo`, {
    method: 'POST',
    headers: { authorization: `Bearer ${file.authenticated_key}`, 'content-type': 'application/json' },
    body: '{"prefix":""}',
  });
  assert.equal(((await listed.json()) as unknown[]).length, 1, 'the photo is uploaded once');
  assert.ok((await stop(second)) < 5000);
});

test('the console is opened by a link that works once, and a command makes another', async () => {
  const data = join(temporaryFolder({ mode: 0o711 }), 'data');
  const dev = start(data, await freePort(), '--no-demo');
  await ready(dev);
  const printed = /(http:\S+)\/console\/#sign-in=([\w-]+)/;
  await until(() => printed.test(dev.output()), { timeoutMs: 10_000, what: 'the link is printed' });
  const [, url = '', token = ''] = printed.exec(dev.output()) ?? [];
  const exchange = (wanted: string): Promise<Response> =>
    fetch(`${url}/storage/v1/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ token: wanted }),
    });

  const first = (await (await exchange(token)).json()) as { readonly key: string };
  const second = await exchange(token);
  const { stdout } = await run(process.execPath, [program, 'console', '--data', data]);
  const another = await exchange(printed.exec(stdout)?.[2] ?? '');
  const who = await fetch(`${url}/storage/v1/caller`, { headers: { authorization: `Bearer ${first.key}` } });
  const { is_service, expires_at } = (await who.json()) as { is_service: boolean; expires_at: string };
  await stop(dev);

  assert.equal(second.status, 401);
  assert.match(await second.text(), /This link was used; run node \S+main\.js console --data /);
  assert.equal(another.status, 200);
  assert.equal(is_service, true);
  assert.ok(Date.parse(expires_at) - Date.now() <= 12 * 3_600_000, 'the key ends the same day');
  assert.ok(!dev.output().includes(devFile(data).authenticated_key), 'no key is printed');
});

test('kill -9 leaves a folder that the next start recovers', async () => {
  const data = join(temporaryFolder({ mode: 0o711 }), 'data');
  const port = await freePort();
  const first = start(data, port, '--no-demo');
  await ready(first);
  const { url, authenticated_key } = devFile(data);
  const headers = { authorization: `Bearer ${authenticated_key}` };
  await fetch(`${url}/storage/v1/bucket`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{"name":"kept"}',
  });
  const put = await fetch(`${url}/storage/v1/object/kept/a.txt`, { method: 'POST', headers, body: 'kept' });
  assert.equal(put.status, 201);

  await stop(first, 'SIGKILL');
  const second = start(data, port, '--no-demo');
  await ready(second);

  assert.equal(await (await fetch(`${url}/storage/v1/object/kept/a.txt`, { headers })).text(), 'kept');
  await stop(second);
});

test('a second start on the same folder is refused, and says who has it', async () => {
  const data = join(temporaryFolder({ mode: 0o711 }), 'data');
  const first = start(data, await freePort(), '--no-demo');
  await ready(first);

  const second = start(data, await freePort(), '--no-demo');
  const code = await second.exit;

  assert.equal(code, 1);
  assert.match(second.output(), new RegExp(String(first.child.pid)));
  assert.doesNotMatch(second.output(), /\n\s+at /, 'a sentence, not a stack');
  await stop(first);
});

test('a port that is taken is said so, with the way out', async () => {
  const data = join(temporaryFolder({ mode: 0o711 }), 'data');
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');

  const dev = start(data, port, '--no-demo');
  const code = await dev.exit;
  other.close();

  assert.equal(code, 1);
  assert.match(dev.output(), new RegExp(`${port}`));
  assert.match(dev.output(), /--port/);
  assert.doesNotMatch(dev.output(), /\n\s+at /);
});
