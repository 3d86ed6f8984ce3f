/** Clients that leave: at every kind of byte, by every kind of goodbye, and during the commit. Row 88. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { platform } from 'node:os';
import { after, afterEach, before, test } from 'node:test';
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
const objectAt = (name: string): string => `/storage/v1/object/box/${name}`;
const size = 200_000;
const large = 2 ** 25;

before(async () => {
  service = await attacked({ observe: (observation) => observed.push(observation) });
  authorization = `Bearer ${service.tokens.olivia}`;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await service.service.fetch(objectAt('large'), { as: 'olivia', method: 'POST', body: new Uint8Array(large) });
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

const goodbyes: Readonly<Record<string, (raw: RawSocket) => void>> = {
  'an end': (raw) => raw.destroy(),
  'a reset': (raw) => raw.socket.resetAndDestroy(),
  'a half-close': (raw) => raw.socket.end(),
};

const uploadHead = (name: string): string =>
  rawRequest(`POST ${objectAt(name)}`, { authorization, 'content-length': size });

async function uploadHasBegun(name: string): Promise<void> {
  await until(
    async () => (await service.database.query('SELECT FROM storage.uploads WHERE name = $1', [name])).length === 1,
    { what: 'the upload has begun' },
  );
}

async function endOf(method: string): Promise<Seen> {
  return await until(() => observed.find((each) => each.type === 'request' && each.method === method), {
    what: `the end of the ${method} is observed`,
  });
}

for (const [how, leave] of Object.entries(goodbyes)) {
  for (const n of [0, 1, size / 2, size - 1]) {
    test(`88 an upload that its client leaves at byte ${n} with ${how} leaves nothing, and is logged as 499`, async () => {
      const raw = await RawSocket.to(service.service.url);
      raw.write(uploadHead('left'));
      await raw.writeThrough('x'.repeat(n));
      await uploadHasBegun('left');

      leave(raw);

      const { status, reason } = await endOf('POST');
      assert.deepEqual({ status, reason }, { status: 499, reason: 'client_closed' });
      assert.equal((await service.service.fetch(objectAt('left'), { as: 'olivia' })).status, 404);
      raw.destroy();
    });
  }

  test(`88 an upload that its client leaves behind its last byte with ${how} is there whole or not at all`, async () => {
    const raw = await RawSocket.to(service.service.url);
    await raw.writeThrough(uploadHead('last') + 'x'.repeat(size));

    leave(raw);

    await endOf('POST');
    await noUploadIsOpen(service);
    const found = await service.service.fetch(objectAt('last'), { as: 'olivia' });
    const text = await found.text();
    if (found.status === 200) assert.equal(text, 'x'.repeat(size));
    else assert.equal(found.status, 404);
    await service.service.fetch(objectAt('last'), { as: 'olivia', method: 'DELETE' });
    raw.destroy();
  });

  test(`88 a client that leaves during the commit with ${how} has its upload whole`, async () => {
    const raw = await RawSocket.to(service.service.url);
    const closed = new Promise<void>((resolve) => raw.socket.once('close', () => resolve()));
    enableFaults(async (point) => {
      if (point !== 'upload.before_commit') return;
      leave(raw);
      if (how !== 'a half-close') await closed;
    });

    raw.write(uploadHead('committed') + 'x'.repeat(size));

    await endOf('POST');
    const found = await until(
      async () => {
        const answer = await service.service.fetch(objectAt('committed'), { as: 'olivia' });
        return answer.status === 200 ? answer.text() : undefined;
      },
      { what: 'the upload is committed' },
    );
    assert.equal(found, 'x'.repeat(size));
    await service.service.fetch(objectAt('committed'), { as: 'olivia', method: 'DELETE' });
    raw.destroy();
  });

  test(`88 JSON that its client leaves in the middle with ${how} does nothing, and is logged as 499`, async () => {
    const raw = await RawSocket.to(service.service.url);
    const head = { authorization, 'content-type': 'application/json', 'content-length': 1000 };
    await raw.writeThrough(rawRequest('POST /storage/v1/bucket', head, '{"name":"left-'));
    await until(() => raw.socket.bytesWritten > 0, { what: 'it is sent' });

    leave(raw);

    assert.equal((await endOf('POST')).status, 499);
    raw.destroy();
  });
}

const notLinux = platform() === 'linux' ? false : 'open files are counted in /proc, which only Linux has';

/** How many files below the folder of the bytes this process has open. */
function openBytes(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that lists them
    }
  });
  return targets.filter((target) => target.startsWith(service.service.root)).length;
}

test('88 downloads that their clients leave close their files, and are logged as 499', { skip: notLinux }, async () => {
  const leaving = Object.values(goodbyes).flatMap((leave) => [leave, leave, leave]);
  const sockets = await Promise.all(leaving.map(() => RawSocket.to(service.service.url)));
  for (const raw of sockets) raw.write(rawRequest(`GET ${objectAt('large')}`, { authorization }));
  await until(() => sockets.every(({ received }) => received.length > 0), { what: 'all have begun' });
  assert.ok(openBytes() > 0, 'which this process can see');

  for (const [i, raw] of sockets.entries()) leaving[i]?.(raw);
  for (const raw of sockets) raw.socket.pause();

  const ends = (): Seen[] => observed.filter(({ type, method }) => type === 'request' && method === 'GET');
  await until(() => ends().length === sockets.length, { what: 'all have ended' });
  for (const raw of sockets) raw.destroy();
  await until(() => openBytes() === 0, { what: 'no file of bytes is open' });
  assert.ok(ends().every(({ status }) => status === 499 || status === 200));
  assert.ok(ends().some(({ status }) => status === 499));
});
