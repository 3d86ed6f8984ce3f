/** The service when its database goes away and comes back, when clients stall or leave, and when bodies are large. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { signToken, startFaultProxy, startService, type TestService, until } from '@rowlock/test-harness';

let service: TestService;

before(async () => {
  // Each upload writes an intent of its own, so that they can be counted.
  service = await startService({ workers: false, config: { uploads_prepared_from: 1_000_000 } });
  await service.fetch('/storage/v1/bucket', {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"box"}',
  });
});
after(() => service.stop());

test('without its database the service answers 503 with Retry-After, and recovers by itself', async () => {
  const proxy = await startFaultProxy({ url: service.database.apiUrl });
  const behind = await startService({
    workers: false,
    database: service.database,
    config: { database: { ...service.config.database, url: proxy.through(service.config.database.url) } },
  });
  assert.equal((await behind.fetch('/storage/v1/bucket', { as: 'ann' })).status, 200);

  await proxy.cut();
  const away = await behind.fetch('/storage/v1/bucket', { as: 'ann' });
  const upload = await behind.fetch('/storage/v1/object/box/away', { as: 'ann', method: 'POST', body: 'x' });
  const ready = await until(async () => (await behind.fetch('/readyz')).status === 503, { what: 'readyz says 503' });
  const alive = await behind.fetch('/healthz');
  await proxy.restore();
  const back = await until(async () => (await behind.fetch('/storage/v1/bucket', { as: 'ann' })).status === 200, {
    what: 'the service is back',
  });

  assert.equal(away.status, 503);
  assert.equal(upload.status, 503);
  assert.ok(ready && back);
  assert.equal(alive.status, 200);
  assert.ok(Number(away.headers.get('retry-after')) > 0);
  await behind.stop();
  await proxy.close();
});

test('a client that goes away in the middle of its body leaves neither object nor intent', async () => {
  const token = `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}`;
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  socket.write(
    `POST /storage/v1/object/box/cut HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(5000)}`,
  );
  const count = async () =>
    (await service.database.query<{ n: string }>("SELECT count(*) AS n FROM storage.uploads WHERE name = 'cut'"))[0]?.n;
  await until(async () => (await count()) === '1', { what: 'the upload has begun' });

  socket.destroy();

  await until(async () => (await count()) === '0', { what: 'the intent is given up' });
  assert.equal((await service.fetch('/storage/v1/object/box/cut', { as: 'ann' })).status, 404);
});

test('no database connection is held while bodies stall', async () => {
  const token = `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}`;
  const sockets = Array.from({ length: 30 }, (_, i) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `POST /storage/v1/object/box/stalled-${i} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-length: 100\r\n\r\nx`,
    );
    return socket;
  });
  await until(
    async () => (await service.database.query("SELECT FROM storage.uploads WHERE name LIKE 'stalled-%'")).length === 30,
    {
      what: 'thirty uploads have begun, with eight connections',
    },
  );

  const listed = await service.fetch('/storage/v1/bucket', { as: 'ann' });

  assert.equal(listed.status, 200);
  for (const socket of sockets) {
    socket.destroy();
  }
});

test('errors tell a stable code and nothing of the inside', async () => {
  const notJson = await service.fetch('/storage/v1/bucket', {
    as: 'ann',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":',
  });
  const unknown = await service.fetch('/storage/v1/none');
  const badToken = await service.fetch('/storage/v1/bucket', { headers: { authorization: 'Bearer x.y.z' } });

  assert.equal(notJson.status, 400);
  assert.equal(unknown.status, 404);
  assert.equal(badToken.status, 401);
  assert.equal(badToken.headers.get('www-authenticate'), 'Bearer');
  for (const response of [notJson, unknown, badToken]) {
    const body = (await response.json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(body).sort(), ['code', 'error', 'message', 'reason', 'statusCode']);
    assert.doesNotMatch(JSON.stringify(body), /node_modules|at Object|SELECT|storage\./);
    assert.ok(response.headers.get('x-request-id'));
  }
});

test('a client that asks first is refused before it sends its body', async () => {
  const token = `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}`;
  const ask = async (path: string): Promise<string> => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `POST /storage/v1/object/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString().split('\r\n', 1)[0] ?? '';
  };

  assert.equal(await ask('nowhere/a'), 'HTTP/1.1 404 Not Found');
  assert.equal(await ask('box/asked'), 'HTTP/1.1 100 Continue');
});
