/** Section 5: what signed URLs and signed uploads of ours are where those of others have gaps. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ContractSite, jsonOf } from './contract-site.ts';

let site: ContractSite;

const base = 'https://files.example/under/a/prefix';

before(async () => {
  site = await ContractSite.start({ config: { public_url: base } });
  await site.put('box/a.txt', 'bytes');
});
after(() => site.stop());

/** A URL of ours as it reaches the service behind whatever stands at its public address. */
const inside = (url: unknown): string => String(url).replace(base, site.service.url);

test('5.1 a token says which object it opens and no claim that somebody else could have written', async () => {
  const { signedURL } = await site.make('object/sign/box/a.txt', { expiresIn: 60 });
  const token = String(signedURL).split('token=')[1]?.split('&')[0] ?? '';
  const claims = { url: 'box/a.txt', scope: 'download', iat: 1, exp: 4_102_444_800 };
  const forged = ['{"alg":"none"}', JSON.stringify(claims), ''].map((part) => Buffer.from(part).toString('base64url'));

  const opened = await site.ask('GET', `object/sign/box/a.txt?token=${token}`, { as: 'nobody' });
  const refused = await site.ask('GET', `object/sign/box/a.txt?token=${forged.join('.')}`, { as: 'nobody' });

  assert.deepEqual([opened.status, opened.text], [200, 'bytes']);
  assert.equal(refused.status, 403);
});

test('5.2 a signed upload is good for two hours where nobody says for how long, and for a day at most', async () => {
  const lifetime = async (json: object): Promise<number> => {
    const { expires_at } = await site.make('object/upload/sign/box/later', json);
    return Date.parse(String(expires_at)) - Date.now();
  };

  const [usual, asked] = [await lifetime({}), await lifetime({ expiresIn: 60 })];
  const beyond = await site.ask('POST', 'object/upload/sign/box/later', { json: { expiresIn: 86_401 } });

  assert.ok(Math.abs(usual - 7_200_000) < 60_000, `${usual} ms`);
  assert.ok(asked <= 60_000 && asked > 0, `${asked} ms`);
  assert.equal(beyond.status, 400);
});

test('5.6 policies judge a signed upload by the type that it is signed for, never by that of the request', async () => {
  await site.service.database.query(`CREATE POLICY pictures_only ON storage.objects AS RESTRICTIVE FOR INSERT
    TO authenticated WITH CHECK (metadata ->> 'mimetype' LIKE 'image/%')`);
  const sign = async (json: object): Promise<number> =>
    (await site.ask('POST', 'object/upload/sign/box/judged', { json })).status;

  const statuses = [
    await sign({ content_type: 'image/png' }),
    await sign({ content_type: 'application/json' }),
    await sign({}),
  ];
  await site.service.database.query('DROP POLICY pictures_only ON storage.objects');

  assert.deepEqual(statuses, [200, 403, 403]);
});

test('5.7 a service behind a prefix signs URLs that go through it, and opens what comes out of it', async () => {
  const signed = await site.make('object/sign/box/a.txt', { expiresIn: 60 });
  const upload = await site.make('object/upload/sign/box/through', {});

  const opened = await site.ask('GET', inside(signed['url']), { as: 'nobody' });
  const stored = await site.ask('PUT', inside(upload['signedURL']), { as: 'nobody', body: 'bytes' });

  assert.ok(String(signed['url']).startsWith(`${base}/storage/v1/object/sign/box/a.txt?token=`));
  assert.ok(String(upload['signedURL']).startsWith(`${base}/storage/v1/object/upload/sign/box/through?token=`));
  assert.deepEqual([opened.status, opened.text], [200, 'bytes']);
  assert.equal(stored.status, 201, stored.text);
  assert.match(String(signed['signedURL']), /^\/object\/sign\//, 'the relative one stays relative');
});

test('5.8 an id comes with each URL, and ends it', async () => {
  const { url, id } = await site.make('object/sign/box/a.txt', { expiresIn: 60, max_uses: 5 });
  const open = async (): Promise<number> => (await site.ask('GET', inside(url), { as: 'nobody' })).status;

  const before = await open();
  await site.make('signed-urls/revoke', { id });
  const refused = await site.ask('GET', inside(url), { as: 'nobody' });

  assert.equal(before, 200);
  assert.deepEqual([refused.status, jsonOf(refused)['code']], [410, 'URL_REVOKED']);
});
