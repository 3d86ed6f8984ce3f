import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import { Database } from './database.ts';
import { endCheck } from './file-checks.ts';

const version = '00000000-0000-7000-8000-000000000001';

let migrated: MigratedDatabase;
let db: Database;

before(async () => {
  migrated = await createMigratedDatabase();
  const { workerUrl: url } = migrated;
  db = new Database({ url, connectionsMax: 1, statementTimeoutMs: 5000, applicationName: 'test' });
  await migrated.query(
    `INSERT INTO storage.versions (id, backend, key, state, size, stored_at, content_type)
     VALUES ('${version}', 'disk', 'objects/00/1', 'stored', 1, now(), 'text/plain')`,
  );
});
after(async () => {
  await db.close();
  await migrated.drop();
});

test('what was found counts, whatever its detail is: what jsonb does not hold is replaced, else the detail is left out', async () => {
  const details = {
    word_text: { 'a\u0000': 'b\u0000 \ud800 \\u0000' },
    word_count: Array<number>(1000).fill(1e300),
    word_none: undefined,
  };

  for (const [kind, detail] of Object.entries(details)) {
    assert.equal((await endCheck(db, version, kind, { status: 'error', detail })).outcome, 'recorded', kind);
  }
  const infected = await endCheck(db, version, 'file_scan', {
    status: 'infected',
    detail: { signature: 'Eicar\u0000' },
  });

  const rows = await migrated.query<{ kind: string; status: string; detail: unknown }>(
    'SELECT kind, status, detail FROM storage.version_checks ORDER BY kind',
  );
  const [state] = await migrated.query<{ reason: string }>(
    `SELECT quarantine_reason AS reason FROM storage.versions WHERE id = '${version}' AND quarantined_at IS NOT NULL`,
  );
  const leftOut = { error: 'what was found in it cannot be kept' };
  assert.equal(infected.outcome, 'quarantined');
  assert.equal(state?.reason, 'infected: Eicar\ufffd');
  assert.deepEqual(rows, [
    { kind: 'file_scan', status: 'infected', detail: { signature: 'Eicar\ufffd' } },
    { kind: 'word_count', status: 'error', detail: leftOut },
    { kind: 'word_none', status: 'error', detail: null },
    { kind: 'word_text', status: 'error', detail: { 'a\ufffd': 'b\ufffd \ufffd \\u0000' } },
  ]);
});
