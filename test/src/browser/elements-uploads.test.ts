/** `<rowlock-upload>` in Chromium over the real service: many files, failures among them, pauses, keys, and what is told. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ConsoleInChromium, fileField, type Page, startConsole } from './console-in-chromium.ts';
import { openElements, place } from './elements-page.ts';

const skip = requires('chromium');
/** Enough for 200 files on a machine that does other things. */
const manyMs = 90_000;

let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
});
after(() => site?.stop());

async function newBucket(name: string, options: object = {}): Promise<void> {
  const body = JSON.stringify({ name, ...options });
  const headers = { 'content-type': 'application/json' };
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
}

function text(name: string, size = 12): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: 'text/plain', buffer: Buffer.alloc(size, name) };
}

/** The kinds of what the page was told, counted. */
function told(page: Page): Promise<Record<string, number>> {
  return page.evaluate<Record<string, number>>(
    'told.reduce((counts, { kind }) => ({ ...counts, [kind]: (counts[kind] ?? 0) + 1 }), {})',
  );
}

async function slowDown(page: Page, bytesPerSecond: number): Promise<void> {
  const network = await page.context().newCDPSession(page);
  const speed = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond };
  await network.send('Network.emulateNetworkConditions', speed);
}

test('of 200 files two fail, which harms no other, and both are there after another try', { skip }, async () => {
  await newBucket('many', { quota_objects: 198 });
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'many', prefix: 'in/', multiple: '' });
  const files = Array.from({ length: 200 }, (_, number) => text(`${number}.txt`));

  await fileField(page).setInputFiles(files);
  await page.getByRole('heading', { name: '198 files uploaded, 2 failed' }).waitFor({ timeout: manyMs });
  const before = await told(page);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ quota_objects: null });
  await site.service.fetch('/storage/v1/bucket/many', { as: 'ann', method: 'PATCH', headers, body });
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByRole('heading', { name: '200 files uploaded' }).waitFor();

  const list = { method: 'POST', as: 'ann', headers, body: JSON.stringify({ prefix: 'in/', limit: 1000 }) };
  const listed = (await (await site.service.fetch('/storage/v1/object/list/many', list)).json()) as unknown[];
  assert.deepEqual(before, { 'rowlock-uploaded': 198, 'rowlock-upload-failed': 2 });
  assert.equal(listed.length, 200);
});

test('4,000 files are summed up once when they come, not once for each', { skip }, async () => {
  await newBucket('thousands');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'thousands', multiple: '' });

  const [progressed, summed] = await page.evaluate<[number, number]>(`(async () => {
    const upload = document.querySelector('rowlock-upload');
    const { queue } = upload;
    const entries = queue.entries.bind(queue);
    let [progressed, summed] = [0, 0];
    queue.entries = () => { summed += 1; return entries(); };
    upload.addEventListener('rowlock-progress', () => { progressed += 1; });
    const name = (number) => number + '.txt';
    const files = Array.from({ length: 4000 }, (_, number) => ({ name: name(number), file: new File(['x'], name(number)) }));
    queue.add({ bucket: 'thousands' }, files);
    await Promise.resolve();
    const counts = [progressed, summed];
    queue.cancelAll();
    return counts;
  })()`);
  await page.getByRole('button', { name: 'Clear' }).waitFor();

  assert.equal(progressed, 1);
  assert.ok(summed <= 2, `read ${summed} times`);
});

test('a tick of one person does not stand for the next', { skip }, async () => {
  await newBucket('ticks');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'ticks', 'consent-location': '' });
  const tick = page.getByLabel('Allow location detection from photos');
  const set = (statement: string): Promise<unknown> =>
    page.evaluate(`{ const upload = document.querySelector('rowlock-upload'); ${statement}; }`);

  await tick.check();
  await set(`upload.setAttribute('accept', 'image/*')`);
  const kept = await tick.isChecked();
  await set(`upload.client = elements && Object.create(client)`);

  assert.equal(kept, true, 'another attribute takes nothing back');
  assert.equal(await tick.isChecked(), false);
});

