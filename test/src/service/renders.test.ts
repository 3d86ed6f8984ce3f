/** Pictures on demand: who sees them, what is made of what is asked for, once, and how much of it is kept. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { enableFaults, type FaultPoint } from '@rowlock/server';
import { assertInvariants, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { clear, green, photo, RenderSite, reasonOf, shapeOf, v1 } from './renders-site.ts';
import { type Clients, clientsOf } from './storage-js-clients.ts';

let site: RenderSite;
let service: TestService;
let clients: Clients;

before(async () => {
  site = await RenderSite.start();
  service = site.service;
  clients = await clientsOf(service);
  for (const [name, isPublic] of [
    ['box', false],
    ['open', true],
  ] as const) {
    assert.equal((await clients.owner.createBucket(name, { public: isPublic })).error, null);
    await site.put(`${name}/photo.jpg`, photo);
  }
  await site.put('box/clear.png', clear, 'image/png');
  await site.put('box/text.txt', 'no picture', 'text/plain');
});
afterEach(() => site.letGo());
after(async () => {
  await assertInvariants(service);
  await service.stop();
});

const get = (path: string, init?: RequestInit): Promise<Response> => site.get(path, init);

for (const [query, shape] of [
  ['width=200&height=200', 'jpeg 256x256'],
  ['width=200&height=200&resize=contain', 'jpeg 256x171'],
  ['width=100&height=370&resize=fill', 'jpeg 128x384'],
  ['height=128&format=webp&quality=20', 'webp 192x128'],
  ['width=64&format=avif', 'avif 64x43'],
  ['format=png', 'png 600x400'],
  ['quality=100&width=2000', 'jpeg 600x400'],
] as const) {
  test(`a picture asked for as ${query} is ${shape}`, async () => {
    assert.equal(await shapeOf(await get(`box/photo.jpg?${query}`)), shape);
  });
}

test('without a format the picture is what Accept names, else what the object is', async () => {
  const shapes = new Map<string, string>();
  for (const accept of [
    '*/*',
    'image/avif,image/webp,image/*;q=0.8',
    'image/webp;q=0.1, image/avif',
    'image/webp;q=0',
  ]) {
    const answer = await get('box/photo.jpg?width=64', { headers: { accept, origin: 'https://a.example' } });
    assert.match(answer.headers.get('vary') ?? '', /\bAccept\b/);
    shapes.set(accept, (await shapeOf(answer)).split(' ')[0] ?? '');
  }

  assert.deepEqual([...shapes.values()], ['jpeg', 'webp', 'avif', 'jpeg']);
  assert.equal((await shapeOf(await get('box/clear.png?width=64'))).split(' ')[0], 'png');
  assert.doesNotMatch((await get('box/photo.jpg?width=64&format=jpeg')).headers.get('vary') ?? '', /Accept/);
});

test('a picture has the ETag of its own bytes, is not sent again, and comes in ranges', async () => {
  const first = await get('open/photo.jpg?width=256');
  const bytes = Buffer.from(await first.arrayBuffer());
  const etag = first.headers.get('etag') ?? '';

  const again = await get('open/photo.jpg?width=256');
  const same = await get('open/photo.jpg?width=200', { headers: { 'if-none-match': etag } });
  const part = await get('open/photo.jpg?width=256', { headers: { range: 'bytes=1-3' } });
  const head = await get('open/photo.jpg?width=256', { method: 'HEAD' });

  assert.equal(again.headers.get('etag'), etag);
  assert.deepEqual(Buffer.from(await again.arrayBuffer()), bytes);
  assert.equal(same.status, 304);
  assert.deepEqual([part.status, Buffer.from(await part.arrayBuffer())], [206, bytes.subarray(1, 4)]);
  assert.equal(head.headers.get('content-length'), String(bytes.length));
  assert.equal(first.headers.get('content-disposition'), null);
  assert.equal(first.headers.get('x-content-type-options'), 'nosniff');
  assert.equal((await site.keptOf('photo.jpg')).filter(({ status }) => status !== 'completed').length, 0);
});

