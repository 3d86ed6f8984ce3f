import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '@rowlock/test-harness';
import { faultyDecoder } from './faulty-decoder.ts';

const run = promisify(execFile);
const compiled = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** A worker that decodes a file for ever and tells the process that does. */
const worker = (module: URL | undefined): string => `
  import { Readable } from 'node:stream';
  import { DecoderPool } from ${compiled('./decoder-pool.js')};
  import { variantPresets } from ${compiled('../presets.js')};
  import { drawn, noise, scene } from ${compiled('../sample-images.js')};
  const module = ${JSON.stringify(module?.href)};
  const pool = new DecoderPool({ size: 1, ...(module && { module: new URL(module) }) });
  const small = await drawn(scene(30, 20)).jpeg().toBuffer();
  const large = await noise(4000, 3000).jpeg({ progressive: true }).toBuffer();
  const file = (bytes) => ({ size: bytes.length, bytes, stream: Readable.from([]) });
  if (!module) await pool.render(file(small), variantPresets);
  const rendering = pool.render(file(large), variantPresets);
  const timer = setInterval(() => {
    if (pool.pids.length > 0) process.stdout.write(pool.pids[0] + '\\n'), clearInterval(timer);
  }, 5);
  await rendering;`;

/** Waits with its event loop alive, and says where it is by an empty file beside the module. */
const waiting = `
  setInterval(() => {}, 1000);
  require('node:fs').writeFileSync(require('node:url').fileURLToPath(new URL('./at-work', import.meta.url)), '');
  await new Promise(() => {});`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const [what, point, script] of [
  ['decodes', undefined, ''],
  ['waits', 'decoder.before_decode', waiting],
] as const) {
  test(`46 a decoder that ${what} is gone when its parent was killed`, async (t) => {
    const module = point === undefined ? undefined : faultyDecoder(t, point, script);
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', worker(module)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    if (module !== undefined) await until(() => existsSync(new URL('./at-work', module)), { what: 'it waits' });
    assert.ok(isAlive(pid));

    parent.kill('SIGKILL');

    await until(() => !isAlive(pid), { what: 'the decoder is gone' });
  });
}

test('the process of the service never loads what decodes', async () => {
  const script = `
    await Promise.all([import(${compiled('../../index.js')}), import(${compiled('../../http/app.js')})]);
    process.stdout.write(JSON.stringify(process.report.getReport().sharedObjects));`;

  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { maxBuffer: 2 ** 24 });
  const loaded = JSON.parse(stdout) as string[];

  assert.ok(loaded.length > 0);
  assert.deepEqual(
    loaded.filter((name) => /vips|sharp/.test(name)),
    [],
  );
});
