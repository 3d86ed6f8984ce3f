/** `<rowlock-gallery>` in Chromium over the real service: its states, what changes under it, one picture large, two users. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, startService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ConsoleInChromium, startConsole } from './console-in-chromium.ts';
import { openElements, place } from './elements-page.ts';

const skip = requires('chromium');
const json = { 'content-type': 'application/json' };
let site: ConsoleInChromium;
let photo: Buffer;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
  photo = await pictureOf('teal');
  const body = JSON.stringify({ name: 'album' });
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body });
  assert.equal(made.status, 201);
});
after(() => site?.stop());

function pictureOf(background: string): Promise<Buffer> {
  const drawing = `<svg width="900" height="600"><rect width="900" height="600" fill="${background}"/>
    <circle cx="600" cy="250" r="150" fill="gold"/></svg>`;
  return sharp(Buffer.from(drawing)).jpeg().toBuffer();
}

async function put(name: string, body: Buffer | string, type = 'image/jpeg'): Promise<void> {
  const init = { as: 'ann', method: 'POST', headers: { 'content-type': type }, body };
  const answer = await site.service.fetch(`/storage/v1/object/album/${name}`, init);
  assert.equal(answer.status, 201, name);
}

/** As much of an image element as is asked for here, where the types of browsers are not known. */
interface Picture {
  readonly naturalWidth: number;
  readonly naturalHeight: number;
}

/** A promise that somebody else resolves. */
function heldRoute(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** As much of a canvas, where the types of browsers are not known. */
interface Canvas {
  getContext(kind: '2d'): { getImageData(...area: number[]): { readonly data: Uint8ClampedArray } };
}

/** The colour of the upper left corner. */
function cornerColour(canvas: Canvas): number[] {
  return [...canvas.getContext('2d').getImageData(1, 1, 1, 1).data];
}

test('pictures that arrive, fail and go are shown so, without anybody asking again', { skip }, async () => {
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-gallery', { bucket: 'album', prefix: 'live/', label: 'Holiday' });
  const pictures = page.getByRole('list', { name: 'Holiday' });
  await page.getByText('No pictures yet').waitFor();

  await put('live/sea.jpg', photo);
  await put('live/broken.jpg', 'no picture');
  await put('live/words.txt', 'not shown', 'text/plain');
  await pictures.getByRole('img', { name: 'sea.jpg' }).waitFor();
  await pictures.getByText(/^No preview could be made: /).waitFor();
  const names = await pictures.getByRole('listitem').allInnerTexts();
  await site.service.fetch('/storage/v1/object/album/live/broken.jpg', { as: 'ann', method: 'DELETE' });
  await pictures.getByRole('listitem').filter({ hasText: 'broken.jpg' }).waitFor({ state: 'detached' });

  assert.deepEqual(
    names.map((lines) => lines.split('\n')[0]),
    ['broken.jpg', 'sea.jpg'],
  );
});

test('a picture is queued as a text, then a placeholder, then itself', { skip }, async (t) => {
  const idle = await startConsole({ workers: false });
  t.after(() => idle.stop());
  const { database, root } = idle.service;
  const body = JSON.stringify({ name: 'waiting' });
  await idle.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body });
  const sent = { as: 'ann', method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: photo };
  await idle.service.fetch('/storage/v1/object/waiting/sea.jpg', sent);
  const page = await openElements(idle, { as: 'ann' });
  const held = heldRoute();
  await page.route('**/render/**', async (route) => {
    await held.promise;
    await route.continue();
  });

  await place(page, 'rowlock-gallery', { bucket: 'waiting' });
  await page.getByText('Queued', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'sea.jpg, Queued' }).waitFor();
  const worker = await startService({ database, root });
  t.after(() => worker.stop());
  await page.locator('canvas').waitFor();
  const colour = await page.locator('canvas').evaluate(cornerColour);
  held.resolve();
  await page.getByRole('img', { name: 'sea.jpg' }).waitFor();

  assert.equal(await page.getByText('Queued').count(), 0);
  const [red = 255, green = 0, blue = 0] = colour;
  assert.ok(red < 90 && green > 60 && blue > 60, `its corner is ${colour.join(' ')}`);
});

