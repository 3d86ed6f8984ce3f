/** Runs every command of the first tutorial, in order, in one shell, against the real program. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, temporaryFolder, until } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const tutorial = readFileSync(join(root, 'docs/tutorials/first-upload.md'), 'utf8');
const blocks = (kind: string): string[] =>
  [...tutorial.matchAll(new RegExp(`^\`\`\`${kind}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '');

let folder: string;
let dev: ChildProcess;

before(async () => {
  folder = temporaryFolder({ mode: 0o755 });
  symlinkSync(join(root, 'packages'), join(folder, 'packages'));
  const port = await freePort();
  dev = spawn(process.execPath, [join(root, 'packages/cli/dist/main.js'), 'dev', '--port', String(port), '--no-demo'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  dev.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await until(() => printed.includes('ready http'), { timeoutMs: 60_000, what: 'rowlock dev is ready' });
});

after(async () => {
  const exited = once(dev, 'exit');
  dev.kill('SIGTERM');
  await exited;
});

test('every command of the tutorial works', async () => {
  const script = ['set -euo pipefail', ...blocks('sh')].join('\n');

  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, maxBuffer: 10 * 2 ** 20 });

  assert.match(stdout, /"name":"holiday"/);
  assert.match(stdout, /"Key":"holiday\/beach\/day1\.jpg"/);
  assert.match(stdout, /401\n$/);
  const original = readFileSync(join(root, 'packages/cli/assets/sample.jpg'));
  assert.deepEqual(readFileSync(join(folder, 'day1.jpg')), original);
  assert.deepEqual(readFileSync(join(folder, 'linked.jpg')), original);
  const thumbnail = await sharp(join(folder, 'thumbnail.jpg')).metadata();
  assert.deepEqual([thumbnail.width, thumbnail.height], [256, 256]);
});

test('the SQL of the tutorial renames and deletes, and the bytes follow', async () => {
  const config = JSON.parse(readFileSync(join(folder, '.rowlock/dev.json'), 'utf8')) as { database_url: string };
  const client = new pg.Client({ connectionString: config.database_url });
  await client.connect();
  const [rename = '', remove = ''] = (blocks('sql')[0] ?? '').split('\n');

  const renamed = await client.query(rename);
  const deleted = await client.query(remove);

  assert.equal(renamed.rowCount, 1);
  assert.equal(deleted.rowCount, 1);
  await until(async () => (await client.query('SELECT FROM storage.versions')).rowCount === 0, {
    what: 'the bytes are purged',
  });
  await client.end();
});
