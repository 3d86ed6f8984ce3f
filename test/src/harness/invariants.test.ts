/** The oracle and the history themselves: each promise that is broken by hand is found. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { absent, assertInvariants, contentOf, History, startService, type TestService } from '@rowlock/test-harness';

let service: TestService;

/** The file of the one object. */
function storedFile(): string {
  const entries = readdirSync(service.root, { recursive: true, withFileTypes: true });
  const file = entries.find((entry) => entry.isFile());
  assert.ok(file);
  return join(file.parentPath, file.name);
}

describe('the oracle', () => {
  beforeEach(async () => {
    service = await startService({ workers: false });
    await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
    const path = '/storage/v1/object/box/a';
    assert.equal((await service.fetch(path, { as: 'ann', method: 'POST', body: 'bytes' })).status, 201);
  });
  afterEach(() => service.stop());

  test('finds nothing where nothing is wrong', async () => {
    await assertInvariants(service);
  });

  test('finds an object without bytes', async () => {
    rmSync(storedFile());

    await assert.rejects(assertInvariants(service), /fsck is clean/);
  });

  test('finds a byte that changed', async () => {
    const file = storedFile();
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(
      file,
      bytes.map((byte, i) => (i === 2 ? byte ^ 1 : byte)),
    );

    await assert.rejects(assertInvariants(service), /I1: .* has its bytes/);
  });

  test('finds bytes without a row', async () => {
    writeFileSync(`${storedFile()}x`, 'orphan');

    await assert.rejects(assertInvariants(service), /fsck is clean/);
  });

  test('finds history that names a version which was purged', async () => {
    await service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
    await service.fetch('/storage/v1/object/box/a', { as: 'ann', method: 'DELETE' });
    await service.database.query("UPDATE storage.versions SET state = 'gone', expires_at = now() + interval '1 hour'");

    await assert.rejects(assertInvariants(service), /fsck is clean/);
  });

  test('finds history that says something else than its version', async () => {
    await service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
    await service.fetch('/storage/v1/object/box/a', { as: 'ann', method: 'DELETE' });
    await service.database.query('UPDATE storage.object_history SET size = size + 1 WHERE version_id IS NOT NULL');

    await assert.rejects(assertInvariants(service), /I1: history says/);
  });

  test('finds a delete marker over nothing', async () => {
    await service.database.query(
      `INSERT INTO storage.object_history (bucket_id, name, object_id, marker_id, reason, created_at, modified_at)
       VALUES ('box', 'b', gen_random_uuid(), gen_random_uuid(), 'delete', now(), now())`,
    );

    await assert.rejects(assertInvariants(service), /I2: no delete marker/);
  });

  test('finds a version that nothing will ever purge', async () => {
    await service.database.query(`
      CREATE OR REPLACE FUNCTION storage_internal.purge_begin(wanted uuid) RETURNS TABLE (backend text, key text)
      LANGUAGE sql AS 'SELECT NULL::text, NULL::text WHERE false';
      CREATE OR REPLACE FUNCTION storage_internal.sweep_expired(row_limit integer) RETURNS bigint
      LANGUAGE sql AS 'SELECT 0::bigint';`);
    await service.fetch('/storage/v1/object/box/a', { as: 'ann', method: 'DELETE' });

    await assert.rejects(assertInvariants(service), /I2: no bytes are left/);
  });

  test('finds a variant that waits for a job that is gone', async () => {
    await service.database.query(
      "INSERT INTO storage.variants (source_version_id, preset) SELECT version_id, 'small' FROM storage.objects",
    );

    await assert.rejects(assertInvariants(service), /waits for a job/);
  });

  test('finds a change that was told twice', async () => {
    await service.database.query(
      `INSERT INTO storage.changes (type, object_id, revision, bucket_id, name)
       SELECT type, object_id, revision, bucket_id, name FROM storage.changes`,
    );

    await assert.rejects(assertInvariants(service), /I9/);
  });

  test('finds what an acknowledged write did not leave', async () => {
    const history = new History();
    await history.write('box/lost', contentOf('x'), async () => 'acknowledged');

    await assert.rejects(assertInvariants(service, { history }), /box\/lost is absent/);
  });
});

describe('a history', () => {
  const acknowledged = async (): Promise<'acknowledged'> => 'acknowledged';

  test('lets an unacknowledged write be there or not, and nothing else', async () => {
    const history = new History();
    await history.write('a', 'old', acknowledged);
    await history.write('a', 'new', async () => 'unknown');

    assert.deepEqual([...history.possible('a')].sort(), ['new', 'old']);
  });

  test('lets a write that never answered arrive after a later one', async () => {
    const history = new History();
    await history.write('a', 'late', async () => 'unknown');
    await history.write('a', 'new', acknowledged);

    assert.deepEqual([...history.possible('a')].sort(), ['late', 'new']);
  });

  test('lets neither a refused write nor one that was replaced be there', async () => {
    const history = new History();
    await history.write('a', 'refused', async () => 'refused');
    await history.write('a', 'old', acknowledged);
    await history.write('a', 'new', acknowledged);

    assert.deepEqual([...history.possible('a')], ['new']);
  });

  test('finds a deleted object that is read, and an old one after a new one', async () => {
    const history = new History();
    await history.write('a', 'old', acknowledged);
    await history.delete('a', acknowledged);
    await history.read('a', async () => 'old');
    await history.read('a', async () => absent);

    assert.equal(history.contradictions().length, 1);
  });

  test('lets reads see either while a write is under way', async () => {
    const history = new History();
    await history.write('a', 'old', acknowledged);
    await history.write('a', 'new', async () => {
      await history.read('a', async () => 'old');
      await history.read('a', async () => 'new');
      return 'acknowledged';
    });

    assert.deepEqual(history.contradictions(), []);
  });

  test('finds two creations of one name that both won', async () => {
    const history = new History();
    await history.write('a', 'one', acknowledged, 'create');
    await history.write('a', 'two', acknowledged, 'create');

    assert.match(history.contradictions().join(), /2 creations won/);
  });
});
