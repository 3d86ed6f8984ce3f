/**
 * Clients that hardly move are cut off, those that are only slow are not: row 87, and the timeouts of fault test F11. The
 * limits are those of production in kind, and shorter.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { enableFaults } from '@rowlock/server';
import { until } from '@rowlock/test-harness';
import { noUploadIsOpen } from './no-upload-is-open.ts';
import { RawSocket, rawRequest } from './raw-socket.ts';
import { type Attacked, attacked } from './standing.ts';

interface Seen {
  readonly type: string;
  readonly method?: string;
  readonly status?: number;
  readonly reason?: string;
}

let service: Attacked;
let authorization: string;
let observed: Seen[] = [];
const large = 2 ** 25;

before(async () => {
  service = await attacked({
    observe: (observation) => observed.push(observation),
    config: {
      connection_limits: {
        headers_ms: 600,
        keep_alive_ms: 600,
        idle_ms: 3000,
        pace_ms: 800,
        pace_bytes_min: 1024,
        unread_ms: 300,
      },
    },
  });
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await service.service.fetch('/storage/v1/object/box/large', {
    as: 'olivia',
    method: 'POST',
    body: new Uint8Array(large),
  });
  await service.remember();
  observed = [];
});
afterEach(async () => {
  enableFaults(undefined);
  await noUploadIsOpen(service);
  await service.assertUnharmed();
  observed = [];
});
after(() => service.stop());

/** Sends a text a few bytes at a time until it is sent or the server closes. */
async function drip(raw: RawSocket, text: string, bytes: number): Promise<void> {
  for (let at = 0; at < text.length && !raw.ended; at += bytes) {
    await raw.writeThrough(text.slice(at, at + bytes));
    await delay(40); // the pace is what is tested
  }
}

async function endOf(method: string): Promise<Seen> {
  return await until(() => observed.find((each) => each.type === 'request' && each.method === method), {
    what: `the end of the ${method} is observed`,
  });
}

test('87 a head that comes a byte at a time is answered 408, and the connection closed', async () => {
  const raw = await RawSocket.to(service.service.url);

  await drip(raw, rawRequest('GET /healthz', { padding: 'x'.repeat(300) }), 1);

  const answer = await raw.answer();
  assert.equal(answer.status, 408);
  assert.equal(JSON.parse(answer.body)['reason'], 'request_timeout');
  assert.equal(answer.headers['connection'], 'close');
  await raw.closed();
  assert.equal((await endOf('unknown')).status, 408);
});

test('87 the second head on a connection has no more time than the first', async () => {
  const raw = await RawSocket.to(service.service.url);
  assert.equal((await raw.write(rawRequest('GET /healthz')).answer()).status, 200);

  await drip(raw, rawRequest('GET /healthz', { padding: 'x'.repeat(300) }), 1);

  assert.equal((await raw.answer()).status, 408);
  await raw.closed();
});

test('87 connections on which nothing comes are closed: before the first request, after one, half-open ones', async () => {
  const silent = await RawSocket.to(service.service.url);
  const kept = await RawSocket.to(service.service.url);
  const halfOpen = await RawSocket.to(service.service.url);

  halfOpen.socket.end();
  const answer = await kept.write(rawRequest('GET /healthz')).answer();

  assert.equal(answer.status, 200);
  await Promise.all([silent.closed(), kept.closed(), halfOpen.closed()]);
});

test('87 an upload of a byte now and then is cut off, leaves nothing, and is logged as 408', async () => {
  const raw = await RawSocket.to(service.service.url);
  raw.write(rawRequest('POST /storage/v1/object/box/slow', { authorization, 'content-length': 300 }));

  await drip(raw, 'x'.repeat(300), 1);

  await raw.closed();
  const { status, reason } = await endOf('POST');
  assert.deepEqual({ status, reason }, { status: 408, reason: 'request_timeout' });
  assert.equal((await service.service.fetch('/storage/v1/object/box/slow', { as: 'olivia' })).status, 404);
});

test('87 chunks of a byte now and then are cut off too', async () => {
  const raw = await RawSocket.to(service.service.url);
  raw.write(rawRequest('PUT /storage/v1/object/box/slow', { authorization, 'transfer-encoding': 'chunked' }));

  await drip(raw, '1\r\nx\r\n'.repeat(100), 3);

  await raw.closed();
  assert.equal((await endOf('PUT')).status, 408);
});

test('87 JSON of a byte now and then is cut off, without a token too', async () => {
  const raw = await RawSocket.to(service.service.url);
  const head = { 'content-type': 'application/json', 'content-length': 300 };
  raw.write(rawRequest('POST /storage/v1/object/list/box', head));

  await drip(raw, '{'.padEnd(300), 1);

  await raw.closed();
  assert.equal((await endOf('POST')).status, 408);
});

test('87 a body of a byte now and then behind a refusal is cut off', async () => {
  const raw = await RawSocket.to(service.service.url);
  raw.write(rawRequest('POST /storage/v1/object/nowhere/a', { authorization, 'content-length': 300 }));

  await drip(raw, 'x'.repeat(300), 1);

  assert.equal((await raw.answer()).status, 404);
  await raw.closed();
});

test('87 a download that nobody takes is cut off, and is logged as 408', async () => {
  const raw = await RawSocket.to(service.service.url);
  raw.write(rawRequest('GET /storage/v1/object/box/large', { authorization }));
  await until(() => raw.received.length > 0, { what: 'it has begun' });

  raw.socket.pause();

  const { status, reason } = await endOf('GET');
  assert.deepEqual({ status, reason }, { status: 408, reason: 'request_timeout' });
  raw.destroy();
});

test('87 an upload that is slow and goes on takes as long as it takes', async () => {
  const raw = await RawSocket.to(service.service.url);
  const body = 'x'.repeat(20_000);
  raw.write(rawRequest('POST /storage/v1/object/box/phone', { authorization, 'content-length': body.length }));

  await drip(raw, body, 400); // fifty pieces, two seconds

  assert.equal((await raw.answer()).status, 201);
  raw.destroy();
  const found = await service.service.fetch('/storage/v1/object/box/phone', { as: 'olivia' });
  assert.equal(await found.text(), body);
  await service.service.fetch('/storage/v1/object/box/phone', { as: 'olivia', method: 'DELETE' });
});

test('87 what takes long on our side is not held against the client', async () => {
  enableFaults(async (point) => {
    const end = performance.now() + 2000;
    if (point === 'upload.before_commit') await until(() => performance.now() > end, { what: 'two periods are over' });
  });

  const answer = await service.service.fetch('/storage/v1/object/box/patient', {
    as: 'olivia',
    method: 'POST',
    body: 'x',
  });

  assert.equal(answer.status, 201);
  await service.service.fetch('/storage/v1/object/box/patient', { as: 'olivia', method: 'DELETE' });
});
