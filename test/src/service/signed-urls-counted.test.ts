/** Signed URLs that are counted and listed, against the real service. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openUrl, SignedUrlsSite } from './signed-urls-site.ts';

let site: SignedUrlsSite;

before(async () => {
  site = await SignedUrlsSite.start();
});
after(() => site.stop());

describe('counted URLs', () => {
  beforeEach(() => site.upload('box/counted.txt', 'counted'));

  test('of fifty downloads at once exactly as many succeed as were signed', async () => {
    const { url, id } = await site.sign('box/counted.txt', { max_uses: 7 });

    const answers = await Promise.all(Array.from({ length: 50 }, () => openUrl(url)));

    assert.deepEqual(
      [answers.filter((each) => each === 'counted').length, answers.filter((each) => each === 'url_used_up').length],
      [7, 43],
    );
    const rows = await site.service.database.query('SELECT uses_left FROM storage.signed_urls WHERE id = $1', [id]);
    assert.deepEqual(rows, [{ uses_left: 0 }]);
  });

  test('every GET counts, of a range or of what is cached too; HEAD and refusals do not', async () => {
    const { url } = await site.sign('box/counted.txt', { max_uses: 3 });
    const etag = (await fetch(url, { method: 'HEAD' })).headers.get('etag') ?? '';

    const wrongPlace = await openUrl(url.replace('counted.txt', 'other.txt'));
    const range = await openUrl(url, { headers: { range: 'bytes=0-1' } });
    const cached = (await fetch(url, { headers: { 'if-none-match': etag } })).status;
    const head = (await fetch(url, { method: 'HEAD' })).status;
    const last = await openUrl(url);
    const over = [await openUrl(url), await openUrl(url, { method: 'HEAD' })];

    assert.deepEqual([wrongPlace, range, cached, head, last], ['invalid_signature', 'co', 304, 200, 'counted']);
    assert.deepEqual(over, ['url_used_up', 'url_used_up']);
  });

  test('who signed and who owns the object see a live URL, nobody else, and no secret of it', async () => {
    await site.upload('team/listed.txt', 'x');
    const counted = await site.sign('team/listed.txt', { max_uses: 2 }, 'ben');
    const kept = await site.sign('team/listed.txt', { register: true }, 'ben');
    await site.sign('team/listed.txt', {}, 'ben');
    await openUrl(counted.url);
    const list = async (as?: string): Promise<Record<string, unknown>[] | number> => {
      const answer = await site.send('GET', '/signed-urls?bucket=team&name=listed.txt', undefined, as);
      return answer.ok ? ((await answer.json()) as Record<string, unknown>[]) : answer.status;
    };

    const ofBen = await list('ben');
    const ofAnn = await list('ann');

    assert.ok(Array.isArray(ofBen));
    assert.deepEqual(
      ofBen.map(({ id, uses_left }) => [id, uses_left]).sort(),
      [
        [counted.id, 1],
        [kept.id, null],
      ].sort(),
    );
    assert.deepEqual(ofAnn, ofBen);
    assert.deepEqual([await list('eve'), await list()], [[], 401]);
    assert.doesNotMatch(JSON.stringify(ofBen), /token|eyJ/);
    await site.revoke({ id: counted.id }, 'ben');
    const left = await list('ben');
    assert.deepEqual(Array.isArray(left) && left.map(({ id }) => id), [kept.id], 'what is revoked is on no list');
  });

  test('a page of the list goes on after the last id', async () => {
    await site.upload('box/paged.txt', 'x');
    const all = await Promise.all(Array.from({ length: 5 }, () => site.sign('box/paged.txt', { register: true })));
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const path = `/signed-urls?name=paged.txt&limit=2${after === '' ? '' : `&after=${after}`}`;
      const page = (await (await site.send('GET', path, undefined, 'ann')).json()) as { readonly id: string }[];
      seen.push(...page.map(({ id }) => id));
      if (page.length < 2) break;
      after = page.at(-1)?.id ?? '';
    }

    assert.deepEqual(seen, all.map(({ id }) => id).sort());
  });

  test('the sweep forgets what has expired, and nothing else', async () => {
    const { id } = await site.sign('box/counted.txt', { max_uses: 1 });
    const expired = await site.sign('box/counted.txt', { max_uses: 1 });
    await site.revoke({ id: 'A'.repeat(32) }, 'service');
    await site.service.database.query(
      "UPDATE storage.signed_urls SET expires_at = now() - interval '1 second' WHERE id = $1",
      [expired.id],
    );
    await site.service.database.query(
      "UPDATE storage.signed_url_revocations SET expires_at = now() WHERE value = repeat('A', 32)",
    );

    await site.service.database.query('SELECT storage_internal.sweep_signed_urls(1000)');

    const left = await site.service.database.query<{ id: string }>(
      'SELECT id FROM storage.signed_urls WHERE id = ANY ($1) UNION SELECT value FROM storage.signed_url_revocations WHERE value = $2',
      [[id, expired.id], 'A'.repeat(32)],
    );
    assert.deepEqual(left, [{ id }]);
  });
});