describe('whoever may read the object sees its picture, and nobody else', () => {
  const callers = { anonymous: undefined, owner: 'olga', other: 'otto', service: 'service' };
  for (const [who, as] of Object.entries(callers)) {
    test(`${who} is answered as for the object itself`, async () => {
      for (const path of [
        'box/photo.jpg',
        'box/missing.jpg',
        'open/photo.jpg',
        'open/missing.jpg',
        'nowhere/photo.jpg',
      ]) {
        for (const [object, picture] of [
          ['object/authenticated', 'render/image/authenticated'],
          ['object/public', 'render/image/public'],
        ]) {
          const original = await service.fetch(`${v1}/${object}/${path}`, { as });
          const answer = await service.fetch(`${v1}/${picture}/${path}?width=64`, { as });

          assert.equal(reasonOf(answer), reasonOf(original), `${picture}/${path}`);
          assert.equal(answer.headers.get('cache-control'), original.headers.get('cache-control'), path);
          if (answer.status !== 200) assert.equal(await answer.text(), await original.text());
        }
      }
    });
  }

  test('a signed URL opens the picture that was signed, and neither another nor the object', async () => {
    const body = JSON.stringify({ transform: { width: 100, format: 'png' } });
    const init = { as: 'olga', method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const answer = await service.fetch(`${v1}/object/sign/box/photo.jpg`, init);
    const { url } = (await answer.json()) as { readonly url: string };

    assert.equal(await shapeOf(await fetch(url)), 'png 100x67');
    assert.equal(reasonOf(await fetch(`${url}&width=200`)), '400 invalid_request');
    assert.equal(reasonOf(await fetch(url.replace('/render/image/', '/object/'))), '403 invalid_signature');
    const original = await clients.owner.from('box').createSignedUrl('photo.jpg', 60);
    const bent = (original.data?.signedUrl ?? '').replace('/object/sign/', '/render/image/sign/');
    assert.equal(reasonOf(await fetch(bent)), '403 invalid_signature');
  });

  test('what is in quarantine has no picture, though one is kept', async () => {
    await site.put('box/bad.jpg', photo);
    assert.equal((await get('box/bad.jpg?width=64')).status, 200);
    await site.quarantine('bad.jpg', true);

    const answers = await Promise.all(['64', '128'].map((width) => get(`box/bad.jpg?width=${width}`)));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404],
    );
    await site.quarantine('bad.jpg', false);
  });
});

for (const query of [
  'width=1e3',
  'width=5&width=6',
  'format=svg',
  'gravity=no',
  'preset=small&width=5',
  'quality=19',
]) {
  test(`a picture is not made for ?${query.slice(0, 30)}, and the answer names what is wrong`, async () => {
    const answer = await get(`box/photo.jpg?${query}`);

    const { message } = (await answer.json()) as { readonly message: string };
    assert.equal(reasonOf(answer), '400 invalid_request');
    assert.ok(message.includes(query.split('=')[0] ?? ''), message);
  });
}

test('what cannot be decoded is refused once and for all when it was tried', async () => {
  await site.put('box/broken.jpg', photo.subarray(0, 500));

  const [first, again] = [await get('box/broken.jpg?width=64'), await get('box/broken.jpg?width=64')];

  assert.equal(reasonOf(first), '422 render_failed');
  assert.equal(await again.text(), await first.text());
  assert.equal((await service.database.query('SELECT FROM storage.renders WHERE attempts > 3')).length, 0);
  assert.equal((await service.database.query("SELECT FROM storage.versions WHERE state = 'writing'")).length, 0);
});

test('a preset that is being made says so, one that failed says why, and one that is none is not found', async () => {
  const preset = (name: string) => get(`box/photo.jpg?preset=${name}`);
  const pending = await preset('small');
  await service.database.query(
    `UPDATE storage.variants SET status = 'failed', error = 'the image is damaged'
     WHERE preset = 'medium' AND source_version_id = (SELECT version_id FROM storage.objects WHERE bucket_id = 'box' AND name = 'photo.jpg')`,
  );

  const failed = await preset('medium');

  assert.deepEqual([pending.status, pending.headers.get('retry-after')], [202, '1']);
  assert.equal(((await pending.json()) as { status: string }).status, 'pending');
  assert.equal(reasonOf(failed), '422 render_failed');
  assert.match(((await failed.json()) as { message: string }).message, /the image is damaged/);
  assert.equal(reasonOf(await preset('huge')), '404 variant_not_found');
});

test('two hundred who ask for one picture at once get it, and it is made once', async () => {
  await site.put('box/wanted.jpg', photo);
  site.hold();

  const asked = Array.from({ length: 200 }, () => get('box/wanted.jpg?width=300'));
  await site.isUnderway('wanted.jpg');
  site.letGo();
  const etags = await Promise.all(asked.map(async (each) => (await each).headers.get('etag')));

  assert.equal(new Set(etags).size, 1);
  assert.notEqual(etags[0], null);
  assert.deepEqual(
    (await site.keptOf('wanted.jpg')).map(({ attempts }) => attempts),
    [1],
  );
});

