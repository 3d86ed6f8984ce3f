/**
 * Rows 6, 7 and 9 of the list of attacks, as a property of all names: each is refused with 400 by every door, or is
 * stored, shown, listed, signed and downloaded under exactly itself, in whatever spelling the URL has it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import fc from 'fast-check';
import { type Attacked, assertRefused, attacked, sqlStateOf } from './standing.ts';
import { sendVerbatim } from './verbatim.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 3);
const random = seededRandom();

let attack: Attacked;
const olivia = { role: 'authenticated', sub: 'olivia' } as const;

before(async () => {
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'olivia')");
  await attack.service.fetch('/storage/v1/object/box/source', { as: 'olivia', method: 'POST', body: 'source' });
  await attack.remember();
});
afterEach(() => attack.assertUnharmed());
after(() => attack.stop());

/** Pieces that names, paths, escapes and headers are made of, and every code point there is. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        '/',
        '//',
        '.',
        '..',
        '...',
        '\\',
        '%',
        '%2F',
        '%2f',
        '%2e',
        '%252e',
        '%00',
        '+',
        ' ',
        ';',
        '?',
        '#',
        '&',
        '=',
        '*',
      ],
      ...[
        "'",
        '"',
        '<b>',
        '\u0000',
        '\r\n',
        '\t',
        '\u007f',
        '\u0085',
        '\u202e',
        '\u200d',
        '\ufeff',
        '\uffff',
        '\ud800',
      ],
      ...['e\u0301', 'é', 'ﬁ', '\u212b', 'CON', '~', '$', '|', ':', '__proto__', '.png', 'a', 'B', '😀', '\u0344'],
    ),
  },
);
const anyName = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));

/** How the path may be escaped without becoming another one. */
const spellings: readonly ((name: string) => string)[] = [
  (name) => encodeURIComponent(name),
  (name) => name.split('/').map(encodeURIComponent).join('/'),
  (name) => [...Buffer.from(name)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
];

const call = (method: string, path: string, body?: string): Promise<Response> =>
  sendVerbatim(attack.service.url, {
    method,
    path: `/storage/v1/object/${path}`,
    token: attack.tokens.olivia,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  });

/** What the rule says, written down a second time: the name that is stored, or nothing. */
function expected(name: string): string | undefined {
  const normal = name.normalize('NFC');
  const isNamed = normal.isWellFormed() && Buffer.byteLength(normal) <= 1024 && !/\p{Cc}/u.test(normal);
  const hasSegments = !normal.split('/').some((segment) => ['', '.', '..'].includes(segment));
  return isNamed && hasSegments ? normal : undefined;
}

async function assertRefusedEverywhere(name: string): Promise<void> {
  await assertRefused(await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [name] }, 'olivia'), 400);
  if (!name.isWellFormed()) return; // no URL and no text of PostgreSQL can spell it
  for (const spell of spellings) {
    const path = `box/${spell(name)}`;
    await assertRefused(await call('POST', path, 'x'), 400);
    await assertRefused(await call('GET', path), 400);
    await assertRefused(await call('DELETE', path), 400);
    await assertRefused(await call('POST', `sign/${path}`, '{}'), 400);
  }
  assert.match(await sqlStateOf(copied(name)), /^(23514|22021)$/);
}

const copied = (name: string): Promise<unknown> =>
  attack.sql(
    olivia,
    "INSERT INTO storage.objects (bucket_id, name, version_id) SELECT 'box', $1, version_id FROM storage.objects WHERE name = 'source'",
    [name],
  );

async function assertStoredAs(given: string, name: string): Promise<void> {
  const [first = encodeURIComponent] = spellings;
  const put = await call('POST', `box/${first(given)}`, `body of ${name}`);
  assert.equal(put.status, 201);
  assert.equal(((await put.json()) as { path: string }).path, name);
  for (const spell of spellings) {
    assert.equal(await (await call('GET', `box/${spell(given)}`)).text(), `body of ${name}`);
  }
  const info = (await (await call('GET', `info/box/${first(name)}`)).json()) as { name: string };
  const signed = (await (await call('POST', `sign/box/${first(name)}`, '{}')).json()) as { url: string };
  const slash = name.lastIndexOf('/');
  const listed = (await (
    await call('POST', 'list/box', JSON.stringify({ prefix: name.slice(0, slash + 1), limit: 1000 }))
  ).json()) as { name: string; id: string | null }[];
  const rows = await attack.sql<{ name: string }>(olivia, 'SELECT name FROM storage.objects WHERE name = $1', [name]);
  assert.equal(info.name, name);
  assert.equal(await (await fetch(signed.url)).text(), `body of ${name}`);
  assert.ok(listed.some((entry) => entry.id !== null && entry.name === name.slice(slash + 1)));
  assert.deepEqual(rows, [{ name }]);
  const removed = await attack.send('DELETE', '/storage/v1/object/box', { prefixes: [name] }, 'olivia');
  assert.deepEqual(
    ((await removed.json()) as { name: string }[]).map((row) => row.name),
    [name],
  );
}