test('files are paused, resumed and cancelled, each and all', { skip }, async () => {
  await newBucket('slow');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'slow', multiple: '' });
  await slowDown(page, 200_000);

  await fileField(page).setInputFiles([text('one.txt', 900_000), text('two.txt', 900_000), text('gone.txt', 900_000)]);
  await page
    .getByText(/of 900 kB · .*\/s/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Pause one.txt' }).click();
  await page.getByRole('listitem').filter({ hasText: 'Paused at' }).waitFor();
  await page.getByRole('button', { name: 'Cancel gone.txt' }).click();
  await page.getByText('Cancelled').waitFor();
  await page.getByRole('button', { name: 'Pause all' }).click();
  await page.getByRole('heading', { name: 'Paused: 2 files' }).waitFor();
  await slowDown(page, -1);
  await page.getByRole('button', { name: 'Resume all' }).click();
  await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();

  const sizes = await Promise.all(
    ['one.txt', 'two.txt', 'gone.txt'].map(async (name) => {
      const answer = await site.service.fetch(`/storage/v1/object/slow/${name}`, { as: 'ann' });
      return answer.ok ? (await answer.arrayBuffer()).byteLength : answer.status;
    }),
  );
  assert.deepEqual(sizes, [900_000, 900_000, 404]);
});

test('what is taken is said before anything is chosen, and what is too much is left out and said', {
  skip,
}, async () => {
  await newBucket('strict', { file_size_limit: 1_000_000, allowed_mime_types: ['image/*', 'text/plain'] });
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'strict', multiple: '', max: '2' });

  await page.getByText('Takes image/*, text/plain, of up to 1 MB each. Up to 2 files at once.').waitFor();
  const described = await fileField(page).evaluate((field: { ariaDescribedByElements?: { textContent: string }[] }) =>
    (field.ariaDescribedByElements ?? []).map(({ textContent }) => textContent).join(' '),
  );
  const offered = await fileField(page).getAttribute('accept');
  await fileField(page).setInputFiles([text('a.txt'), text('b.txt'), text('c.txt')]);
  await page.getByRole('alert').filter({ hasText: 'Only 2 files can be taken at once; one was left out.' }).waitFor();
  await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();

  assert.match(described, /of up to 1 MB each/);
  assert.equal(offered, 'image/*,text/plain');
});

