/**
 * The client's uploads in a real browser: how far a request is while it is on its way, what pause and cancel do to it, and what the
 * browser's own storage remembers.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type ConsoleInChromium, keyOf, type Page, startConsole } from './console-in-chromium.ts';

const skip = requires('chromium');

/** Runs a program in a page that has a client of Ann's, and the bytes of a file that is slow to send. */
async function run<T>(page: Page, program: string): Promise<T> {
  const token = await keyOf('ann');
  return await page.evaluate<T>(`(async () => {
    const { createClient } = await import('@rowlock/client');
    const client = createClient({ url: location.origin, token: ${JSON.stringify(token)} });
    const bytes = (size) => new Uint8Array(size).map((_, place) => (place * 31 + (place >> 9)) % 251);
    const digest = async (body) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', body))].join();
    const stored = async (name) => digest(await (await client.download('box', name)).arrayBuffer());
    ${program}
  })()`);
}

describe('the client in a browser', { skip }, () => {
  let site: ConsoleInChromium;
  let page: Page;

  before(async () => {
    site = await startConsole();
    await site.service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
    page = await site.newPage();
    await page.goto(site.url);
  });
  after(() => site?.stop());

  test('one request says how far it is while it is on its way', async () => {
    const outcome = await run<{ told: number[]; isSame: boolean; phase: string }>(
      page,
      `const body = bytes(24_000_000);
       const told = [];
       const upload = client.upload(new Blob([body]), { bucket: 'box', name: 'whole', onProgress: ({ bytesSent }) => told.push(bytesSent) });
       await upload;
       return { told, isSame: (await stored('whole')) === (await digest(body)), phase: upload.progress.phase };`,
    );

    assert.ok(
      outcome.told.some((bytes) => bytes > 0 && bytes < 24_000_000),
      'something between nothing and all',
    );
    assert.deepEqual(
      outcome.told,
      outcome.told.toSorted((a, b) => a - b),
    );
    assert.deepEqual([outcome.isSame, outcome.phase, outcome.told.at(-1)], [true, 'completing', 24_000_000]);
  });

  test('a pause takes a request back and it is whole in the end; a cancel fails as what it is', async () => {
    const outcome = await run<{ isSame: boolean; reason: string; exists: boolean; paused: string }>(
      page,
      `const body = bytes(12_000_000);
       let paused;
       const upload = client.upload(new Blob([body]), {
         bucket: 'box', name: 'paused',
         onProgress: ({ phase, bytesSent }) => {
           if (phase !== 'sending' || bytesSent === 0 || paused) return;
           upload.pause();
           paused = upload.progress.phase;
           setTimeout(() => upload.resume(), 0);
         },
       });
       await upload;
       const cancelled = client.upload(new Blob([body]), {
         bucket: 'box', name: 'cancelled', onProgress: ({ phase }) => phase === 'sending' && cancelled.cancel(),
       });
       const reason = await cancelled.done.then(() => 'none', (error) => error.reason);
       const isSame = (await stored('paused')) === (await digest(body));
       return { isSame, reason, paused, exists: await client.exists('box', 'cancelled') };`,
    );

    assert.deepEqual(outcome, { isSame: true, reason: 'client_closed', paused: 'paused', exists: false });
  });

  test('what was begun is remembered by the browser until it has ended, and gone on with after a reload', async () => {
    const file = `new File([bytes(11_000_000)], 'film.bin', { lastModified: 7 })`;
    const choices = `{ bucket: 'box', name: 'film', way: 'parts', partSize: 5 * 2 ** 20, atOnce: 1 }`;
    const left = await page.context().newPage();
    await left.goto(site.url);
    await run(
      left,
      `await new Promise((resolve) => client.upload(${file}, {
         ...${choices},
         onProgress: ({ bytesSent }) => bytesSent > 5 * 2 ** 20 && resolve(),
       }));`,
    );
    await left.close();

    const outcome = await run<{ resumed: number; isSame: boolean; kept: number[] }>(
      page,
      `const kept = () => Object.keys(localStorage).filter((key) => key.startsWith('rowlock.upload.')).length;
       const before = kept();
       const upload = client.upload(${file}, ${choices});
       await upload;
       const isSame = (await stored('film')) === (await digest(bytes(11_000_000)));
       return { resumed: upload.progress.bytesResumed, isSame, kept: [before, kept()] };`,
    );

    assert.ok(outcome.resumed >= 5 * 2 ** 20, `${outcome.resumed} bytes had arrived`);
    assert.deepEqual([outcome.isSame, outcome.kept], [true, [1, 0]]);
  });
});
