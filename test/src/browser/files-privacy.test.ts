/** Two people in the console: neither sees what the other keeps, nor its picture, place or event; what is shared is shared. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ConsoleInChromium, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
  const place = {
    GPSLatitudeRef: 'N',
    GPSLatitude: '51/1 30/1 0/1',
    GPSLongitudeRef: 'W',
    GPSLongitude: '0/1 7/1 30/1',
  };
  const photo = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'teal' } })
    .withExif({ IFD0: { Make: 'Acme' }, IFD3: place })
    .jpeg()
    .toBuffer();
  for (const [name, policy] of [
    ['anns-own', 'private'],
    ['for-all', 'authenticated'],
  ]) {
    const body = JSON.stringify({ name, policy });
    const headers = { 'content-type': 'application/json' };
    const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
    assert.equal(made.status, 201);
    const said = Buffer.from(JSON.stringify({ consent_location: true })).toString('base64');
    const put = await site.service.fetch(`/storage/v1/object/${name}/garden.jpg`, {
      as: 'ann',
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', 'x-metadata': said },
      body: new Uint8Array(photo),
    });
    assert.equal(put.status, 201);
    await until(
      async () => {
        const facts = await site.service.fetch(`/storage/v1/object/facts/${name}/garden.jpg`, { as: 'ann' });
        return ((await facts.json()) as { read_at: string | null }).read_at !== null;
      },
      { timeoutMs: 30_000, what: 'the photo was read' },
    );
  }
});
after(() => site?.stop());

test('the owner sees a photo with its place on a map', { skip }, async () => {
  const page = await site.open('ann', '#/anns-own/');

  await page.getByRole('button', { name: 'garden.jpg', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('definition').filter({ hasText: '51.50000, -0.12500' }).waitFor();
  await dialog.locator('rowlock-map').getByRole('group', { name: 'Where it was taken' }).waitFor();

  assert.match(await dialog.innerText(), /Camera\s+Acme/);
});

test('whoever may read a photo of another sees it and its picture, and not where it was taken', { skip }, async () => {
  const page = await site.open('bob', '#/for-all/');

  await page.getByRole('row').filter({ hasText: 'garden.jpg' }).getByRole('presentation').waitFor();
  await page.getByRole('button', { name: 'garden.jpg', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Not yours to see').waitFor();

  assert.match(await dialog.innerText(), /Camera\s+Acme/);
  assert.equal(await page.locator('rowlock-map').count(), 0);
  assert.ok(!(await page.content()).includes('51.5'));
});

test('a stranger sees neither file, picture, place nor event, wherever they look', { skip }, async () => {
  const page = await site.open('bob', '#/anns-own/');
  await page.getByText('This bucket does not exist, or you may not see it.').first().waitFor();
  const shown = await page.locator('body').innerText();
  const asked = async (path: string, init: RequestInit = {}): Promise<readonly [number, string]> => {
    const answer = await site.service.fetch(`/storage/v1/${path}`, { as: 'bob', ...init });
    return [answer.status, await answer.text()];
  };

  const answers = await Promise.all([
    asked('object/anns-own/garden.jpg'),
    asked('object/facts/anns-own/garden.jpg'),
    asked('render/image/authenticated/anns-own/garden.jpg?preset=small'),
    asked('object/versions/anns-own/garden.jpg'),
    asked('signed-urls?bucket=anns-own'),
    asked('changes?since=oldest'),
  ]);

  assert.ok(!shown.includes('garden.jpg'));
  assert.deepEqual(
    answers.slice(0, 3).map(([status]) => status),
    [404, 404, 404],
  );
  const events = answers[5]?.[1] ?? '';
  assert.ok(events.includes('for-all'), 'the feed tells of what is shared');
  for (const [, text] of answers) {
    assert.ok(!text.includes('anns-own') || !text.includes('garden'), text);
  }
});
