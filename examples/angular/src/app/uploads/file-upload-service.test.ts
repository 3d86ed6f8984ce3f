/** The service of Angular applications over a real Rowlock, without a browser: what its names do and what its signals say. */
import '@angular/compiler';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Injector } from '@angular/core';
import { createClient, isRowlockError } from '@rowlock/client';
import { Rowlock } from '../rowlock/rowlock';
import { FileUploadService } from './file-upload-service';

const { ROWLOCK_URL: url, ROWLOCK_TOKEN: token, POTHOLE_ID: pothole = '' } = process.env;
const skip = url === undefined || token === undefined ? 'needs ROWLOCK_URL, ROWLOCK_TOKEN and POTHOLE_ID' : false;
/** The repository's sample photo, from wherever this was bundled to. */
const photoBytes = readFileSync('../../packages/cli/assets/sample.jpg');

function serviceOf(client = createClient({ url: url ?? '', token })): FileUploadService {
  const providers = [FileUploadService, { provide: Rowlock, useValue: { client } }];
  return Injector.create({ providers }).get(FileUploadService);
}

const photo = (name: string): File => new File([photoBytes], name, { type: 'image/jpeg' });

test('an upload says that it runs, how far it is, and that it is over', { skip }, async () => {
  const service = serviceOf();
  const told: number[] = [];

  const before = service.uploading();
  const running = service.uploadFile(photo('signals.jpg'), 'pothole', pothole, {
    onProgress: ({ bytesSent }) => told.push(bytesSent),
  });
  const during = service.uploading();
  const { fileId, size } = await running;

  assert.deepEqual([before, during, service.uploading()], [false, true, false]);
  assert.equal(size, photoBytes.length);
  assert.equal(service.progress()?.bytesSent, photoBytes.length);
  assert.equal(told.at(-1), photoBytes.length);
  assert.equal(service.error(), undefined);
  assert.ok((await service.getFiles('pothole', pothole)).some(({ id }) => id === fileId));
});

test('an upload waits for its thumbnails, and for a place that the photo does not have', { skip }, async () => {
  const service = serviceOf();

  const picture = await service.uploadWithThumbnails(photo('thumbnails.jpg'), 'pothole', pothole, {
    consentLocation: true,
  });
  const location = await service.waitForLocation(picture.file_id ?? '');
  const [urls] = await service.urls([picture.file_id ?? '']);
  const original = await fetch(await service.originalUrl(picture.file_id ?? ''));

  assert.equal(picture.status, 'completed');
  assert.equal(location.state, 'none');
  assert.equal((await fetch(urls?.thumbnail_medium_url ?? '')).status, 200);
  assert.deepEqual(Buffer.from(await original.arrayBuffer()), photoBytes);
});

test('what is refused is the error until the next upload begins', { skip }, async () => {
  const service = serviceOf();

  const refused = service.uploadFile(photo('refused.jpg'), 'pothole', '999999999');
  await assert.rejects(refused, (error) => isRowlockError(error));
  const error = service.error();
  await service.uploadFile(photo('accepted.jpg'), 'pothole', pothole);

  assert.ok(isRowlockError(error));
  assert.equal(service.error(), undefined);
  assert.equal(service.uploading(), false);
});

test('what somebody cancelled ends, and is no error', { skip }, async () => {
  const service = serviceOf();
  const stop = new AbortController();

  const running = service.uploadFile(photo('cancelled.jpg'), 'pothole', pothole, { signal: stop.signal });
  stop.abort();

  await assert.rejects(running, (error) => isRowlockError(error, 'client_closed'));
  assert.equal(service.error(), undefined);
  assert.equal(service.uploading(), false);
});

test('the three steps of those who send bytes themselves make one file, which can be removed', { skip }, async () => {
  const service = serviceOf();
  const file = photo('by-hand.jpg');

  const signed = await service.getPresignedUrl('pothole', pothole, file);
  await service.uploadToS3(signed, file);
  const row = await service.createFileRecord(signed, 'pothole', pothole, file);
  const { status } = await service.waitForThumbnails(String(row['id']));
  await service.remove(String(row['id']));

  assert.equal(row['id'], signed.file_id);
  assert.equal(status, 'completed');
  assert.ok((await service.getFiles('pothole', pothole)).every(({ id }) => id !== signed.file_id));
});

test('a wait for a place ends with its signal', { skip }, async () => {
  const service = serviceOf();
  const { fileId } = await service.uploadFile(photo('awaited.jpg'), 'pothole', pothole);

  const waiting = service.waitForLocation(fileId, { signal: AbortSignal.abort(new Error('enough')) });

  await assert.rejects(waiting, /enough/);
});
