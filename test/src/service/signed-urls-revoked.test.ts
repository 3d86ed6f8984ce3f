/** Revoking signed URLs: who may, what is over and what is not, and at once, against the real service. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openUrl, type Signed, SignedUrlsSite } from './signed-urls-site.ts';

let site: SignedUrlsSite;

before(async () => {
  site = await SignedUrlsSite.start();
});
after(() => site.stop());

describe('revoking', () => {
  const url = async (path = 'team/shared.txt', as = 'ann'): Promise<Signed> => site.sign(path, { expiresIn: 600 }, as);
  const states = async (...signed: readonly Signed[]): Promise<string[]> =>
    Promise.all(signed.map((each) => openUrl(each.url)));

  beforeEach(() => site.upload('team/shared.txt', 'shared'));

  test('one URL is over at once, others of the same object are not', async () => {
    const [one, other, kept] = [await url(), await url(), await site.sign('team/shared.txt', { max_uses: 9 })];

    assert.equal(await site.revoke({ id: one.id }, 'ann'), 200);
    assert.equal(await site.revoke({ id: kept.id }, 'ann'), 200);

    assert.deepEqual(await states(one, other, kept), ['url_revoked', 'shared', 'url_revoked']);
  });

  test('all of an object are over, those of others too; what is signed afterwards is good', async () => {
    await site.upload('team/other.txt', 'other');
    const [byAnn, byBen, elsewhere] = [await url(), await url('team/shared.txt', 'ben'), await url('team/other.txt')];

    assert.equal(await site.revoke({ object: (await site.infoOf('team/shared.txt')).id.toUpperCase() }, 'ann'), 200);
    const next = await url();

    assert.deepEqual(await states(byAnn, byBen, elsewhere, next), ['url_revoked', 'url_revoked', 'other', 'shared']);
  });

  test('an object says the same by its address, and so does one of its URLs', async () => {
    const [byBen, byAnn] = [await url('team/shared.txt', 'ben'), await url()];

    const one = await site.send('DELETE', `/object/sign/team/shared.txt?id=${byBen.id}`, undefined, 'ann');
    const afterOne = await states(byBen, byAnn);
    const every = await site.send('DELETE', '/object/sign/team/shared.txt', undefined, 'ann');
    const afterEvery = await states(byBen, byAnn);

    assert.deepEqual([one.status, every.status], [200, 200]);
    assert.deepEqual(
      [afterOne, afterEvery],
      [
        ['url_revoked', 'shared'],
        ['url_revoked', 'url_revoked'],
      ],
    );
  });

  test('all that one person signed are over, in every bucket, and nobody else’s', async () => {
    await site.upload('box/bens.txt', 'x', 'ann');
    const [first, second, ofAnn] = [
      await url('team/shared.txt', 'ben'),
      await url('team/shared.txt', 'ben'),
      await url(),
    ];

    assert.equal(await site.revoke({ issuer: 'me' }, 'ben'), 200);
    const next = await url('team/shared.txt', 'ben');

    assert.deepEqual(await states(first, second, ofAnn, next), ['url_revoked', 'url_revoked', 'shared', 'shared']);
  });

  test('the service revokes everything there is, of anybody', async () => {
    const [ofAnn, ofBen] = [await url(), await url('team/shared.txt', 'ben')];
    const counted = await site.sign('team/shared.txt', { max_uses: 2 }, 'ben');

    assert.equal(await site.revoke({ issuer: ofBen.id.slice(0, 16) }, 'service'), 200);
    const afterIssuer = await states(ofAnn, ofBen, counted);
    assert.equal(await site.revoke({ all: true }, 'service'), 200);

    assert.deepEqual(afterIssuer, ['shared', 'url_revoked', 'url_revoked']);
    assert.deepEqual(await states(ofAnn, await url()), ['url_revoked', 'shared']);
  });

  test('nobody revokes what is not theirs', async () => {
    const ofAnn = await url();
    const object = (await site.infoOf('team/shared.txt')).id;
    const bodies = [{ id: ofAnn.id }, { object }, { issuer: ofAnn.id.slice(0, 16) }, { all: true }];

    const byBen = await Promise.all(bodies.map((body) => site.revoke(body, 'ben')));
    const byNobody = await Promise.all([...bodies, { issuer: 'me' }].map((body) => site.revoke(body)));
    const byAddress = await Promise.all(
      ['', `?id=${ofAnn.id}`].map(async (query) => {
        const answer = await site.send('DELETE', `/object/sign/team/shared.txt${query}`, undefined, 'ben');
        return answer.status;
      }),
    );

    assert.deepEqual(
      [byBen, byNobody, byAddress],
      [
        [403, 403, 403, 403],
        [401, 401, 401, 401, 401],
        [403, 403],
      ],
    );
    assert.equal(await openUrl(ofAnn.url), 'shared');
  });

  test('the audit log tells who revoked what', async () => {
    const { id } = await url('team/shared.txt', 'ben');

    await site.revoke({ id }, 'ben');

    const rows = await site.service.database.query(
      "SELECT role, subject, operation, detail FROM storage.audit_log WHERE detail ->> 'value' = $1",
      [id],
    );
    assert.deepEqual(rows, [
      {
        role: 'authenticated',
        subject: 'ben',
        operation: 'storage.signed_url.revoked',
        detail: { scope: 'id', value: id },
      },
    ]);
  });

  test('a body that says two things, or none, is refused', async () => {
    for (const body of [
      {},
      { id: 'A'.repeat(32), all: true },
      { id: 'x' },
      { object: 'x' },
      { all: false },
      { one: 1 },
    ]) {
      assert.equal(await site.revoke(body, 'service'), 400, JSON.stringify(body));
    }
  });

  test('SQL says the same', async () => {
    const one = await url();
    await assert.rejects(
      site.sqlAs('ben', `SELECT storage.revoke_signed_urls('id', '${one.id}')`),
      /row-level security/,
    );
    await assert.rejects(site.sqlAs('ben', "SELECT storage.revoke_signed_urls('all')"), /row-level security/);
    await site.sqlAs('ben', "SELECT storage.revoke_signed_urls('issuer')");
    const byBen = await site.service.database.query(
      "SELECT scope, expires_at > now() + interval '7 days' AS outlives FROM storage.signed_url_revocations WHERE revoked_by = 'ben' AND scope = 'issuer'",
    );

    assert.equal(await openUrl(one.url), 'shared');
    assert.deepEqual(byBen, [{ scope: 'issuer', outlives: true }]);
    await site.sqlAs('ann', `SELECT storage.revoke_signed_urls('id', '${one.id}')`);
    assert.equal(await openUrl(one.url), 'url_revoked');
  });

  test('a request that begins after a revocation was answered is refused, however many run', async () => {
    const signed = await url();
    const served: number[] = [];
    let revokedAt = Number.POSITIVE_INFINITY;
    let isOver = false;
    const read = async (): Promise<void> => {
      while (!isOver) {
        const begun = performance.now();
        const answer = await openUrl(signed.url);
        if (answer === 'shared') served.push(begun);
        else isOver = true;
      }
    };

    const readers = Promise.all(Array.from({ length: 8 }, read));
    await openUrl(signed.url);
    await site.revoke({ object: (await site.infoOf('team/shared.txt')).id }, 'ann');
    revokedAt = performance.now();
    await readers;

    assert.ok(served.length > 0);
    assert.deepEqual(
      served.filter((begun) => begun > revokedAt),
      [],
    );
  });

  test('a right that was taken away before a revocation signs nothing that outlives it', async () => {
    const { database } = site.service;
    const signed: Signed[] = [];
    let isOver = false;
    const reader = async (): Promise<void> => {
      while (!isOver) {
        const answer = await site.send('POST', '/object/sign/team/shared.txt', { expiresIn: 600 }, 'ben');
        if (answer.ok) signed.push((await answer.json()) as Signed);
        else isOver = true;
      }
    };

    const readers = Promise.all(Array.from({ length: 6 }, reader));
    await url();
    await database.query("UPDATE storage.buckets SET policy = 'private' WHERE id = 'team'");
    await site.revoke({ object: (await site.infoOf('team/shared.txt')).id }, 'ann');
    await readers;
    await database.query("UPDATE storage.buckets SET policy = 'authenticated' WHERE id = 'team'");

    const answers = await Promise.all(signed.map((each) => openUrl(each.url)));
    assert.ok(signed.length > 0);
    assert.deepEqual([...new Set(answers)], ['url_revoked']);
  });
});
