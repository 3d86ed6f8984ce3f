/**
 * The Angular example from its packages to its pixels: installed, built, served, and driven in a real Chromium over a real
 * service. What the database holds at the end is asked of the database.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, signToken, until } from '@rowlock/test-harness';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { type AngularApplication, runInExample, startAngularApplication } from './angular-application.ts';

const skip = requires('angular') || requires('chromium');
const place = { latitude: 51.508, longitude: 7 };
const placeText = 'Location automatically detected: 51.50800, 7.00000';

let application: AngularApplication;

before(async () => {
  if (skip !== false) return;
  application = await startAngularApplication();
});
after(() => application?.stop());

interface ChosenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const jpeg = (name: string, buffer: Buffer): ChosenFile => ({ name, mimeType: 'image/jpeg', buffer });

/** A photograph that says where it was taken. Its noise makes it as large as one of a camera. */
async function photoWithPlace(name: string, width = 640): Promise<ChosenFile> {
  const exif = {
    IFD0: { Make: 'Acme', Model: 'Acme One' },
    IFD3: {
      GPSLatitudeRef: 'N',
      GPSLatitude: '51/1 30/1 2880/100',
      GPSLongitudeRef: 'E',
      GPSLongitude: '7/1 0/1 0/1',
    },
  };
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const image = sharp({ create: { width, height: Math.round(width * 0.75), channels: 3, background: 'teal', noise } });
  return jpeg(name, await image.jpeg({ quality: 90 }).withExif(exif).toBuffer());
}

/** Makes a report as a person does it, and answers its id. */
async function report(page: Page, title: string): Promise<string> {
  await page.getByLabel('What and where').fill(title);
  await page.getByRole('button', { name: 'Report', exact: true }).click();
  await page.getByRole('heading', { name: title }).waitFor();
  return new URL(page.url()).pathname.split('/').at(-1) ?? '';
}

const consent = (page: Page): Promise<void> => page.getByLabel('Allow location detection from photos').check();
const choose = (page: Page, ...files: readonly ChosenFile[]): Promise<void> =>
  page.locator('#photos').setInputFiles([...files]);
const tile = (page: Page, name: string) => page.getByRole('button', { name: `Open ${name}` });
const thumbnailOf = (page: Page, name: string) => tile(page, name).locator('img.thumbnail.shown');

async function storedPlace(
  id: string,
): Promise<{ readonly latitude: number | null; readonly longitude: number | null }> {
  const [row] = await application.service.database.query<typeof place>(
    'SELECT latitude, longitude FROM public.pothole WHERE id = $1',
    [id],
  );
  assert.ok(row);
  return { ...row };
}

