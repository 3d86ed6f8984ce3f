/** The console without a pointer: everything that can be clicked is reached by Tab and works by Enter and Escape. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, fileField, keyOf, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const stepsMax = 40;
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole();
});
after(() => site?.stop());

type Target = ReturnType<Page['locator']>;

function hasFocus(target: Target): Promise<boolean> {
  return target
    .and(target.page().locator(':focus'))
    .count()
    .then((count) => count === 1);
}

/** Presses Tab until the target has the focus. */
async function tabTo(page: Page, target: Target): Promise<void> {
  await target.waitFor({ state: 'attached' });
  for (let step = 0; step < stepsMax; step += 1) {
    await page.keyboard.press('Tab');
    if (await hasFocus(target)) return;
  }
  assert.fail(`${stepsMax} times Tab did not reach ${target}`);
}

test('a bucket is made, a file is uploaded, looked at and deleted by keys alone', { skip }, async () => {
  const page = await site.newPage();
  await page.goto(site.url);

  await tabTo(page, page.getByLabel('Your key'));
  await page.keyboard.insertText(await keyOf('ann'));
  await page.keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'New bucket' }));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.insertText('by-keys');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'by-keys' }).waitFor();

  const choosing = page.waitForEvent('filechooser');
  await tabTo(page, fileField(page));
  await page.keyboard.press('Enter');
  await (await choosing).setFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('a note') });
  const name = page.getByRole('button', { name: 'note.txt', exact: true });
  await tabTo(page, name);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByText('text/plain').first().waitFor();
  await page.keyboard.press('Escape');
  const focusIsBack = await hasFocus(name);

  await tabTo(page, page.getByRole('button', { name: 'Delete note.txt' }));
  await page.keyboard.press('Enter');
  const cancel = page.getByRole('dialog').getByRole('button', { name: 'Cancel' });
  await cancel.waitFor();
  const safeFirst = await hasFocus(cancel);
  await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Delete file' }));
  await page.keyboard.press('Enter');
  await page.getByText('No files yet').waitFor();

  assert.ok(focusIsBack, 'closing a dialog gives the focus back');
  assert.ok(safeFirst, 'a question begins on the answer that does nothing');
  assert.equal((await site.service.fetch('/storage/v1/object/by-keys/note.txt', { as: 'ann' })).status, 404);
  assert.ok(await hasFocus(page.getByRole('heading', { name: 'by-keys' })), 'the focus is not lost with the row');
});

test('an empty bucket is deleted by keys, and one with files says why it stays', { skip }, async () => {
  const headers = { 'content-type': 'application/json' };
  for (const name of ['empty-one', 'full-one']) {
    const body = JSON.stringify({ name });
    assert.equal(
      (await site.service.fetch('/storage/v1/bucket', { as: 'eve', method: 'POST', headers, body })).status,
      201,
    );
  }
  const put = { as: 'eve', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' };
  assert.equal((await site.service.fetch('/storage/v1/object/full-one/a.txt', put)).status, 201);
  const page = await site.open('eve');
  const deleteBucket = async (name: string): Promise<void> => {
    await tabTo(page, page.getByRole('button', { name: `Delete the bucket ${name}` }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Delete bucket' }));
    await page.keyboard.press('Enter');
  };

  await deleteBucket('full-one');
  const refusal = page.getByRole('status').filter({ hasText: 'still holds files' });
  await refusal.waitFor();
  await deleteBucket('empty-one');
  await page.getByRole('status').filter({ hasText: 'The bucket empty-one is deleted.' }).waitFor();

  const left = (await (await site.service.fetch('/storage/v1/bucket', { as: 'eve' })).json()) as { id: string }[];
  const names = left.map(({ id }) => id);
  assert.ok(names.includes('full-one'));
  assert.ok(!names.includes('empty-one'));
});
