/** The queue over a client that is told what to answer: which file is sent when, and what one outcome does to the others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowlockError, type StorageClient, type UploadProgress } from '@rowlock/client';
import { progressOf } from './queued-upload.ts';
import { UploadQueue } from './upload-queue.ts';

/** One upload that was asked for, to be ended by the test. It sends nothing: what an upload does is the client's. */
interface Asked {
  readonly name: string;
  readonly overwrite: boolean;
  readonly calls: string[];
  succeed(): void;
  fail(error: RowlockError): void;
  tell(progress: Partial<UploadProgress>): void;
}

function queueOf(signal = new AbortController().signal): {
  readonly queue: UploadQueue;
  readonly asked: Asked[];
  readonly rpcs: string[];
} {
  const asked: Asked[] = [];
  const rpcs: string[] = [];
  const client = {
    upload: (file: File, options: { name: string; overwrite: boolean; onProgress(progress: UploadProgress): void }) => {
      const calls: string[] = [];
      const begun = pending<object>();
      asked.push({
        name: options.name,
        overwrite: options.overwrite,
        calls,
        succeed: () => begun.resolve({ bucket: 'b', name: options.name, fileId: 'f', size: file.size }),
        fail: begun.reject,
        tell: (progress) =>
          options.onProgress({
            phase: 'sending',
            bytesSent: 0,
            bytesTotal: file.size,
            bytesResumed: 0,
            bytesPerSecond: undefined,
            secondsLeft: undefined,
            ...progress,
          }),
      });
      return Object.assign(begun.promise, {
        pause: () => calls.push('pause'),
        resume: () => calls.push('resume'),
        cancel: () => {
          calls.push('cancel');
          begun.reject(new RowlockError('client_closed', 'cancelled'));
        },
      });
    },
    rpc: (name: string) => {
      rpcs.push(name);
      return Promise.resolve({ status: 'extracted', location_status: 'none', exif_data: null });
    },
  };
  return { queue: new UploadQueue(client as unknown as StorageClient, signal), asked, rpcs };
}

function pending<T>(): { readonly promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let [resolve, reject]: [(value: T) => void, (error: unknown) => void] = [() => undefined, () => undefined];
  const promise = new Promise<T>((succeed, fail) => {
    [resolve, reject] = [succeed, fail];
  });
  return { promise, resolve: (value) => resolve(value), reject: (error) => reject(error) };
}

