import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { createClient } from '../client.ts';
import { UploadControl } from './upload-control.ts';

test('what goes on and is paused again at once makes no attempt until it goes on for good', async () => {
  const control = new UploadControl(undefined);
  let attempts = 0;
  control.pause();
  const outcome = control.run(async () => {
    attempts += 1;
  });

  control.resume();
  control.pause();
  await new Promise(setImmediate);
  const whilePaused = attempts;
  control.resume();
  await outcome;

  assert.deepEqual([whilePaused, attempts], [0, 1]);
});

test("an upload that is over listens to its caller's signal no more", async () => {
  const { signal } = new AbortController();
  const fetch = async (): Promise<Response> => new Response(null, { status: 403 });
  const client = createClient({ url: 'http://service', fetch });

  const upload = client.upload(new Blob(['x']), { bucket: 'b', name: 'n', signal });
  const during = getEventListeners(signal, 'abort').length;
  await assert.rejects(upload.done, { reason: 'not_allowed' });

  assert.deepEqual([during, getEventListeners(signal, 'abort').length], [1, 0]);
});
