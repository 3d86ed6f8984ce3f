/**
 * Who reads, writes and deletes what: every cell of the permission matrix over plain HTTP, against the real service.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startService, type TestService } from '@rowlock/test-harness';

type Who = 'anonymous' | 'other' | 'owner' | 'bucket owner' | 'service';
type Verdict = 'yes' | 'no';

/** Requirements section 3.2: for each policy, who may read, overwrite, create and delete. The owner owns the object. */
const matrix: Readonly<Record<string, Readonly<Record<Who, readonly [Verdict, Verdict, Verdict, Verdict]>>>> = {
  public: {
    anonymous: ['yes', 'no', 'no', 'no'],
    other: ['yes', 'no', 'no', 'no'],
    owner: ['yes', 'yes', 'no', 'yes'],
    'bucket owner': ['yes', 'yes', 'yes', 'yes'],
    service: ['yes', 'yes', 'yes', 'yes'],
  },
  private: {
    anonymous: ['no', 'no', 'no', 'no'],
    other: ['no', 'no', 'no', 'no'],
    owner: ['yes', 'yes', 'no', 'yes'],
    'bucket owner': ['yes', 'yes', 'yes', 'yes'],
    service: ['yes', 'yes', 'yes', 'yes'],
  },
  authenticated: {
    anonymous: ['no', 'no', 'no', 'no'],
    other: ['yes', 'yes', 'yes', 'no'],
    owner: ['yes', 'yes', 'yes', 'yes'],
    'bucket owner': ['yes', 'yes', 'yes', 'yes'],
    service: ['yes', 'yes', 'yes', 'yes'],
  },
};

const subject: Readonly<Record<Who, string | undefined>> = {
  anonymous: undefined,
  other: 'oscar',
  owner: 'olivia',
  'bucket owner': 'bertha',
  service: 'service',
};

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
});
after(() => service.stop());

/** Puts an object owned by `olivia` into a bucket owned by `bertha`: by the database's owner, as a migration would. */
async function arrange(policy: string, name: string): Promise<void> {
  await service.fetch('/storage/v1/bucket', {
    as: 'bertha',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `m-${policy}`, policy }),
  });
  const put = await service.fetch(`/storage/v1/object/m-${policy}/${name}`, {
    as: 'bertha',
    method: 'PUT',
    body: 'original',
  });
  assert.ok(put.ok);
  await service.database.query('ALTER TABLE storage.objects DISABLE TRIGGER objects_20_fill');
  await service.database.query("UPDATE storage.objects SET owner_id = 'olivia' WHERE bucket_id = $1 AND name = $2", [
    `m-${policy}`,
    name,
  ]);
  await service.database.query('ALTER TABLE storage.objects ENABLE TRIGGER objects_20_fill');
}

function assertVerdict(response: Response, verdict: Verdict, what: string): void {
  if (verdict === 'yes') {
    assert.ok(response.ok, `${what}: ${response.status}`);
  } else {
    assert.ok([401, 403, 404].includes(response.status), `${what}: ${response.status}`);
  }
}

for (const [policy, rows] of Object.entries(matrix)) {
  describe(`a ${policy} bucket`, () => {
    for (const [who, [read, overwrite, create, remove]] of Object.entries(rows) as [Who, (typeof rows)[Who]][]) {
      const as = subject[who];
      const path = `/storage/v1/object/m-${policy}`;

      test(`${who}: read ${read}`, async () => {
        const name = `read-${who.replace(' ', '-')}`;
        await arrange(policy, name);

        const whole = await service.fetch(`${path}/${name}`, { as });
        const head = await service.fetch(`${path}/${name}`, { as, method: 'HEAD' });
        const info = await service.fetch(`/storage/v1/object/info/m-${policy}/${name}`, { as });
        const range = await service.fetch(`${path}/${name}`, { as, headers: { range: 'bytes=0-3' } });
        const signed = await service.fetch(`/storage/v1/object/sign/m-${policy}/${name}`, { as, method: 'POST' });
        const listed = await service.fetch(`/storage/v1/object/list/m-${policy}`, {
          as,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"prefix":"","limit":1000}',
        });

        for (const [what, response] of Object.entries({ whole, head, info, range, signed })) {
          assertVerdict(response, read, what);
        }
        const entries: unknown = listed.ok ? await listed.json() : [];
        const seen = Array.isArray(entries) && entries.some((entry) => entry.name === name);
        assert.equal(seen, read === 'yes', 'listing');
        assert.equal(await whole.text().then((text) => text === 'original'), read === 'yes');
      });

      test(`${who}: overwrite ${overwrite}, create ${create}`, async () => {
        const name = `write-${who.replace(' ', '-')}`;
        await arrange(policy, name);

        const over = await service.fetch(`${path}/${name}`, { as, method: 'PUT', body: 'changed' });
        const made = await service.fetch(`${path}/new-${name}`, { as, method: 'POST', body: 'new' });

        assertVerdict(over, overwrite, 'overwrite');
        assertVerdict(made, create, 'create');
        const now = await service.fetch(`${path}/${name}`, { as: 'service' });
        assert.equal(await now.text(), overwrite === 'yes' ? 'changed' : 'original');
        const [row] = await service.database.query<{ owner_id: string }>(
          'SELECT owner_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
          [`m-${policy}`, name],
        );
        assert.equal(row?.owner_id, 'olivia', 'overwriting never changes the owner');
      });

      test(`${who}: delete ${remove}`, async () => {
        const name = `delete-${who.replace(' ', '-')}`;
        await arrange(policy, name);

        const response = await service.fetch(`${path}/${name}`, { as, method: 'DELETE' });

        assertVerdict(response, remove, 'delete');
        const still = await service.fetch(`${path}/${name}`, { as: 'service', method: 'HEAD' });
        assert.equal(still.status, remove === 'yes' ? 404 : 200);
      });
    }
  });
}

describe('a private bucket without an owner', () => {
  test('keeps each file to whoever uploaded it', async () => {
    const mine = await service.fetch('/storage/v1/object/files/mine.txt', { as: 'ann', method: 'POST', body: 'mine' });

    const own = await service.fetch('/storage/v1/object/files/mine.txt', { as: 'ann' });
    const other = await service.fetch('/storage/v1/object/files/mine.txt', { as: 'bob' });
    const missing = await service.fetch('/storage/v1/object/files/none.txt', { as: 'bob' });
    const over = await service.fetch('/storage/v1/object/files/mine.txt', { as: 'bob', method: 'PUT', body: 'theirs' });

    assert.equal(mine.status, 201);
    assert.equal(await own.text(), 'mine');
    assert.equal(other.status, 404);
    assert.deepEqual(await other.json(), await missing.json(), 'hidden and missing look the same');
    assert.equal(over.status, 409, 'a hidden object is not overwritten');
  });
});
