/**
 * What two families of clients read from the same answers, and limits that they share: bodies of buckets, how long an
 * answer may be kept, what a script of another origin may read, how many names a batch has.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, seededRandom, startService, type TestService } from '@rowlock/test-harness';
import fc from 'fast-check';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const namesMax = 1000;

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  await send('POST', 'bucket', { name: 'box' });
  const put = await service.fetch('/storage/v1/object/box/a', { as: 'ann', method: 'POST', body: 'a' });
  assert.equal(put.status, 201);
});
after(async () => {
  await assertInvariants(service);
  await service.stop();
});

const send = (method: string, path: string, body: unknown): Promise<Response> =>
  service.fetch(`/storage/v1/${path}`, {
    as: 'ann',
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a bucket', () => {
  test('is answered in every spelling, with the same numbers', async () => {
    const settings = { name: 'limited', public: true, max_file_size: '2KiB', allowed_mime_types: ['text/*'] };

    const made = (await (await send('POST', 'bucket', settings)).json()) as Record<string, unknown>;

    assert.deepEqual(
      [made['policy'], made['public'], made['id'], made['file_size_limit'], made['max_file_size']],
      ['public', true, 'limited', 2048, 2048],
    );
    assert.deepEqual(made['config'], { allowed_mime_types: ['text/*'], max_file_size: 2048 });
  });

  test('of another type is refused instead of being made as something else', async () => {
    const other = await send('POST', 'bucket', { name: 'analytics', type: 'ANALYTICS' });
    const standard = await send('POST', 'bucket', { name: 'standard', type: 'STANDARD' });

    assert.deepEqual([other.status, standard.status], [501, 201]);
    assert.deepEqual(await service.database.query("SELECT FROM storage.buckets WHERE id = 'analytics'"), []);
  });
});

describe('how long an answer may be kept', () => {
  const directive = fc.oneof(
    fc.constantFrom(
      'no-store',
      'No-Store',
      'no-cache',
      'public',
      'immutable',
      's-maxage=7',
      'x-max-age=3',
      'no-storage',
    ),
    fc.nat(100_000).map((seconds) => `max-age=${seconds}`),
    fc.nat(100_000).map((seconds) => `MAX-AGE=${seconds}`),
  );

  test('is what was stored, for its caller alone, and never beyond the end of a signed URL', async (t) => {
    const { seed } = seededRandom();
    t.diagnostic(`ROWLOCK_TEST_SEED=${seed}`);
    const signed = (await (await send('POST', 'object/sign/box/a', { expiresIn: 600 })).json()) as { url: string };
    const read = async (url: string, as?: string): Promise<string> => {
      const answer = await service.fetch(url, { as });
      await answer.arrayBuffer();
      assert.equal(answer.status, 200);
      return answer.headers.get('cache-control') ?? '';
    };

    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(directive, { maxLength: 3, selector: nameOf }), async (directives) => {
        const stored = directives.length === 0 ? null : directives.join(', ');
        await service.database.query('UPDATE storage.objects SET cache_control = $1', [stored]);

        const [own, linked] = [await read('/storage/v1/object/box/a', 'ann'), await read(signed.url)];

        const names = directives.map(nameOf);
        const age = Number(directives[names.indexOf('max-age')]?.split('=')[1]);
        if (names.includes('no-store')) {
          assert.deepEqual([own, linked], ['private, no-store', 'private, no-store']);
        } else if (names.includes('no-cache') || Number.isNaN(age)) {
          assert.deepEqual([own, linked], ['private, no-cache', 'private, no-cache']);
        } else {
          const linkedAge = Number(/^private, max-age=(\d+)$/.exec(linked)?.[1]);
          assert.equal(own, `private, max-age=${age}`);
          assert.ok(linkedAge <= Math.min(age, 600), linked);
        }
      }),
      { numRuns: 20 * rounds, seed },
    );
  });

  const nameOf = (text: string): string => text.toLowerCase().replace(/=.*/, '');
});

test('a script of another origin may read why it was refused, and under which name to save', async () => {
  const answer = await service.fetch('/storage/v1/object/box/none', { as: 'ann', method: 'HEAD' });

  const exposed = answer.headers.get('access-control-expose-headers') ?? '';
  assert.equal(answer.headers.get('x-rowlock-reason'), 'object_not_found');
  for (const name of ['x-rowlock-reason', 'content-disposition', 'etag', 'content-range', 'retry-after']) {
    assert.match(exposed, new RegExp(`\\b${name}\\b`));
  }
});

test('every batch of names takes a thousand and refuses one more, and changes nothing then', async () => {
  const names = (count: number): string[] => Array.from({ length: count }, (_, n) => (n === 0 ? 'a' : `none-${n}`));
  const batches: readonly [method: string, path: string, body: (count: number) => object][] = [
    ['POST', 'object/info/box', (count) => ({ names: names(count) })],
    ['POST', 'object/sign/box', (count) => ({ expiresIn: 60, paths: names(count) })],
    ['DELETE', 'object/box', (count) => ({ prefixes: names(count) })],
  ];

  for (const [method, path, body] of batches) {
    const beyond = await send(method, path, body(namesMax + 1));
    const there = await service.fetch('/storage/v1/object/box/a', { as: 'ann' });
    const whole = await send(method, path, body(namesMax));

    assert.deepEqual([beyond.status, there.status, whole.status], [400, 200, 200], path);
    assert.match(((await beyond.json()) as { message: string }).message, /1000/, 'it says how many there may be');
  }
});
