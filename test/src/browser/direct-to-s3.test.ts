/**
 * A page on an origin of its own uploads straight to a real S3 store and reads it back, in a real browser, under the CORS
 * rule that `rowlock s3 apply-cors` writes. Nothing of ours is in between.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { applyCors, type Backend, openBackend, type S3BackendConfig } from '@rowlock/server';
import { cephStore, requires, toolPath } from '@rowlock/test-harness';
import { type Browser, chromium } from 'playwright-core';

const skip = requires('chromium') || requires('ceph');
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

let listed: Server;
let unlisted: Server;
let browser: Browser;
let config: S3BackendConfig;
let backend: Backend;

before(async () => {
  if (skip !== false) return;
  [listed, unlisted] = await Promise.all([serveBlankPages(), serveBlankPages()]);
  const { endpoint, region, credentials, newBucket } = await cephStore();
  config = { endpoint, region, credentials, bucket: await newBucket(), flavour: 'ceph' };
  backend = await openBackend({ kind: 's3', ...config });
  browser = await chromium.launch({ executablePath: toolPath('chromium'), args: flags });
});
after(async () => {
  await browser?.close();
  await backend?.close();
  for (const server of [listed, unlisted]) server?.close();
});

async function serveBlankPages(): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>application</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly text: string;
}

/** Fetches from a page of the server's origin; the text of the browser's error where it refuses. */
async function fetchFrom(server: Server, url: string, init: object = {}): Promise<Answer | string> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(originOf(server));
  const answer = await page.evaluate<Answer | string>(`
    fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(
      async (answer) => ({ status: answer.status, etag: answer.headers.get('etag'), text: await answer.text() }),
      (error) => String(error),
    )`);
  await context.close();
  return answer;
}

const put = { method: 'PUT', headers: { 'content-type': 'text/plain', 'x-amz-acl': 'public-read' }, body: 'hello' };
const putUrl = async (name: string): Promise<string> =>
  await backend.presignPut(`issues/1/${name}/original.txt`, {
    expirySeconds: 60,
    contentType: 'text/plain',
    acl: 'public-read',
  });

test('before the rule is there, the browser sends nothing', { skip }, async () => {
  const refused = await fetchFrom(listed, await putUrl('early'), put);

  assert.match(String(refused), /Failed to fetch/);
  assert.equal(await backend.head('issues/1/early/original.txt'), undefined);
});

test('a page of a listed origin uploads, sees the ETag, and reads what it sent', { skip }, async () => {
  await applyCors(config, [originOf(listed)]);

  const stored = await fetchFrom(listed, await putUrl('one'), put);
  const read = await fetchFrom(listed, await backend.presignGet('issues/1/one/original.txt', { expirySeconds: 60 }));

  assert.ok(typeof stored === 'object' && typeof read === 'object', `${String(stored)} ${String(read)}`);
  assert.equal(stored.status, 200);
  assert.match(stored.etag ?? '', /^"[0-9a-f]{32}"$/);
  assert.deepEqual([read.status, read.text], [200, 'hello']);
});

test('a page of another origin uploads nothing', { skip }, async () => {
  const refused = await fetchFrom(unlisted, await putUrl('two'), put);

  assert.match(String(refused), /Failed to fetch/);
  assert.equal(await backend.head('issues/1/two/original.txt'), undefined);
});
