/** `<rowlock-map>` in Chromium: markers and clusters, keys and pointers, the list beside it, and hostile addresses. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, type Page, startConsole } from './console-in-chromium.ts';
import { openElements, place } from './elements-page.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;
let page: Page;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
});
after(() => site?.stop());

async function mapOf(points: readonly object[]): Promise<void> {
  page = await openElements(site);
  await place(page, 'rowlock-map', { label: 'Potholes' });
  await page.evaluate(`document.querySelector('rowlock-map').points = ${JSON.stringify(points)}`);
}

/** Where the marker is in the page, to the pixel. */
async function middleOf(name: string): Promise<readonly [x: number, y: number]> {
  const box = await page.getByRole('link', { name }).boundingBox();
  return [Math.round((box?.x ?? 0) + (box?.width ?? 0) / 2), Math.round((box?.y ?? 0) + (box?.height ?? 0) / 2)];
}

test('places that are near are one marker, which opens to them by keys', { skip }, async () => {
  await mapOf([
    { lat: 48.2, lng: 16.37, label: 'Vienna', href: '#vienna' },
    { lat: 48.21, lng: 16.38, label: 'Prater', href: '#prater' },
    { lat: 40.7, lng: -74, label: 'New York', href: '#new-york' },
    { lat: 999, lng: 0, label: 'Nowhere' },
  ]);

  await page.getByRole('link', { name: 'New York' }).waitFor();
  await page.getByRole('button', { name: '2 places, zoom in' }).press('Enter');
  await page.getByRole('link', { name: 'Vienna' }).waitFor();
  await page.getByRole('link', { name: 'Prater' }).press('Enter');
  const told = await page.evaluate(`told.map(({ kind, detail }) => [kind, detail.point.label])`);
  const address = new URL(page.url()).hash;
  await page.getByText('3 places as a list').click();
  const lines = await page.getByRole('listitem').allInnerTexts();

  assert.deepEqual(told, [['rowlock-place', 'Prater']]);
  assert.equal(address, '#prater');
  assert.match(lines.join('\n'), /Vienna\s+48\.20000, 16\.37000/);
  assert.doesNotMatch(lines.join('\n'), /Nowhere/);
});

test('the map moves and zooms by keys, by its buttons and by a drag, and the outline of the world is there', {
  skip,
}, async () => {
  await mapOf([
    { lat: 52.5, lng: 13.4, label: 'Berlin', href: '#berlin' },
    { lat: 59.3, lng: 18, label: 'Stockholm', href: '#stockholm' },
    { lat: 55.7, lng: 12.6, label: 'Copenhagen', href: '#copenhagen' },
  ]);
  const map = page.getByRole('group', { name: /^Potholes/ });
  await page.locator('path.land').waitFor({ state: 'attached' });
  const land = (await page.locator('path.land').getAttribute('d')) ?? '';
  const [x, y] = await middleOf('Berlin');

  await map.focus();
  await page.keyboard.press('ArrowRight');
  const [keyX, keyY] = await middleOf('Berlin');
  await map.hover({ position: { x: 20, y: 150 } });
  await page.mouse.down();
  await page.mouse.move(200, 200, { steps: 4 });
  const dragged = await middleOf('Berlin');
  await page.mouse.up();
  await page.keyboard.press('Home');
  const home = await middleOf('Berlin');
  const [before] = await middleOf('Copenhagen');
  await page.getByRole('button', { name: 'Zoom in' }).click();
  const [after] = await middleOf('Copenhagen');

  assert.ok(land.length > 20_000, 'the coasts are drawn');
  assert.deepEqual([keyX, keyY], [x - 60, y]);
  assert.notDeepEqual(dragged, [keyX, keyY]);
  assert.deepEqual(home, [x, y]);
  assert.ok(after < before - 20, 'Copenhagen is farther from the middle than before');
});

test('an address that is no page is no link, and a label is a text', { skip }, async () => {
  await mapOf([
    { lat: 10, lng: 10, label: '<img src=x onerror=alert(1)>', href: 'javascript:alert(1)' },
    { lat: -30, lng: 60, label: 'data', href: 'data:text/html,<script>alert(1)</script>' },
  ]);

  await page.getByRole('button', { name: '<img src=x onerror=alert(1)>' }).waitFor();
  await page.getByText('2 places as a list').click();

  assert.equal(await page.getByRole('link').count(), 0);
  assert.equal(await page.locator('img').count(), 0);
});

test('a map without places says so and shows the world', { skip }, async () => {
  await mapOf([]);

  await page.getByText('No places yet').waitFor();

  assert.equal(await page.locator('.marker').count(), 0);
});

test('places that were given before the element was defined are shown', { skip }, async () => {
  page = await openElements(site);

  await page.evaluate(`(() => {
    const early = document.createElement('early-map');
    early.points = [{ lat: 1, lng: 2, label: 'Early', href: '#early' }];
    document.querySelector('main').append(early);
    customElements.define('early-map', class extends elements.RowlockMap {});
  })()`);
  await page.getByRole('link', { name: 'Early' }).waitFor();

  assert.equal(await page.evaluate(`document.querySelector('early-map').points.length`), 1);
});
