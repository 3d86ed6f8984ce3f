import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { RowlockError } from '@rowlock/client/contract';
import { planFault } from '../../domain/fault-plan.ts';
import type { Backend } from '../backend.ts';
import { all, inChunks, readAll } from '../conformance/sample-bytes.ts';
import { backendConformance } from '../conformance.ts';
import { newStore } from '../disk/sample-store.ts';
import { isUploadGone } from '../parts.ts';
import { FaultyBackend } from './faulty-backend.ts';
import { type BackendCall, ObservedBackend } from './observed-backend.ts';
import { PassingBackend } from './passing-backend.ts';
import { RetryingBackend, type RetryOptions } from './retrying-backend.ts';

const key = 'objects/ab/x';
const nothing = (): void => undefined;

backendConformance(
  'disk, wrapped thrice',
  async (t) => {
    const { backend } = await newStore(t);
    return new ObservedBackend(new RetryingBackend(new FaultyBackend(backend, nothing)), nothing);
  },
  { listedKeys: 60, roundsInFolder: 5 },
);

/** A store whose calls fail as the plan says, tried again without waiting. */
async function unreliable(
  t: TestContext,
  plan: string,
  options: RetryOptions = {},
): Promise<{ backend: Backend; waits: number[] }> {
  const { backend } = await newStore(t);
  await backend.put(key, inChunks(randomBytes(10)));
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  const faulty = new FaultyBackend(backend, planFault(plan));
  return { backend: new RetryingBackend(faulty, { wait, random: () => 1, ...options }), waits };
}

for (const [plan, call] of [
  ['backend.get@1=fail:ECONNRESET', async (backend: Backend) => (await backend.get(key)).size],
  ['backend.head@1=fail:ETIMEDOUT', async (backend: Backend) => (await backend.head(key))?.size],
  ['backend.delete@1=fail:ECONNRESET', async (backend: Backend) => ((await backend.delete(key)) ? 10 : 0)],
  ['backend.list@1=fail:ECONNRESET', async (backend: Backend) => (await all(backend.list()))[0]?.size],
  ['backend.list@1=fail:ECONNRESET', async (backend: Backend) => (await all(backend.list({ prefix: 'obj' })))[0]?.size],
] as const) {
  test(`${plan} is tried again, once`, async (t) => {
    const { backend, waits } = await unreliable(t, plan);

    assert.equal(await call(backend), 10);
    assert.deepEqual(waits, [100]);
  });
}

test('waits double, and after four attempts the error is told', async (t) => {
  const { backend, waits } = await unreliable(t, 'backend.head=fail:ECONNREFUSED');

  await assert.rejects(backend.head(key), { reason: 'unavailable' });

  assert.deepEqual(waits, [100, 200, 400]);
});

test('waits are random up to their bound, and together not longer than they may', async (t) => {
  const half = await unreliable(t, 'backend.head=fail:ECONNREFUSED', { random: () => 0.5 });
  const short = await unreliable(t, 'backend.head=fail:ECONNREFUSED', { waitMsMax: 250 });

  await assert.rejects(half.backend.head(key), { reason: 'unavailable' });
  await assert.rejects(short.backend.head(key), { reason: 'unavailable' });

  assert.deepEqual(half.waits, [50, 100, 200]);
  assert.deepEqual(short.waits, [100]);
});

test('a store that asks for a pause gets it whole, or is not asked again', async () => {
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  const asking = (retryAfterSeconds: number): Backend =>
    new (class extends PassingBackend {
      override async head(): Promise<never> {
        throw new RowlockError('unavailable', 'busy', { retryAfterSeconds });
      }
    })({} as Backend);

  await assert.rejects(new RetryingBackend(asking(4), { wait }).head(key));
  await assert.rejects(new RetryingBackend(asking(11), { wait }).head(key));

  assert.deepEqual(waits, [4000, 4000]);
});

test('what will not pass, a put, and a check are not tried again', async (t) => {
  const full = await unreliable(t, 'backend.head=fail:EIO');
  const put = await unreliable(t, 'backend.put=fail:ECONNRESET');
  const check = await unreliable(t, 'backend.check=fail:ECONNRESET');

  await assert.rejects(full.backend.head(key), { code: 'EIO' });
  await assert.rejects(put.backend.put('objects/ab/y', inChunks(randomBytes(1))), { reason: 'unavailable' });
  await assert.rejects(check.backend.check(), { reason: 'unavailable' });

  assert.deepEqual([full.waits, put.waits, check.waits], [[], [], []]);
});

