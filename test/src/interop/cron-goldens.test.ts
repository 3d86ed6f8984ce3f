/** What is committed as the answers of robfig/cron is what it answers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requires } from '@rowlock/test-harness';

const source = fileURLToPath(new URL('../../../interop/cron', import.meta.url));

test('the goldens of schedules are what robfig/cron answers', { skip: requires('go') }, async () => {
  const env = { ...process.env, TZ: 'UTC' };

  const { stdout } = await promisify(execFile)('go', ['run', '.'], { cwd: source, env, maxBuffer: 2 ** 24 });

  const committed = JSON.parse(await readFile(`${source}/../goldens/cron.json`, 'utf8')) as { goldens: unknown };
  assert.deepEqual((JSON.parse(stdout) as { goldens: unknown }).goldens, committed.goldens);
});