test('more pictures than may wait are refused at once, and one who leaves takes nobody with them', async () => {
  await site.put('box/crowd.jpg', photo);
  site.hold();
  const leaving = new AbortController();
  const left = assert.rejects(get('box/crowd.jpg?width=64', { signal: leaving.signal }));
  await site.isUnderway('crowd.jpg');
  const stays = get('box/crowd.jpg?width=64');
  const refused: Response[] = [];
  const crowd = ['128', '256', '384', '640', '828'].map(async (width) => {
    const answer = await get(`box/crowd.jpg?width=${width}`);
    if (answer.status === 503) refused.push(answer);
    return answer.status;
  });

  await until(() => refused.length === 3, { what: 'one is made, two wait, and three are refused' });
  assert.equal(reasonOf(await get('box/text.txt?width=64')), '415 media_type_not_allowed', 'without a turn');
  leaving.abort();
  await left;
  site.letGo();

  assert.ok(refused.every((answer) => Number(answer.headers.get('retry-after')) > 0));
  assert.equal(await shapeOf(await stays), 'jpeg 64x43');
  assert.deepEqual((await Promise.all(crowd)).toSorted(), [200, 200, 503, 503, 503]);
});

test('a decoder that dies costs the request that it worked for, as one that fails does, until the third time', async () => {
  await site.put('box/deadly.jpg', photo);
  const coolDown = () => service.database.query('UPDATE storage.renders SET leased_until = now()');
  const reasons: string[] = [];
  for (let turn = 1; turn <= 3; turn += 1) {
    const isTried = site.breakNext(turn === 2 ? 'fail' : 'kill');
    reasons.push(reasonOf(await get('box/deadly.jpg?width=64')));
    assert.ok(isTried(), 'it was tried');
    if (turn < 3) reasons.push(reasonOf(await get('box/deadly.jpg?width=64')));
    await coolDown();
  }
  reasons.push(reasonOf(await get('box/deadly.jpg?width=64')));

  assert.deepEqual(reasons, [...Array<string>(5).fill('503 unavailable'), '422 render_failed']);
  assert.equal(await shapeOf(await get('box/deadly.jpg?width=128')), 'jpeg 128x85', 'another picture is made');
});

test('what was deleted while its picture was made is not shown, and of what was overwritten the new bytes are', async () => {
  const remove = (name: string) => service.fetch(`${v1}/object/box/${name}`, { as: 'olga', method: 'DELETE' });
  for (const [name, change, expected] of [
    ['deleted.jpg', () => remove('deleted.jpg'), '404 object_not_found'],
    ['purged.jpg', async () => [await site.forget('purged.jpg'), await remove('purged.jpg')], '404 object_not_found'],
    ['changed.jpg', () => site.put('box/changed.jpg', green), '200 null'],
  ] as const) {
    await site.put(`box/${name}`, photo);
    site.hold();
    const asked = get(`box/${name}?width=64`);
    await site.isUnderway(name);
    await change();
    site.letGo();

    const answer = await asked;

    assert.equal(reasonOf(answer), expected);
    if (answer.status !== 200) continue;
    const { data } = await sharp(Buffer.from(await answer.arrayBuffer()))
      .resize(1, 1)
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.ok((data[1] ?? 0) > 100 && (data[0] ?? 255) < 20, `green, not ${data.join()}`);
  }
});

test('two processes that are asked for one picture make it once', async () => {
  const another = await site.another();
  await site.put('box/shared.jpg', photo);
  site.hold();

  const here = get('box/shared.jpg?width=64');
  await site.isUnderway('shared.jpg');
  const there = another.fetch(`${v1}/render/image/authenticated/box/shared.jpg?width=64`, { as: 'olga' });
  await site.somebodyWaits();
  site.letGo();
  const answers = await Promise.all([here, there]);
  await another.stop();

  assert.deepEqual(answers.map(reasonOf), ['200 null', '200 null']);
  assert.equal(answers[1]?.headers.get('etag'), answers[0]?.headers.get('etag'));
  const kept = await site.keptOf('shared.jpg');
  assert.deepEqual(
    kept.map(({ attempts }) => attempts),
    [1],
  );
});

