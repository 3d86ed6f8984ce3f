/** ZIP downloads as an attack: names that climb when they are unpacked, and rights that end while one is sent. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';
import { requires, temporaryFolder } from '@rowlock/test-harness';
import { unzipped } from '../service/unzipped.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

const run = promisify(execFile);
let service: Attacked;
const climbing = [
  'a\\..\\..\\up',
  '.. /up',
  '... /up',
  'C:\\up',
  '\\\\host\\up',
  '~/x',
  '-rf',
  'NUL',
  'x:stream',
  'a|b',
];

before(async () => {
  service = await attacked();
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia'), ('large', 'olivia')",
  );
  for (const name of climbing) {
    const put = await service.service.fetch(`/storage/v1/object/box/in/${encodeURIComponent(name)}`, {
      as: 'olivia',
      method: 'POST',
      body: name,
    });
    assert.equal(put.status, 201, name);
  }
  await service.remember();
});
afterEach(() => service.assertUnharmed());
after(() => service.stop());

test('16 names in a ZIP climb nowhere, drive letters and backslashes among them', async () => {
  const answer = await service.service.fetch('/storage/v1/object/zip/box/in', { as: 'olivia' });
  const files = await unzipped(Buffer.from(await answer.arrayBuffer()));

  assert.deepEqual([...files.values()].map(String).sort(), [...climbing].sort());
  for (const name of files.keys()) {
    assert.doesNotMatch(name, /\\|:|^\/|(^|\/)\.{0,2}[. ]*(\/|$)|(^|\/)nul$/i, name);
  }
});

test('16 a program that unpacks a ZIP writes only below its folder', { skip: requires('unzip') }, async () => {
  const folder = temporaryFolder();
  await mkdir(join(folder, 'deep', 'here'), { recursive: true });
  const answer = await service.service.fetch('/storage/v1/object/zip/box', { as: 'olivia' });
  await writeFile(join(folder, 'all.zip'), Buffer.from(await answer.arrayBuffer()));

  await run('unzip', ['-q', join(folder, 'all.zip'), '-d', join(folder, 'deep', 'here')]);

  assert.deepEqual((await readdir(folder)).sort(), ['all.zip', 'deep']);
  assert.deepEqual(await readdir(join(folder, 'deep')), ['here']);
  assert.equal((await readdir(join(folder, 'deep', 'here', 'in'), { recursive: true })).length, climbing.length + 3);
});

test('16 a folder that is no name, and a ZIP of nothing, are refused', async () => {
  for (const folder of ['..%2f..', 'a%2f%2fb', 'a%00']) {
    await assertRefused(await service.send('GET', `/storage/v1/object/zip/box/${folder}`, undefined, 'olivia'), 400);
  }
  for (const as of ['olivia', 'mallory']) {
    await assertRefused(await service.send('GET', '/storage/v1/object/zip/box/none', undefined, as), 404);
  }
  await assertRefused(
    await service.send('POST', '/storage/v1/object/zip/box/in', {}, 'olivia'),
    [400, 404, 405, 409, 415],
  );
});

test('122 who loses the right while a ZIP is sent gets no more than was being sent', async () => {
  const body = Buffer.alloc(200_000, 'x');
  await service.service.fetch('/storage/v1/object/large/n', { as: 'olivia', method: 'POST', body });
  await service.database.query(`INSERT INTO storage.objects (bucket_id, name, version_id)
    SELECT bucket_id, name || n, version_id FROM storage.objects, generate_series(1, 349) AS n WHERE bucket_id = 'large'`);
  const count = 350;
  await service.database.query("UPDATE storage.buckets SET policy = 'authenticated' WHERE id = 'large'");
  const answer = await service.service.fetch('/storage/v1/object/zip/large', { as: 'mallory' });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const chunks = [(await reader.read()).value ?? new Uint8Array()];

  await service.database.query("UPDATE storage.buckets SET policy = 'private' WHERE id = 'large'");
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) chunks.push(chunk.value);
  const files = await unzipped(Buffer.concat(chunks));

  assert.ok(files.size > 0 && files.size < count, `${files.size} of ${count} were sent`);
  assert.equal(files.size % 100, 0, 'rights are asked for every hundred');
  await service.database.query("DELETE FROM storage.objects WHERE bucket_id = 'large'");
  await service.remember();
});
