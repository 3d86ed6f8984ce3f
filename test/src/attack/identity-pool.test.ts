/**
 * Row 58 of the list of attacks: many callers on two connections, among them those who fail, who go away in the middle
 * and whose connection is taken from them. Nobody is ever anybody else. ROWLOCK_ROUNDS repeats it with other seeds.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createMigratedDatabase,
  type MigratedDatabase,
  type SeededRandom,
  seededRandom,
  until,
} from '@rowlock/test-harness';
import { type Attacked, attacked } from './standing.ts';

const users = ['ada', 'ben', 'cleo', 'dan', 'eve', 'finn', 'gwen', 'hugo'] as const;
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? '1');
const requestsOfRound = 2500;
const atOnce = 24;

let database: MigratedDatabase;
let open: Attacked;
const signedUrls = new Map<string, string>();

before(async () => {
  database = await createMigratedDatabase();
  open = await attacked({
    database,
    config: { database: { url: database.apiUrl, connections_max: 2, statement_timeout_ms: 10_000 } },
  });
  await arrange();
});
after(async () => {
  await open.stop();
  await database.drop();
});

/** Buckets come over SQL: what is arranged must not lean on what is attacked. */
async function arrange(): Promise<void> {
  await database.query(
    `INSERT INTO storage.buckets (id, owner_id, policy)
     SELECT 'of-' || u, u, 'private' FROM unnest($1::text[]) AS u UNION ALL VALUES ('plaza', 'ada', 'public')`,
    [users],
  );
  for (const user of users) {
    const put = await open.service.fetch(own(user), { as: user, method: 'POST', body: user });
    assert.equal(put.status, 201, await put.text());
    const signed = await open.service.fetch(`/storage/v1/object/sign/of-${user}/me.txt`, { as: user, method: 'POST' });
    signedUrls.set(user, ((await signed.json()) as { readonly url: string }).url);
  }
  await open.service.fetch('/storage/v1/object/plaza/sign.txt', { as: 'ada', method: 'POST', body: 'welcome' });
}

const own = (user: string): string => `/storage/v1/object/of-${user}/me.txt`;

interface Ask {
  readonly user: string;
  readonly other: string;
  readonly number: number;
}

interface Expectation {
  readonly path: string;
  readonly init?: RequestInit;
  /** Undefined for a request without a token. */
  readonly as?: string;
  readonly status: number;
  /** Looks at the text of the answer. */
  readonly check?: (text: string) => void;
}

const json = { 'content-type': 'application/json' };

/** What is asked, and the only right answer to it. */
const kinds: Readonly<Record<string, (ask: Ask) => Expectation>> = {
  'reads what is theirs': ({ user }) => ({
    path: own(user),
    as: user,
    status: 200,
    check: (text) => assert.equal(text, user),
  }),
  'reads what is not theirs': ({ user, other }) => ({ path: own(other), as: user, status: 404 }),
  'reads without a token': ({ user }) => ({ path: own(user), status: 401 }),
  'reads what is public': () => ({
    path: '/storage/v1/object/public/plaza/sign.txt',
    status: 200,
    check: (text) => assert.equal(text, 'welcome'),
  }),
  'reads by a signed URL': ({ user }) => ({
    path: signedUrls.get(user) ?? '',
    status: 200,
    check: (text) => assert.equal(text, user),
  }),
  'lists buckets': ({ user }) => ({
    path: '/storage/v1/bucket',
    as: user,
    status: 200,
    check: (text) => {
      const names = (JSON.parse(text) as { readonly name: string }[]).map(({ name }) => name);
      assert.deepEqual(
        names.filter((name) => name.startsWith('of-')),
        [`of-${user}`],
      );
    },
  }),
  'lists buckets without a token': () => ({
    path: '/storage/v1/bucket',
    status: 200,
    check: (text) =>
      assert.deepEqual(
        (JSON.parse(text) as { readonly name: string }[]).map(({ name }) => name),
        ['plaza'],
      ),
  }),
  'lists files': ({ user }) => ({
    path: `/storage/v1/object/list/of-${user}`,
    init: { method: 'POST', headers: json, body: '{"search":"me.txt"}' },
    as: user,
    status: 200,
    check: (text) => assert.equal((JSON.parse(text) as unknown[]).length, 1),
  }),
  'writes a file, which becomes theirs': ({ user, number }) => ({
    path: `/storage/v1/object/of-${user}/n${number}`,
    init: { method: 'POST', body: user },
    as: user,
    status: 201,
    check: (text) => assert.equal((JSON.parse(text) as { readonly owner_id: string }).owner_id, user),
  }),
  'writes where they may not': ({ user, other }) => ({
    path: `/storage/v1/object/of-${other}/me.txt`,
    init: { method: 'PUT', body: user },
    as: user,
    status: 404,
  }),
  'fails on a constraint': ({ user, other }) => ({
    path: '/storage/v1/bucket',
    init: { method: 'POST', headers: json, body: JSON.stringify({ name: `of-${other}` }) },
    as: user,
    status: 409,
  }),
  'fails inside a function': ({ user }) => ({ path: '/rpc/get_upload_url?p_request_id=none', as: user, status: 400 }),
  'is refused by a function': ({ user }) => ({
    path: '/rpc/request_upload_url',
    init: {
      method: 'POST',
      headers: json,
      body: '{"p_entity_type":"..","p_entity_id":"1","p_file_name":"a","p_file_type":"text/plain"}',
    },
    as: user,
    status: 400,
  }),
  'has a token that is over': ({ user }) => ({
    path: own(user),
    init: { headers: { authorization: `Bearer ${open.tokens.expired}` } },
    status: 401,
  }),
};

