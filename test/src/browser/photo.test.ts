/** A photo in the console, from the key to the link, as three people see it: its owner, a stranger, another user. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ConsoleInChromium, clipboardOf, fileField, keyOf, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;
let photo: Buffer;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  photo = await sharp({ create: { width: 900, height: 600, channels: 3, background: 'teal', noise } })
    .jpeg()
    .toBuffer();
});
after(() => site?.stop());

/** As much of an image element as is asked for here, where the types of browsers are not known. */
interface Picture {
  decode(): Promise<void>;
  readonly naturalWidth: number;
}

test('a key that was pasted stays in its tab, and one in an address signs nobody in', { skip }, async () => {
  const page = await site.newPage();
  const key = await keyOf('ann');

  await page.goto(`${site.url}#key=${key}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const address = page.url();
  await page.getByRole('textbox').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Buckets' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(site.url);

  assert.equal(address, site.url);
  assert.equal(await page.evaluate('localStorage.length'), 0);
  assert.deepEqual(await page.context().cookies(), []);
  await elsewhere.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('a key that is none, or that the service refuses, is said to be so', { skip }, async () => {
  const page = await site.newPage();
  await page.goto(site.url);
  const signIn = async (key: string): Promise<string> => {
    await page.getByLabel('Your key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const problem = page.getByRole('alert').filter({ hasText: /./ });
    await problem.waitFor();
    return problem.innerText();
  };

  const nonsense = await signIn('let me in');
  const forged = await signIn('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.AAAA');

  assert.match(nonsense, /not a key/);
  assert.match(forged, /does not accept this key/);
});

test('a photo is uploaded, pictured, downloaded, linked to, and seen by nobody else', { skip }, async () => {
  const page = await site.newPage();
  await page.goto(site.url);
  await page.getByLabel('Your key').fill(await keyOf('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();

  await page.getByRole('button', { name: 'New bucket' }).click();
  await page.getByLabel('Name').fill('holiday');
  await page.getByRole('button', { name: 'Create bucket' }).click();
  await page.getByRole('heading', { name: 'holiday' }).waitFor();
  await fileField(page).setInputFiles({ name: 'at the sea.jpg', mimeType: 'image/jpeg', buffer: photo });
  const thumbnail = page.getByRole('row').filter({ hasText: 'at the sea.jpg' }).getByRole('presentation');
  await thumbnail.waitFor();
  const width = await thumbnail.evaluate((image: Picture) => image.decode().then(() => image.naturalWidth));

  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download at the sea.jpg' }).click();
  const download = await downloading;
  await page.getByRole('button', { name: 'Copy a link to at the sea.jpg' }).click();
  await page.getByRole('status').filter({ hasText: 'Link copied.' }).waitFor();
  const link = await clipboardOf(page);
  const stranger = await site.newPage();
  const linked = await stranger.goto(link);
  const bob = await site.open('bob', '#/');
  await bob.getByRole('heading', { name: 'Buckets' }).waitFor();
  await bob.getByRole('listitem').first().waitFor();

  assert.equal(width, 150);
  assert.equal(download.suggestedFilename(), 'at the sea.jpg');
  assert.deepEqual(await readFile(await download.path()), photo);
  assert.equal(linked?.status(), 200);
  assert.deepEqual(await linked?.body(), photo);
  assert.equal(await bob.getByText('holiday').count(), 0);
  await bob.goto(`${site.url}#/holiday/`);
  await bob.getByRole('alert').filter({ hasText: 'This bucket does not exist, or you may not see it.' }).waitFor();
});
