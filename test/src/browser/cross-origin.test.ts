/**
 * An application's page on another origin, in a real browser: uploads by presigned PUT and with a token, reads by a
 * signed URL, where its origin is listed; refused by the browser where it is not. And the gateway: pictures without either.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ConsoleInChromium, keyOf, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const json = { 'content-type': 'application/json' };

let listed: Server;
let unlisted: Server;
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  [listed, unlisted] = await Promise.all([serveBlankPages(), serveBlankPages()]);
  const gateway = { port: 0, origins: [atLocalhost(originOf(listed))] };
  site = await startConsole({ config: { cors_origins: [originOf(listed)], gateway } });
  const body = JSON.stringify({ name: 'box' });
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body });
  assert.equal(made.status, 201);
});
after(async () => {
  await site?.stop();
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

/** Browsers know no sites of addresses where a resource says that it is for its own site. */
function atLocalhost(url: string): string {
  return url.replace('127.0.0.1', 'localhost');
}

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly text: string;
}

/** Fetches from a page of the server's origin; the text of the browser's error where it refuses. */
async function fetchFrom(server: Server, url: string, init: object = {}): Promise<Answer | string> {
  const page: Page = await site.newPage();
  await page.goto(originOf(server));
  const answer = await page.evaluate<Answer | string>(`
    fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then(
      async (answer) => ({ status: answer.status, etag: answer.headers.get('etag'), text: await answer.text() }),
      (error) => String(error),
    )`);
  await page.context().close();
  return answer;
}

async function presignedPut(): Promise<string> {
  const ask = {
    p_entity_type: 'issue',
    p_entity_id: '1',
    p_file_name: 'note.txt',
    p_file_type: 'text/plain',
  };
  const body = JSON.stringify(ask);
  const path = '/rpc/request_upload_url';
  const asked = await site.service.fetch(path, { as: 'ann', method: 'POST', headers: json, body });
  const id = (await asked.json()) as string;
  return until(
    async () => {
      const polled = await site.service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as: 'ann' });
      const rows = (await polled.json()) as { readonly url: string | null }[];
      return rows[0]?.url;
    },
    { what: 'the upload URL is signed' },
  );
}

test('a listed origin puts bytes by a presigned URL and can read the ETag', { skip }, async () => {
  const put = { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'hello' };

  const answer = await fetchFrom(listed, await presignedPut(), put);

  assert.ok(typeof answer === 'object', String(answer));
  assert.equal(answer.status, 200);
  assert.match(answer.etag ?? '', /^".+"$/);
});

test('an origin that is not listed puts nothing: the browser asks first, and is refused', { skip }, async () => {
  const url = await presignedPut();
  const put = { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: 'hello' };

  const refused = await fetchFrom(unlisted, url, put);
  const afterwards = await fetchFrom(listed, url, put);

  assert.match(String(refused), /Failed to fetch/);
  assert.ok(typeof afterwards === 'object' && afterwards.status === 200, 'the URL was not used up');
});

test('a preflight with a token and our headers passes for a listed origin only', { skip }, async () => {
  const upload = async (name: string) => ({
    url: `${site.service.url}/storage/v1/object/box/${name}`,
    init: {
      method: 'POST',
      headers: { authorization: `Bearer ${await keyOf('ann')}`, 'x-upsert': 'true', 'content-type': 'text/plain' },
      body: 'from elsewhere',
    },
  });
  const [good, bad] = [await upload('good.txt'), await upload('bad.txt')];

  const stored = await fetchFrom(listed, good.url, good.init);
  const refused = await fetchFrom(unlisted, bad.url, bad.init);

  assert.ok(typeof stored === 'object', String(stored));
  assert.equal(stored.status, 201);
  assert.match(stored.etag ?? '', /^".+"$/);
  assert.match(String(refused), /Failed to fetch/);
  assert.equal((await site.service.fetch('/storage/v1/object/box/bad.txt', { as: 'ann' })).status, 404);
});

test('a signed URL is read by a script of a listed origin and of no other', { skip }, async () => {
  const put = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'for you' };
  assert.equal((await site.service.fetch('/storage/v1/object/box/read.txt', put)).status, 201);
  const asked = { as: 'ann', method: 'POST', headers: json, body: '{"expiresIn": 60}' };
  const signed = await site.service.fetch('/storage/v1/object/sign/box/read.txt', asked);
  const { url } = (await signed.json()) as { readonly url: string };

  const read = await fetchFrom(listed, url);
  const refused = await fetchFrom(unlisted, url);

  assert.ok(typeof read === 'object', String(read));
  assert.deepEqual([read.status, read.text], [200, 'for you']);
  assert.match(String(refused), /Failed to fetch/);
});

/** A page of an application whose pictures are private: what it calls, and whether a picture is shown. */
async function openApplication(server: Server): Promise<{
  session(method: 'POST' | 'DELETE', as?: string): Promise<number | string>;
  picture(path: string): Promise<number | string>;
  readonly page: Page;
}> {
  const page = await site.newPage();
  await page.goto(atLocalhost(originOf(server)));
  const gatewayUrl = atLocalhost(site.service.gatewayUrl ?? '');
  return {
    page,
    async session(method, as) {
      const headers = as === undefined ? {} : { authorization: `Bearer ${await keyOf(as)}` };
      const init = JSON.stringify({ method, headers, credentials: 'include' });
      return page.evaluate(`fetch('${gatewayUrl}/session', ${init}).then((answer) => answer.status, String)`);
    },
    picture: (path) =>
      page.evaluate(`new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve(image.naturalWidth);
        image.onerror = () => resolve('broken');
        image.src = '${gatewayUrl}${path}';
      })`),
  };
}

test('a private picture is shown to who signed in at the gateway, to nobody else, and not after that', {
  skip,
}, async () => {
  const body = new Blob([
    await sharp({ create: { width: 7, height: 5, channels: 3, background: 'teal' } })
      .png()
      .toBuffer(),
  ]);
  const headers = { 'content-type': 'image/png' };
  const put = { as: 'ann', method: 'POST', headers, body };
  assert.equal((await site.service.fetch('/storage/v1/object/box/picture.png', put)).status, 201);
  const [ann, bob, elsewhere] = await Promise.all([listed, listed, unlisted].map((server) => openApplication(server)));
  assert.ok(ann && bob && elsewhere);

  const before = await ann.picture('/box/picture.png');
  const begun = [
    await ann.session('POST', 'ann'),
    await bob.session('POST', 'bob'),
    await elsewhere.session('POST', 'ann'),
  ];
  const shown = await ann.picture('/box/picture.png?a');
  const others = [await bob.picture('/box/picture.png'), await elsewhere.picture('/box/picture.png')];
  const cookie = await ann.page.evaluate<string>('document.cookie');
  const ended = await ann.session('DELETE');
  const after = await ann.picture('/box/picture.png?b');

  assert.equal(before, 'broken');
  assert.deepEqual(begun.slice(0, 2), [201, 201]);
  assert.match(String(begun[2]), /Failed to fetch/, 'a page of another origin begins nothing');
  assert.equal(shown, 7);
  assert.deepEqual(others, ['broken', 'broken']);
  assert.equal(cookie, '', 'no script reads the cookie');
  assert.deepEqual([ended, after], [204, 'broken']);
  await Promise.all([ann, bob, elsewhere].map(({ page }) => page.context().close()));
});
