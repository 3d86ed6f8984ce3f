import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, jwtSecret, type MigratedDatabase, signToken } from '@rowlock/test-harness';
import type pg from 'pg';
import { authenticate } from '../auth/authenticate.ts';
import { createTokenVerifier } from '../auth/token-verifier.ts';
import type { Caller } from '../domain/caller.ts';
import { Database, type Statement } from '../metadata/database.ts';
import { RefusalExplainer } from './explain-refusal.ts';

/** The real database, and how often it was asked. */
class CountedDatabase extends Database {
  asked = 0;

  override run<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    this.asked += 1;
    return super.run<Row>(statement, values);
  }
}

let database: MigratedDatabase;
let db: CountedDatabase;
let caller: Caller;

const rules = {
  anonymous_role: 'anon',
  default_role: 'authenticated',
  allowed_roles: ['authenticated'],
  role_claim: ['role'],
};

before(async () => {
  database = await createMigratedDatabase();
  db = new CountedDatabase({
    url: database.apiUrl,
    connectionsMax: 1,
    statementTimeoutMs: 5000,
    applicationName: 'explainer',
  });
  const token = await signToken({ sub: 'mallory', role: 'authenticated' });
  caller = await authenticate(`Bearer ${token}`, createTokenVerifier({ secret: jwtSecret }), rules);
});
after(() => database.drop());

test('many refusals of one kind ask the database once', async () => {
  const explainer = new RefusalExplainer({ db });

  const explained = await Promise.all(
    Array.from({ length: 50 }, () => explainer.explain(caller, { table: 'objects', actions: ['delete'] })),
  );

  assert.equal(db.asked, 1);
  assert.deepEqual(new Set(explained.map(({ text }) => text)).size, 1);
  assert.equal(explained[0]?.isForCaller, false);
});

test('a privilege that the role lacks is named before any policy', async () => {
  await database.query('REVOKE DELETE ON storage.buckets FROM authenticated');

  const { text } = await new RefusalExplainer({ db }).explain(caller, { table: 'buckets', actions: ['delete'] });

  assert.equal(text, 'as authenticated on storage.buckets: DELETE is not granted to the role');
});

test('a database that cannot be asked fails no answer', async () => {
  await db.close();

  const { text, isForCaller } = await new RefusalExplainer({ db }).explain(caller, {
    table: 'objects',
    actions: ['create', 'change'],
  });

  assert.match(text, /create or change; the policies could not be asked$/);
  assert.equal(isForCaller, false);
});