test('9 every name is refused by every door, or is itself over every door', async () => {
  await fc.assert(
    fc.asyncProperty(anyName, async (given) => {
      const name = expected(given);
      if (given === '' || name === 'source') return;
      if (name === undefined) await assertRefusedEverywhere(given);
      else await assertStoredAs(given, name);
    }),
    { numRuns: rounds * 20, seed: random.seed | 0 },
  );
});

const harmlessKey =
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\/[0-9a-f-]{36}\/original\.[a-z0-9]{1,10}$/;

test('1 no entity and no file name makes a key that is a path', async () => {
  const part = fc.oneof(anyName, fc.constantFrom('issue', '1', '../x', 'a/b', '-rf', '.hidden', 'x'.repeat(101)));
  const type = fc.oneof({ weight: 3, arbitrary: fc.constant('image/png') }, { weight: 1, arbitrary: anyName });

  await fc.assert(
    fc.asyncProperty(part, part, anyName, type, async (entityType, entityId, fileName, fileType) => {
      const named = attack.sql<{ key: string }>(
        olivia,
        "SELECT storage.assert_may_upload_file($1, $2, $3, $4, 'files', gen_random_uuid()) AS key",
        [entityType, entityId, fileName, fileType],
      );
      const [row] = await named.catch((error: { readonly code: string }) => {
        assert.match(error.code, /^(22023|22021|42501)$/);
        return [];
      });
      if (row !== undefined) assert.match(row.key, harmlessKey);
    }),
    { numRuns: rounds * 60, seed: random.seed | 0 },
  );
});

test('6 composed and decomposed letters name one object, and other look-alikes are others', async () => {
  const same = ['\u00e9', 'e\u0301'];
  const others = ['e', '\u0435', '\u00e9\u200d', '\ufb01', 'fi', '\u0391', 'A', 'e\u0301\u0323', '\u00e9\u034f'];

  for (const name of same) {
    const put = await call('PUT', `box/${encodeURIComponent(name)}`, name);
    assert.equal(((await put.json()) as { path: string }).path, '\u00e9');
  }
  for (const name of others) assert.equal((await call('POST', `box/${encodeURIComponent(name)}`, name)).status, 201);
  const listed = (await (await call('POST', 'list/box', '{"limit":1000}')).json()) as { name: string }[];

  const names = ['\u00e9', ...others.map((name) => name.normalize('NFC'))];
  assert.deepEqual(
    listed
      .map(({ name }) => name)
      .filter((name) => name !== 'source')
      .sort(),
    [...names].sort(),
  );
  const removed = await attack.send('DELETE', '/storage/v1/object/box', { prefixes: names }, 'olivia');
  assert.equal(((await removed.json()) as unknown[]).length, names.length);
});

test('6 a storm of combining characters is a name or too long, and never sorted for long', async () => {
  const storm = `a${'\u0301\u0323\u0344\u0345'.repeat(80)}`;

  await assertStoredAs(storm, storm.normalize('NFC'));
  const longer = await attack.service.fetch('/storage/v1/object/box', {
    as: 'olivia',
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prefixes: [`a${'\u0301\u0323\u0345'.repeat(100_000)}`] }),
    signal: AbortSignal.timeout(10_000),
  });

  await assertRefused(longer, 400, 'name_too_long');
});

test('7 a name that reads backwards is sent whole, with a fallback in ASCII', async () => {
  const name = 'photo\u202egpj.exe';
  assert.equal((await call('POST', `box/${encodeURIComponent(name)}`, 'MZ')).status, 201);

  const saved = await call('GET', `box/${encodeURIComponent(name)}?download`);
  const renamed = await call(
    'GET',
    `box/${encodeURIComponent(name)}?download=${encodeURIComponent('п\u202e"\\%.exe')}`,
  );

  assert.equal(
    saved.headers.get('content-disposition'),
    'attachment; filename="photo_gpj.exe"; filename*=UTF-8\'\'photo%E2%80%AEgpj.exe',
  );
  assert.equal(
    renamed.headers.get('content-disposition'),
    'attachment; filename="_____.exe"; filename*=UTF-8\'\'%D0%BF%E2%80%AE%22%5C%25.exe',
  );
  assert.equal((await call('DELETE', `box/${encodeURIComponent(name)}`)).status, 200);
});
