/** Finding one's way: folders and back, filters, long lists, and the ways by which files come in without a field. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
});
after(() => site?.stop());

async function makeBucket(bucket: string, names: readonly string[] = []): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: bucket });
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
  const statuses = await Promise.all(
    names.map(async (name) => {
      const path = `/storage/v1/object/${bucket}/${name.split('/').map(encodeURIComponent).join('/')}`;
      const put = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain' }, body: name };
      return (await site.service.fetch(path, put)).status;
    }),
  );
  assert.ok(statuses.every((status) => status === 201));
}

test('folders are entered and left by their names, whatever is in these', { skip }, async () => {
  await makeBucket('tree', ['50 % off/#1?/a.txt', '50 % off/b.txt']);
  const page = await site.open('ann', '#/tree/');

  await page.getByRole('link', { name: '50 % off' }).click();
  await page.getByRole('button', { name: 'b.txt', exact: true }).waitFor();
  await page.getByRole('link', { name: '#1?' }).click();
  await page.getByRole('button', { name: 'a.txt', exact: true }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: '#1?' }).waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'tree' }).click();
  await page.getByRole('heading', { name: 'tree' }).waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'a.txt', exact: true }).waitFor();

  assert.equal(await page.title(), '#1? · Rowlock');
});

test('a filter finds parts of names here and in all folders below, and the newest come first when asked', {
  skip,
}, async () => {
  const names = Array.from({ length: 120 }, (_, index) => `file ${String(index).padStart(3, '0')}.txt`);
  await makeBucket('long', [...names, 'deep/er/file 117 too.txt']);
  const page = await site.open('ann', '#/long/');
  const rows = page.locator('.files .row');

  await page.getByRole('button', { name: 'file 000.txt', exact: true }).waitFor();
  await page.getByLabel('Filter this folder').fill('FILE 117');
  await page.getByRole('button', { name: 'file 000.txt', exact: true }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'file 117.txt', exact: true }).waitFor();
  const here = await page.getByRole('grid').getAttribute('aria-rowcount');
  await page.getByLabel('Where to look').selectOption('All folders');
  await page.getByRole('button', { name: 'deep/er/file 117 too.txt', exact: true }).waitFor();
  const below = await page.getByRole('grid').getAttribute('aria-rowcount');
  await page.getByLabel('Filter this folder').fill('nothing like it');
  await page.getByText('No name here or below contains “nothing like it”.').waitFor();
  await page.getByLabel('Filter this folder').fill('');
  await site.service.database.query(
    "UPDATE storage.objects SET cache_control = 'no-store' WHERE bucket_id = 'long' AND name = 'file 050.txt'",
  );
  await page.getByLabel('Where to look').selectOption('This folder');
  await page.getByLabel('Order').selectOption('Newest first');
  await rows.nth(1).getByRole('button', { name: 'file 050.txt', exact: true }).waitFor();

  assert.deepEqual([here, below], ['1', '2']);
  assert.match((await rows.first().innerText()) ?? '', /^deep/, 'folders come first');
});

test('files are dropped on the page and pasted into it', { skip }, async () => {
  await makeBucket('inbox');
  const page = await site.open('ann', '#/inbox/letters/');
  await page.getByText('Nothing in this folder').waitFor();
  const transfer = (name: string): string => `(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['content'], ${JSON.stringify(name)}, { type: 'image/png' }));
    return transfer;
  })()`;

  await page.evaluate(`document.body.dispatchEvent(
    new DragEvent('dragover', { dataTransfer: ${transfer('dropped.png')}, bubbles: true, cancelable: true }))`);
  const isInvited = await page.getByText('Drop to upload').isVisible();
  await page.evaluate(`document.body.dispatchEvent(
    new DragEvent('drop', { dataTransfer: ${transfer('dropped.png')}, bubbles: true, cancelable: true }))`);
  await page.getByRole('button', { name: 'dropped.png', exact: true }).waitFor();
  await page.evaluate(`document.body.dispatchEvent(
    new ClipboardEvent('paste', { clipboardData: ${transfer('image.png')}, bubbles: true }))`);
  await page.getByRole('button', { name: /^pasted \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/ }).waitFor();

  const stored = await site.service.fetch('/storage/v1/object/inbox/letters/dropped.png', { as: 'ann' });
  assert.ok(isInvited);
  assert.equal(await stored.text(), 'content');
});

test('a key that expires ends the session with the reason', { skip }, async () => {
  const page = await site.open('ann');
  await page.evaluate(`sessionStorage.setItem('rowlock.key', sessionStorage.getItem('rowlock.key') + 'x')`);

  await page.reload();

  await page.getByText('The service does not accept this key. It may have expired.').waitFor();
  assert.equal(await page.evaluate(`sessionStorage.length`), 0);
});