const files = (...names: string[]) => names.map((name) => ({ name, file: new File(['1234567890'], name) }));
const states = (queue: UploadQueue): string[] => queue.entries().map(([, { state }]) => state);
/** What promises that are settled have led to, has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no more than three files are sent at once, in the order in which they came', async () => {
  const { queue, asked } = queueOf();

  queue.add({ bucket: 'b' }, files('1', '2', '3', '4', '5'));
  const first = asked.map(({ name }) => name);
  asked[1]?.succeed();
  await settled();

  assert.deepEqual(first, ['1', '2', '3']);
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['1', '2', '3', '4'],
  );
  assert.deepEqual(states(queue), ['sending', 'done', 'sending', 'sending', 'waiting']);
});

test('a file that failed is sent again as it is, and harms no other', async () => {
  const { queue, asked } = queueOf();
  const [id = ''] = queue.add({ bucket: 'b' }, files('1', '2'));

  asked[0]?.fail(new RowlockError('unavailable', 'gone'));
  await settled();
  const failed = states(queue);
  queue.retry(id);
  asked[2]?.succeed();
  asked[1]?.succeed();
  await settled();

  assert.deepEqual(failed, ['failed', 'sending']);
  assert.deepEqual(states(queue), ['done', 'done']);
});

test('a name that is taken is overwritten only by whoever asks for that', async () => {
  const { queue, asked } = queueOf();
  const [id = ''] = queue.add({ bucket: 'b' }, files('1'));
  asked[0]?.fail(new RowlockError('object_exists', 'taken'));
  await settled();

  queue.retryAll();
  queue.retry(id, { replace: true });

  assert.deepEqual(
    asked.map(({ overwrite }) => overwrite),
    [false, true],
  );
});

test('a pause makes room for the next file, and who resumes waits for a place', async () => {
  const { queue, asked } = queueOf();
  const [id = ''] = queue.add({ bucket: 'b' }, files('1', '2', '3', '4'));

  queue.pause(id);
  const paused = states(queue);
  queue.resume(id);
  const resumed = states(queue);
  asked[1]?.succeed();
  await settled();

  assert.deepEqual(paused, ['paused', 'sending', 'sending', 'sending']);
  assert.deepEqual(resumed, ['waiting', 'sending', 'sending', 'sending']);
  assert.deepEqual(states(queue), ['sending', 'done', 'sending', 'sending']);
  assert.deepEqual(asked[0]?.calls, ['pause', 'resume']);
});

test('cancelling all sends nothing that waited', async () => {
  const { queue, asked } = queueOf();
  queue.add({ bucket: 'b' }, files('1', '2', '3', '4', '5'));

  queue.cancelAll();
  await settled();

  assert.deepEqual(new Set(states(queue)), new Set(['cancelled']));
  assert.equal(asked.length, 3);
});

test('a queue whose session ends stops what is under way without giving it up, and sends nothing more', async () => {
  const session = new AbortController();
  const { queue, asked } = queueOf(session.signal);
  queue.add({ bucket: 'b' }, files('1', '2', '3', '4'));
  const removed: string[] = [];
  queue.listen((id, upload) => (upload === undefined ? removed.push(id) : undefined));

  session.abort();
  asked[0]?.fail(new RowlockError('invalid_token', 'expired'));
  await settled();
  const added = queue.add({ bucket: 'b' }, files('5'));

  assert.deepEqual(
    asked.map(({ calls }) => calls),
    [['pause'], ['pause'], ['pause']],
  );
  assert.deepEqual([queue.size, added, removed], [0, [], ['1', '2', '3', '4']]);
});

test('what the limits refuse is never sent, and the rest is', () => {
  const { queue, asked } = queueOf();

  queue.add({ bucket: 'b' }, [...files('1'), { name: 'large', file: new File(['12345678901'], 'large') }], {
    limits: { file_size_limit: 10, allowed_mime_types: null },
  });

  assert.deepEqual(states(queue), ['sending', 'failed']);
  assert.deepEqual(
    asked.map(({ name }) => name),
    ['1'],
  );
});

test('how far all are leaves out what failed, and adds the paces', async () => {
  const { queue, asked } = queueOf();
  queue.add({ bucket: 'b' }, files('1', '2', '3'));

  asked[0]?.tell({ bytesSent: 4, bytesPerSecond: 2 });
  asked[1]?.tell({ bytesSent: 6, bytesPerSecond: 3 });
  asked[2]?.fail(new RowlockError('unavailable', 'gone'));
  await settled();

  const all = progressOf(queue.entries().map(([, upload]) => upload));
  assert.deepEqual(all, { sentBytes: 10, bytes: 20, bytesPerSecond: 5, secondsLeft: 2 });
});

for (const [consentLocation, wanted] of [
  [false, []],
  [true, ['get_file_exif']],
] as const) {
  test(`${consentLocation ? 'with' : 'without'} consent ${consentLocation ? 'the service' : 'nobody'} is asked where a photo was taken`, async () => {
    const { queue, asked, rpcs } = queueOf();
    const photo = new File(['1'], 'a.jpg', { type: 'image/jpeg' });

    queue.add({ bucket: 'b' }, [{ name: 'a.jpg', file: photo }], { consentLocation });
    asked[0]?.succeed();
    await settled();
    await settled();

    assert.deepEqual(rpcs, wanted);
    assert.equal(queue.entries()[0]?.[1].place?.state, consentLocation ? 'none' : undefined);
  });
}
