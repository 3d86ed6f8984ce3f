import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import { DescriptorRelief } from '../descriptor-relief.ts';
import { installErrors } from '../errors.ts';
import { consoleRoutes } from './console-routes.ts';

const map = '{ "imports": { "a": "./client/index.js" } }';
const page = `<!doctype html><script type="importmap">${map}</script><script type="module" src="dist/main.js"></script>`;
const store = 'https://bucket.store.example';
let folder: string;
let app: FastifyInstance;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rowlock-console-'));
  mkdirSync(join(folder, 'site/dist'), { recursive: true });
  writeFileSync(join(folder, 'secret.html'), 'beside the site');
  writeFileSync(join(folder, 'site/index.html'), page);
  writeFileSync(join(folder, 'site/dist/main.js'), 'export {};');
  writeFileSync(join(folder, 'site/dist/main.test.js'), 'export {};');
  writeFileSync(join(folder, 'site/dist/main.js.map'), '{}');
  app = fastify();
  installErrors(app, () => undefined, {
    relief: new DescriptorRelief({ closeClients: () => undefined, closeDatabase: () => undefined }),
  });
  await app.register(async (scope) => consoleRoutes(scope, join(folder, 'site'), [store, store]));
  await app.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** Sends a path as it is: `fetch` would resolve its dots. */
async function read(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage & { text: string }> {
  const { port } = app.server.address() as AddressInfo;
  const [answer] = (await once(get({ host: '127.0.0.1', port, path, headers }), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Object.assign(answer, { text: Buffer.concat(chunks).toString() });
}

test('the page comes with a policy that runs its own scripts and its import map, reaches the stores of parts, and nothing else', async () => {
  const answer = await read('/console/');

  const hash = createHash('sha256').update(map).digest('base64');
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.text, page);
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(
    answer.headers['content-security-policy'],
    `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self'; img-src 'self' blob:; media-src 'self'; ` +
      `connect-src 'self' ${store}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  assert.equal(answer.headers['cache-control'], 'no-cache');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
});

test('the site and the packages that it imports are served as what they are', async () => {
  const script = await read('/console/dist/main.js');
  const client = await read('/console/client/index.js');
  const elements = await read('/console/elements/index.js');
  const parts = await read('/console/elements/page/index.js');

  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(script.text, 'export {};');
  assert.equal(client.statusCode, 200);
  assert.match(client.text, /createClient/);
  assert.match(elements.text, /defineElements/);
  assert.match(parts.text, /visibleName/);
});

test('a file that is known is not sent again', async () => {
  const first = await read('/console/dist/main.js');
  const etag = first.headers.etag ?? '';

  const again = await read('/console/dist/main.js', { 'if-none-match': `"other", W/${etag}` });
  const other = await read('/console/dist/main.js', { 'if-none-match': '"other"' });

  assert.deepEqual([again.statusCode, again.text, again.headers.etag], [304, '', etag]);
  assert.equal(other.statusCode, 200);
});

test('the address without its slash leads to the page, below any path that a proxy adds', async () => {
  const answer = await read('/console');

  assert.equal(answer.statusCode, 308);
  assert.equal(answer.headers.location, 'console/');
});

for (const path of [
  '/console/../secret.html',
  '/console/%2e%2e/secret.html',
  '/console/..%2fsecret.html',
  '/console/dist/..%2f..%2fsecret.html',
  '/console/..%5csecret.html',
  '/console/%00',
  '/console/client/../../secret.html',
  '/console/dist/main.js.map',
  '/console/dist/main.test.js',
  '/console/dist',
  '/console/__proto__',
]) {
  test(`nothing is at ${path}`, async () => {
    const answer = await read(path);

    assert.equal(answer.statusCode, 404);
    assert.ok(!answer.text.includes('beside the site'));
  });
}