interface Line {
  /** The connections that are open break, and no other can be made. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** Makes the network slow for what a page sends, so that its progress is seen. */
async function slowUploads(page: Page, bytesPerSecond: number): Promise<Line> {
  const session = await page.context().newCDPSession(page);
  const be = async (offline: boolean): Promise<void> => {
    const rates = { latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
    await session.send('Network.emulateNetworkConditions', { offline, ...rates });
  };
  await be(false);
  return { cut: () => be(true), mend: () => be(false) };
}

/** Notes each text that an element of the page ever shows, also those that are gone at once. */
async function noteTexts(page: Page, selector: string): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(`(() => {
    globalThis.seen = [];
    const note = () => {
      for (const each of document.querySelectorAll(${JSON.stringify(selector)})) {
        const text = each.tagName === 'PROGRESS' ? 'progress ' + each.value : each.textContent.trim();
        if (!globalThis.seen.includes(text)) globalThis.seen.push(text);
      }
    };
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  })()`);
  return () => page.evaluate<readonly string[]>('globalThis.seen');
}

test('a photo with consent is sent with progress, seen as a thumbnail, and puts its report on the map and in its row', {
  skip,
}, async () => {
  const page = await application.open('ann');
  const id = await report(page, 'Hole with a place');
  await consent(page);
  const texts = await noteTexts(page, 'app-upload-row .small, progress');
  await slowUploads(page, 150_000);

  await choose(page, await photoWithPlace('hole.jpg', 1400));
  await page.getByText(placeText).waitFor();
  await thumbnailOf(page, 'hole.jpg').waitFor();
  await page.getByRole('link', { name: 'Hole with a place' }).locator('.dot').waitFor();

  const seen = await texts();
  const values = seen.filter((text) => text.startsWith('progress ')).map((text) => Number(text.split(' ')[1]));
  assert.ok(values.filter((value) => value > 0 && value < 100).length >= 3, `progress was seen in between: ${values}`);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
    'progress never goes back',
  );
  assert.ok(
    seen.some((text) => /^[\d.]+ kB of [\d.]+ kB, [\d.]+ kB\/s, about .+ left$/.test(text)),
    `bytes, rate and time left are told: ${seen.join(' | ')}`,
  );
  assert.ok(seen.includes('Extracting GPS…'), 'the wait for the position is told');
  assert.deepEqual(await storedPlace(id), place);
  await page.getByText('At 51.50800, 7.00000').waitFor();
  await page.context().close();
});