test('a list that breaks off goes on behind what came, without a gap or anything twice', async (t) => {
  const { backend: disk } = await newStore(t);
  const keys = Array.from({ length: 30 }, (_, i) => `objects/ab/${String(i).padStart(2, '0')}`);
  for (const each of keys) await disk.put(each, inChunks(randomBytes(1)));
  let passed = 0;
  const faulty = new FaultyBackend(disk, (point) => {
    passed += 1;
    if (point === 'backend.list' && passed % 4 === 0) throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
  });
  const backend = new RetryingBackend(faulty, { wait: async () => undefined });

  const walked = await all(backend.walk());
  const behind = await all(backend.walk({ after: 'objects/ab/20' }));

  assert.deepEqual(
    walked.map((entry) => ('key' in entry ? entry.key : '')),
    keys,
  );
  assert.equal(behind.length, 9);
});

async function observed(
  t: TestContext,
  plan = 'backend.put@99=kill',
): Promise<{ backend: Backend; calls: BackendCall[] }> {
  const { backend } = await newStore(t);
  const calls: BackendCall[] = [];
  return {
    backend: new ObservedBackend(new FaultyBackend(backend, planFault(plan)), (call) => calls.push(call)),
    calls,
  };
}

const inShort = ({ backend, call, outcome, bytes }: BackendCall): string => `${backend} ${call} ${outcome} ${bytes}`;

test('every call is reported once, when its bytes have moved', async (t) => {
  const { backend, calls } = await observed(t);

  await backend.put(key, inChunks(randomBytes(600_000)));
  await readAll((await backend.get(key)).stream);
  await readAll((await backend.get(key, { start: 599_990, end: 700_000 })).stream);
  for await (const _ of (await backend.get(key)).stream) break;
  await backend.head(key);
  await all(backend.list());
  for await (const _ of backend.walk()) break;
  await assert.rejects(backend.put(key, inChunks(randomBytes(1))));
  await backend.delete(key);
  await assert.rejects(backend.get(key));
  await backend.check();

  assert.deepEqual(calls.map(inShort), [
    'disk put ok 600000',
    'disk get ok 600000',
    'disk get ok 10',
    'disk get left 0',
    'disk head ok 0',
    'disk list ok 0',
    'disk list left 0',
    'disk put object_exists 0',
    'disk delete ok 0',
    'disk get object_not_found 0',
    'disk check ok 0',
  ]);
  assert.ok(calls.every(({ duration_ms }) => duration_ms >= 0 && duration_ms < 60_000));
});

test('a stream that breaks is reported by what broke it', async (t) => {
  const { backend, calls } = await observed(t, 'backend.read@2=fail:ECONNRESET');
  await backend.put(key, inChunks(randomBytes(600_000)));

  await assert.rejects(readAll((await backend.get(key)).stream), { reason: 'unavailable' });

  assert.equal(inShort(calls.at(-1) as BackendCall), 'disk get unavailable 0');
});

test('a lost answer is an error behind a call that was done', async (t) => {
  const { backend } = await newStore(t);
  const faulty = new FaultyBackend(backend, planFault('backend.put_done@1=fail:ECONNRESET'));

  await assert.rejects(faulty.put(key, inChunks(randomBytes(10))), { reason: 'unavailable' });

  assert.equal((await faulty.head(key))?.size, 10);
});

test('uploads in parts are reported and fail as planned, with a lost answer behind what was done', async (t) => {
  const { backend, calls } = await observed(t, 'backend.parts_done@3=fail:ECONNRESET');
  const { parts } = backend;
  assert.ok(parts?.receive);
  const store_id = await parts.create(key);
  const place = { key, store_id };
  const { etag } = await parts.receive(place, { part_number: 1, body: inChunks(randomBytes(10)) });

  await assert.rejects(parts.complete(place, [{ part_number: 1, etag }]), { reason: 'unavailable' });
  const head = await backend.head(key);
  await assert.rejects(parts.complete(place, [{ part_number: 1, etag }]), isUploadGone);

  assert.equal(head?.size, 10);
  assert.deepEqual(calls.map(inShort), [
    'disk create_parts ok 0',
    'disk receive_part ok 10',
    'disk complete_parts unavailable 0',
    'disk head ok 0',
    'disk complete_parts upload_gone 0',
  ]);
});
