/** Row 119 of the list of attacks: names of files in headers, and buckets that show what a browser would run. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import fc from 'fast-check';
import { type Attacked, attacked } from './standing.ts';

let open: Attacked;

before(async () => {
  open = await attacked();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.send('POST', '/storage/v1/bucket', { name: 'plaza', policy: 'public' }, 'olivia');
  const put = { as: 'olivia', method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'a' };
  await open.service.fetch('/storage/v1/object/vault/a.txt', put);
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

describe('119 names of files in headers', () => {
  const dispositionOf = async (name: string, download?: string): Promise<string> => {
    const query = download === undefined ? '?download' : `?download=${encodeURIComponent(download)}`;
    const path = name.split('/').map(encodeURIComponent).join('/');
    const answer = await open.service.fetch(`/storage/v1/object/vault/${path}${query}`, { as: 'olivia' });
    await answer.arrayBuffer();
    assert.equal(answer.status, 200, name);
    return answer.headers.get('content-disposition') ?? '';
  };

  /** Both names of the header, or a failure where it is not exactly what RFC 6266 and RFC 8187 allow. */
  const namesIn = (header: string): readonly [string, string] => {
    const [, plain, extended] =
      /^attachment; filename="([\x20\x21\x23-\x5b\x5d-\x7e]*)"; filename\*=UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*)$/.exec(
        header,
      ) ?? assert.fail(`no such header: ${header}`);
    return [plain ?? '', decodeURIComponent(extended ?? '')];
  };

  const hostile: readonly string[] = [
    'plain.txt',
    'naïve café.txt',
    '文件.txt',
    'ملف.txt',
    '👩‍👩‍👧‍👦.png',
    'a"b.txt',
    'a\\b.txt',
    "it's (a) *star*.txt",
    '50%.txt',
    '%0d%0aset-cookie: a=b',
    'x; filename=evil.exe',
    'x"; filename="evil.exe',
    "UTF-8''evil.exe",
    '\u202egpj.exe',
    '\u2028line.txt',
    ' leading and trailing ',
    '=?utf-8?b?ZXZpbA==?=',
    'a,b;c=d',
    '~!@#$^&+`{}[]|<>',
    'x'.repeat(255),
    'ü'.repeat(500),
  ];

  test('119 are sent so that they come back as they are, whatever they are made of', async () => {
    for (const name of hostile) {
      const path = `/storage/v1/object/vault/${encodeURIComponent(name)}`;
      const put = await open.service.fetch(path, { as: 'olivia', method: 'PUT', body: 'x' });
      await put.arrayBuffer();
      assert.ok(put.ok, `${name}: ${put.status}`);

      const [plain, extended] = namesIn(await dispositionOf(name));

      assert.equal(extended, name.normalize('NFC'));
      assert.doesNotMatch(plain, /[^\x20-\x7e]|["\\%]/);
      await open.service.fetch(path, { as: 'olivia', method: 'DELETE' });
    }
  });

  test('119 that a request asks for put no other header into the answer', async () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });

    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const [, extended] = namesIn(await dispositionOf('a.txt', name.toWellFormed()));
        assert.equal(extended, name.toWellFormed());
      }),
      { numRuns: 60, seed: seededRandom().integer(2 ** 31) },
    );
    for (const attack of ['a\r\nset-cookie: x=y', 'a\nx: y', 'a\0b', '\ud800', 'a"\r\n\r\n<script>']) {
      const [, extended] = namesIn(await dispositionOf('a.txt', attack.toWellFormed()));
      assert.equal(extended, attack.toWellFormed());
    }
  });
});

test('119 a bucket that shows what is active shows it in a sandbox, and only its owner decides that', async () => {
  const json = { 'content-type': 'application/json' };
  const change = (as: string, inline: boolean): Promise<Response> =>
    open.service.fetch('/storage/v1/bucket/plaza', {
      as,
      method: 'PATCH',
      headers: json,
      body: JSON.stringify({ inline }),
    });
  const body = '<!doctype html><script>alert(1)</script>';
  const headers = { 'content-type': 'text/html' };
  await open.service.fetch('/storage/v1/object/plaza/page.html', { as: 'olivia', method: 'PUT', headers, body });
  const read = async (): Promise<readonly (string | null)[]> => {
    const answer = await open.service.fetch('/storage/v1/object/public/plaza/page.html');
    await answer.arrayBuffer();
    return [answer.headers.get('content-disposition'), answer.headers.get('content-security-policy')];
  };

  const before = await read();
  const refused = await change('mallory', true);
  const unchanged = await read();
  const allowed = await change('olivia', true);
  const shown = await read();
  const asked = await open.service.fetch('/storage/v1/object/public/plaza/page.html?download');
  await change('olivia', false);

  const sandbox = "sandbox; default-src 'none'";
  assert.match(before[0] ?? '', /^attachment/);
  assert.ok([403, 404].includes(refused.status), String(refused.status));
  assert.deepEqual(unchanged, before);
  assert.equal(allowed.status, 200);
  assert.deepEqual(shown, [null, sandbox]);
  assert.match(asked.headers.get('content-disposition') ?? '', /^attachment/);
  assert.match((await read())[0] ?? '', /^attachment/);
  await open.service.fetch('/storage/v1/object/plaza/page.html', { as: 'olivia', method: 'DELETE' });
  await open.remember();
});
