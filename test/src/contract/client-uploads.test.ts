/**
 * The uploads of the client as a matrix, on each backend: every way with every size, and every way with every fault. What arrives is
 * compared by its checksum, and what did not arrive has left nothing behind.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isRowlockError, type UploadProgress, type UploadTarget, type UploadWay } from '@rowlock/client';
import { until } from '@rowlock/test-harness';
import {
  aName,
  type BackendName,
  backendNames,
  bucketOn,
  bytesOf,
  type ClientSite,
  rememberingUploads,
  sha256,
  skipOf,
  startClientSite,
} from './client-site.ts';
import { once } from './faulty-gateway.ts';

const part = 5 * 2 ** 20;
interface Way {
  readonly of: 'object' | 'entity';
  readonly way: UploadWay;
}

/** Rows take no parts, and an entity's file never goes through the service. */
const waysOf = (backend: BackendName): readonly Way[] => [
  { of: 'object', way: 'service' },
  { of: 'object', way: 'put' },
  { of: 'entity', way: 'put' },
  ...(backend === 'postgres'
    ? []
    : ([
        { of: 'object', way: 'parts' },
        { of: 'entity', way: 'parts' },
      ] as const)),
];

const targetOf = ({ of }: Way, backend: BackendName): UploadTarget =>
  of === 'object' ? { bucket: bucketOn(backend), name: aName() } : { entityType: 'issue', entityId: '7' };

/** Around the bounds of parts, where there are parts. */
const sizesOf = ({ way }: Way): readonly number[] =>
  way === 'parts' ? [0, 1, part - 1, part, part + 1, 3 * part] : [0, 1, 300_000, part + 1];

/** Of files whose fate is looked at: two parts, or enough to be cut off in the middle. */
const sizeOf = ({ way }: Way): number => (way === 'parts' ? part + 1 : 300_000);

let site: ClientSite;

before(async () => {
  site = await startClientSite();
});
after(() => site?.stop());

/** The request that carries bytes, and who answers it. */
function bytesRequest({ of, way }: Way, backend: BackendName) {
  if (of === 'object' && way === 'service') {
    return { gateway: site.gateway, method: 'POST', path: new RegExp(`^/storage/v1/object/${bucketOn(backend)}/`) };
  }
  return of === 'object' && way === 'put'
    ? { gateway: site.gateway, method: 'PUT', path: /^\/storage\/v1\/object\/upload\/sign\// }
    : { gateway: site.gatewayOf(backend), method: 'PUT', path: /^\/(?!storage|rpc)/ };
}

async function arrived(uploaded: { readonly bucket: string; readonly name: string }): Promise<string> {
  await until(() => site.client.exists(uploaded.bucket, uploaded.name), { what: 'the upload is committed' });
  return await site.sha256Of(uploaded.bucket, uploaded.name);
}

for (const backend of backendNames) {
  describe(`uploads to ${backend}`, { skip: skipOf(backend) }, () => {
    before(() => site.keepFilesOn(backend));

    for (const each of waysOf(backend)) {
      const { of, way } = each;

      test(`${of} by ${way}: every size arrives as it was`, async () => {
        const outcomes = sizesOf(each).map(async (size) => {
          const bytes = bytesOf(size);
          const seen: UploadProgress[] = [];
          const choices = { way, partSize: part, onProgress: (progress: UploadProgress) => seen.push(progress) };
          const uploaded = await site.client.upload(new Blob([bytes]), { ...targetOf(each, backend), ...choices });
          assert.equal(await arrived(uploaded), sha256(bytes), `${size} bytes`);
          assert.equal(uploaded.size, size);
          assertMonotone(seen, size);
        });

        await Promise.all(outcomes);
      });

      test(`${of} by ${way}: a lost connection, a lost answer, 503 and a URL that expired are mended`, async () => {
        const bytes = bytesOf(sizeOf(each));
        const { gateway, method, path } = bytesRequest(each, backend);
        const harms = {
          'the connection breaks off': { kind: 'cut', afterBytes: 100_000 },
          'the answer is lost': { kind: 'lose_answer' },
          'the server has too much to do': { kind: 'answer', status: 503, headers: { 'retry-after': '0' } },
          'the URL expired': { kind: 'answer', status: of === 'object' && way === 'put' ? 410 : 403 },
        } as const;
        for (const [what, harm] of Object.entries(harms)) {
          if (way === 'service' && what === 'the URL expired') continue;
          gateway.harm = once(method, path, harm);
          const seen: UploadProgress[] = [];

          const uploaded = await site.client.upload(new Blob([bytes]), {
            ...targetOf(each, backend),
            way,
            partSize: part,
            overwrite: false,
            onProgress: (progress) => seen.push(progress),
          });

          assert.equal(await arrived(uploaded), sha256(bytes), what);
          assertMonotone(seen, bytes.length);
          gateway.harm = undefined;
        }
      });

      test(`${of} by ${way}: what is paused sends nothing until it goes on, and what is cancelled leaves nothing`, async () => {
        const bytes = bytesOf(sizeOf(each));
        const { gateway, method, path } = bytesRequest(each, backend);
        let release = (): void => undefined;
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        const storage = rememberingUploads();
        const choices = { ...targetOf(each, backend), way, partSize: part, storage, resumeKey: 'the file' };
        const isHeld = (): boolean =>
          gateway.seen.some((seen) => seen.startsWith(method) && path.test(seen.split(' ')[1] ?? ''));
        gateway.harm = once(method, path, { kind: 'hold', until: held });

        gateway.seen.length = 0;
        const paused = site.client.upload(new Blob([bytes]), choices);
        await until(isHeld, { what: 'bytes are on their way' });
        paused.pause();
        release();
        await until(() => gateway.open === 0, { what: 'nothing is on its way' });
        const { phase } = paused.progress;
        paused.resume();
        const uploaded = await paused;

        gateway.harm = once(method, path, { kind: 'hold', until: new Promise(() => undefined) });
        gateway.seen.length = 0;
        const stop = new AbortController();
        const cancelled = site.client.upload(new Blob([bytes]), {
          ...choices,
          ...targetOf(each, backend),
          signal: stop.signal,
        });
        const refusal = assert.rejects(cancelled.done, (error) => isRowlockError(error, 'client_closed'));
        await until(isHeld, { what: 'bytes are on their way again' });
        stop.abort();

        assert.equal(phase, 'paused');
        assert.equal(await arrived(uploaded), sha256(bytes));
        await refusal;
        await until(() => gateway.open === 0, { what: 'nothing is on its way' });
        assert.equal(storage.kept.size, 0);
        gateway.harm = undefined;
      });
    }
  });
}

function assertMonotone(seen: readonly UploadProgress[], size: number): void {
  for (const [place, { bytesSent, bytesTotal }] of seen.entries()) {
    assert.ok(bytesSent >= (seen[place - 1]?.bytesSent ?? 0), 'bytes never go back');
    assert.ok(bytesSent <= bytesTotal);
  }
  assert.deepEqual([seen.at(-1)?.bytesSent, seen.at(-1)?.bytesTotal, seen.at(-1)?.phase], [size, size, 'completing']);
}
