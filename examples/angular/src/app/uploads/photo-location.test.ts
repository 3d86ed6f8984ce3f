/**
 * How the wait for a place ends where no answer comes. A service whose worker stands still, or that says nothing at all, cannot
 * be had of the real one, so the client is a fake here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StorageClient } from '@rowlock/client';
import { waitForLocation } from './photo-location';

const timeout = 20_000;

/** A client whose only call is this one. */
function clientOf(rpc: (signal: AbortSignal | undefined) => Promise<unknown>): StorageClient {
  const fake = { rpc: (_name: string, _args: object, _method: string, signal?: AbortSignal) => rpc(signal) };
  return fake as unknown as StorageClient;
}

/** What a request does that gets no answer. */
function noAnswer(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('The request was given up')));
  });
}

const unread = { status: 'pending', location_status: null, exif_data: null };

test('a photo that nobody reads in time is unreadable', { timeout }, async () => {
  const client = clientOf(() => Promise.resolve(unread));

  const location = await waitForLocation(client, 'a file', new AbortController().signal, 10);

  assert.deepEqual(location, { state: 'unreadable' });
});

test('so is one of which the service says nothing in time', { timeout }, async () => {
  const client = clientOf(noAnswer);

  const location = await waitForLocation(client, 'a file', new AbortController().signal, 10);

  assert.deepEqual(location, { state: 'unreadable' });
});

test('a wait that is given up while the service says nothing ends with the reason', { timeout }, async () => {
  const stop = new AbortController();
  const waiting = waitForLocation(clientOf(noAnswer), 'a file', stop.signal);

  stop.abort(new Error('enough'));

  await assert.rejects(waiting, /enough/);
});
