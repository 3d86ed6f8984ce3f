/** Uploads that do not go well: what a bucket refuses, what a person stops, what a network loses. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, startFaultProxy } from '@rowlock/test-harness';
import { type ConsoleInChromium, fileField, keyOf, signIn, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ config: { cors_origins: ['*'] } });
});
after(() => site?.stop());

test('what cannot be uploaded says why, and harms nothing else in the line', { skip }, async () => {
  const page = await site.open('ann');
  await page.getByRole('button', { name: 'New bucket' }).click();
  await page.getByLabel('Name').fill('small-pictures');
  await page.getByText('Limits').click();
  await page.getByLabel('Largest file').fill('1 MB');
  await page.getByLabel('Types that it takes').fill('image/*');
  await page.getByRole('button', { name: 'Create bucket' }).click();
  await page.getByText('Takes image/*, of up to 1 MB each.').waitFor();
  const picture = Buffer.from('taken by its name');
  const tray = page.getByRole('region', { name: 'Uploads' });

  await fileField(page).setInputFiles([
    { name: 'large.png', mimeType: 'image/png', buffer: Buffer.alloc(1_000_001) },
    { name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('words') },
    { name: 'right.jpg', mimeType: 'image/jpeg', buffer: picture },
  ]);
  await page.getByRole('button', { name: 'Download right.jpg' }).waitFor();
  const reasons = await tray.getByRole('listitem').allInnerTexts();
  await fileField(page).setInputFiles({ name: 'right.jpg', mimeType: 'image/jpeg', buffer: picture });
  await tray.getByRole('listitem').getByText('A file with this name is here already.').waitFor();
  await tray.getByRole('button', { name: 'Replace right.jpg' }).click();
  await tray.getByText('One file uploaded').waitFor();

  assert.match(reasons.join('\n'), /large\.png\s+It has 1 MB; this bucket takes up to 1 MB\./);
  assert.match(reasons.join('\n'), /words\.txt\s+It is text\/plain; this bucket takes image\/\*\./);
  assert.equal(await page.locator('.files .row').count(), 1);
});

test('an upload is cancelled, and one that lost its connection goes on by itself', { skip }, async (t) => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'slow' });
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
  const proxy = await startFaultProxy({ url: site.service.url });
  t.after(() => proxy.close());
  const page = await site.newPage();
  await signIn(page, `http://127.0.0.1:${proxy.port}/console/`, await keyOf('ann'));
  await page.getByRole('link', { name: 'slow' }).click();
  await page.getByText('No files yet').waitFor();
  const network = await page.context().newCDPSession(page);
  const speed = { offline: false, latency: 0, downloadThroughput: -1 };
  await network.send('Network.emulateNetworkConditions', { ...speed, uploadThroughput: 100_000 });
  const file = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.alloc(2_000_000, name) });
  const tray = page.getByRole('region', { name: 'Uploads' });

  await fileField(page).setInputFiles([file('stopped.txt'), file('lost.txt')]);
  await tray.getByRole('progressbar', { name: 'lost.txt' }).waitFor();
  await tray.getByRole('button', { name: 'Cancel stopped.txt' }).click();
  await tray.getByText('Cancelled').waitFor();
  await proxy.cut();
  await tray.getByText('The connection was lost, trying again').waitFor();
  await network.send('Network.emulateNetworkConditions', { ...speed, uploadThroughput: -1 });
  await proxy.restore();
  await page.getByRole('button', { name: 'Download lost.txt' }).waitFor();

  const stopped = await site.service.fetch('/storage/v1/object/slow/stopped.txt', { as: 'ann' });
  const lost = await site.service.fetch('/storage/v1/object/slow/lost.txt', { as: 'ann' });
  assert.equal(stopped.status, 404);
  assert.equal((await lost.arrayBuffer()).byteLength, 2_000_000);
});

test('the policy of the page names the store to which parts of large files go', { skip }, async () => {
  const page = await fetch(site.url);

  const { endpoint } = site.service.config.backend;
  assert.ok(page.headers.get('content-security-policy')?.includes(`connect-src 'self' ${endpoint};`));
});

test('parts of a large file go straight to a store under another name than the console', { skip }, async () => {
  const headers = { 'content-type': 'application/json' };
  await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body: '{"name":"by-parts"}' });
  const page = await site.newPage();
  const puts: string[] = [];
  page.on('response', (answer) => {
    if (answer.request().method() === 'PUT') puts.push(`${answer.status()} ${new URL(answer.url()).origin}`);
  });
  await signIn(page, site.url.replace('127.0.0.1', 'localhost'), await keyOf('ann'));
  await page.getByRole('link', { name: 'by-parts' }).click();
  await page.getByText('No files yet').waitFor();

  const buffer = Buffer.alloc(40_000_000, 7);
  await fileField(page).setInputFiles([{ name: 'large.bin', mimeType: 'application/octet-stream', buffer }]);
  await page.getByRole('button', { name: 'large.bin', exact: true }).waitFor();

  assert.ok(puts.length > 1);
  assert.deepEqual([...new Set(puts)], [`200 ${new URL(site.service.config.backend.endpoint).origin}`]);
});
