/**
 * Large files in `<rowlock-upload>`: a service that is killed in the middle, a page that is reloaded. What arrives is the
 * file, byte for byte, and what had arrived is not sent again. As a campaign the file has as many megabytes as rounds.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { requires, temporaryFolder, until } from '@rowlock/test-harness';
import { type ChildService, childService } from '../faults/child-service.ts';
import { type ConsoleInChromium, fileField, type Page, startConsole } from './console-in-chromium.ts';
import { openElements, place } from './elements-page.ts';

const skip = requires('chromium');
/** Files above 32 MiB go in parts. */
const megabytes = Number(process.env['ROWLOCK_ROUNDS'] ?? 40);
const bytesPerSecond = 12_000_000;

let site: ConsoleInChromium;
let service: ChildService;
let file: { readonly path: string; readonly sha256: string };

before(async () => {
  if (skip !== false) return;
  [site, service] = await Promise.all([startConsole(), childService()]);
  await service.start();
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'large' });
  const made = await service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
  file = await largeFile();
});
after(async () => {
  await site?.stop();
  await service?.kill();
});

/** No two megabytes of it are the same, so that one in another's place is seen. */
async function largeFile(): Promise<typeof file> {
  const path = join(temporaryFolder(), 'large.bin');
  const out = createWriteStream(path);
  const hash = createHash('sha256');
  const block = randomBytes(1_000_000);
  for (let number = 0; number < megabytes; number += 1) {
    const piece = Buffer.from(block);
    piece.writeUInt32BE(number);
    hash.update(piece);
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return { path, sha256: hash.digest('hex') };
}

async function openUpload(prefix: string, page?: Page): Promise<Page> {
  const opened = await openElements(site, { as: 'ann', origin: service.url, ...(page === undefined ? {} : { page }) });
  await place(opened, 'rowlock-upload', { bucket: 'large', prefix });
  await opened.getByText('Takes files of any type').waitFor();
  return opened;
}

async function slowDown(page: Page): Promise<void> {
  const network = await page.context().newCDPSession(page);
  const speed = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
  await network.send('Network.emulateNetworkConditions', speed);
}

/** Waits until about so much of the file has left. */
async function passes(page: Page, share: number): Promise<void> {
  const line = `document.querySelector('rowlock-upload').shadowRoot.querySelector('.upload progress')`;
  await until(async () => (await page.evaluate<number>(`(${line}?.value ?? 0) / (${line}?.max ?? 1)`)) > share, {
    timeoutMs: 60_000,
  });
}

async function sha256Of(name: string): Promise<string> {
  const answer = await service.fetch(`/storage/v1/object/large/${name}`, { as: 'ann' });
  const hash = createHash('sha256');
  for await (const chunk of answer.body ?? []) hash.update(chunk);
  return hash.digest('hex');
}

test('a service that is killed in the middle of a large file gets the rest when it is back', { skip }, async () => {
  const page = await openUpload('killed/');
  await slowDown(page);

  await fileField(page).setInputFiles(file.path);
  await passes(page, 0.4);
  await service.kill();
  await page.getByText('The connection was lost, trying again …').waitFor();
  await service.start();
  await page.getByText(/^Uploaded, /).waitFor({ timeout: 60_000 + megabytes * 400 });

  assert.equal(await sha256Of('killed/large.bin'), file.sha256);
});

test('a page that is reloaded goes on where it was when the same file is chosen again', { skip }, async () => {
  const page = await openUpload('reloaded/');
  await slowDown(page);
  let sentAgain = 0;

  await fileField(page).setInputFiles(file.path);
  await passes(page, 0.6);
  await page.reload();
  await openUpload('reloaded/', page);
  page.on('request', (request) => {
    if (request.method() === 'PUT') sentAgain += 1;
  });
  await fileField(page).setInputFiles(file.path);
  await page.getByText(/ · resumed at \d/).waitFor();
  await page.getByText(/^Uploaded, .* of it before$/).waitFor({ timeout: 60_000 + megabytes * 400 });

  const parts = await page.evaluate<number>('localStorage.length');
  assert.equal(await sha256Of('reloaded/large.bin'), file.sha256);
  assert.ok(sentAgain > 0 && sentAgain * 5 * 2 ** 20 < megabytes * 1_000_000, `${sentAgain} parts were sent again`);
  assert.equal(parts, 0, 'what was begun is forgotten when it is there');
});
