/** Signed URLs: one and many at once, and what each is bound to, against the real service. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startService } from '@rowlock/test-harness';
import { openUrl, SignedUrlsSite, v1 } from './signed-urls-site.ts';

let site: SignedUrlsSite;

before(async () => {
  site = await SignedUrlsSite.start();
});
after(() => site.stop());

interface Batched {
  readonly error: string | null;
  readonly path: string;
  readonly signedURL: string | null;
}

async function signAll(bucket: string, paths: readonly string[], as?: string): Promise<Batched[]> {
  const answer = await site.send('POST', `/object/sign/${bucket}`, { expiresIn: 60, paths }, as);
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as Batched[];
}

describe('signing', () => {
  test('an answer has both spellings, when it expires, and the id by which it is revoked', async () => {
    await site.upload('box/a b.txt', 'bytes');

    const signed = await site.sign('box/a%20b.txt', { expiresIn: 60 });

    const token = new URL(signed.url).searchParams.get('token') ?? '';
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    assert.equal(claims['jti'], signed.id);
    assert.equal(Number(claims['exp']) * 1000, Date.parse(signed.expires_at));
    assert.match(signed.signedURL, /^\/object\/sign\/box\/a b\.txt\?token=/);
    assert.equal(await openUrl(signed.url), 'bytes');
    assert.equal(await openUrl(encodeURI(`${site.service.url}${v1}${signed.signedURL}`)), 'bytes');
  });

  test('many names are signed at once, in their order; hidden, missing and impossible ones alike', async () => {
    await site.upload('team/mine.txt', 'mine');
    await site.upload('team/\u00e9.txt', 'e');
    await site.upload('files/hidden.txt', 'hidden', 'zoe');
    const paths = ['mine.txt', 'missing.txt', '../x', '', 'e\u0301.txt', 'mine.txt', '\ud800', 'x'.repeat(2000)];

    const signed = await signAll('team', paths, 'ben');
    const [hidden, missing] = await signAll('files', ['hidden.txt', 'missing.txt'], 'ben');

    assert.deepEqual(
      signed.map(({ error, path, signedURL }) => [path, error, signedURL === null]),
      paths.map((path, place) => ([0, 4, 5].includes(place) ? [path, null, false] : [path, 'Object not found', true])),
    );
    assert.deepEqual({ ...hidden, path: '' }, { ...missing, path: '' });
    const bodies = await Promise.all(
      [0, 4, 5].map((place) => openUrl(encodeURI(`${site.service.url}${v1}${signed[place]?.signedURL}`))),
    );
    assert.deepEqual(bodies, ['mine', 'e', 'mine']);
    assert.notEqual(signed[0]?.signedURL, signed[5]?.signedURL, 'each URL has an id of its own');
  });

  test('a thousand names are one batch, more are refused, and so is what a batch cannot be', async () => {
    const thousand = Array.from({ length: 1000 }, (_, n) => `none-${n}`);

    assert.equal((await signAll('box', thousand, 'ann')).length, 1000);
    for (const body of [
      { expiresIn: 60, paths: [...thousand, 'one more'] },
      { expiresIn: 60, paths: [] },
      { expiresIn: 60, paths: 'a' },
      { expiresIn: 60, paths: [1] },
      { expiresIn: 60, paths: ['a'], max_uses: 1 },
      { expiresIn: 60, paths: ['a'], register: true },
      { expiresIn: 0, paths: ['a'] },
      { expiresIn: 604_801, paths: ['a'] },
      { expiresIn: 60 },
    ]) {
      assert.equal(
        (await site.send('POST', '/object/sign/box', body, 'ann')).status,
        400,
        JSON.stringify(body).slice(0, 80),
      );
    }
  });

  test('where nothing is to be seen a batch is refused like one name', async () => {
    const ask = async (bucket: string, as?: string): Promise<number> =>
      (await site.send('POST', `/object/sign/${bucket}`, { expiresIn: 60, paths: ['a'] }, as)).status;

    assert.deepEqual(
      [
        await ask('box'),
        await ask('nihil'),
        await ask('box', 'ben'),
        await ask('nihil', 'ben'),
        await ask('nihil', 'ann'),
      ],
      [401, 401, 404, 404, 404],
    );
  });
});

describe('terms', () => {
  test('a download name that was signed is the one that counts', async () => {
    await site.upload('box/named.txt', 'bytes');
    const { url } = await site.sign('box/named.txt', { download: 'R\u00e9sum\u00e9 "1".txt' });
    const own = await site.sign('box/named.txt', { download: true });

    const answer = await fetch(`${url}&download=evil.exe`);
    const plain = await fetch(own.url);

    assert.match(answer.headers.get('content-disposition') ?? '', /filename\*=UTF-8''R%C3%A9sum%C3%A9%20%221%22\.txt$/);
    assert.match(plain.headers.get('content-disposition') ?? '', /filename="named\.txt"/);
  });

  test('a URL opens while the object has the size, the type and the checksum that were signed', async () => {
    const sha256 = createHash('sha256').update('abcde').digest('hex');
    await site.upload('box/bound.txt', 'abcde');
    const urls = await Promise.all(
      [{ size_max: 5 }, { size_max: 6 }, { content_type: 'Text/Plain' }, { sha256: sha256.toUpperCase() }].map(
        (terms) => site.sign('box/bound.txt', terms),
      ),
    );
    const ask = (): Promise<string[]> => Promise.all(urls.map(({ url }) => openUrl(url)));

    const first = await ask();
    await site.upload('box/bound.txt', 'abcdef');
    const larger = await ask();
    await site.upload('box/bound.txt', '{}', 'ann', 'application/json');
    const other = await ask();

    const no = 'precondition_failed';
    assert.deepEqual(first, ['abcde', 'abcde', 'abcde', 'abcde']);
    assert.deepEqual(larger, [no, 'abcdef', 'abcdef', no]);
    assert.deepEqual(other, ['{}', '{}', no, no]);
  });

  test('a URL for one version serves that version or nothing', async () => {
    await site.upload('box/old.txt', 'first');
    const info = await (await site.send('GET', '/object/info/box/old.txt', undefined, 'ann')).json();
    const version_id = (info as { readonly version: string }).version;
    const { url } = await site.sign('box/old.txt', { version_id });
    const current = await site.sign('box/old.txt');

    const before = await openUrl(url);
    await site.upload('box/old.txt', 'second');
    const after = [await openUrl(url), await openUrl(current.url)];
    const late = await site.send('POST', '/object/sign/box/old.txt', { version_id }, 'ann');

    assert.equal(before, 'first');
    assert.deepEqual(after, ['object_not_found', 'second']);
    assert.equal(late.status, 404);
  });

  test('a version that history keeps goes on to be served, and can still be signed by who may read it', async () => {
    await site.send('POST', '/bucket', { name: 'kept' }, 'ann');
    await site.service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'kept'");
    await site.upload('kept/old.txt', 'first');
    const info = await (await site.send('GET', '/object/info/kept/old.txt', undefined, 'ann')).json();
    const version_id = (info as { readonly version: string }).version;
    const { url } = await site.sign('kept/old.txt', { version_id });

    await site.upload('kept/old.txt', 'second');
    const late = await site.sign('kept/old.txt', { version_id });
    const bodies = [await openUrl(url), await openUrl(late.url)];
    await site.send('DELETE', '/object/kept/old.txt', undefined, 'ann');

    assert.deepEqual(bodies, ['first', 'first']);
    assert.equal(await openUrl(url), 'object_not_found', 'a deleted object is over, whatever is kept of it');
  });

  test('a URL that is bound to addresses believes a header only from a trusted proxy', async () => {
    await site.upload('box/near.txt', 'near');
    const { url } = await site.sign('box/near.txt', { addresses: ['127.0.0.0/8', '::1'] });
    const far = await site.sign('box/near.txt', { addresses: ['192.0.2.0/24'] });
    const headers = { 'x-forwarded-for': '192.0.2.7' };
    const { database, root } = site.service;
    const behind = await startService({ workers: false, database, root, config: { trusted_proxies: ['127.0.0.1'] } });
    const throughProxy = (link: string): string => link.replace(site.service.url, behind.url);

    const near = await fetch(url, { headers });
    const answers = [
      await openUrl(far.url, { headers }),
      await openUrl(throughProxy(far.url), { headers }),
      await openUrl(throughProxy(url), { headers }),
      await openUrl(throughProxy(far.url), { headers: { 'x-forwarded-for': '192.0.2.7, 198.51.100.1' } }),
    ];
    await behind.stop();

    assert.equal(await near.text(), 'near');
    assert.equal(near.headers.get('cache-control'), 'private, no-store');
    assert.deepEqual(answers, ['not_allowed', 'near', 'not_allowed', 'not_allowed']);
  });

  test('terms that are none are refused', async () => {
    await site.upload('box/plain.txt', 'bytes');
    for (const terms of [
      { size_max: -1 },
      { size_max: 1.5 },
      { content_type: 'not a type' },
      { sha256: 'ab' },
      { addresses: [] },
      { addresses: ['here'] },
      { addresses: ['10.0.0.0/33'] },
      { addresses: Array.from({ length: 9 }, (_, n) => `10.0.0.${n}`) },
      { download: '' },
      { download: 'x'.repeat(256) },
      { method: 'PUT' },
      { max_uses: 0 },
      { max_uses: 1.5 },
      { version_id: 'first' },
    ]) {
      const { status } = await site.send('POST', '/object/sign/box/plain.txt', terms, 'ann');
      assert.ok([400, 415].includes(status), `${JSON.stringify(terms).slice(0, 60)}: ${status}`);
    }
  });
});
