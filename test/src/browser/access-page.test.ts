/** The page about access in Chromium: what a caller may do and which policy says so, links that are ended, and links that sign in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignInLinks } from '@rowlock/server';
import { requires, signToken } from '@rowlock/test-harness';
import { type ConsoleInChromium, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const links = new SignInLinks({ howToGetAnother: 'run rowlock console' });
const keyOfService = (): Promise<string> => signToken({ role: 'service_role' });
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false, config: { console_sign_in: { links, keyOf: keyOfService } } });
  const headers = { 'content-type': 'application/json' };
  const post = (path: string, body: string, type = headers): Promise<Response> =>
    site.service.fetch(`/storage/v1/${path}`, { as: 'ann', method: 'POST', headers: type, body });
  assert.equal((await post('bucket', JSON.stringify({ name: 'papers' }))).status, 201);
  assert.equal((await post('object/papers/plan.txt', 'a plan', { 'content-type': 'text/plain' })).status, 201);
  const link = await post('object/sign/papers/plan.txt', JSON.stringify({ expiresIn: 600, max_uses: 3 }));
  assert.equal(link.status, 200);
});
after(() => site?.stop());

test('a link signs in as the service role once, and shows the pages of the service', { skip }, async () => {
  const token = links.issue(keyOfService);
  const page = await site.newPage();

  await page.goto(`${site.url}#sign-in=${token}`);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Access' }).waitFor();
  const address = page.url();
  const other = await site.newPage();
  await other.goto(`${site.url}#sign-in=${token}`);
  await other.getByText('This link was used; run rowlock console for a new one').waitFor();

  assert.ok(!address.includes(token), 'the token does not stay in the address');
  assert.equal(await other.getByRole('button', { name: 'Sign out' }).count(), 0);
});

test('somebody else sees no pages of the service, and is told so', { skip }, async () => {
  const page = await site.open('ann', '#access');

  await page.getByText('do not let you do that').first().waitFor();

  assert.equal(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').count(), 0);
});

test('what a caller may do is explained, with what each policy says', { skip }, async () => {
  const page = await site.open('service', '#access/papers/plan.txt');
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });

  await page.getByLabel('Subject (sub)').fill('bob');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.locator('#main').getByText('bob (authenticated) may do nothing with plan.txt.').waitFor();
  const refused = await row('Read the file').innerText();
  await page.getByLabel('Subject (sub)').fill('ann');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page
    .locator('#main')
    .getByText(/^ann \(authenticated\) may: /)
    .waitFor();
  const allowed = await row('Read the file').innerText();
  const policy = page.getByRole('listitem').filter({ hasText: 'SELECT on storage.objects' });
  await policy.getByText('objects_read', { exact: true }).click();
  await policy.getByText('USING: true').waitFor();

  assert.match(refused, /No\s+Policies hide the file\./);
  assert.match(allowed, /Yes/);
  assert.equal((await site.service.fetch('/storage/v1/object/papers/plan.txt', { as: 'ann' })).status, 200);
});

test('a link that lives is listed and revoked', { skip }, async () => {
  const page = await site.open('service', '#access');

  await page.getByText('3 of 3 uses left').waitFor();
  await page.getByRole('button', { name: 'Revoke the link to plan.txt' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke link' }).click();
  await page.getByText('No link is counted or kept.').waitFor();

  const live = await site.service.fetch('/storage/v1/signed-urls', { as: 'service' });
  assert.deepEqual(await live.json(), []);
});
