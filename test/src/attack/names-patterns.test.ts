/** Rows 12 to 16 of the list of attacks: names that want to be patterns, SQL, buckets that are none, or properties. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type Attacked, assertRefused, attacked, sqlStateOf } from './standing.ts';

let attack: Attacked;
const as = 'olivia';
const owner = { role: 'authenticated', sub: as } as const;

before(async () => {
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

const at = (name: string): string => `/storage/v1/object/box/${encodeURIComponent(name)}`;

async function withObjects(names: readonly string[], work: () => Promise<void>): Promise<void> {
  for (const name of names) {
    assert.equal((await attack.service.fetch(at(name), { as, method: 'POST', body: name })).status, 201, name);
  }
  try {
    await work();
  } finally {
    for (const name of names) await attack.service.fetch(at(name), { as, method: 'DELETE' });
  }
}

async function listed(body: object): Promise<string[]> {
  const answer = await attack.send('POST', '/storage/v1/object/list/box', { limit: 1000, ...body }, as);
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { name: string }[]).map(({ name }) => name).sort();
}

const patterns = ['%', '_', '*', '?', '[a-z]', '{a,b}', '\\', '.*', '^', '$', '(a|b)', "'", '"', '%%', '\\%'];

test('12 patterns in a prefix and in a search are literal', async () => {
  const plain = ['a', 'b', 'ab', 'a/x', 'zz'];

  await withObjects([...plain, ...patterns.map((pattern) => `${pattern}/inside`)], async () => {
    for (const pattern of patterns) {
      assert.deepEqual(await listed({ prefix: pattern }), ['inside'], pattern);
      const found = await listed({ search: pattern });
      assert.deepEqual(found, patterns.filter((each) => each.includes(pattern)).sort(), pattern);
    }
    assert.deepEqual(await listed({ prefix: '%', search: '_' }), []);
  });
});

test('12 a delete removes exactly the names that it was given', async () => {
  const plain = ['a', 'b', 'ab', 'a/x'];

  await withObjects(plain, async () => {
    const none = await attack.send(
      'DELETE',
      '/storage/v1/object/box',
      { prefixes: [...patterns, 'A', 'a/', 'a/*'].filter((name) => !name.endsWith('/')) },
      as,
    );
    const one = await attack.send('DELETE', '/storage/v1/object/box', { prefixes: ['a', 'a', '%'] }, as);

    assert.deepEqual(await none.json(), []);
    assert.deepEqual(
      ((await one.json()) as { name: string }[]).map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(await listed({}), ['a', 'ab', 'b']);
    assert.deepEqual(await listed({ prefix: 'a' }), ['x']);
    for (const pattern of patterns) {
      assert.equal((await attack.service.fetch(at(pattern), { as, method: 'DELETE' })).status, 200, 'nothing to do');
    }
    assert.deepEqual(await listed({}), ['a', 'ab', 'b']);
  });
});

test('12 a prefix of a million slashes costs nothing', async () => {
  for (const prefix of ['a/'.repeat(500_000), '/'.repeat(10 ** 6), `a${'/'.repeat(10 ** 6)}b`]) {
    const answer = await attack.service.fetch('/storage/v1/object/list/box', {
      as,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prefix }),
      signal: AbortSignal.timeout(10_000),
    });
    await assertRefused(answer, 400, 'invalid_request');
  }
});

const injections = [
  "'; DROP TABLE storage.objects; --",
  "' OR '1'='1",
  '" OR ""="',
  "x' UNION SELECT secret FROM storage.settings --",
  '$1',
  "\\'; SELECT pg_sleep(10); --",
  "a'||(SELECT version())||'b",
];

test('13 SQL in a name, a prefix, a search or a metadata key is data', async () => {
  for (const injection of injections) {
    const metadata = Buffer.from(JSON.stringify({ [injection]: injection })).toString('base64');
    const put = await attack.service.fetch(at(injection), {
      as,
      method: 'POST',
      body: 'x',
      headers: { 'x-metadata': metadata },
    });
    assert.equal(put.status, 201, injection);
    const info = await attack.service.fetch(`/storage/v1/object/info/box/${encodeURIComponent(injection)}`, { as });

    assert.deepEqual(((await info.json()) as { metadata: object }).metadata, { [injection]: injection });
    assert.deepEqual(await listed({ search: injection }), [injection]);
    assert.deepEqual(await listed({ prefix: injection }), []);
    assert.equal((await attack.service.fetch(at(injection), { as, method: 'DELETE' })).status, 200);
  }
});

test('13 SQL in a sort, a limit, a bucket or an argument is refused', async () => {
  const list = '/storage/v1/object/list/box';
  for (const injection of injections) {
    await assertRefused(await attack.send('POST', list, { sortBy: { column: injection, order: 'asc' } }, as), 400);
    await assertRefused(await attack.send('POST', list, { sortBy: { column: 'name', order: injection } }, as), 400);
    await assertRefused(await attack.send('POST', list, { limit: injection }, as), 400);
    await assertRefused(await attack.send('POST', list, { offset: injection }, as), 400);
    await assertRefused(
      await attack.send('POST', `/storage/v1/object/list/${encodeURIComponent(injection)}`, {}, as),
      404,
    );
    await assertRefused(
      await attack.send('GET', `/storage/v1/bucket?limit=${encodeURIComponent(injection)}`, undefined, as),
      400,
    );
    await assertRefused(await attack.send('POST', '/storage/v1/bucket', { name: injection }, as), 400);
    const entity = { p_entity_type: injection, p_entity_id: injection, p_file_name: 'a.png', p_file_type: 'image/png' };
    await assertRefused(await attack.send('POST', '/rpc/request_upload_url', entity, as), 400);
    // These repeat what was sent, as PostgREST does.
    const id = encodeURIComponent(injection);
    const notUuid = await attack.send('GET', `/rpc/get_upload_url?p_request_id=${id}`, undefined, as);
    const unknown = await attack.send('GET', `/rpc/get_upload_url?p_request_id=x&${id}=1`, undefined, as);
    assert.equal(((await notUuid.json()) as { code: string }).code, '22P02');
    assert.equal(((await unknown.json()) as { code: string }).code, 'InvalidRequest');
    assert.equal((await attack.send('POST', `/rpc/${id}`, {}, as)).status, 404);
  }
  for (const column of ['size', 'owner_id', 'metadata', 'id', '']) {
    await assertRefused(await attack.send('POST', list, { sortBy: { column, order: 'asc' } }, as), 400);
  }
});

test('13 an entity type or id that is SQL reaches no statement', async () => {
  await attack.database.query(
    "CREATE TABLE public.odd (id text PRIMARY KEY); GRANT SELECT ON public.odd TO authenticated; SELECT storage.attach_entity('public.odd')",
  );
  for (const injection of injections) {
    const asked = await attack.sql<{ seen: boolean }>(owner, 'SELECT storage.can_select_entity($1, $2) AS seen', [
      'odd',
      injection,
    ]);
    const attach = attack.sql(owner, 'SELECT storage.attach_entity($1::regclass, $2)', ['public.odd', injection]);

    assert.equal(asked[0]?.seen, false);
    assert.equal(await sqlStateOf(attach), '42501');
  }
  await attack.database.query("DROP TABLE public.odd; DELETE FROM storage.entities WHERE entity_type = 'odd'");
});

const noBuckets = [
  '..',
  '.',
  '',
  'ab',
  'A B',
  'Upper',
  'a'.repeat(64),
  'xn--bcher-kva',
  '192.168.0.1',
  '999.999.999.999',
  'a..b',
  '-ab',
  'ab-',
  '.ab',
  'ab.',
  'a/b',
  'a\\b',
  'bücher',
  'a\nb',
  'abc\n',
  '%2e%2e',
  'a%b',
  'sign',
  'public',
  'authenticated',
  'info',
  'list',
  'list-v2',
  'upload',
  'copy',
  'move',
  '__proto__',
  'constructor.',
  'ａｂｃ',
];

test('14 what is no name of a bucket is refused over HTTP and over SQL', async () => {
  for (const name of noBuckets) {
    await assertRefused(await attack.send('POST', '/storage/v1/bucket', { name }, as), 400, 'invalid_bucket_name');
    const inserted = attack.sql(owner, 'INSERT INTO storage.buckets (id, name) VALUES ($1, $1)', [name]);
    assert.equal(await sqlStateOf(inserted), '23514', name);
  }
  const another = attack.sql(owner, "INSERT INTO storage.buckets (id, name) VALUES ('one', 'two')");
  assert.equal(await sqlStateOf(another), '23514');
  await assertRefused(await attack.send('POST', '/storage/v1/bucket', { name: 'one', id: 'two' }, as), 400);
  assert.equal(await sqlStateOf(attack.sql(owner, "UPDATE storage.buckets SET name = 'box2'")), '42501');
});

test('15 names of properties of objects are plain data', async () => {
  const words = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];
  const metadata = Buffer.from(`{${words.map((word) => `"${word}":{"polluted":"${word}"}`).join(',')}}`).toString(
    'base64',
  );

  await withObjects(words, async () => {
    assert.deepEqual(await listed({}), [...words].sort());
    for (const word of words) {
      assert.equal(await (await attack.service.fetch(at(word), { as })).text(), word);
    }
    const put = await attack.service.fetch(at(words[0] ?? ''), {
      as,
      method: 'PUT',
      body: 'x',
      headers: { 'x-metadata': metadata, constructor: 'x', prototype: 'y' },
    });
    assert.equal(put.status, 200);
    const info = await (await attack.service.fetch('/storage/v1/object/info/box/__proto__', { as })).text();
    for (const word of words) assert.match(info, new RegExp(`"${word}":\\{"polluted":"${word}"\\}`));
  });

  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('15 names of properties are no functions, no arguments, no buckets and no options', async () => {
  const post = (path: string, body: string): Promise<Response> =>
    attack.service.fetch(path, { as, method: 'POST', headers: { 'content-type': 'application/json' }, body });
  for (const word of ['__proto__', 'constructor', 'prototype', 'toString']) {
    await assertRefused(await post(`/rpc/${word}`, '{}'), 404);
    await assertRefused(await post('/rpc/get_file_storage_stats', `{"${word}":{"polluted":1}}`), 400);
    await assertRefused(await attack.send('GET', `/rpc/get_file_storage_stats?${word}=1`, undefined, as), 400);
    await assertRefused(await post(`/storage/v1/object/list/${word}`, '{}'), 404);
    await assertRefused(
      await post('/storage/v1/object/list/box', `{"sortBy":{"column":"${word}","order":"asc"}}`),
      400,
    );
    const sized = await post('/storage/v1/bucket', `{"name":"sized","file_size_limit":"1${word}"}`);
    await assertRefused(sized, 400, 'invalid_request');
  }
  const polluting = await post(
    '/storage/v1/object/list/box',
    '{"__proto__":{"prefix":"x"},"constructor":{"prototype":{"polluted":1}}}',
  );
  await assertRefused(polluting, 400);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('16 an archive that climbs is kept as it is and never opened', async () => {
  const inside = Buffer.from('../../../escaped');
  const header = Buffer.alloc(30);
  header.write('PK\u0003\u0004', 'latin1');
  header.writeUInt16LE(inside.byteLength, 26);
  const archive = Buffer.concat([header, inside, Buffer.from('payload')]);

  await withObjects([], async () => {
    await attack.service.fetch(at('x.zip'), { as, method: 'POST', body: archive });
    const read = await attack.service.fetch(at('x.zip'), { as });

    assert.deepEqual(Buffer.from(await read.arrayBuffer()), archive);
    assert.deepEqual(await listed({}), ['x.zip']);
    await attack.service.fetch(at('x.zip'), { as, method: 'DELETE' });
  });
});
