/**
 * Quotas over HTTP: reserved when an upload begins, settled when it commits, given back by whatever removes. Every test
 * ends with the sums of the rows equal to what the counters say, and with nothing reserved.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, startService, type TestService, until } from '@rowlock/test-harness';

interface Usage {
  readonly scope: string;
  readonly bucket_id: string | null;
  readonly owner_id: string | null;
  readonly used_bytes: number;
  readonly used_objects: number;
  readonly reserved_bytes: number;
  readonly reserved_objects: number;
  readonly quota_bytes: number | null;
  readonly quota_objects: number | null;
}

let service: TestService;

before(async () => {
  service = await startService();
});
after(async () => {
  await assertInvariants(service);
  await service.stop();
});

async function createBucket(name: string, settings: Record<string, unknown>, as = 'service'): Promise<void> {
  const body = JSON.stringify({ name, policy: 'authenticated', ...settings });
  const made = await service.fetch('/storage/v1/bucket', { as, method: 'POST', body, headers: json });
  assert.equal(made.status, 201, await made.text());
}

const json = { 'content-type': 'application/json' };

const upload = (path: string, bytes: number, as = 'alice'): Promise<Response> =>
  service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', body: new Uint8Array(bytes) });

async function statuses(requests: readonly Promise<Response>[]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const response of await Promise.all(requests)) {
    await response.arrayBuffer();
    counts[response.status] = (counts[response.status] ?? 0) + 1;
  }
  return counts;
}

async function usage(bucket: string, as = 'service'): Promise<readonly Usage[]> {
  return (await service.fetch(`/storage/v1/quota?bucket=${bucket}`, { as })).json() as Promise<readonly Usage[]>;
}

async function assertCounted(): Promise<void> {
  const reserved = (): Promise<unknown[]> =>
    service.database.query('SELECT id FROM storage.uploads WHERE reserved_in IS NOT NULL');
  await until(async () => (await reserved()).length === 0, { what: 'nothing is reserved any more' });
  assert.deepEqual(await service.database.query('SELECT * FROM storage_internal.quota_drift()'), []);
}

test('of a hundred uploads at once into a quota of ten objects exactly ten succeed, and nothing stays reserved', async () => {
  await createBucket('ten', { quota_objects: 10 });

  const counts = await statuses(Array.from({ length: 100 }, (_, n) => upload(`ten/${n}`, 10)));

  assert.deepEqual(counts, { 201: 10, 413: 90 });
  await assertCounted();
  const [of] = await usage('ten');
  assert.deepEqual([of?.used_objects, of?.reserved_objects, of?.used_bytes, of?.quota_objects], [10, 0, 100, 10]);
});

test('a quota of bytes is filled to its last byte and never over it, whatever the sizes', async () => {
  await createBucket('bytes', { quota_bytes: 1000 });

  const counts = await statuses(Array.from({ length: 60 }, (_, n) => upload(`bytes/${n}`, 30 + (n % 7))));
  const [left] = await usage('bytes');
  const rest = 1000 - (left?.used_bytes ?? 0);
  const last = await upload('bytes/last', rest);
  const beyond = await upload('bytes/beyond', 1);

  assert.ok((counts[201] ?? 0) >= 27, JSON.stringify(counts));
  assert.equal(last.status, 201);
  assert.equal(beyond.status, 413);
  await assertCounted();
  assert.equal((await usage('bytes'))[0]?.used_bytes, 1000);
});

test('a refusal has its own reason, and numbers for those who may know them only', async () => {
  await createBucket('told', { quota_bytes: 10 }, 'boss');
  await (await upload('told/a', 8, 'boss')).arrayBuffer();

  const toOwner = (await (await upload('told/b', 3, 'boss')).json()) as Record<string, string>;
  const toOther = (await (await upload('told/b', 3, 'mallory')).json()) as Record<string, string>;

  assert.equal(toOwner['reason'], 'quota_exceeded');
  assert.equal(toOwner['statusCode'], '413');
  assert.match(toOwner['message'] ?? '', /8 of 10 bytes are used or reserved/);
  assert.equal(toOther['reason'], 'quota_exceeded');
  assert.doesNotMatch(toOther['message'] ?? '', /\d/);
});

test('overwriting a full quota needs only what the new bytes have more than the old', async () => {
  await createBucket('full', { quota_bytes: 100, quota_objects: 1 });
  await (await upload('full/a', 100)).arrayBuffer();

  const same = await upload('full/a', 100);
  const smaller = await upload('full/a', 40);
  const larger = await upload('full/a', 101);

  assert.deepEqual([same.status, smaller.status, larger.status], [200, 200, 413]);
  await assertCounted();
  assert.equal((await usage('full'))[0]?.used_bytes, 40);
});

test('deleting, and giving an upload up, give back', async () => {
  await createBucket('back', { quota_objects: 1 });
  await (await upload('back/a', 5)).arrayBuffer();
  const refused = await upload('back/b', 5);

  await service.fetch('/storage/v1/object/back/a', { as: 'alice', method: 'DELETE' });
  const again = await upload('back/b', 5);

  assert.deepEqual([refused.status, again.status], [413, 201]);
  await assertCounted();
});

test('a body of unknown length is held by the quota as well', async () => {
  await createBucket('chunked', { quota_bytes: 1000 });
  const body = (bytes: number): ReadableStream => new Blob([new Uint8Array(bytes)]).stream();
  const send = (name: string, bytes: number): Promise<Response> =>
    service.fetch(`/storage/v1/object/chunked/${name}`, {
      as: 'alice',
      method: 'POST',
      body: body(bytes),
      duplex: 'half',
    } as RequestInit);

  const counts = await statuses(Array.from({ length: 20 }, (_, n) => send(String(n), 400)));
  const [of] = await usage('chunked');

  assert.deepEqual(counts, { 201: 2, 413: 18 });
  assert.equal(of?.used_bytes, 800);
  await assertCounted();
});

test('each owner has a quota in a bucket, and one over all buckets where the service says so', async () => {
  await createBucket('each', { owner_quota_objects: 2 });
  await createBucket('more', {});
  const put = await service.fetch('/storage/v1/quota', {
    as: 'service',
    method: 'PUT',
    headers: json,
    body: JSON.stringify({ owner_id: 'olga', quota_bytes: null, quota_objects: 3 }),
  });
  assert.equal(put.status, 200, await put.text());

  const olga = [
    await upload('each/1', 1, 'olga'),
    await upload('each/2', 1, 'olga'),
    await upload('each/3', 1, 'olga'),
  ];
  const elsewhere = [await upload('more/1', 1, 'olga'), await upload('more/2', 1, 'olga')];
  const other = await upload('each/4', 1, 'peter');

  assert.deepEqual(
    [...olga, ...elsewhere, other].map(({ status }) => status),
    [201, 201, 413, 201, 413, 201],
  );
  const own = (await (await service.fetch('/storage/v1/quota', { as: 'olga' })).json()) as readonly Usage[];
  assert.deepEqual(
    own.map(({ scope, bucket_id, owner_id, used_objects, quota_objects }) => [
      scope,
      bucket_id,
      owner_id,
      used_objects,
      quota_objects,
    ]),
    [
      ['owner', null, 'olga', 3, 3],
      ['owner', 'each', 'olga', 2, 2],
    ],
  );
  await assertCounted();
  const by = await service.fetch('/storage/v1/quota', {
    as: 'olga',
    method: 'PUT',
    headers: json,
    body: JSON.stringify({ owner_id: 'olga', quota_bytes: null, quota_objects: null }),
  });
  assert.equal(by.status, 403);
});

test('a quota that is set on a bucket with objects counts them, and one that is lowered refuses until there is room', async () => {
  await createBucket('later', {});
  await statuses(Array.from({ length: 5 }, (_, n) => upload(`later/${n}`, 100)));
  const set = (quotas: Record<string, unknown>): Promise<Response> =>
    service.fetch('/storage/v1/bucket/later', {
      as: 'service',
      method: 'PUT',
      headers: json,
      body: JSON.stringify(quotas),
    });

  await set({ quota_bytes: 600 });
  const fits = await upload('later/5', 100);
  const over = await upload('later/6', 1);
  await set({ quota_bytes: 150 });
  await service.fetch('/storage/v1/object/later/0', { as: 'alice', method: 'DELETE' });
  const stillOver = await statuses(Array.from({ length: 16 }, () => upload('later/6', 1)));
  await set({ quota_bytes: null });
  const lifted = await upload('later/6', 1);

  assert.deepEqual([fits.status, over.status, lifted.status], [201, 413, 201]);
  assert.deepEqual(stillOver, { 413: 16 }, 'on every connection');
  await assertCounted();
  assert.deepEqual(await usage('later'), []);
});

test('uploads that are still under way count, and are seen as reserved', async () => {
  await createBucket('slow', { quota_bytes: 100 });
  let finish: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new Uint8Array(10));
      await held;
      controller.enqueue(new Uint8Array(70));
      controller.close();
    },
  });
  const slow = service.fetch('/storage/v1/object/slow/a', {
    as: 'alice',
    method: 'POST',
    body,
    duplex: 'half',
    headers: { 'content-type': 'text/plain', 'x-unused': '1' },
  } as RequestInit);
  const begun = (): Promise<unknown[]> =>
    service.database.query("SELECT id FROM storage.uploads WHERE bucket_id = 'slow'");
  await until(async () => (await begun()).length === 1, { what: 'the slow upload has begun' });

  const [during] = await usage('slow');
  finish?.();
  const ended = await slow;

  assert.deepEqual([during?.used_objects, during?.reserved_objects], [0, 1]);
  assert.equal(ended.status, 201);
  await assertCounted();
});