test('without consent the position of a photo is nowhere: not on the page, not in the row, not at the service', {
  skip,
}, async () => {
  const page = await application.open('ann');
  const id = await report(page, 'Hole without a place');

  await choose(page, await photoWithPlace('silent.jpg'));
  await thumbnailOf(page, 'silent.jpg').waitFor();
  const kept = await application.service.database.query(
    `SELECT FROM storage.image_locations AS l JOIN storage.objects AS o ON o.version_id = l.version_id
     JOIN metadata.files AS f ON f.object_id = o.id
     WHERE f.entity_id = $1 AND (l.latitude IS NOT NULL OR l.longitude IS NOT NULL)`,
    [id],
  );
  await tile(page, 'silent.jpg').click();
  await page.locator('.original.shown').waitFor();

  assert.equal(kept.length, 0);
  assert.deepEqual(await storedPlace(id), { latitude: null, longitude: null });
  assert.equal(await page.locator('app-report-page').getByText('51.508').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Hole without a place' }).locator('.dot').count(), 0);
  await page.context().close();
});

test('a photo that says nothing of its place ends the wait for it, and a broken one fails alone', {
  skip,
}, async () => {
  const page = await application.open('ann');
  await report(page, 'Three photos');
  await consent(page);
  const plain = jpeg(
    'plain.jpg',
    await sharp({ create: { width: 640, height: 480, channels: 3, background: 'teal' } })
      .jpeg()
      .toBuffer(),
  );
  const broken = jpeg('broken.jpg', Buffer.concat([plain.buffer.subarray(0, 300), Buffer.alloc(9000, 7)]));

  await choose(page, plain, broken, await photoWithPlace('last.jpg'));
  await page.getByText('No location in this photo').waitFor();
  await page.getByText('Failed to process').waitFor();
  await thumbnailOf(page, 'plain.jpg').waitFor();
  await thumbnailOf(page, 'last.jpg').waitFor();

  await page.getByRole('status').getByText('2 of 3 photos are ready, 1 failed').waitFor();
  await page.getByRole('button', { name: 'Delete broken.jpg' }).click();
  await page.getByText('Failed to process').waitFor({ state: 'detached' });
  await page.context().close();
});

test('the original is loaded when a photo is opened, not before, and the keyboard is enough for all of it', {
  skip,
}, async () => {
  const page = await application.open('ann');
  await report(page, 'Two photos to look at');
  await choose(page, await photoWithPlace('one.jpg', 800), await photoWithPlace('two.jpg', 600));
  await thumbnailOf(page, 'one.jpg').waitFor();
  await thumbnailOf(page, 'two.jpg').waitFor();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const natural = 'document.querySelector(".original.shown")?.naturalWidth';
  await page.reload();
  await thumbnailOf(page, 'one.jpg').waitFor();
  await thumbnailOf(page, 'two.jpg').waitFor();
  const askedInList = asked.filter((path) => path.endsWith('/original.jpg') || path.endsWith('/get_download_url'));

  await tile(page, 'one.jpg').focus();
  await page.keyboard.press('Enter');
  const first = await until(() => page.evaluate<number | undefined>(natural), { what: 'the original is shown' });
  const isLast = await page.getByRole('button', { name: 'Next' }).isDisabled();
  await page.keyboard.press(isLast ? 'ArrowLeft' : 'ArrowRight');
  await page.getByRole('dialog').getByRole('heading', { name: 'two.jpg' }).waitFor();
  await until(async () => (await page.evaluate(natural)) === 600, { what: 'the other original is shown' });
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  assert.deepEqual(askedInList, []);
  assert.equal(first, 800);
  assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-label")'), 'Open one.jpg');
  await page.context().close();
});

test('a private report is its reporter’s, with its photos; published it is seen by others, who learn no more than that', {
  skip,
}, async () => {
  const ann = await application.open('ann');
  const id = await report(ann, 'Hole of two people');
  await consent(ann);
  await choose(ann, await photoWithPlace('shared.jpg'));
  await thumbnailOf(ann, 'shared.jpg').waitFor();
  const thumbnailUrl = await thumbnailOf(ann, 'shared.jpg').getAttribute('src');
  const ben = await application.open('ben', `/reports/${id}`);

  await ben.getByText('There is no such report').waitFor();
  const hidden = await ben.getByText('Hole of two people').count();
  const asBen = (path: string) => application.service.fetch(path, { as: 'ben' });
  const files = await (await asBen(`/rpc/get_entity_files?p_entity_type=pothole&p_entity_id=${id}`)).json();
  await ann.getByLabel('Everybody who signs in').check();
  await ann.getByRole('link', { name: 'Hole of two people' }).getByText('public').waitFor();
  await ben.reload();
  await thumbnailOf(ben, 'shared.jpg').waitFor();
  await tile(ben, 'shared.jpg').click();
  await ben.locator('.original.shown').waitFor();

  assert.equal(hidden, 0);
  assert.deepEqual(files, []);
  assert.ok(thumbnailUrl !== null);
  assert.equal((await fetch(thumbnailUrl.split('?')[0] ?? '')).ok, false, 'no thumbnail without its signature');
  assert.equal(await ben.getByText('Taken at').count(), 0, 'where a photo was taken is for who took it');
  assert.equal(await ben.getByRole('dialog').getByRole('button', { name: 'Delete' }).count(), 0);
  await ann.context().close();
  await ben.context().close();
});

test('a place that is taken back is forgotten, and an upload that loses its connection arrives all the same', {
  skip,
}, async () => {
  const page = await application.open('ann');
  await report(page, 'Hole on a bad line');
  await consent(page);
  const line = await slowUploads(page, 100_000);
  await choose(page, await photoWithPlace('stubborn.jpg', 1200));
  const isUnderWay = () => page.evaluate<boolean>('document.querySelector("progress")?.value > 10');
  await until(isUnderWay, { what: 'some of the photo is sent' });
  await line.cut();
  await page.getByText('The connection was lost. Trying again…').waitFor();

  await line.mend();
  await page.getByText(placeText).waitFor();
  await thumbnailOf(page, 'stubborn.jpg').waitFor();
  await tile(page, 'stubborn.jpg').click();
  await page.getByRole('button', { name: 'Forget where' }).click();
  await page.getByText('Taken at').waitFor({ state: 'detached' });

  const left = await application.service.database.query('SELECT FROM metadata.files WHERE file_name = $1', [
    'stubborn.jpg',
  ]);
  assert.equal(left.length, 1, 'what was sent twice is one file');
  await page.context().close();
});

test('what somebody has on its way ends when they sign out, and who signs in next neither sees nor sends it', {
  skip,
}, async () => {
  const page = await application.open('ann');
  const id = await report(page, 'Hole of who leaves');
  await page.getByLabel('Everybody who signs in').check();
  await page.getByRole('link', { name: 'Hole of who leaves' }).getByText('public').waitFor();
  await slowUploads(page, 60_000);
  const large = await photoWithPlace('1.jpg', 1400);
  await choose(page, ...['1.jpg', '2.jpg', '3.jpg', '4.jpg'].map((name) => jpeg(name, large.buffer)));
  const isUnderWay = () => page.evaluate<boolean>('document.querySelector("progress")?.value > 1');
  await until(isUnderWay, { what: 'some of a photo is sent' });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'ben', exact: true }).click();
  await page.getByRole('link', { name: 'Hole of who leaves' }).click();
  await page.getByRole('heading', { name: 'Hole of who leaves' }).waitFor();
  await page.getByText('Choose photos').waitFor();
  const rowsOfAnn = await page.locator('app-upload-row').count();
  await report(page, 'Hole of who comes');
  await choose(page, await photoWithPlace('own.jpg', 320));
  await thumbnailOf(page, 'own.jpg').waitFor();
  const arrived = await application.service.database.query('SELECT FROM metadata.files WHERE entity_id = $1', [id]);

  assert.equal(rowsOfAnn, 0);
  assert.equal(arrived.length, 0);
  await page.context().close();
});

