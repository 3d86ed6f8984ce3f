/**
 * The part of the conformance suite about keys: removing and listing them, refusing what is none, and signing
 * URLs for them. Invariant: a list is compared with every key that was put, in both directions.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isNotFound } from '../backend.ts';
import { all, type Check, inChunks, newKey } from './sample-bytes.ts';

interface KeepingOptions {
  readonly listedKeys: number;
  readonly roundsInFolder: number;
}

/** Registers the tests of delete, list, presignPut and presignGet, and of keys that are refused. */
export function keeping(check: Check, options: KeepingOptions): void {
  removals(check, options);
  listings(check, options);
  walks(check);
  refusals(check);
  presigning(check);
}

function removals(check: Check, { roundsInFolder }: KeepingOptions): void {
  check('delete removes once and says so', async (backend) => {
    const key = newKey();
    await backend.put(key, inChunks(randomBytes(10)));

    assert.equal(await backend.delete(key), true);
    assert.equal(await backend.delete(key), false);

    assert.equal(await backend.head(key), undefined);
    await assert.rejects(backend.get(key), isNotFound);
  });

  check('a key that never was cannot be got, and deleting it changes nothing', async (backend) => {
    const key = newKey();

    await assert.rejects(backend.get(key), isNotFound);
    assert.equal(await backend.head(key), undefined);
    assert.equal(await backend.delete(key), false);
  });

  check('the beginning of a key is not a key', async (backend) => {
    await backend.put('objects/ab/one/original.bin', inChunks(randomBytes(10)));

    await assert.rejects(backend.get('objects/ab/one'), isNotFound);
    assert.equal(await backend.head('objects/ab'), undefined);
    assert.equal(await backend.delete('objects/ab/one'), false);

    assert.equal((await backend.head('objects/ab/one/original.bin'))?.size, 10);
  });

  check('puts and deletes side by side in one folder disturb each other never', async (backend) => {
    const workers = Array.from({ length: 8 }, (_, i) => `Issue/1/file/worker-${i}`);

    await Promise.all(
      workers.map(async (worker) => {
        for (let round = 0; round < roundsInFolder; round++) {
          await backend.put(`${worker}-${round}`, inChunks(randomBytes(100)));
          assert.equal(await backend.delete(`${worker}-${round}`), true);
        }
      }),
    );

    assert.deepEqual(await all(backend.list()), []);
  });
}

function listings(check: Check, { listedKeys }: KeepingOptions): void {
  check('a list is complete beyond a page of keys, and by prefix exact', async (backend) => {
    const keys = Array.from(
      { length: listedKeys },
      (_, i) => `objects/${(i % 7).toString(16).padStart(2, '0')}/key-${i}`,
    );
    keys.push('Issue/1/file/original.jpg', 'Issue/1/file/thumb-small.jpg', 'Issue/10/file/original.jpg');
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map((key) => backend.put(key, inChunks(Buffer.from(key)))));
    }

    const listed = await all(backend.list());
    const prefixes = [
      '',
      'objects',
      'objects/',
      'objects/03/',
      'objects/03/key-1',
      'Issue/1',
      'Issue/1/',
      'x',
      '../',
      '/',
    ];
    const byPrefix = await Promise.all(prefixes.map((prefix) => all(backend.list({ prefix }))));

    assert.deepEqual(
      listed.map(({ key }) => key),
      [...keys].sort(),
    );
    assert.ok(listed.every(({ key, size }) => size === key.length));
    for (const [i, prefix] of prefixes.entries()) {
      const expected = keys.filter((key) => key.startsWith(prefix)).sort();
      assert.deepEqual(byPrefix[i]?.map(({ key }) => key).sort(), expected, prefix);
    }
  });
}

/** Characters on both sides of the slash, so that the order of keys is not that of folders. */
const aroundTheSlash = ['a', 'a-b', 'a.b', 'a/x', 'a/x-y', 'a/x.y/z', 'a/x/y', 'a0', 'aa/b', 'b/a', 'B/a', '0'];

