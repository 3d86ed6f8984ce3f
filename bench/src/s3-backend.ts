/**
 * What our S3 backend costs over the SDK that it is made of: small and large objects up and down at a real store, beside
 * the plainest call of the SDK with the whole body in memory. The store is on the same machine and takes most of the
 * time of both; what is looked at is the ratio.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { type CephStore, cephStore } from '@rowlock/test-harness';
import { openS3Backend, type S3Backend } from '../../packages/server/dist/backend/s3/s3-backend.js';
import { closedLoop } from './load/closed-loop.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';

interface Size {
  readonly name: '64k' | '64m';
  readonly title: string;
  readonly bytes: number;
  readonly concurrency: number;
  /** Calls of one turn at most: what is put stays in the store's memory until the turn is over, and a little longer. */
  readonly calls: number;
}

const kibi = 1024;
const chunkBytes = 64 * kibi;
const sizes: readonly Size[] = [
  { name: '64k', title: '64 KiB', bytes: 64 * kibi, concurrency: 8, calls: 2000 },
  { name: '64m', title: '64 MiB', bytes: 64 * kibi ** 2, concurrency: 1, calls: 4 },
];

/** Puts and gets keys of a bucket, one way or the other. */
interface Contestant {
  put(key: string, bytes: Buffer): Promise<unknown>;
  /** Returns how many bytes came. */
  get(key: string): Promise<number>;
  delete(key: string): Promise<unknown>;
}

function ofBackend(backend: S3Backend): Contestant {
  return {
    put: async (key, bytes) => await backend.put(key, inChunks(bytes)),
    get: async (key) => {
      const { bytes, stream } = await backend.get(key);
      return bytes?.length ?? (await lengthOf(stream));
    },
    delete: async (key) => await backend.delete(key),
  };
}

function ofSdk(client: S3, Bucket: string): Contestant {
  return {
    put: async (Key, Body) => await client.putObject({ Bucket, Key, Body, IfNoneMatch: '*' }),
    get: async (Key) => await lengthOf((await client.getObject({ Bucket, Key })).Body as AsyncIterable<Buffer>),
    delete: async (Key) => await client.deleteObject({ Bucket, Key }),
  };
}

/** As a request brings it. */
async function* inChunks(bytes: Buffer): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function lengthOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

/** One turn: so many puts or gets as the time has, then the keys are removed. */
async function turn(context: BenchContext, { size, way }: What, one: Contestant): Promise<number> {
  const bytes = randomBytes(context.short ? Math.min(size.bytes, kibi ** 2) : size.bytes);
  const folder = randomUUID();
  const calls = context.short ? 2 : size.calls;
  const keys: string[] = way === 'get' ? [`${folder}/0`] : [];
  if (way === 'get') await one.put(`${folder}/0`, bytes);
  const { per_second } = await closedLoop(
    { concurrency: size.concurrency, seconds: context.seconds, countMax: calls },
    async (n) => {
      if (way === 'put') {
        keys.push(`${folder}/${n}`);
        await one.put(`${folder}/${n}`, bytes);
      } else if ((await one.get(`${folder}/0`)) !== bytes.length) {
        throw new Error('another number of bytes came back than were put');
      }
    },
  );
  await Promise.all(keys.map((key) => one.delete(key)));
  return size.name === '64k' ? per_second : (per_second * bytes.length) / kibi ** 2;
}

interface What {
  readonly size: Size;
  readonly way: 'put' | 'get';
}

function idOf({ size, way }: What): string {
  return `s3_${way}_${size.name}_${size.name === '64k' ? 'per_second' : 'mib_per_second'}`;
}

async function measured(
  context: BenchContext,
  what: What,
  { ours, theirs }: { readonly ours: Contestant; readonly theirs: Contestant },
): Promise<Measured> {
  const { size, way } = what;
  const all = await inTurns(context, `${way} ${size.title}`, {
    rowlock: () => turn(context, what, ours),
    sdk: () => turn(context, what, theirs),
  });
  return {
    id: idOf(what),
    title: `S3 backend, ${way} ${size.title}`,
    unit: size.name === '64k' ? '1/s' : 'MiB/s',
    better: 'higher',
    values: all.rowlock,
    beside: [{ name: 'the SDK alone', kind: 'ceiling', values: all.sdk }],
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const store: CephStore = await cephStore();
  const { endpoint, region, credentials } = store;
  const bucket = await store.newBucket();
  const backend = await openS3Backend({ endpoint, region, bucket, credentials, flavour: 'ceph' });
  const client = new S3({
    endpoint,
    region,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key },
  });
  try {
    const [ours, theirs] = [ofBackend(backend), ofSdk(client, bucket)];
    const figures: Measured[] = [];
    for (const what of sizes.flatMap((size) => (['put', 'get'] as const).map((way) => ({ size, way })))) {
      if (isWanted(context, idOf(what))) figures.push(await measured(context, what, { ours, theirs }));
    }
    return { figures, details: { store: 'Ceph RADOS gateway on one node, objects in memory' } };
  } finally {
    client.destroy();
    await backend.close();
  }
}

export const s3Backend: Benchmark = {
  name: 's3-backend',
  summary: 'objects of 64 KiB and 64 MiB to and from a RADOS gateway, beside the AWS SDK alone',
  needs: ['ceph'],
  run,
};