test('a picture that is shown is not read again while others are made, and goes with its gallery', {
  skip,
}, async () => {
  await put('calm/sea.jpg', photo);
  const page = await openElements(site, { as: 'ann' });
  let [asked, read] = [0, 0];
  const picture = page.getByRole('img', { name: 'sea.jpg' });
  await page.evaluate(`(() => {
    window.held = new Set();
    const [make, free] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = (blob) => { const url = make(blob); held.add(url); return url; };
    URL.revokeObjectURL = (url) => { held.delete(url); free(url); };
    const ask = client.picture.bind(client);
    window.asked = 0;
    client.picture = async (...about) => {
      const found = await ask(...about);
      window.asked += found.variants.some(({ status }) => status === 'completed') ? 1 : 0;
      return window.asked > 3 ? found : { ...found, status: 'processing' };
    };
  })()`);
  page.on('request', (request) => {
    if (request.url().includes('/render/')) read += 1;
  });

  await place(page, 'rowlock-gallery', { bucket: 'album', prefix: 'calm/' });
  await picture.waitFor();
  await until(async () => {
    asked = await page.evaluate<number>('asked');
    return asked > 3;
  });
  const held = await page.evaluate<number>('held.size');
  await page.evaluate(`document.querySelector('rowlock-gallery').setAttribute('prefix', 'elsewhere/')`);
  const left = [await picture.count(), await page.evaluate<number>('held.size')];

  assert.deepEqual([read, held], [1, 1]);
  assert.deepEqual(left, [0, 0]);
});

test('one picture is shown large by keys, whole, and the original only when it is asked for', { skip }, async () => {
  await put('large/a.jpg', photo);
  await put('large/b.jpg', await pictureOf('purple'));
  const page = await openElements(site, { as: 'ann' });
  const originals: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/object/')) originals.push(request.url());
  });
  await place(page, 'rowlock-gallery', { bucket: 'album', prefix: 'large/' });
  await page.getByRole('img', { name: 'b.jpg' }).waitFor();
  await page.getByRole('img', { name: 'a.jpg' }).waitFor();
  const dialog = page.getByRole('dialog');

  await page.getByRole('button', { name: 'a.jpg' }).press('Enter');
  const large = dialog.getByRole('img', { name: 'a.jpg' });
  await large.waitFor();
  const shape = await large.evaluate((image: Picture) => image.naturalWidth / image.naturalHeight);
  await page.keyboard.press('ArrowRight');
  await dialog.getByRole('img', { name: 'b.jpg' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await dialog.getByText('2 of 2').waitFor();
  const read = originals.filter((url) => !url.includes('/object/list') && !url.includes('/object/info'));
  const opening = page.context().waitForEvent('page');
  await dialog.getByRole('button', { name: 'Open the original' }).click();
  const opened = (await opening).url();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const focused = await page.evaluate<string>(
    `document.querySelector('rowlock-gallery').shadowRoot.activeElement.getAttribute('aria-label')`,
  );

  assert.ok(Math.abs(shape - 1.5) < 0.02, `its shape is ${shape}`);
  assert.deepEqual(read, [], 'no original before somebody asks');
  assert.match(opened, /\/object\/sign\/album\/large\/b\.jpg/);
  assert.equal(focused, 'b.jpg');
});

test('another user sees nothing of it, and a bucket that is hidden says so', { skip }, async () => {
  await put('own/sea.jpg', photo);
  const page = await openElements(site, { as: 'bob' });

  await place(page, 'rowlock-gallery', { bucket: 'album', prefix: 'own/' });
  await page.getByText(/No pictures yet|does not exist, or you may not see it/).waitFor();

  assert.equal(await page.getByText('sea.jpg').count(), 0);
});
