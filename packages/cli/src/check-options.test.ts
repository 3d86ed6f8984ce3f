import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { CheckedFile } from '@rowlock/server';
import { temporaryFolder } from '@rowlock/test-harness';
import { checkersOf, ownKinds } from './check-options.ts';
import { Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

const page = new URL('../../../docs/how-to/check-uploads.md', import.meta.url);

function moduleOf(text: string): Settings {
  const file = join(temporaryFolder(), 'handlers.mjs');
  writeFileSync(file, text);
  return new Settings({ handlers: file }, {});
}

test('a scanner is a path or a host and a port, and a classifier a URL: anything else is refused', () => {
  const { scanner, classifier } = checkersOf(
    new Settings(
      {},
      { CLAMD: 'scanner:3310', CLAMD_BYTES_MAX: '7', CLASSIFY_URL: 'https://c.test/', CLASSIFY_SECRET: 's' },
    ),
  );

  assert.deepEqual(scanner, { address: { host: 'scanner', port: 3310 }, bytesMax: 7, timeoutMs: 120_000 });
  assert.deepEqual(classifier, { url: 'https://c.test/', sends: 'url', secret: 's' });
  assert.deepEqual(checkersOf(new Settings({}, {})), { scanner: undefined, classifier: undefined });
  for (const env of [
    { CLAMD: 'http://scanner' },
    { CLASSIFY_URL: 'ftp://c.test' },
    { CLASSIFY_URL: 'http://u:p@c.test' },
    { CLASSIFY_URL: 'http://c.test', CLASSIFY_SENDS: 'both' },
  ]) {
    assert.throws(() => checkersOf(new Settings({}, env)), UsageError, JSON.stringify(env));
  }
});

test('the handlers of the how-to are loaded, and do what it says', async () => {
  const [, code = ''] = /```js\n(.+?)```/s.exec(readFileSync(page, 'utf8')) ?? [];
  const file = { name: 'a.txt', open: async () => Readable.from([Buffer.from('one\ntwo\n'), Buffer.from('three')]) };

  const [kind] = await ownKinds(moduleOf(code));

  const { signal } = new AbortController();
  const job = { args: {}, attempt: 1, max_attempts: 25, signal, file: file as unknown as CheckedFile };
  assert.equal(kind?.kind, 'line_count');
  assert.deepEqual(await kind.perform(job), { detail: { lines: 2, name: 'a.txt' } });
});

test('a module may export one kind as its default; one that exports none, or is not there, is refused', async () => {
  const one = await ownKinds(moduleOf("export default { kind: 'a_b', perform() {} };"));

  assert.deepEqual([one.map(({ kind }) => kind), await ownKinds(new Settings({}, {}))], [['a_b'], []]);
  for (const text of ['export const other = 1;', 'export const kinds = [];', 'export const kinds = [1];']) {
    await assert.rejects(ownKinds(moduleOf(text)), UsageError, text);
  }
  await assert.rejects(ownKinds(new Settings({ handlers: '/nowhere/handlers.mjs' }, {})), /not there/);
  for (const text of ['export const kinds = [', "throw new Error('no key')", "import './missing.mjs';"]) {
    await assert.rejects(ownKinds(moduleOf(text)), UsageError, text);
  }
});