test('photos whose reading takes long hold up no others', {
  skip,
}, async () => {
  const page = await application.open('ann');
  const id = await report(page, 'Four photos of a slow reader');
  const unread = { status: 'pending', location_status: null, exif_data: null };
  await page.route('**/rpc/get_file_exif*', (route) => route.fulfill({ json: unread }));
  const { buffer } = await photoWithPlace('1.jpg', 320);

  await choose(page, ...['1.jpg', '2.jpg', '3.jpg', '4.jpg'].map((name) => jpeg(name, buffer)));
  await page.locator('app-upload-row').getByText('Uploaded. Making thumbnails…').nth(3).waitFor();

  const arrived = await application.service.database.query('SELECT FROM metadata.files WHERE entity_id = $1', [id]);
  assert.equal(arrived.length, 4);
  await page.context().close();
});

test('the first page is there before any script runs, and its policy refuses nothing of its own', {
  skip,
}, async () => {
  const page = await application.open('ann');
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));

  const built = await application.builtPage();
  const answer = await page.goto(application.url);
  await page.getByRole('heading', { name: 'Which pothole?' }).waitFor();
  await page.getByRole('group', { name: /^Map of the reports/ }).waitFor();

  assert.match(built, /<h1[^>]*>Report a pothole<\/h1>/);
  assert.doesNotMatch(built, /<script(?![^>]*\bsrc=)(?![^>]*application\/json)/, 'no script stands in the page itself');
  const policy = (await answer?.headerValue('content-security-policy')) ?? '';
  assert.match(policy, /script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.deepEqual(problems, []);
  await page.context().close();
});

test('the service of the example keeps its promises without a browser', { skip }, async () => {
  const [row] = await application.service.database.query<{ id: string }>(
    "INSERT INTO public.pothole (title, reported_by) VALUES ('Of a unit test', 'ann') RETURNING id",
  );
  assert.ok(row);
  const env = {
    ROWLOCK_URL: application.service.url,
    ROWLOCK_TOKEN: await signToken({ sub: 'ann', role: 'authenticated' }),
    POTHOLE_ID: row.id,
  };

  const said = await runInExample('tools/test.mjs', [], env);

  assert.match(said, /^# pass [1-9]\d*$/m);
  assert.match(said, /^# skipped 0$/m);
});
