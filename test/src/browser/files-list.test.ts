/** The list of a folder at its length, in Chromium: what is in sight is in the page and nothing else, by pointer and by keys. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import { type ConsoleInChromium, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const many = 100_000;
/** What a window of 720 pixels needs, with the rows beyond its edges. */
const rowsInPageMax = 40;
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'many' });
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
  const put = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' };
  assert.equal((await site.service.fetch('/storage/v1/object/many/seed.txt', put)).status, 201);
  await site.service.database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type, metadata)
      SELECT o.bucket_id, format('big/%s.txt', lpad(n::text, 6, '0')), o.owner_id, o.version_id, o.size, o.content_type, o.metadata
      FROM storage.objects AS o, generate_series(1, ${many}) AS n WHERE o.bucket_id = 'many' AND o.name = 'seed.txt';
    COMMIT`);
});
after(() => site?.stop());

function rowOf(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
}

async function openBig(): Promise<Page> {
  const page = await site.open('ann', '#/many/big/');
  await page.setViewportSize({ width: 1280, height: 720 });
  await rowOf(page, '000001.txt').waitFor();
  return page;
}

async function hasFocus(row: ReturnType<Page['locator']>): Promise<boolean> {
  return (await row.and(row.page().locator(':focus')).count()) === 1;
}

test('of 100,000 files those in sight are in the page, and any is reached at once', { skip }, async () => {
  const page = await openBig();
  const rows = page.getByRole('row');
  const counts = [await rows.count()];

  const total = await page.getByRole('grid').getAttribute('aria-rowcount');
  await rowOf(page, '000001.txt').focus();
  await page.keyboard.press('End');
  const last = rowOf(page, '100000.txt');
  await last.waitFor();
  counts.push(await rows.count());
  const lastIndex = await last.getAttribute('aria-rowindex');
  await until(async () => (await hasFocus(last)) || undefined);
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)');
  const middle = await until(async () => {
    const shown = await page.evaluate<string[]>(`[...document.querySelectorAll('.files .row-name')]
      .filter((name) => name.getBoundingClientRect().top > 0 && name.getBoundingClientRect().top < innerHeight)
      .map((name) => name.textContent)`);
    return shown.some((name) => /^0(49|50)\d{3}\.txt$/.test(name)) ? shown : undefined;
  });
  counts.push(await rows.count());
  await last.focus();
  await page.keyboard.press('Home');
  await until(async () => (await hasFocus(rowOf(page, '000001.txt'))) || undefined);

  assert.equal(total, String(many));
  assert.equal(lastIndex, String(many));
  assert.ok(middle.length >= 5, `rows are shown where somebody scrolled to: ${middle}`);
  assert.ok(
    counts.every((count) => count <= rowsInPageMax),
    `rows in the page: ${counts}`,
  );
});

test('rows are chosen by keys and pointer, in ranges and all, and what is chosen is said', { skip }, async () => {
  const page = await openBig();
  const bar = page.getByRole('toolbar', { name: 'What is chosen' });
  const chosen = (count: string): Promise<void> => bar.getByText(`${count} chosen`).waitFor();

  await rowOf(page, '000001.txt').focus();
  await page.keyboard.press('Space');
  await chosen('1');
  await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Shift+ArrowDown');
  await chosen('3');
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'hidden' });
  await page.getByRole('checkbox', { name: 'Choose 000002.txt' }).click();
  await page.getByRole('checkbox', { name: 'Choose 000006.txt' }).click({ modifiers: ['Shift'] });
  await chosen('5');
  const marked = await page.locator('.files .row[aria-selected="true"]').count();
  const ticked = await page.locator('.files input:checked').count();
  await page.getByRole('button', { name: '000004.txt', exact: true }).click({ modifiers: ['Control'] });
  await chosen('4');
  await page.keyboard.press('Control+a');
  await chosen('100,000');
  await page.getByRole('checkbox', { name: 'Choose 000003.txt' }).click();
  await chosen('99,999');
  const said = await page.getByRole('status').innerText();

  assert.deepEqual([marked, ticked], [5, 5]);
  assert.equal(said, '99,999 chosen');
  assert.equal(await page.getByRole('dialog').count(), 0, 'choosing opens nothing');
});

test('shift and the end key choose from here to there, without reading what the page does not show', {
  skip,
}, async () => {
  const page = await openBig();
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/object/list')) asked.push(request.url());
  });

  await rowOf(page, '000001.txt').focus();
  await page.keyboard.press('End');
  await rowOf(page, '100000.txt').waitFor();
  const pages = asked.length;
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+PageUp');
  const count = page.getByRole('toolbar', { name: 'What is chosen' }).getByText(/^\d+ chosen$/);
  await count.waitFor();
  const words = await until(async () => {
    const said = await count.innerText();
    return said === '1 chosen' ? undefined : said;
  });

  assert.ok(pages <= 2, `pages that were read to jump to the end: ${pages}`);
  assert.match(words, /^([5-9]|1\d) chosen$/);
});
