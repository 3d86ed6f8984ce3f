/** The page that describes the API, in Chromium: it draws itself from our files alone, and its policy is not broken. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires, startService } from '@rowlock/test-harness';
import { type ConsoleInChromium, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
});
after(() => site?.stop());

test('it shows every group and a route in full, asks nobody else, and runs into no wall of its own', {
  skip,
}, async (t) => {
  const page = await site.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));

  const answer = await page.goto(`${site.service.url}/docs`);
  await page.getByRole('heading', { name: /^Rowlock/ }).waitFor();
  await page.locator('#operations-changes-getChangesStream .opblock-summary-control').click();
  await page.getByText('the cursor of what was read last').first().waitFor();
  const picture = process.env['ROWLOCK_PICTURES'];
  if (picture !== undefined) await page.screenshot({ path: `${picture}/api-docs.png`, fullPage: false });

  assert.equal(answer?.status(), 200);
  assert.match(
    answer?.headers()['content-security-policy'] ?? '',
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(site.service.url) && !url.startsWith('data:')),
    [],
  );
  assert.deepEqual(complaints, []);
  for (const group of ['buckets', 'objects', 'changes']) {
    assert.equal(await page.locator(`#operations-tag-${group}`).count(), 1, group);
  }
  t.diagnostic(`${asked.length} requests`);
});

test('it can be switched off, and the description stays', { skip }, async () => {
  const quiet = await startService({ workers: false, config: { api_docs: false } });

  const statuses = await Promise.all(
    ['/docs', '/docs/', '/docs/start.js', '/openapi.json'].map(async (path) => (await quiet.fetch(path)).status),
  );

  assert.deepEqual(statuses, [404, 404, 404, 200]);
  await quiet.stop();
});
