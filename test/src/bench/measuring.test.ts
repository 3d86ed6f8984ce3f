/** What figures are made from: the load that counts answers, medians and ratios, and what is said of a floor. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type HttpLoad, startHttpLoad } from '../../../bench/dist/load/http-load.js';
import type { HttpOrder } from '../../../bench/dist/load/http-order.js';
import { topFunctions } from '../../../bench/dist/measure/profile.js';
import { figureOf } from '../../../bench/dist/measure/report.js';
import { inTurns } from '../../../bench/dist/measure/rounds.js';
import { percentile, ratioOf, spreadOf } from '../../../bench/dist/measure/statistics.js';

let server: Server;
let load: HttpLoad;
const seen: { readonly method: string; readonly url: string; readonly bytes: number }[] = [];

before(async () => {
  server = createServer(async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).byteLength;
    const { method = '', url = '' } = request;
    seen.push({ method, url, bytes });
    if (url.startsWith('/chunked')) response.write('a part');
    else if (url.startsWith('/missing')) response.writeHead(404, { 'content-length': '0' });
    else if (url.startsWith('/large')) response.writeHead(200, { 'content-length': String(3 * 2 ** 20) });
    response.end(url.startsWith('/large') ? Buffer.alloc(3 * 2 ** 20) : '12345');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  load = startHttpLoad();
});
after(async () => {
  await load.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function orderTo(path: string, changes: Partial<HttpOrder> = {}): HttpOrder {
  const { port } = server.address() as AddressInfo;
  return { port, connections: 3, count: 9, method: 'GET', path, headers: {}, statuses: [200], ...changes };
}

test('the load sends what it is ordered to send, and counts answers and bytes', async () => {
  seen.length = 0;

  const sample = await load.send(orderTo('/{n}', { method: 'PUT', names: 4, body_bytes: 200_000, answer_bytes: 5 }));

  assert.equal(sample.count, 9);
  assert.deepEqual(
    seen.map(({ method, url, bytes }) => `${method} ${url} ${bytes}`).sort(),
    [0, 0, 0, 1, 1, 2, 2, 3, 3].map((n) => `PUT /${n} 200000`),
  );
  const bytes = sample.mib_per_second * sample.seconds * 2 ** 20;
  assert.ok(Math.abs(bytes - 9 * 200_005) < 1, `${bytes} bytes`);
});

test('the load sends a body that is longer than its memory of it, whole', async () => {
  seen.length = 0;
  const bytes = 64 * 2 ** 20 + 5;

  const sample = await load.send(orderTo('/long', { method: 'PUT', connections: 1, count: 1, body_bytes: bytes }));

  assert.equal(sample.count, 1);
  assert.deepEqual(
    seen.map((request) => request.bytes),
    [bytes],
  );
});

test('the load counts an answer that comes in many pieces once', async () => {
  const sample = await load.send(orderTo('/large', { answer_bytes: 3 * 2 ** 20 }));

  assert.equal(sample.count, 9);
});

test('an answer with another status, another length or no length fails the load', async () => {
  await assert.rejects(load.send(orderTo('/missing')), /GET \/missing answered 404/);
  await assert.rejects(load.send(orderTo('/small', { answer_bytes: 6 })), /answered 5 bytes instead of 6/);
  await assert.rejects(load.send(orderTo('/chunked')), /without a Content-Length/);
});

test('medians, percentiles and ratios are what their names say', () => {
  const four = spreadOf([4, 1, 3, 2]);
  const faster = ratioOf([10, 20, 30], [5, 40, 15], 'higher');
  const slower = ratioOf([10, 20, 30], [5, 40, 15], 'lower');

  assert.deepEqual(four, { median: 2.5, min: 1, max: 4 });
  assert.equal(percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95), 10);
  assert.deepEqual(faster, { median: 20 / 15, min: 0.5, max: 2 });
  assert.deepEqual(slower, { median: 15 / 20, min: 0.5, max: 2 });
});

test('a floor is reached from above where more is better, and from below where less is', () => {
  const reached = (id: string, better: 'higher' | 'lower', values: number[]): boolean | undefined =>
    figureOf({ id, title: '', unit: '', better, values }).targets[0]?.reached;

  assert.equal(reached('upload_10k_per_second', 'higher', [800, 900, 1000]), true);
  assert.equal(reached('upload_10k_per_second', 'higher', [800, 899, 1000]), false);
  assert.equal(reached('presign_p95_ms', 'lower', [10, 15, 30]), true);
  assert.equal(reached('presign_p95_ms', 'lower', [10, 16, 30]), false);
  assert.equal(reached('unheard_of', 'lower', [1]), undefined);
});

test('contestants take turns, and the first turn of each is not counted', async () => {
  const order: string[] = [];
  const turn = (name: string) => async (round: number) => {
    order.push(`${name} ${round}`);
    return round;
  };
  const context = { rounds: 2, short: false, say: () => undefined } as unknown as Parameters<typeof inTurns>[0];

  const samples = await inTurns(context, 'a test', { a: turn('a'), none: undefined, b: turn('b') });

  assert.deepEqual(order, ['a -1', 'b -1', 'a 0', 'b 0', 'a 1', 'b 1']);
  assert.deepEqual(samples, { a: [0, 1], b: [0, 1] });
});

test('a summary of a profile has the busiest functions first and leaves idle time out', () => {
  const node = (id: number, functionName: string) => ({ id, callFrame: { functionName, url: '', lineNumber: 0 } });
  const nodes = [node(1, 'slow'), node(2, 'quick'), node(3, '(idle)')];

  const text = topFunctions({ nodes, samples: [1, 2, 3, 1], timeDeltas: [3e6, 1e6, 90e6, 1e6] });

  assert.match(text, /^busy 5\.0 s, 5 % of the time.*\n {2}80\.0 % {2}slow\n {2}20\.0 % {2}quick$/s);
});
