/** The pages of jobs and health in Chromium, over real workers: what failed is retried from the page and completes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OwnJob } from '@rowlock/server';
import { requires, signToken, until } from '@rowlock/test-harness';
import { type ConsoleInChromium, type Page, signIn, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
let site: ConsoleInChromium;
let isMended = false;

before(async () => {
  if (skip !== false) return;
  const perform = async ({ args, signal }: OwnJob): Promise<undefined> => {
    if (args['waits'] === true) await new Promise((_, reject) => signal.addEventListener('abort', reject));
    if (!isMended) throw new Error('the printer is on fire: https://printer.example/jobs?token=sesame');
  };
  site = await startConsole({ checks: { kinds: [{ kind: 'report_print', perform }] } });
});
after(() => site?.stop());

/** A page of the console, signed in with the service role. */
async function openAsOperator(place: string): Promise<Page> {
  const page = await site.newPage();
  await signIn(page, site.url, await signToken({ sub: 'operator', role: 'service_role' }));
  await page.goto(site.url + place);
  return page;
}

/** Enqueues jobs that have one attempt, and waits until it is over. */
async function failJobs(count: number): Promise<readonly string[]> {
  const rows = await site.service.database.query<{ id: string }>(
    `SELECT metadata.enqueue_job('report_print', jsonb_build_object('page', n), 'checks', 1::smallint, 1::smallint)::text AS id
     FROM generate_series(1, $1) AS n`,
    [count],
  );
  const ids = rows.map(({ id }) => id);
  await until(async () => (await inState(ids, 'discarded')) === count, { what: `${count} discarded jobs` });
  return ids;
}

async function inState(ids: readonly string[], state: string): Promise<number> {
  const [row] = await site.service.database.query<{ count: number }>(
    'SELECT count(*)::integer AS count FROM metadata.river_job WHERE id = ANY ($1::bigint[]) AND state::text = $2',
    [ids, state],
  );
  return row?.count ?? 0;
}

test('a job that failed is found by its state, shown with its error, retried, and completes', { skip }, async () => {
  isMended = false;
  const [id = ''] = await failJobs(1);
  isMended = true;
  const page = await openAsOperator('#jobs');

  await page.getByRole('button', { name: /^Discarded 1$/ }).click();
  await page.getByRole('link', { name: `report_print ${id}` }).click();
  await page.getByText('the printer is on fire').first().waitFor();
  const text = await page.locator('main').innerText();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('.view-head').getByText('completed').waitFor();

  assert.ok(!text.includes('sesame'), 'the token in the error is not shown');
  assert.equal(await inState([id], 'completed'), 1);
});

test('all jobs of a state are retried after a question that says how many', { skip }, async () => {
  isMended = false;
  const ids = await failJobs(3);
  isMended = true;
  const page = await openAsOperator('#jobs/state/discarded');

  await page.getByRole('button', { name: 'Retry all…' }).click();
  await page.getByRole('dialog').getByRole('heading', { name: 'Retry 3 jobs (discarded jobs)?' }).waitFor();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Retry 3 jobs/ })
    .click();
  await page.getByRole('status').getByText('Retried 3 jobs.').waitFor();

  await until(async () => (await inState(ids, 'completed')) === 3, { what: 'three completed jobs' });
});

test('a job that runs stops when it is cancelled from its page', { skip }, async () => {
  const [row] = await site.service.database.query<{ id: string }>(
    `SELECT metadata.enqueue_job('report_print', '{"waits": true}', 'checks')::text AS id`,
  );
  const id = row?.id ?? '';
  await until(async () => (await inState([id], 'running')) === 1, { what: 'a running job' });
  const page = await openAsOperator(`#jobs/${id}`);

  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('.view-head').getByText('cancelled').waitFor();

  assert.equal(await inState([id], 'cancelled'), 1);
});

test('a queue that is paused works nothing until it goes on, and its page says so', { skip }, async () => {
  isMended = true;
  const page = await openAsOperator('#jobs');

  await page.getByRole('button', { name: 'Pause thumbnails' }).click();
  await page.locator('.queue-card', { hasText: 'thumbnails' }).getByText('Paused', { exact: true }).waitFor();
  const [row] = await site.service.database.query<{ paused: boolean }>(
    "SELECT paused_at IS NOT NULL AS paused FROM metadata.river_queue WHERE name = 'thumbnails'",
  );
  await page.getByRole('button', { name: 'Resume thumbnails' }).click();
  await page.getByRole('button', { name: 'Pause thumbnails' }).waitFor();

  assert.equal(row?.paused, true);
});

test('health says what is kept and what needs care, and only the service role is shown it', { skip }, async () => {
  const put = { as: 'ann', method: 'POST', headers: { 'content-type': 'application/json' } };
  await site.service.fetch('/storage/v1/bucket', { ...put, body: JSON.stringify({ name: 'kept' }) });
  const object = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(2000) };
  assert.equal((await site.service.fetch('/storage/v1/object/kept/a.txt', object)).status, 201);
  const page = await openAsOperator('#health');
  const other = await site.open('ann', '#health');

  await page.getByRole('row', { name: /^kept 1 2 kB$/ }).waitFor();
  await page.getByText('Rows and bytes of disk were never compared.').waitFor();
  await page.getByText('rowlock fsck', { exact: false }).first().waitFor();
  await other.getByRole('alert').waitFor();

  assert.equal(await other.getByRole('table').count(), 0);
});
