/**
 * Uploads that outlive what carries them: a page that was closed, and a server that was killed with no time to say so. What has
 * arrived is not sent again, and the whole is what it was.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once as event } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient, isRowlockError, type UploadTarget } from '@rowlock/client';
import { createMigratedDatabase, freePort, signToken, temporaryFolder, until } from '@rowlock/test-harness';
import {
  aName,
  type BackendName,
  bucketOn,
  bytesOf,
  type ClientSite,
  rememberingUploads,
  sha256,
  skipOf,
  startClientSite,
} from './client-site.ts';

const part = 5 * 2 ** 20;
const isPart = /^PUT \/(?!storage|rpc)/;
const crashServer = fileURLToPath(new URL('../service/crash-server.js', import.meta.url));

let site: ClientSite;

before(async () => {
  site = await startClientSite();
});
after(() => site?.stop());

const targets: Readonly<Record<string, (backend: BackendName) => UploadTarget>> = {
  'an object': (backend) => ({ bucket: bucketOn(backend), name: aName() }),
  "an entity's file": () => ({ entityType: 'issue', entityId: '8' }),
};

for (const backend of ['disk', 's3'] as const) {
  describe(`an upload to ${backend} that was left`, { skip: skipOf(backend) }, () => {
    before(() => site.keepFilesOn(backend));

    for (const [what, targetOn] of Object.entries(targets)) {
      test(`${what} goes on where it stopped when the same file is uploaded again`, async () => {
        const bytes = bytesOf(2 * part + 7);
        const file = new File([bytes], 'film.mp4', { type: 'video/mp4', lastModified: 1 });
        const storage = rememberingUploads();
        const target = targetOn(backend);
        const choices = { ...target, way: 'parts', partSize: part, atOnce: 1, storage, checksum: 'sha256' } as const;
        const gateway = site.gatewayOf(backend);
        gateway.harm = ({ method, path }) =>
          isPart.test(`${method} ${path}`) && /partNumber=[23]\b/.test(path)
            ? { kind: 'answer', status: 500 }
            : undefined;

        const left = site.client.upload(file, { ...choices, attemptsMax: 2 });
        await assert.rejects(left.done, (error) => isRowlockError(error, 'unavailable', 'internal'));
        const kept = storage.kept.size;
        gateway.harm = undefined;
        gateway.seen.length = 0;
        const resumed = site.client.upload(file, choices);
        const uploaded = await resumed;

        const sent = gateway.seen.filter((seen) => isPart.test(seen)).map((seen) => /partNumber=(\d+)/.exec(seen)?.[1]);
        await until(() => site.client.exists(uploaded.bucket, uploaded.name), { what: 'the upload is committed' });
        assert.equal(await site.sha256Of(uploaded.bucket, uploaded.name), sha256(bytes));
        assert.deepEqual([kept, storage.kept.size], [1, 0]);
        assert.deepEqual(sent, ['2', '3']);
        assert.equal(resumed.progress.bytesResumed, part);
      });
    }

    test('what is asked for otherwise begins anew: what was agreed to once is not agreed to again', async () => {
      const storage = rememberingUploads();
      const choices = { entityType: 'issue', entityId: '8', way: 'parts', partSize: part, atOnce: 1, storage } as const;
      const file = new File([bytesOf(part + 7)], 'photo.jpg', { type: 'image/jpeg', lastModified: 1 });
      const gateway = site.gatewayOf(backend);
      gateway.harm = ({ path }) => (/partNumber=2\b/.test(path) ? { kind: 'answer', status: 500 } : undefined);
      const agreed = site.client.upload(file, { ...choices, consentLocation: true, attemptsMax: 2 });
      await assert.rejects(agreed.done, (error) => isRowlockError(error, 'unavailable'));
      gateway.harm = undefined;

      const others = [{}, { consentLocation: true, contentType: 'image/png' }, { consentLocation: true }];
      const resumed: number[] = [];
      for (const other of others) {
        const upload = site.client.upload(file, { ...choices, ...other });
        await upload;
        resumed.push(upload.progress.bytesResumed);
      }

      assert.deepEqual(resumed, [0, 0, part]);
    });

    test("what a token that ended broke off goes on with the next one, and ends with the file's row", async () => {
      const bytes = bytesOf(part + 7);
      for (const [what, targetOn] of Object.entries(targets)) {
        const storage = rememberingUploads();
        const choices = { ...targetOn(backend), way: 'parts', partSize: part, storage, resumeKey: 'the film' } as const;
        site.gateway.harm = ({ path }) =>
          /\/complete$|create_file_record/.test(path) ? { kind: 'answer', status: 401 } : undefined;

        const left = site.client.upload(new Blob([bytes]), choices);
        await assert.rejects(left.done, (error) => isRowlockError(error, 'auth_required', 'invalid_token'));
        const kept = storage.kept.size;
        site.gateway.harm = undefined;
        site.gatewayOf(backend).seen.length = 0;
        const uploaded = await site.client.upload(new Blob([bytes]), choices);

        await until(() => site.client.exists(uploaded.bucket, uploaded.name), { what: 'the upload is committed' });
        assert.equal(await site.sha256Of(uploaded.bucket, uploaded.name), sha256(bytes), what);
        assert.deepEqual([kept, storage.kept.size], [1, 0], what);
        assert.equal(site.gatewayOf(backend).seen.filter((seen) => isPart.test(seen)).length, 0, what);
      }
    });

    test('a storage that fails at everything fails no upload', async () => {
      const full = (): Promise<never> => Promise.reject(new Error('QuotaExceededError'));
      const target = { bucket: bucketOn(backend), name: aName() };
      const bytes = bytesOf(part + 7);

      const uploaded = await site.client.upload(new Blob([bytes]), {
        ...target,
        way: 'parts',
        partSize: part,
        resumeKey: 'the film',
        storage: { get: full, set: full, delete: full },
      });

      assert.equal(await site.sha256Of(uploaded.bucket, uploaded.name), sha256(bytes));
    });

    test('where not one part reaches the store the file goes through the service; where one has, it is kept', async () => {
      const storage = rememberingUploads();
      const bytes = bytesOf(33 * 2 ** 20);
      const choices = { storage, resumeKey: 'the film', partSize: 17 * 2 ** 20, atOnce: 1, attemptsMax: 1 } as const;
      const gateway = site.gatewayOf(backend);
      const cutOff = (parts: RegExp): void => {
        gateway.harm = ({ method, path }) =>
          method === 'PUT' && /X-Amz-Signature=/.test(path) && parts.test(path)
            ? { kind: 'cut', afterBytes: 0 }
            : undefined;
      };
      site.gateway.seen.length = 0;

      cutOff(/partNumber=/);
      const target = { bucket: bucketOn(backend), name: aName() };
      const uploaded = await site.client.upload(new Blob([bytes]), { ...target, ...choices });
      const kept = storage.kept.size;
      cutOff(/partNumber=2\b/);
      const left = site.client.upload(new Blob([bytes]), { ...target, name: aName(), ...choices });
      await assert.rejects(left.done, (error) => isRowlockError(error, 'unavailable'));
      gateway.harm = undefined;

      assert.equal(await site.sha256Of(uploaded.bucket, uploaded.name), sha256(bytes));
      assert.deepEqual([kept, storage.kept.size], [0, 1]);
      const givenUp = site.gateway.seen.filter((seen) => seen.startsWith('DELETE /storage/v1/upload/multipart/'));
      assert.equal(givenUp.length, 1);
    });

    test('another file, another target and another person begin anew', async () => {
      const storage = rememberingUploads();
      const target = { bucket: bucketOn(backend), name: aName() };
      const choices = { way: 'parts', partSize: part, atOnce: 1, storage } as const;
      const bytes = bytesOf(part + 7);
      const file = (name: string) => new File([bytes], name, { lastModified: 1 });
      const gateway = site.gatewayOf(backend);
      gateway.harm = ({ path }) => (/partNumber=2\b/.test(path) ? { kind: 'answer', status: 500 } : undefined);
      const left = site.client.upload(file('a'), { ...target, ...choices, attemptsMax: 2 });
      await assert.rejects(left.done, (error) => isRowlockError(error, 'unavailable', 'internal'));
      gateway.harm = undefined;
      const bob = await site.as('bob');

      const others = [
        site.client.upload(file('b'), { ...target, ...choices }),
        site.client.upload(file('a'), { ...target, name: aName(), ...choices }),
      ];
      await Promise.all(others.map(({ done }) => done));
      const refused = bob.upload(file('a'), { ...target, ...choices });

      assert.deepEqual(
        others.map(({ progress }) => progress.bytesResumed),
        [0, 0],
      );
      await assert.rejects(refused.done, (error) => isRowlockError(error, 'bucket_not_found', 'not_allowed'));
    });
  });
}

test('a server that is killed in the middle and started again gets the rest, and the whole is what it was', async (t) => {
  const database = await createMigratedDatabase();
  const port = await freePort();
  const root = join(temporaryFolder(), 'killed');
  const start = async (): Promise<ChildProcess> => {
    const child = fork(crashServer, {
      env: {
        ...process.env,
        CRASH_PORT: String(port),
        CRASH_ROOT: root,
        CRASH_API_URL: database.apiUrl,
        CRASH_WORKER_URL: database.workerUrl,
      },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    await event(child.stdout ?? child, 'data');
    return child;
  };
  let server = await start();
  t.after(async () => {
    server.kill('SIGKILL');
    await event(server, 'exit');
    await database.drop();
  });
  const token = await signToken({ sub: 'ann', role: 'authenticated' });
  const client = createClient({ url: `http://127.0.0.1:${port}`, token });
  await client.createBucket({ name: 'films' });
  const bytes = bytesOf(4 * part);

  const upload = client.upload(new Blob([bytes]), {
    bucket: 'films',
    name: 'film',
    way: 'parts',
    partSize: part,
    atOnce: 1,
    attemptsMax: 20,
  });
  await until(() => upload.progress.bytesSent >= part, { what: 'a part has arrived' });
  server.kill('SIGKILL');
  await event(server, 'exit');
  await until(() => upload.progress.phase === 'retrying', { what: 'the client has noticed' });
  server = await start();
  const uploaded = await upload;
  const stored = new Uint8Array(await (await client.download('films', 'film')).arrayBuffer());

  assert.equal(uploaded.size, bytes.length);
  assert.equal(sha256(stored), sha256(bytes));
});
