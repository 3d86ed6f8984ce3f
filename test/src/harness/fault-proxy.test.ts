/** The fault proxy itself: each fault does to a statement what it says, and nothing else is harmed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createEmptyDatabase,
  type EmptyDatabase,
  type Fault,
  type FaultProxy,
  seededRandom,
  startFaultProxy,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';

let database: EmptyDatabase;
let proxy: FaultProxy;
let direct: pg.Client;

before(async () => {
  database = await createEmptyDatabase();
  proxy = await startFaultProxy({ url: database.url, adminUrl: database.url });
  direct = new pg.Client({ connectionString: database.url });
  await direct.connect();
  await direct.query('CREATE TABLE kept (name text PRIMARY KEY)');
});
after(async () => {
  await proxy.close();
  await direct.end();
  await database.drop();
});

/** A client whose end is no surprise. */
async function connected(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: proxy.through(database.url), application_name: 'proxied' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const insert = (client: pg.Client, name: string): Promise<pg.QueryResult> =>
  client.query({ name: 'insert', text: 'INSERT INTO kept VALUES ($1) RETURNING name', values: [name] });

async function isKept(name: string): Promise<boolean> {
  return (await direct.query('SELECT FROM kept WHERE name = $1', [name])).rowCount === 1;
}

/** Inserts two rows, the second of them under a fault; answers what became of the second. */
async function insertUnder(fault: Fault): Promise<{ outcome: string; kept: boolean; struck: string | undefined }> {
  const client = await connected();
  const armed = proxy.arm({ at: 2, fault, matching: ({ text }) => text.startsWith('INSERT') });
  await insert(client, `first of ${fault.kind}`);
  const outcome = await insert(client, fault.kind).then(
    ({ rows }) => String(rows[0].name),
    (error: pg.DatabaseError) => error.code ?? 'lost',
  );
  await client.end().catch(() => undefined);
  assert.ok(await isKept(`first of ${fault.kind}`), 'the statement before is not harmed');
  return { outcome, kept: await isKept(fault.kind), struck: armed.struck?.application_name };
}

for (const [fault, outcome, kept] of [
  [{ kind: 'cut_before' }, 'lost', false],
  [{ kind: 'reset' }, 'ECONNRESET', false],
  [{ kind: 'cut_after' }, 'lost', true],
  [{ kind: 'truncate' }, 'lost', true],
  [{ kind: 'terminate' }, '57P01', false],
  [{ kind: 'error', sqlstate: '40P01' }, '40P01', false],
  [{ kind: 'delay', ms: 30 }, 'delay', true],
] as const) {
  test(`${fault.kind} at the second statement leaves it ${kept ? 'done' : 'undone'}`, async () => {
    assert.deepEqual(await insertUnder(fault), { outcome, kept, struck: 'proxied' });
  });
}

test('black_hole answers nothing and keeps the connection open', async () => {
  const client = await connected();
  proxy.arm({ at: 1, fault: { kind: 'black_hole' } });
  let settled = false;

  const answer = insert(client, 'black hole').catch(() => undefined);
  void answer.then(() => {
    settled = true;
  });
  await direct.query('SELECT pg_sleep(0.1)');

  assert.equal(settled, false);
  await proxy.cut();
  await proxy.restore();
  await answer;
  assert.equal(await isKept('black hole'), false);
});

test('a transaction that is pipelined loses exactly the statement that was struck and what follows', async () => {
  const client = new pg.Client({ connectionString: proxy.through(database.url), pipeline: true });
  client.on('error', () => undefined);
  await client.connect();
  proxy.arm({ at: 3, fault: { kind: 'cut_before' } });

  const settled = await Promise.allSettled([
    client.query('BEGIN'),
    client.query("INSERT INTO kept VALUES ('pipelined')"),
    client.query('COMMIT'),
  ]);

  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  assert.equal(await isKept('pipelined'), false);
});

test('new connections are refused for a while, and those that are there go on', async () => {
  const client = await connected();

  await proxy.refuse();
  const refused = await connected().then(
    () => 'connected',
    (error: NodeJS.ErrnoException) => error.code,
  );
  const { rows } = await client.query('SELECT 1 AS one');
  await proxy.restore();
  const again = await connected();

  assert.equal(refused, 'ECONNREFUSED');
  assert.deepEqual(rows, [{ one: 1 }]);
  await Promise.all([client.end(), again.end()]);
});

test('chance strikes the same statements for the same seed', async () => {
  const strikes = async (): Promise<string> => {
    proxy.leaveToChance({ random: seededRandom(7), rate: 0.3, faults: [{ kind: 'error', sqlstate: '40001' }] });
    const client = await connected();
    let outcomes = '';
    for (let i = 0; i < 20; i += 1) {
      outcomes += await client.query('SELECT 1').then(
        () => '.',
        () => 'x',
      );
    }
    proxy.leaveToChance(undefined);
    await client.end();
    return outcomes;
  };

  const first = await strikes();

  assert.match(first, /x.*\./);
  assert.equal(await strikes(), first);
});

test('what ends at one end ends at the other', async () => {
  const client = await connected();
  await client.query('SELECT 1');

  await client.end();

  await until(
    async () =>
      (
        await direct.query("SELECT FROM pg_stat_activity WHERE application_name = 'proxied' AND datname = $1", [
          database.name,
        ])
      ).rowCount === 0,
    { what: 'the backend has ended' },
  );
});

for (const [direction, arrives] of [
  ['both', false],
  ['to_server', false],
  ['to_client', true],
] as const) {
  test(`a connection that is frozen ${direction} says nothing to its client until it is thawed`, async () => {
    const [frozen, other] = [await connected(), await connected()];
    await frozen.query(`SELECT '${direction}'`);
    const { connections, thaw } = proxy.freeze({
      direction,
      matching: ({ texts }) => texts.has(`SELECT '${direction}'`),
    });
    let isAnswered = false;

    const answer = insert(frozen, `frozen ${direction}`).finally(() => {
      isAnswered = true;
    });
    await insert(other, `beside ${direction}`);
    if (arrives) await until(async () => await isKept(`frozen ${direction}`), { what: 'the server has done it' });
    const [wasAnswered, wasKept] = [isAnswered, await isKept(`frozen ${direction}`)];
    thaw();
    await answer;

    assert.equal(connections.length, 1);
    assert.deepEqual([wasAnswered, wasKept], [false, arrives]);
    assert.ok(await isKept(`frozen ${direction}`), 'what was said meanwhile arrives');
    await Promise.all([frozen.end(), other.end()]);
  });
}

test('bytes at a pace are the same bytes in the same order', async () => {
  const random = seededRandom();
  const client = await connected();
  const long = random.bytes(5000).toString('hex');

  for (const pace of [{ pieceBytes: () => 1 + random.integer(100) }, { pauseMs: 1 }, undefined]) {
    proxy.pace(pace);
    const { rows } = await client.query('SELECT $1::text AS long, generate_series(1, 3) AS n', [long]);

    assert.deepEqual(
      rows.map(({ n, long: echoed }) => [n, echoed === long]),
      [1, 2, 3].map((n) => [n, true]),
    );
  }
  await client.end();
});

test('a mute server accepts connections and says nothing', async () => {
  proxy.mute();
  const client = new pg.Client({ connectionString: proxy.through(database.url), connectionTimeoutMillis: 100 });

  await assert.rejects(client.connect(), /timeout/);
  await proxy.restore();
  const again = await connected();

  assert.equal((await again.query('SELECT 1 AS one')).rows[0]?.one, 1);
  await again.end();
});
