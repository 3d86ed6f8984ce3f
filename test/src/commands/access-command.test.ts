/** `rowlock access explain`, as an operator calls it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { signToken, startService, type TestService } from '@rowlock/test-harness';

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));
const run = promisify(execFile);
let service: TestService;
let token: string;

before(async () => {
  service = await startService({ workers: false });
  token = await signToken({ role: 'service_role' });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'papers' });
  assert.ok((await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body })).ok);
  assert.ok((await service.fetch('/storage/v1/object/papers/a.txt', { as: 'ann', method: 'POST', body: 'a' })).ok);
});
after(() => service?.stop());

function explain(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const remote = ['--url', service.url, '--token', token];
  return run(process.execPath, [program, 'access', 'explain', ...args, ...remote]);
}

test('it says in lines what somebody may do, and what each policy says', async () => {
  const [owner, stranger] = await Promise.all([
    explain('papers/a.txt', '--sub', 'ann'),
    explain('papers/a.txt', '--sub', 'bob'),
  ]);

  assert.match(owner.stdout, /^\(it belongs to ann\)$/m);
  assert.match(owner.stdout, /^ {2}read +yes$/m);
  assert.match(owner.stdout, /^ {2}objects_read +SELECT on storage\.objects +using true$/m);
  assert.match(stranger.stdout, /^ {2}read +no +object_not_found$/m);
  assert.match(stranger.stdout, /^ {2}objects_read +SELECT on storage\.objects +using false$/m);
});

test('claims that are none, and an unknown bucket, are said as such', async () => {
  await assert.rejects(explain('papers/a.txt', '--claims', '[]'), /--claims is a JSON object/);
  await assert.rejects(explain('nothing/a.txt'), /Bucket not found/);
});