test('a picture that goes between being found and being opened is made again', async () => {
  await site.put('box/going.jpg', photo);
  const before = await get('box/going.jpg?width=64');
  let goes = true;
  enableFaults(async (point) => {
    if (point !== 'file.open' || !goes) return;
    goes = false;
    const [gone] = await service.database.query<{ key: string }>(
      `WITH gone AS (DELETE FROM storage.variants WHERE id = $1 RETURNING version_id)
       SELECT v.key FROM gone JOIN storage.versions AS v ON v.id = gone.version_id`,
      [(await site.keptOf('going.jpg'))[0]?.id],
    );
    rmSync(join(service.root, gone?.key ?? ''));
  });
  try {
    const again = await get('box/going.jpg?width=64');

    assert.equal(again.headers.get('etag'), before.headers.get('etag'));
    assert.equal(await shapeOf(again), 'jpeg 64x43');
    assert.equal(goes, false);
  } finally {
    enableFaults(undefined);
  }
});

test('a picture that another process renders is waited for, and taken over when that one does not end', async () => {
  await site.put('box/taken.jpg', photo);
  assert.equal((await get('box/taken.jpg?width=64')).status, 200);
  const [made] = await site.keptOf('taken.jpg');
  // As another process has it that began and died.
  await service.database.query(
    `WITH gone AS (UPDATE storage.variants SET status = 'pending', version_id = NULL WHERE id = '${made?.id}')
     UPDATE storage.renders SET leased_until = now() + interval '1 hour' WHERE variant_id = '${made?.id}'`,
  );
  await service.database.query("UPDATE storage.variants SET status = 'processing' WHERE id = $1", [made?.id]);

  const asked = get('box/taken.jpg?width=64');
  await site.somebodyWaits();
  await service.database.query('UPDATE storage.renders SET leased_until = now()');

  assert.equal(await shapeOf(await asked), 'jpeg 64x43');
});

test('a picture that cannot be kept is shown all the same, and what was begun of it goes', async () => {
  await site.put('box/unkept.jpg', photo);
  const passed: FaultPoint[] = [];
  enableFaults((point) => {
    if (!point.startsWith('render.')) return;
    passed.push(point);
    if (point === 'render.before_commit') throw new Error('the disk is full, or so it seems');
  });
  try {
    assert.equal(await shapeOf(await get('box/unkept.jpg?width=64')), 'jpeg 64x43');
  } finally {
    enableFaults(undefined);
  }

  assert.deepEqual(passed, ['render.before_read', 'render.after_intent', 'render.before_commit']);
  assert.deepEqual(await site.keptOf('unkept.jpg'), []);
  assert.equal(await shapeOf(await get('box/unkept.jpg?width=64')), 'jpeg 64x43', 'and it is made anew');
  assert.equal((await site.keptOf('unkept.jpg')).length, 1);
});

test('a bucket keeps no more pictures than its budget, and lets go of what nobody wanted for longest', async () => {
  await clients.owner.createBucket('small');
  await site.put('small/tiny.png', clear, 'image/png');
  const budget = 10 * 4096;
  await service.database.query(`UPDATE storage.buckets SET render_budget = ${budget} WHERE id = 'small'`);
  const ask = async (width: number): Promise<number> =>
    (await get(`small/tiny.png?width=${width}&height=${width}`)).status;
  const sizes = [64, 128, 256, 384, 640];
  for (const width of sizes) assert.equal(await ask(width), 200);
  await service.database.query(
    `UPDATE storage.variants SET used_at = now() + CASE width WHEN 64 THEN interval '1 hour' ELSE interval '0' END WHERE preset IS NULL`,
  );

  for (const quality of [20, 30, 40, 50, 60, 70, 90, 100]) {
    assert.equal((await get(`small/tiny.png?width=64&height=128&format=webp&quality=${quality}`)).status, 200);
  }

  const kept = await service.database.query<{ width: number; height: number; size: string }>(
    `SELECT d.width, d.height, d.size FROM storage.variants AS d JOIN storage.renders AS r ON r.variant_id = d.id
     WHERE r.bucket_id = 'small'`,
  );
  assert.ok(kept.length * 4096 <= budget * (1 + 1 / 16), `${kept.length} are kept`);
  assert.ok(
    kept.some(({ width, height }) => width === 64 && height === 64),
    'what was wanted last is kept',
  );
  assert.equal(await ask(128), 200, 'what went is made again');
});

test('a bucket without a budget shows pictures and keeps none', async () => {
  await service.database.query("UPDATE storage.buckets SET render_budget = 0 WHERE id = 'small'");
  const before = await site.keptOf('tiny.png');
  assert.equal((await get('small/tiny.png?width=828')).status, 200);
  assert.deepEqual(await site.keptOf('tiny.png'), before);
});
