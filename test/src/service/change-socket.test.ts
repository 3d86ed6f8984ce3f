/** The change feed over a WebSocket: who may open one, what it says, and how it ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { Change } from '@rowlock/client/contract';
import { signToken, startService, type TestService, until } from '@rowlock/test-harness';
import { type ClientOptions, WebSocket } from 'ws';

const limits = { idle_poll_ms: 0, poll_ms: 50, heartbeat_ms: 200, streams_per_caller_max: 3 } as const;
const path = '/storage/v1/changes/ws';
const protocol = 'rowlock.changes.v1';

let service: TestService;
let olivia: string;
const sockets: WebSocket[] = [];

before(async () => {
  const config = { change_feed: limits, cors_origins: ['https://app.example.com'] };
  service = await startService({ workers: false, config });
  olivia = await signToken({ sub: 'olivia', role: 'authenticated' });
  const init = { as: 'olivia', method: 'POST', headers: { 'content-type': 'application/json' } };
  await service.fetch('/storage/v1/bucket', { ...init, body: '{"name":"vault"}' });
});
after(async () => {
  for (const socket of sockets) socket.terminate();
  await service.stop();
});

interface Opened {
  readonly socket: WebSocket;
  readonly messages: { readonly type: string; readonly cursor: string; readonly path?: string | null }[];
  /** The code and the reason with which it was closed. */
  readonly closed: Promise<readonly [number, string]>;
}

function openSocket(query: string, protocols: readonly string[], options: ClientOptions = {}): Opened {
  const url = `${service.url.replace(/^http/, 'ws')}${path}${query}`;
  const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...options });
  sockets.push(socket);
  const messages: Opened['messages'] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as Change));
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.once('close', (code, reason) => resolve([code, String(reason)]));
  });
  return { socket, messages, closed };
}

const bearer = (token: string): ClientOptions => ({ headers: { authorization: `Bearer ${token}` } });

async function opened(query: string, protocols: readonly string[], options?: ClientOptions): Promise<Opened> {
  const open = openSocket(query, protocols, options);
  await once(open.socket, 'open');
  return open;
}

/** The status of the answer that refuses a WebSocket. */
async function refusal(query: string, protocols: readonly string[], options?: ClientOptions): Promise<number> {
  const { socket } = openSocket(query, protocols, options);
  socket.once('error', () => undefined);
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
  answer.resume();
  return answer.statusCode;
}

const put = async (name: string): Promise<void> => {
  const answer = await service.fetch(`/storage/v1/object/vault/${name}`, { as: 'olivia', method: 'PUT', body: name });
  assert.ok(answer.ok);
};

test('a token from a header, or as a browser can send it, opens a socket that tells its caller of changes', async () => {
  const ways = [
    await opened('?bucket=vault', [], bearer(olivia)),
    await opened('?bucket=vault', [protocol, `bearer.${olivia}`], { origin: 'https://app.example.com' }),
  ];
  const mallory = await opened('?bucket=vault', [], bearer(await signToken({ sub: 'mallory', role: 'authenticated' })));

  await put('told');
  const changes = ({ messages }: Opened) => messages.filter(({ type }) => type !== 'cursor');
  await until(() => ways.every((way) => changes(way).length === 1), { what: 'both are told' });
  await until(() => mallory.messages.length >= 2, { what: 'the cursor of the other moves on' });

  assert.deepEqual(
    ways.flatMap(changes).map(({ path }) => path),
    ['told', 'told'],
  );
  assert.deepEqual(changes(mallory), []);
  assert.equal(ways[1]?.socket.protocol, protocol, 'the token is not said back');
  const resumed = await opened(`?since=${changes(ways[0] ?? assert.fail())[0]?.cursor}`, [], bearer(olivia));
  await put('told-again');
  await until(() => changes(resumed).length === 1, { what: 'the resumed one goes on' });
  assert.equal(changes(resumed)[0]?.path, 'told-again');
  for (const { socket } of [...ways, mallory, resumed]) socket.close();
});

describe('a socket is refused', () => {
  test('with a token that is not good, with two, and where one is in the URL only', async () => {
    assert.equal(await refusal('', [], bearer('x')), 401);
    assert.equal(await refusal('', [protocol, 'bearer.x']), 401);
    assert.equal(await refusal('', [protocol, `bearer.${olivia}`], bearer(olivia)), 401);
    assert.equal(await refusal('', [protocol, `bearer.${olivia}`, 'bearer.x']), 401);
    const anonymous = await opened(`?bucket=vault&token=${olivia}&access_token=${olivia}`, []);
    await put('not-for-the-url');
    await until(() => anonymous.messages.length >= 2, { what: 'its cursor moves on' });
    assert.deepEqual(
      anonymous.messages.filter(({ type }) => type !== 'cursor'),
      [],
    );
    anonymous.socket.close();
  });

  test('to pages of other origins', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'https://app.example.com.evil.example',
      'http://app.example.com',
    ]) {
      assert.equal(await refusal('', [protocol, `bearer.${olivia}`], { origin }), 403, origin);
    }
    const own = await opened('', [protocol, `bearer.${olivia}`], { origin: service.url });
    own.socket.close();
  });

  test('with a cursor that is not known, and beyond the number of streams of one caller', async () => {
    assert.equal(await refusal('?since=00000000:1:1', [], bearer(olivia)), 410);
    const carla = bearer(await signToken({ sub: 'carla', role: 'authenticated' }));
    const own = [await opened('', [], carla), await opened('', [], carla), await opened('', [], carla)];
    assert.equal(await refusal('', [], carla), 429);
    for (const { socket } of own) socket.close();
  });

  test('to plain HTTP, and an upgrade of another address is answered as if it had not asked', async () => {
    const plain = await service.fetch(path, { as: 'olivia' });
    const url = `${service.url.replace(/^http/, 'ws')}/healthz`;
    const other = new WebSocket(url);
    other.once('error', () => undefined);
    const [, answer] = (await once(other, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
    answer.resume();

    assert.equal(plain.status, 400);
    assert.equal(answer.statusCode, 200);
  });
});

describe('a socket ends', () => {
  test('with its token', async () => {
    const exp = Math.floor(Date.now() / 1000) + 2;
    const { closed } = await opened('', [], bearer(await signToken({ sub: 'olivia', role: 'authenticated', exp })));

    assert.deepEqual(await closed, [4401, 'token_expired']);
  });

  test('when its client says anything, or too much', async () => {
    const [talker, flooder] = [await opened('', [], bearer(olivia)), await opened('', [], bearer(olivia))];

    talker.socket.send('{}');
    flooder.socket.send('x'.repeat(2000));

    assert.equal((await talker.closed)[0], 1003);
    assert.equal((await flooder.closed)[0], 1009);
  });

  test('when its client does not answer pings', async () => {
    const { closed } = await opened('', [], { ...bearer(olivia), autoPong: false });

    assert.equal((await closed)[0], 1006);
  });

  test('when the server stops, which does not wait for it', async () => {
    const config = { change_feed: limits };
    const other = await startService({ workers: false, database: service.database, root: service.root, config });
    const socket = new WebSocket(`${other.url.replace(/^http/, 'ws')}${path}`, bearer(olivia));
    await once(socket, 'open');

    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    await other.stop();

    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1001, 'server_stopping']);
  });
});
