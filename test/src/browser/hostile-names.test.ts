/** Names and files that are made to be run by whoever looks at them. Nothing of them runs in the console. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, clipboardOf, fileField, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const markup = '"><img src=x onerror=alert(1)>.png';
const turned = 'holiday\u202Egpj.exe';
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
});
after(() => site?.stop());

async function makeBucket(name: string): Promise<void> {
  const body = JSON.stringify({ name });
  const headers = { 'content-type': 'application/json' };
  const made = await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
  assert.equal(made.status, 201);
}

/** Counts what a page runs that it should not: dialogs, and requests that only a script of a file would make. */
function watch(page: Page): { readonly ran: string[] } {
  const ran: string[] = [];
  page.on('dialog', (dialog) => {
    ran.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (/\/(x|ran)$/.test(new URL(request.url()).pathname)) ran.push(`request: ${request.url()}`);
  });
  return { ran };
}

test('the watch sees a script that runs', { skip }, async () => {
  const page = await site.newPage();
  const { ran } = watch(page);

  await page.goto(`${site.service.url}/healthz`);
  await page.setContent(markup.slice(2));
  await page.waitForFunction('document.images[0]?.complete');

  assert.ok(ran.some((each) => each === 'dialog: 1'));
});

test('a name with markup is shown as it is, wherever it appears', { skip }, async () => {
  await makeBucket('markup');
  const page = await site.open('ann', '#/markup/');
  const { ran } = watch(page);

  await fileField(page).setInputFiles({ name: markup, mimeType: 'image/png', buffer: Buffer.from('no picture') });
  const name = page.getByRole('button', { name: markup, exact: true });
  await name.click();
  const heading = await page.getByRole('dialog').getByRole('heading').innerText();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `Delete ${markup}` }).click();
  const question = await page.getByRole('dialog').getByText('will be gone').innerText();
  await page.keyboard.press('Escape');
  await page.goto(`${site.url}#/markup/${encodeURIComponent(markup)}/`);
  await page.getByRole('heading', { name: markup }).waitFor();

  assert.equal(heading, markup);
  assert.ok(question.includes(markup));
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  assert.deepEqual(ran, []);
});

test('a character that turns the text is shown by its number', { skip }, async () => {
  await makeBucket('turned');
  const page = await site.open('ann', '#/turned/');

  await fileField(page).setInputFiles({ name: turned, mimeType: 'image/jpeg', buffer: Buffer.from('MZ') });
  const row = page.locator('.files .row');
  await row.waitFor();

  const shown = await row.locator('.name').innerText();
  assert.equal(shown.replace(/\s/g, ''), 'holidayU+202Egpj.exe');
  assert.equal(await row.getByRole('button', { name: 'Delete holiday[U+202E]gpj.exe' }).count(), 1);
  assert.ok(!(await page.locator('body').innerText()).includes('\u202E'));
});

test('an HTML file is a download, and its script runs nowhere', { skip }, async () => {
  await makeBucket('pages');
  const page = await site.open('ann', '#/pages/');
  const { ran } = watch(page);
  const html = '<!doctype html><title>page</title><script>alert("page"); fetch("/ran")</script>';

  await fileField(page).setInputFiles({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(html) });
  await page.getByRole('button', { name: 'page.html', exact: true }).click();
  await page.getByRole('dialog').getByText('text/html').first().waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Copy a link to page.html' }).click();
  await page.getByRole('status').filter({ hasText: 'Link copied.' }).waitFor();
  const visitor = await page.context().newPage();
  const visited = watch(visitor);
  const downloading = visitor.waitForEvent('download');
  await visitor
    .goto(await clipboardOf(page))
    .catch((error: Error) => assert.match(error.message, /Download is starting/));

  assert.equal((await downloading).suggestedFilename(), 'page.html');
  assert.deepEqual([...ran, ...visited.ran], []);
});

test('markup that got into the page against all of that is stopped by its policy', { skip }, async () => {
  const page = await site.open('ann');
  const { ran } = watch(page);

  const refused = await page.evaluate<string>(`new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      if (event.effectiveDirective.startsWith('script-src')) resolve(event.effectiveDirective);
    });
    document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>');
  })`);

  assert.match(refused, /^script-src/);
  assert.deepEqual(
    ran.filter((each) => each.startsWith('dialog')),
    [],
  );
});
