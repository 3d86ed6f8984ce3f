import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { createMigratedDatabase, jwtSecret, type MigratedDatabase, signToken, until } from '@rowlock/test-harness';
import type { AccessRules } from '../auth/access-rules.ts';
import { authenticate } from '../auth/authenticate.ts';
import { createTokenVerifier } from '../auth/token-verifier.ts';
import type { Caller } from '../domain/caller.ts';
import { Database, type Statement } from './database.ts';

const rules: AccessRules = {
  anonymous_role: 'anon',
  default_role: 'authenticated',
  allowed_roles: ['anon', 'authenticated', 'service_role'],
  role_claim: ['role'],
};
const verifier = createTokenVerifier({ secret: jwtSecret });

const whoAmI: Statement = {
  name: 'who_am_i',
  text: `SELECT current_user::text AS role, nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub' AS sub,
    nullif(current_setting('storage.operation', true), '') AS operation, pg_backend_pid() AS pid`,
};
const divide: Statement = { name: 'divide', text: 'SELECT 1 / $1::int AS quotient' };
const wait: Statement = { name: 'wait', text: 'SELECT pg_sleep($1::float8)::text AS slept' };

let migrated: MigratedDatabase;

before(async () => {
  migrated = await createMigratedDatabase();
  await migrated.query('CREATE TABLE public.notes (owner text); GRANT SELECT, INSERT ON public.notes TO authenticated');
});
after(() => migrated.drop());

const open = (url = migrated.apiUrl, connectionsMax = 2): Database =>
  new Database({ url, connectionsMax, statementTimeoutMs: 2000, applicationName: 'test' });

async function caller(sub: string | undefined): Promise<Caller> {
  const header = sub === undefined ? undefined : `Bearer ${await signToken({ sub, role: 'authenticated' })}`;
  return authenticate(header, verifier, rules);
}

test('statements run as the caller, for one transaction', async () => {
  const db = open();

  const [as] = await db.asCaller(await caller('ann'), { operation: 'storage.test' }, whoAmI, []);
  const [after] = await db.run(whoAmI, []);
  await db.close();

  assert.deepEqual([as?.['role'], as?.['sub'], as?.['operation']], ['authenticated', 'ann', 'storage.test']);
  assert.deepEqual([after?.['role'], after?.['sub'], after?.['operation']], ['rowlock_authenticator', null, null]);
});

test('identities never mix on few connections, with errors, timeouts and anonymous callers among them', async () => {
  const db = open();
  const callers = await Promise.all(['ann', 'bob', 'cid', undefined].map(caller));
  const answers = await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      const who = callers[i % callers.length] as Caller;
      if (i % 7 === 3) {
        await assert.rejects(db.asCaller(who, { operation: 'x' }, divide, [0]));
        return undefined;
      }
      const [row] = await db.asCaller(who, { operation: `op.${i}` }, whoAmI, []);
      return { expected: who, row, operation: `op.${i}` };
    }),
  );
  const [after] = await db.run(whoAmI, []);
  await db.close();

  for (const answer of answers) {
    if (answer !== undefined) {
      const { expected, row, operation } = answer;
      const sub = (JSON.parse(expected.claims) as { sub?: string }).sub ?? null;
      assert.deepEqual([row?.['role'], row?.['sub'], row?.['operation']], [expected.role, sub, operation]);
    }
  }
  assert.equal(after?.['sub'], null);
});

test('a failing statement is reported by its own error and writes nothing', async () => {
  const db = open();
  const insert: Statement = {
    name: 'note_then_fail',
    text: "INSERT INTO public.notes SELECT 'x' FROM generate_series(0, 1) AS n WHERE 1 / n > -1",
  };

  await assert.rejects(
    db.asCaller(await caller('ann'), { operation: 'x' }, insert, []),
    (error: { code?: string }) => error.code === '22012',
  );
  const rows = await migrated.query('SELECT FROM public.notes');
  await db.close();

  assert.equal(rows.length, 0);
});

test('a write in a read-only transaction is refused', async () => {
  const db = open();
  const insert: Statement = { name: 'note_insert', text: "INSERT INTO public.notes VALUES ('x')" };

  await assert.rejects(db.asCaller(await caller('ann'), { operation: 'x', readOnly: true }, insert, []));
  await db.close();
});

test('a statement that takes too long is unavailable, and its connection serves on', async () => {
  const db = open(migrated.apiUrl, 1);

  await assert.rejects(db.asCaller(await caller('ann'), { operation: 'x' }, wait, [5]), (error) =>
    isRowlockError(error, 'unavailable'),
  );
  const [row] = await db.asCaller(await caller('bob'), { operation: 'x' }, whoAmI, []);
  await db.close();

  assert.equal(row?.['sub'], 'bob');
});

test('a server that cannot be reached is unavailable', async () => {
  const db = open('postgres://nobody@127.0.0.1:1/none');

  await assert.rejects(db.run(whoAmI, []), (error) => isRowlockError(error, 'unavailable'));
  await db.close();
});

test("a caller's transaction costs one round trip", async () => {
  const target = new URL(migrated.apiUrl);
  // Every answer is held back until the client has been quiet: were a statement awaited, another exchange would follow.
  let exchanges = 0;
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    let last: 'client' | 'server' = 'server';
    let held: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    client.on('data', (chunk) => {
      if (last === 'server') {
        exchanges += 1;
      }
      last = 'client';
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      held.push(chunk);
      clearTimeout(timer);
      timer = setTimeout(() => {
        last = 'server';
        client.write(Buffer.concat(held));
        held = [];
      }, 30);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  const url = new URL(migrated.apiUrl);
  url.port = String(typeof address === 'object' ? address?.port : '');
  const db = open(url.href, 1);
  await db.asCaller(await caller('ann'), { operation: 'warm' }, whoAmI, []);

  exchanges = 0;
  await db.asCaller(await caller('ann'), { operation: 'counted' }, whoAmI, []);
  const counted = exchanges;
  await db.close();
  proxy.close();

  assert.equal(counted, 1);
});

test('a connection that is killed while it is in use is unavailable, and the process lives on', async () => {
  const db = open();
  const ann = await caller('ann');

  const waiting = db.asCaller(ann, { operation: 'x' }, wait, [1.5]);
  const kill = setInterval(() => {
    void migrated.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rowlock_authenticator' AND query LIKE '%pg_sleep%' AND datname = current_database()",
    );
  }, 50);
  await assert.rejects(waiting, (error) => isRowlockError(error, 'unavailable'));
  clearInterval(kill);
  const [row] = await db.asCaller(ann, { operation: 'x' }, whoAmI, []);
  await db.close();

  assert.equal(row?.['sub'], 'ann');
});

test('connections that wait are closed but one, those at work go on, and others are opened when they are needed', async () => {
  const db = open(migrated.apiUrl, 4);
  const nap = (seconds: number): Promise<unknown> => db.run(wait, [seconds]);
  await Promise.all([nap(0.1), nap(0.1), nap(0.1), nap(0.1)]);
  const working = nap(0.5);
  await until(() => db.connections().idle === 3, { what: 'one of four works' });

  db.closeIdle();
  await until(() => db.connections().total === 2, { what: 'one at work and one that waits are left' });
  await working;
  await Promise.all([nap(0), nap(0), nap(0), nap(0)]);

  assert.equal(db.connections().waiting, 0);
  await db.close();
});
