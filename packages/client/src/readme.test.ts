import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { signToken, startService } from '@rowlock/test-harness';
import { createClient } from './client.ts';
import { isRowlockError } from './contract/errors.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code ?? '');

test('the first example of the README does what it says', async (t) => {
  const service = await startService({ workers: false });
  t.after(() => service.stop());
  const printed: unknown[][] = [];
  const accessToken = (): Promise<string> => signToken({ sub: 'ann', role: 'authenticated' });
  const code = (examples[0] ?? '').replace(/^import .*$/gm, '').replace('http://127.0.0.1:8080', service.url);
  const context = createContext({
    createClient,
    isRowlockError,
    session: { accessToken },
    fetch,
    console: { log: (...line: unknown[]) => printed.push(line) },
  });

  await runInContext(`(async () => {${code}})()`, context);

  assert.deepEqual(printed, [['beach/day 1.txt', { mood: 'good' }], ['sun']]);
});

/** What takes the client as an argument, so that whoever does not need it does not load it. */
const besideTheClient = ['uploadInParts', 'abortMultipart'];

test('the README names every method of the client, and no other', () => {
  const named = new Set(
    [...readme.matchAll(/^\| [a-z ]+ \| (.*) \|$/gm)].flatMap(([, cell]) =>
      [...(cell ?? '').matchAll(/`([a-zA-Z]+)(?:\([^`]*)?`/g)].map(([, name]) => name),
    ),
  );
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(createClient({ url: 'http://x' })));

  const all = [...methods, ...besideTheClient].filter((name) => name !== 'constructor');

  assert.deepEqual([...named].sort(), all.sort());
});