/** One request; a caller who goes away takes no answer. */
async function askOnce(random: SeededRandom, number: number, tolerated: readonly number[]): Promise<void> {
  const user = random.pick(users);
  const other = random.pick(users.filter((each) => each !== user));
  const [what, kind] = random.pick(Object.entries(kinds));
  const { path, init = {}, as, status, check } = kind({ user, other, number });
  const leavesAfterMs = random.integer(8) === 0 ? random.integer(6) : undefined;
  const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(leavesAfterMs);
  try {
    const answer = await open.service.fetch(path, { ...init, as, ...(signal === undefined ? {} : { signal }) });
    const text = await answer.text();
    if (tolerated.includes(answer.status)) return;
    assert.equal(answer.status, status, `${user} ${what}: ${text}`);
    check?.(text);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

/** Keeps `atOnce` requests running; calls `between` now and then. */
async function askMany(count: number, tolerated: readonly number[], between: () => Promise<unknown>): Promise<void> {
  const random = seededRandom();
  let number = 0;
  const one = async (): Promise<void> => {
    while (number < count) {
      number += 1;
      const mine = random.seed * 10_000 + number;
      if (number % 100 === 0) await between();
      await askOnce(random, mine, tolerated);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

/** Nobody's transaction is left open, and the server is in order. */
async function assertCalm(): Promise<void> {
  await until(
    async () => {
      const rows = await open.database.query(
        `SELECT FROM pg_stat_activity
         WHERE application_name = 'rowlock api' AND datname = current_database() AND state <> 'idle'`,
      );
      return rows.length === 0;
    },
    { what: 'every connection of the API is idle' },
  );
  // A caller who went away in the middle of an upload leaves an intent: the sweep's, not ours.
  await open.settle();
  await open.remember();
  await open.assertUnharmed();
}

for (let round = 1; round <= rounds; round += 1) {
  test(`58 thousands of requests of many callers share two connections, and nobody is anybody else (${round})`, async () => {
    let seenMax = 0;

    await askMany(requestsOfRound, [], async () => {
      const [row] = await open.database.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'rowlock api' AND datname = current_database()`,
      );
      seenMax = Math.max(seenMax, row?.count ?? 0);
    });

    assert.ok(seenMax >= 1 && seenMax <= 2, `${seenMax} connections`);
    await assertCalm();
  });

  test(`58 the same while connections are killed under the callers (${round})`, async () => {
    await askMany(requestsOfRound / 5, [503], () =>
      open.database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'rowlock api' AND datname = current_database() LIMIT 1`,
      ),
    );

    await assertCalm();
  });
}
