/**
 * What the console costs before somebody sees their buckets: bytes as they are sent, and how often the browser has to ask
 * again before it can go on. How long that takes on a slow line is said, and not asserted.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import type { CDPSession } from 'playwright-core';
import { type ConsoleInChromium, keyOf, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');
const firstLoadBytesMax = 120_000;
let site: ConsoleInChromium;

before(async () => {
  if (skip !== false) return;
  site = await startConsole({ workers: false });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'papers' });
  await site.service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers, body });
});
after(() => site?.stop());

interface Load {
  /** Paths below the console, in the order in which they were asked for. */
  readonly paths: string[];
  bytes: number;
}

/** Follows what a page loads: bytes as sent, heads included. */
async function follow(page: Page): Promise<{ readonly load: Load; readonly session: CDPSession }> {
  const session = await page.context().newCDPSession(page);
  const load: Load = { paths: [], bytes: 0 };
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ request }) => load.paths.push(request.url.replace(site.url, '')));
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    load.bytes += encodedDataLength;
  });
  return { load, session };
}

async function signIn(page: Page): Promise<void> {
  await page.goto(site.url);
  await page.getByLabel('Your key').fill(await keyOf('ann'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: 'papers' }).waitFor();
}

test('from signing in to the list of buckets at most 120 kB are sent', { skip }, async (t) => {
  const page = await site.newPage();
  const { load } = await follow(page);

  await signIn(page);

  t.diagnostic(`${load.bytes} bytes in ${load.paths.length} requests`);
  assert.ok(load.bytes > 10_000, 'it is what was measured');
  assert.ok(load.bytes <= firstLoadBytesMax, `${load.bytes} bytes`);
});

test('the page names every module that it begins with, so that none waits for another', { skip }, async () => {
  const page = await site.newPage();
  const { load } = await follow(page);
  const html = await (await fetch(site.url)).text();

  await signIn(page);

  const named = new Set([...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map(([, path]) => path));
  const scripts = load.paths.filter((path) => path.endsWith('.js'));
  assert.ok(scripts.length > 10);
  assert.deepEqual(
    scripts.filter((path) => !named.has(path)),
    [],
  );
});

test('on a slow line and a slow machine something is seen', { skip }, async (t) => {
  const page = await site.newPage();
  const { session } = await follow(page);
  const bytesPerSecond = 1_600_000 / 8;
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: bytesPerSecond,
    uploadThroughput: bytesPerSecond / 2,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });

  await page.goto(site.url);
  await page.getByLabel('Your key').waitFor();

  const paintMs = await page.evaluate<number>(
    `performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint').startTime`,
  );
  const readyMs = await page.evaluate<number>('performance.now()');
  t.diagnostic(`1.6 Mbit/s, 150 ms, a quarter of the processor: first paint after ${Math.round(paintMs)} ms`);
  t.diagnostic(`and ready to sign in after ${Math.round(readyMs)} ms`);
  assert.ok(paintMs > 0);
});