/** Goes on by the tab key until the element with this name, or of this type, has the focus. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const focused = `(() => {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    return [focused?.ariaLabel, focused?.textContent, focused?.type];
  })()`;
  await until(async () => {
    await page.keyboard.press('Tab');
    return (await page.evaluate<unknown[]>(focused)).includes(wanted);
  });
}

test('everything is done by keys alone, and what came of it is read aloud', { skip }, async () => {
  await newBucket('keys');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'keys', multiple: '', 'consent-location': '' });
  await page.getByText('Takes files of any type').waitFor();
  await slowDown(page, 200_000);

  await tabTo(page, 'file');
  const choosing = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await choosing).setFiles(text('typed.txt', 900_000));
  await tabTo(page, 'checkbox');
  await page.keyboard.press('Space');
  const isConsenting = await page.getByLabel('Allow location detection from photos').isChecked();
  await tabTo(page, 'Pause typed.txt');
  await page.keyboard.press('Enter');
  await page.getByText('Paused at').waitFor();
  await slowDown(page, -1);
  await page.keyboard.press('Enter');
  await page.getByRole('status').filter({ hasText: 'typed.txt is uploaded.' }).waitFor();

  assert.equal(isConsenting, true);
});

test('a folder that is dropped keeps its paths, and a picture that is pasted is named after its moment', {
  skip,
}, async () => {
  await newBucket('dropped');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'dropped', multiple: '', directory: '' });
  await page.getByText('Takes files of any type').waitFor();

  await page.evaluate(`(() => {
    const host = document.querySelector('rowlock-upload');
    const dropped = new DataTransfer();
    dropped.items.add(new File(['words'], 'dropped.txt', { type: 'text/plain' }));
    host.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true, cancelable: true }));
    const pasted = new DataTransfer();
    pasted.items.add(new File(['picture'], 'image.png', { type: 'image/png' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true }));
  })()`);
  await page.getByText('dropped.txt', { exact: true }).waitFor();
  await page.getByText(/^pasted \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/).waitFor();
  await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();

  const paths = await page.evaluate<string[]>(`(() => {
    const file = new File(['x'], 'deep.txt');
    Object.defineProperty(file, 'webkitRelativePath', { value: 'top/below/deep.txt' });
    return elements.chosenFiles([file]).map(({ name }) => name);
  })()`);
  assert.deepEqual(paths, ['top/below/deep.txt']);
});

test('with consent the place of a photo is said, and that of a photo without one is not there', { skip }, async () => {
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', {
    'entity-type': 'hole',
    'entity-id': '7',
    multiple: '',
    'consent-location': '',
  });
  const picture = sharp({ create: { width: 90, height: 60, channels: 3, background: 'teal' } }).jpeg();
  const here = {
    GPSLatitudeRef: 'N',
    GPSLatitude: '51/1 30/1 2880/100',
    GPSLongitudeRef: 'W',
    GPSLongitude: '0/1 7/1 4188/100',
  };
  const photo = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/jpeg', buffer });
  const located = photo('here.jpg', await picture.clone().withExif({ IFD3: here }).toBuffer());
  const line = (name: string) => page.getByRole('listitem').filter({ hasText: name });

  await fileField(page).setInputFiles([{ ...located, name: 'silent.jpg' }]);
  await line('silent.jpg').getByText('Uploaded').waitFor();
  const unasked = await line('silent.jpg').innerText();
  await page.getByLabel('Allow location detection from photos').check();
  await fileField(page).setInputFiles([located, photo('nowhere.jpg', await picture.clone().toBuffer())]);
  await line('here.jpg').getByText('Location automatically detected: 51.50800, -0.12830').waitFor();
  await line('nowhere.jpg').getByText('No location in this photo').waitFor();

  const located_names = await page.evaluate<unknown>(
    `told.filter(({ kind }) => kind === 'rowlock-located').map(({ detail }) => [detail.name, detail.entityId, detail.latitude])`,
  );
  assert.deepEqual(located_names, [['here.jpg', '7', 51.508]]);
  assert.doesNotMatch(unasked, /[Ll]ocation|GPS/);
});

test('in a bucket too, the place of a photo is said to whoever uploaded it with consent', { skip }, async () => {
  await newBucket('places');
  const page = await openElements(site, { as: 'ann' });
  await place(page, 'rowlock-upload', { bucket: 'places', 'consent-location': '' });
  const here = {
    GPSLatitudeRef: 'S',
    GPSLatitude: '33/1 52/1 0/1',
    GPSLongitudeRef: 'E',
    GPSLongitude: '151/1 12/1 0/1',
  };
  const picture = sharp({ create: { width: 90, height: 60, channels: 3, background: 'teal' } }).withExif({
    IFD3: here,
  });

  await page.getByLabel('Allow location detection from photos').check();
  await fileField(page).setInputFiles({
    name: 'a.jpg',
    mimeType: 'image/jpeg',
    buffer: await picture.jpeg().toBuffer(),
  });
  await page.getByRole('listitem').getByText('Location automatically detected: -33.86667, 151.20000').waitFor();

  const read = await site.service.fetch('/storage/v1/object/facts/places/a.jpg', { as: 'bob' });
  assert.notEqual(read.status, 200, 'nobody else is told');
});