function walks(check: Check): void {
  check('a walk has the order of bytes, and goes on behind any place', async (backend) => {
    // Names that cannot be a file and a folder at once on a disk.
    const keys = aroundTheSlash.filter((key) => key !== 'a' && key !== 'a/x').sort();
    for (const key of [...keys].reverse()) await backend.put(key, inChunks(Buffer.from(key)));

    const places = ['', ...aroundTheSlash, 'a/', 'a/x/zzz', 'zzz'];
    const walked = await Promise.all(places.map((after) => all(backend.walk({ after }))));

    for (const [i, after] of places.entries()) {
      const seen = walked[i]?.map((entry) => ('key' in entry ? entry.key : entry.place));
      assert.deepEqual(
        seen,
        keys.filter((key) => key > after),
        `behind ${after}`,
      );
    }
  });
}

function refusals(check: Check): void {
  check('what is not a key is refused by every method', async (backend) => {
    const notKeys = [
      '',
      '.',
      '..',
      '/a',
      'a/',
      'a//b',
      'a/../b',
      '../a',
      'a\\b',
      'a b',
      'a%2fb',
      'é',
      'a\0',
      '.tmp/a',
      '-a',
    ];

    for (const key of notKeys) {
      const refused = { reason: 'invalid_name' };
      await assert.rejects(backend.put(key, inChunks(Buffer.alloc(1))), refused, key);
      await assert.rejects(backend.get(key), refused, key);
      await assert.rejects(backend.head(key), refused, key);
      await assert.rejects(backend.delete(key), refused, key);
      await assert.rejects(backend.presignPut(key, { expirySeconds: 60 }), refused, key);
      await assert.rejects(backend.presignGet(key, { expirySeconds: 60 }), refused, key);
    }
    await assert.rejects(backend.get('a'.repeat(1025)), { reason: 'name_too_long' });
    await assert.rejects(backend.get(`b/${'a'.repeat(256)}`), { reason: 'name_too_long' });
    assert.deepEqual(await all(backend.list()), []);
  });
}

function presigning(check: Check): void {
  const now = new Date('2026-03-04T05:06:07.890Z');

  check('a presigned PUT binds what was declared as signed headers', async (backend) => {
    const key = newKey();

    const url = await backend.presignPut(key, {
      expirySeconds: 900,
      contentType: 'image/jpeg',
      contentLength: 5,
      acl: 'private',
      now,
    });
    const plain = await backend.presignPut(key, { expirySeconds: 900, contentType: '', now });
    const { pathname, searchParams } = new URL(url);

    assert.ok(pathname.endsWith(`/${key}`));
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;x-amz-acl');
    assert.equal(searchParams.get('X-Amz-Expires'), '900');
    assert.equal(searchParams.get('X-Amz-Date'), '20260304T050607Z');
    assert.match(searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
    assert.equal(searchParams.has('x-amz-acl'), false);
    assert.equal(new URL(plain).searchParams.get('X-Amz-SignedHeaders'), 'host');
  });

  check("a presigned GET carries its answer's headers", async (backend) => {
    const options = {
      expirySeconds: 3600,
      contentDisposition: 'attachment; filename="ä.jpg"',
      contentType: 'image/jpeg',
      now,
    };

    const { searchParams } = new URL(await backend.presignGet(newKey(), options));

    assert.equal(searchParams.get('response-content-disposition'), options.contentDisposition);
    assert.equal(searchParams.get('response-content-type'), 'image/jpeg');
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'host');
  });

  check('an expiry outside of one second to seven days is refused', async (backend) => {
    for (const expirySeconds of [0, -1, 0.5, 604_801]) {
      await assert.rejects(backend.presignGet(newKey(), { expirySeconds }), { reason: 'invalid_expiry' });
      await assert.rejects(backend.presignPut(newKey(), { expirySeconds }), { reason: 'invalid_expiry' });
    }
  });
}
