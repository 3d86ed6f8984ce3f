import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { signToken, startFaultProxy, startService, type TestService, until } from '@rowlock/test-harness';
import { createClient, type StorageClient } from './client.ts';
import type { Change } from './contract/changes.ts';
import { isRowlockError } from './contract/errors.ts';

const feedLimits = { idle_poll_ms: 0, poll_ms: 50, heartbeat_ms: 200, streams_per_caller_max: 50 } as const;

/** Follows until it is stopped, and keeps what it was told. */
function follower(client: StorageClient, options: Parameters<StorageClient['follow']>[0] = {}) {
  const stop = new AbortController();
  const told: Change[] = [];
  const interruptions: unknown[] = [];
  const ended = (async () => {
    for await (const change of client.follow({
      ...options,
      signal: stop.signal,
      onInterrupted: (cause) => interruptions.push(cause),
    })) {
      told.push(change);
    }
  })();
  return { told, interruptions, ended, stop: () => stop.abort(), paths: () => told.map(({ path }) => path) };
}

describe('following a real service', () => {
  let service: TestService;
  let ann: StorageClient;
  let token: string;

  before(async () => {
    service = await startService({ workers: false, config: { change_feed: feedLimits } });
    token = await signToken({ sub: 'ann', role: 'authenticated' });
    ann = createClient({ url: service.url, token });
    await ann.createBucket({ name: 'box' });
  });
  after(() => service.stop());

  const cursor = async (): Promise<string> =>
    ((await (await ann.send({ method: 'GET', path: '/storage/v1/changes' })).json()) as { cursor: string }).cursor;

  test('tells each change behind a cursor, of a bucket and a prefix, until it is stopped', async () => {
    const since = await cursor();
    const following = follower(ann, { since, bucket: 'box', prefix: 'é ' });

    await ann.put('box', 'other', '1');
    await ann.put('box', 'é 1', '1');
    await ann.put('box', 'é 1', '2');
    await until(() => following.told.length === 2, { what: 'both are told' });
    following.stop();
    await following.ended;

    assert.deepEqual(
      following.told.map(({ type, path }) => [type, path]),
      [
        ['storage.object.created', 'é 1'],
        ['storage.object.updated', 'é 1'],
      ],
    );
  });

  test('goes on behind the last change when connections break, and leaves none out', async () => {
    const proxy = await startFaultProxy({ url: service.url });
    const far = createClient({ url: proxy.through(service.url), token });
    const following = follower(far, { since: await cursor(), bucket: 'box' });
    const wanted = Array.from({ length: 12 }, (_, n) => `broken/${n}`);

    for (const [n, name] of wanted.entries()) {
      await ann.put('box', name, 'x');
      if (n % 4 === 3) {
        await until(() => following.paths().includes(name), { what: `${name} is told` });
        const before = following.interruptions.length;
        await proxy.cut();
        await until(() => following.interruptions.length > before, { what: 'the loss is noticed' });
        await proxy.restore();
      }
    }
    await until(() => following.paths().includes(wanted.at(-1) ?? ''), { what: 'the last is told' });
    following.stop();
    await following.ended;
    await proxy.close();

    assert.deepEqual([...new Set(following.paths())], wanted);
    assert.ok(following.told.length < wanted.length + 4, 'each connection begins where the one before has ended');
  });

  test('asks for a new token when the old one ends', async () => {
    let asked = 0;
    const renewing = createClient({
      url: service.url,
      token: () => {
        asked += 1;
        const exp = Math.floor(Date.now() / 1000) + (asked === 1 ? 2 : 3600);
        return signToken({ sub: 'ann', role: 'authenticated', exp });
      },
    });
    const following = follower(renewing, { bucket: 'box' });

    await until(() => asked > 1, { what: 'another token is asked for' });
    await until(() => following.interruptions.length > 0);
    await ann.put('box', 'renewed', 'x');
    await until(() => following.paths().includes('renewed'), { what: 'it goes on' });
    following.stop();
    await following.ended;

    assert.deepEqual(following.interruptions, [undefined], 'that is no failure');
  });

  test('ends with what another try would meet again', async () => {
    const refused = follower(createClient({ url: service.url, token: 'none' }));
    const lost = follower(ann, { since: '00000000:1:1' });

    await assert.rejects(refused.ended, (error) => isRowlockError(error, 'invalid_token'));
    await assert.rejects(lost.ended, (error) => isRowlockError(error, 'cursor_expired'));
  });

  test('leaving the loop closes the stream', async () => {
    const since = await cursor();
    await ann.put('box', 'left', 'x');

    for await (const { path } of ann.follow({ since, bucket: 'box' })) {
      assert.equal(path, 'left');
      break;
    }

    const streams = async (): Promise<boolean> =>
      /^rowlock_change_streams 0$/m.test(await (await service.fetch('/metrics')).text());
    await until(streams, { what: 'no stream is open' });
  });
});

test('an answer that is no feed is not asked for again, and one that is empty is waited for', async () => {
  const answers = ['', 'data: {"type":"storage.object.created"}\n\n', 'data: no JSON\n\n'];
  let asked = 0;
  const server = createServer((_request, response) => response.end(answers[asked++]));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const following = follower(createClient({ url: `http://127.0.0.1:${port}` }));
  await assert.rejects(following.ended, SyntaxError);
  server.close();

  assert.equal(following.told.length, 1);
  assert.equal(asked, 3);
  assert.ok(isRowlockError(following.interruptions[0], 'unavailable'));
});
