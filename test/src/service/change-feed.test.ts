/**
 * The change feed over HTTP: pages that wait, streams that resume, and what they may cost. What a caller is told is
 * tested over SQL, in test/src/database/changes.test.ts; here it is asked whether that also holds while time goes by.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { ChangePage } from '@rowlock/client/contract';
import { assertInvariants, signToken, startService, type TestService, until } from '@rowlock/test-harness';
import { EventReader } from './event-source.ts';

const limits = {
  idle_poll_ms: 0,
  poll_ms: 50,
  heartbeat_ms: 300,
  streams_per_caller_max: 3,
  drain_ms: 1000,
} as const;
const feed = '/storage/v1/changes';

let service: TestService;
const observed: { readonly type: string; readonly reason?: string }[] = [];
const open: AbortController[] = [];

before(async () => {
  const config = { change_feed: limits };
  service = await startService({ workers: false, config, observe: (each) => observed.push(each) });
  for (const [name, policy] of [
    ['vault', 'private'],
    ['plaza', 'public'],
  ] as const) {
    const headers = { 'content-type': 'application/json' };
    await service.fetch('/storage/v1/bucket', {
      as: 'olivia',
      method: 'POST',
      headers,
      body: JSON.stringify({ name, policy }),
    });
  }
});
after(async () => {
  for (const controller of open) controller.abort();
  await assertInvariants(service);
  await service.stop();
});

const put = async (path: string, body = path): Promise<void> => {
  const answer = await service.fetch(`/storage/v1/object/${path}`, { as: 'olivia', method: 'PUT', body });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
};

async function page(query: string, as?: string): Promise<ChangePage> {
  const answer = await service.fetch(`${feed}${query}`, { as });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as ChangePage;
}

interface StreamOptions {
  readonly as?: string | undefined;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function stream({
  as,
  query = '',
  headers = {},
}: StreamOptions): Promise<EventReader & { close(): Promise<void> }> {
  const controller = new AbortController();
  open.push(controller);
  const answer = await service.fetch(`${feed}/stream${query}`, { as, headers, signal: controller.signal });
  assert.equal(answer.status, 200, answer.status === 200 ? '' : await answer.text());
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  const reader = new EventReader(answer);
  await until(() => reader.lastId !== '', { what: 'the stream says where it begins' });
  return Object.assign(reader, {
    close: async () => {
      controller.abort();
      await reader.ended;
      const ended = observed.filter(({ type }) => type === 'stream_ended').length;
      await until(() => observed.filter(({ type }) => type === 'stream_ended').length >= Math.min(ended, 1));
    },
  });
}

const paths = (changes: ChangePage['changes']): readonly unknown[] => changes.map(({ path }) => path);

describe('pages', () => {
  test('without a cursor begin now, and go on from there', async () => {
    await put('vault/earlier');
    const first = await until(
      async () => {
        const found = await page('', 'olivia');
        return found.more ? undefined : found;
      },
      { what: 'the feed has an end' },
    );
    await put('vault/later');

    const next = await page(`?since=${first.cursor}&wait=10&bucket=vault&prefix=later`, 'olivia');

    assert.deepEqual(first.changes, []);
    assert.deepEqual(paths(next.changes), ['later']);
    assert.deepEqual((await page(`?since=${next.cursor}`, 'olivia')).changes, []);
  });

  test('wait for a change, and answer as soon as there is one', async () => {
    const { cursor } = await page('', 'olivia');

    const waiting = page(`?since=${cursor}&wait=30`, 'olivia');
    await put('vault/awaited');
    const found = await waiting;

    assert.deepEqual(paths(found.changes).slice(-1), ['awaited']);
  });

  test('answer without a change when the time is over, with where to go on', async () => {
    const { cursor } = await page('', 'mallory');
    const waiting = page(`?since=${cursor}&wait=1&bucket=vault`, 'mallory');
    await put('vault/for-others');

    const found = await waiting;

    assert.deepEqual(found.changes, []);
    assert.match(found.cursor, /^[0-9a-f]{8}:\d+:\d+$/);
  });

  test('from the oldest tell everything that the caller may know', async () => {
    await put('plaza/for-all');
    await put('vault/for-olivia');

    const own = await until(async () => {
      const found = await page('?since=oldest&limit=1000', 'olivia');
      return found.changes.some(({ path }) => path === 'for-olivia') ? found : undefined;
    });
    const others = await page('?since=oldest&limit=1000');

    assert.ok(paths(own.changes).includes('for-all'));
    assert.ok(paths(others.changes).includes('for-all'));
    assert.deepEqual(
      others.changes.filter(({ bucket }) => bucket !== 'plaza'),
      [],
      'to the anonymous, of what is public only',
    );
  });

  test('refuse what is no cursor, no limit and no time to wait', async () => {
    for (const query of [
      '?since=x',
      '?since=',
      '?limit=0',
      '?limit=1001',
      '?wait=61',
      '?wait=-1',
      '?prefix=%00',
      '?limit=1e2',
    ]) {
      const answer = await service.fetch(`${feed}${query}`, { as: 'olivia' });
      assert.equal(answer.status, 400, query);
    }
    const expired = await service.fetch(`${feed}?since=00000000:1:1`, { as: 'olivia' });
    assert.equal(expired.status, 410);
    const body = (await expired.json()) as { readonly reason: string; readonly message: string };
    assert.equal(body.reason, 'cursor_expired');
    assert.match(body.message, /list again/);
  });
});

describe('streams', () => {
  test('send each change with its cursor, and say first where they begin and when to come again', async () => {
    const reader = await stream({ as: 'olivia', query: '?bucket=vault' });
    assert.equal(reader.retry, '3000');

    await put('vault/streamed');
    await until(() => reader.changes.length > 0, { what: 'the change comes' });

    const [change] = reader.changes;
    assert.equal(change?.path, 'streamed');
    assert.equal(reader.events[0]?.id, change?.cursor);
    await reader.close();
  });

  test('go on behind the last event that the client says it had', async () => {
    const first = await stream({ as: 'olivia', query: '?bucket=vault' });
    await put('vault/resume-1');
    await until(() => first.changes.length === 1, { what: 'the first comes' });
    await first.close();
    await put('vault/resume-2');

    const headers = { 'last-event-id': first.lastId };
    const second = await stream({ as: 'olivia', query: '?bucket=vault&since=oldest', headers });
    await until(() => second.changes.length > 0, { what: 'the second comes' });

    assert.deepEqual(paths(second.changes), ['resume-2']);
    await second.close();
  });

  test('ask the policies at every change: what is taken away while they run is not told any more', async () => {
    const reader = await stream({ query: '?bucket=plaza' });
    await put('plaza/open-1');
    await until(() => reader.changes.length === 1, { what: 'what is public comes' });

    await service.database.query("UPDATE storage.buckets SET policy = 'private' WHERE id = 'plaza'");
    const hidden = reader.lastId;
    await put('plaza/closed');
    await until(() => reader.lastId !== hidden, { what: 'the stream has passed the change' });
    await service.database.query("UPDATE storage.buckets SET policy = 'public' WHERE id = 'plaza'");
    await put('plaza/open-2');
    await until(() => reader.changes.length === 2, { what: 'what is public again comes' });

    assert.deepEqual(paths(reader.changes), ['open-1', 'open-2']);
    await reader.close();
  });

  test('say that they are alive, and move on where there was nothing for their caller', async () => {
    const reader = await stream({ as: 'mallory', query: '?bucket=plaza' });
    const first = reader.lastId;

    await put('vault/elsewhere');

    await until(() => reader.comments.length >= 2 && reader.lastId !== first, {
      what: 'heartbeats, and a later cursor',
    });
    assert.deepEqual(reader.changes, []);
    await reader.close();
  });

  test('end with their token, and say so', async () => {
    const token = await signToken({ sub: 'olivia', role: 'authenticated', exp: Math.floor(Date.now() / 1000) + 2 });
    const answer = await service.fetch(`${feed}/stream`, { headers: { authorization: `Bearer ${token}` } });
    const reader = new EventReader(answer);

    assert.equal(await reader.ended, true);
    assert.deepEqual(
      reader.events.map(({ event, data }) => [event, data]),
      [['end', '{"reason":"token_expired"}']],
    );
  });

  test('are refused like everything else: no token that is good, no cursor that is known, no HEAD', async () => {
    const bad = await service.fetch(`${feed}/stream`, { headers: { authorization: 'Bearer x' } });
    const unknown = await service.fetch(`${feed}/stream?since=00000000:1:1`, { as: 'olivia' });
    const token = await service.fetch(`${feed}/stream?token=x&access_token=x`, { method: 'HEAD' });

    assert.deepEqual([bad.status, unknown.status, token.status], [401, 410, 405]);
  });

  test('are as many for one caller as the limit says, and others are not in the way', async () => {
    const own = [];
    for (let i = 0; i < limits.streams_per_caller_max; i += 1) own.push(await stream({ as: 'carla' }));

    const refused = await service.fetch(`${feed}/stream`, { as: 'carla' });
    const waiting = await service.fetch(`${feed}?wait=1`, { as: 'carla' });
    const other = await stream({ as: 'oscar' });
    await own[0]?.close();
    const again = await until(
      async () => {
        const answer = await service.fetch(`${feed}?wait=1`, { as: 'carla' });
        return answer.status === 200;
      },
      { what: 'a closed stream makes room' },
    );

    assert.deepEqual([refused.status, waiting.status, again], [429, 429, true]);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    await Promise.all([...own.slice(1), other].map((each) => each.close()));
  });

  test('are cut when their client takes nothing any more', async () => {
    const { port } = new URL(service.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const token = await signToken({ sub: 'sleepy', role: 'service_role' });
    socket.write(
      `GET ${feed}/stream?since=oldest HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
    await once(socket, 'readable'); // and never reads
    const name = `slow-${Date.now()}`;
    const cut = (): boolean =>
      observed.some(({ type, reason }) => type === 'stream_ended' && reason === 'client_closed');
    observed.length = 0;

    await service.database.query(
      `INSERT INTO storage.changes (type, object_id, revision, bucket_id, name, owner_id)
       SELECT 'storage.object.deleted', gen_random_uuid(), n, 'vault', $1, 'x' FROM generate_series(1, 60000) AS n`,
      [name],
    );

    await until(cut, { timeoutMs: 30_000, what: 'the stream is cut' });
    socket.destroy();
    await service.database.query('DELETE FROM storage.changes WHERE name = $1', [name]);
  });
});

test('streams hold no connection of the database', async () => {
  const config = {
    change_feed: { ...limits, streams_per_caller_max: 100 },
    database: { ...service.config.database, connections_max: 2 },
  };
  const small = await startService({ workers: false, database: service.database, root: service.root, config });
  const readers: EventReader[] = [];
  const stop = new AbortController();
  for (let i = 0; i < 40; i += 1) {
    readers.push(
      new EventReader(await small.fetch(`${feed}/stream?bucket=vault`, { as: 'olivia', signal: stop.signal })),
    );
  }

  const answer = await small.fetch('/storage/v1/object/vault/many', { as: 'olivia', method: 'PUT', body: 'x' });
  await until(() => readers.every(({ changes }) => changes.length === 1), { what: 'each of them is told' });
  const metrics = await (await small.fetch('/metrics')).text();

  assert.equal(answer.status, 201);
  assert.match(metrics, /^rowlock_change_streams 40$/m);
  assert.match(metrics, /^rowlock_changes_sent_total\{transport="stream"\} 40$/m);
  await small.stop();
  assert.deepEqual(
    await Promise.all(readers.map(async (reader) => [await reader.ended, reader.events.at(-1)?.data])),
    readers.map(() => [true, '{"reason":"server_stopping"}']),
    'a server that stops says so',
  );
});
