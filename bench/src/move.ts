/**
 * Move, rename and copy of one object of 5 GiB over HTTP, one caller at a time, beside the same of an object of 1 KB:
 * none of them touches a byte, so both take as long. The large object is uploaded once, the way of any other.
 */
import type { HttpLoad } from './load/http-load.ts';
import { startHttpLoad } from './load/http-load.ts';
import { HttpSocket } from './load/http-socket.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { latenciesOf } from './measure/statistics.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const kinds = ['rename', 'move', 'copy'] as const;
type Kind = (typeof kinds)[number];
type Latencies = ReturnType<typeof latenciesOf> & { readonly count: number };

/** An object that is moved about: where it is now. */
interface Piece {
  readonly label: string;
  bucket: string;
  name: string;
  count: number;
}

interface Parts {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly load: HttpLoad;
  readonly socket: HttpSocket;
}

const titles: Readonly<Record<Kind, string>> = {
  rename: 'rename of a 5 GiB object',
  move: 'move of a 5 GiB object to another bucket',
  copy: 'copy of a 5 GiB object',
};

const idOf = (kind: Kind, share: 'p50' | 'p95'): string => `${kind}_5g_${share}_ms`;

async function put({ service, load }: Parts, name: string, bytes: number): Promise<void> {
  const { port, headers } = service;
  const path = `/storage/v1/object/bench/${name}`;
  await load.send({
    port,
    headers,
    path,
    connections: 1,
    count: 1,
    method: 'PUT',
    body_bytes: bytes,
    statuses: [200, 201],
  });
}

/** One request; answers how long it took, in milliseconds. */
async function relocate({ service, socket }: Parts, route: string, order: object): Promise<number> {
  const body = Buffer.from(JSON.stringify(order));
  const { authorization = '' } = service.headers;
  const head =
    `POST /storage/v1/object/${route} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: ${authorization}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.byteLength}\r\n\r\n`;
  const at = performance.now();
  const { status } = await socket.send(head, body);
  if (status !== 200) throw new Error(`${route} answered ${status}`);
  return performance.now() - at;
}

async function step(parts: Parts, kind: Kind, piece: Piece): Promise<number> {
  const { bucket, name } = piece;
  piece.count += 1;
  const destinationKey = kind === 'move' ? name : `${piece.label}/${kind}/${piece.count}`;
  const destinationBucket = kind === 'move' ? (bucket === 'bench' ? 'bench-other' : 'bench') : bucket;
  const order = { bucketId: bucket, sourceKey: name, destinationBucket, destinationKey };
  const took = await relocate(parts, kind === 'copy' ? 'copy' : 'move', order);
  if (kind !== 'copy') Object.assign(piece, { bucket: destinationBucket, name: destinationKey });
  return took;
}

async function turnOf(parts: Parts, kind: Kind, piece: Piece): Promise<Latencies> {
  const durations: number[] = [];
  const deadline = performance.now() + parts.context.seconds * 1000;
  while (performance.now() < deadline) durations.push(await step(parts, kind, piece));
  return { ...latenciesOf(durations), count: durations.length };
}

async function measure(parts: Parts, kind: Kind, pieces: { large: Piece; small: Piece }): Promise<readonly Measured[]> {
  const all = await inTurns(parts.context, titles[kind], {
    rowlock: async () => await turnOf(parts, kind, pieces.large),
    small: async () => await turnOf(parts, kind, pieces.small),
  });
  return (['p50', 'p95'] as const)
    .filter((share) => isWanted(parts.context, idOf(kind, share)))
    .map((share) => ({
      id: idOf(kind, share),
      title: `${titles[kind]}, ${share}`,
      unit: 'ms',
      better: 'lower',
      values: all.rowlock.map((each) => each[`${share}_ms`]),
      beside: [{ name: 'the same of 1 KB', kind: 'ceiling', values: all.small.map((each) => each[`${share}_ms`]) }],
    }));
}

/** Whatever happened to it on the way, the object is still whole. */
async function assertWhole({ service }: Parts, { bucket, name }: Piece, bytes: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${service.port}/storage/v1/object/info/${bucket}/${name}`, {
    headers: service.headers,
  });
  const { size } = (await answer.json()) as { readonly size?: number };
  if (size !== bytes) throw new Error(`The moved object has ${size} bytes instead of ${bytes}`);
}

async function run(context: BenchContext): Promise<BenchResult> {
  const wanted = kinds.filter((kind) => isWanted(context, idOf(kind, 'p50')) || isWanted(context, idOf(kind, 'p95')));
  const service = await startBenchService(context, 'move');
  const load = startHttpLoad();
  const socket = new HttpSocket(service.port);
  try {
    await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bench-other', 'ann')");
    const parts = { context, service, load, socket };
    const bytes = context.short ? 8 * 2 ** 20 : 5 * 2 ** 30;
    context.say(`uploading ${bytes} bytes`);
    const pieces = {
      large: { label: 'large', bucket: 'bench', name: 'large', count: 0 },
      small: { label: 'small', bucket: 'bench', name: 'small', count: 0 },
    };
    await put(parts, 'large', bytes);
    await put(parts, 'small', 1024);
    const figures: Measured[] = [];
    for (const kind of wanted) figures.push(...(await measure(parts, kind, pieces)));
    await assertWhole(parts, pieces.large, bytes);
    return { figures, details: { bytes, requests: pieces } };
  } finally {
    socket.close();
    await service.stop();
    await load.stop();
  }
}

export const move: Benchmark = {
  name: 'move',
  summary: 'move, rename and copy of 5 GiB, beside 1 KB',
  needs: [],
  run,
};
