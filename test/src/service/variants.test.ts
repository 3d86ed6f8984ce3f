/**
 * Variants of presets, from rows to bytes: which presets a bucket's images get, what is made again and what is not, what
 * happens when it cannot be made, and what comes back that lost its job. Bytes are read where the rows say they are.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { performJob, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { civicOsPresets, variantPresets } from '../../../packages/server/dist/imaging/presets.js';
import { openBackend } from '../../../packages/server/dist/index.js';
import { requeueVariants, selectPresets } from '../../../packages/server/dist/metadata/variants.js';
import { json, NotingBackend, photo, refusalOf, startVariantsSite, type VariantsSite } from './variants-site.ts';

let site: VariantsSite;

before(async () => {
  site = await startVariantsSite();
  // What costs next to nothing, for tests that look at rows.
  await site.asService(`INSERT INTO storage.variant_presets (preset_set, name, width, height, position)
    VALUES ('tiny', 'small', 16, 16, 'centre')`);
});
after(() => site.stop());

describe('presets', () => {
  test('that are shipped are those of the program', async () => {
    const rows = await selectPresets(site.db);

    const ofSet = (wanted: string) =>
      rows.filter(({ preset_set }) => preset_set === wanted).map(({ preset }) => preset);
    assert.deepEqual(ofSet('default'), variantPresets);
    assert.deepEqual(ofSet('civic-os'), civicOsPresets);
  });

  test('of a bucket that names no set are cut to 150, 400 and 800 pixels, and say what they are', async () => {
    await site.createBucket('plain');

    await site.upload('plain/a.jpg');
    const made = await site.settled('plain/a.jpg');

    assert.deepEqual(
      made.map(({ preset, status, width, height, content_type }) => [preset, status, width, height, content_type]),
      [
        ['large', 'completed', 800, 800, 'image/jpeg'],
        ['medium', 'completed', 400, 400, 'image/jpeg'],
        ['small', 'completed', 150, 150, 'image/jpeg'],
      ],
    );
    for (const variant of made) {
      const bytes = await site.bytesOf(variant);
      const { width, height, format } = await sharp(bytes).metadata();
      assert.deepEqual([width, height, format], [variant.width, variant.height, 'jpeg']);
      assert.equal(Number(variant.size), bytes.length);
      assert.match(variant.digest ?? '', /^[0-9a-f]{64}$/);
    }
  });

  test('of the set civic-os are letterboxed on white', async () => {
    await site.createBucket('deployed', { preset_set: 'civic-os' });

    await site.upload('deployed/a.jpg');
    const made = await site.settled('deployed/a.jpg');
    const small = await sharp(await site.bytesOf(made.find(({ preset }) => preset === 'small')))
      .raw()
      .toBuffer();

    assert.deepEqual([made.length, small.length], [3, 150 * 150 * 3]);
    assert.ok(small[0] !== undefined && small[0] > 250, 'the corner is white');
    assert.ok((small[3 * (75 * 150 + 75)] ?? 255) < 100, 'the middle is the picture');
  });

  test('of one’s own are made in their own formats, and a bucket may have none', async () => {
    await site.asService(`INSERT INTO storage.variant_presets (preset_set, name, width, height, fit, position, format, quality)
      VALUES ('shop', 'tile', 64, NULL, 'inside', 'centre', 'webp', 70), ('shop', 'icon', 16, 16, 'fill', 'centre', 'png', 80)`);
    await site.createBucket('shop', { preset_set: 'shop' });
    await site.createBucket('bare', { preset_set: 'none' });

    await Promise.all([site.upload('shop/a.jpg'), site.upload('bare/a.jpg')]);
    const [shop, bare] = await Promise.all([site.settled('shop/a.jpg'), site.settled('bare/a.jpg')]);

    assert.deepEqual(
      shop.map(({ preset, status, width, height, content_type }) => [preset, status, width, height, content_type]),
      [
        ['icon', 'completed', 16, 16, 'image/png'],
        ['tile', 'completed', 64, 32, 'image/webp'],
      ],
    );
    assert.deepEqual([bare, await site.jobsOf('bare/a.jpg', "('completed')")], [[], 0]);
  });

  test('are chosen by the owner of the bucket, among sets that exist', async () => {
    await site.createBucket('chosen');
    const change = async (preset_set: string, as = 'olivia'): Promise<[number, Record<string, unknown>]> => {
      const body = JSON.stringify({ preset_set });
      const answer = await site.service.fetch('/storage/v1/bucket/chosen', {
        as,
        method: 'PATCH',
        body,
        headers: json,
      });
      return [answer.status, (await answer.json()) as Record<string, unknown>];
    };

    const [changed, bucket] = await change('civic-os');
    const [unknown, why] = await change('no-such-set');
    const [byOther] = await change('default', 'mallory');

    assert.deepEqual([changed, bucket['preset_set']], [200, 'civic-os']);
    assert.deepEqual([unknown, why['reason']], [400, 'invalid_request']);
    assert.match(String(why['message']), /no set of presets "no-such-set"/);
    assert.equal(byOther, 404);
  });
});

describe('a variant', () => {
  test('changes its status in order only, whoever writes it', async () => {
    await site.createBucket('order', { preset_set: 'tiny' });
    await site.upload('order/a.jpg');
    await site.settled('order/a.jpg');
    const become = (status: string): Promise<unknown> =>
      site.service.database.query(
        `UPDATE storage.variants AS d SET status = '${status}', version_id = NULL, error = ${status === 'failed' ? "'x'" : 'NULL'}
         FROM storage.objects AS o WHERE o.version_id = d.source_version_id AND o.bucket_id = 'order'`,
      );

    for (const status of ['processing', 'failed', 'not_applicable']) {
      const { code, message } = await refusalOf(become(status));

      assert.equal(code, '23514');
      assert.match(message, new RegExp(`completed cannot become ${status}`));
    }
    await become('pending');
    assert.match((await refusalOf(become('completed'))).message, /pending cannot become completed/);
    await become('processing');
    await become('failed');
    assert.equal((await site.rebuild({ bucket: 'order' })).wanted, 1);
    assert.equal((await site.settled('order/a.jpg'))[0]?.status, 'completed');
  });

  test('with a watermark has it, and is not made without', async () => {
    await site.createBucket('marks', { preset_set: 'none' });
    await site.upload(
      'marks/mark.png',
      await sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff0000' } })
        .png()
        .toBuffer(),
      'image/png',
    );
    await site.asService(`INSERT INTO storage.variant_presets (preset_set, name, width, height, watermark_object_id, watermark_position,
        watermark_opacity, watermark_scale)
      SELECT 'marked', 'stamped', 40, 40, id, 'centre', 1, 0.5 FROM storage.objects WHERE bucket_id = 'marks'
      UNION ALL SELECT 'marked', 'never', 40, 40, gen_random_uuid(), 'centre', 1, 0.5`);
    await site.createBucket('marked', { preset_set: 'marked' });

    await site.upload('marked/a.jpg');
    const [never, stamped] = await site.settled('marked/a.jpg');
    const pixels = await sharp(await site.bytesOf(stamped))
      .raw()
      .toBuffer();

    const at = (x: number, y: number): number => pixels[3 * (y * 40 + x)] ?? 0;
    assert.ok(at(20, 20) > 200 && at(1, 1) < 100, 'the middle is red, the corner is not');
    assert.deepEqual([never?.status, never?.failure, never?.retries], ['failed', 'watermark_missing', true]);
  });

  test('of a file follows when the file is replaced: its row names no thumbnail that is gone', async () => {
    await site.service.database.query(
      "INSERT INTO storage.buckets (id, owner_id, preset_set) VALUES ('filed', 'olivia', 'tiny')",
    );
    await site.upload('filed/a.jpg');
    await site.settled('filed/a.jpg');
    await site.service.database.query(`INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, object_id)
      SELECT 'ticket', '1', 'a.jpg', 'image/jpeg', 1, v.key, o.id FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id
      WHERE o.bucket_id = 'filed'`);
    const row = async (): Promise<Record<string, unknown> | undefined> =>
      (
        await site.service.database.query(
          'SELECT thumbnail_status, s3_thumbnail_small_key AS small, width FROM metadata.files',
        )
      )[0];

    await site.upload('filed/a.jpg', await sharp(photo).resize(60, 60).jpeg().toBuffer());
    const made = await site.settled('filed/a.jpg');
    const replaced = await row();
    await site.upload('filed/a.jpg', Buffer.from('text'), 'text/plain');
    const text = await row();

    const small = made.find(({ preset }) => preset === 'small');
    assert.deepEqual(replaced, { thumbnail_status: 'completed', small: small?.key, width: 60 });
    assert.deepEqual(text, { thumbnail_status: 'not_applicable', small: null, width: null });
  });

  test('whose digest is the wanted one is not made again', async () => {
    await site.createBucket('again', { preset_set: 'tiny' });
    await site.upload('again/a.jpg');
    const before = await site.settled('again/a.jpg');
    const [object] = await site.service.database.query<{ version_id: string }>(
      "SELECT version_id FROM storage.objects WHERE bucket_id = 'again'",
    );
    const backend = await openBackend(site.service.config.backend);

    await performJob({ db: site.db, backend }, 'thumbnail_generate', { version_id: object?.version_id });
    const asked = await site.rebuild({ bucket: 'again' });

    assert.deepEqual(await site.variantsOf('again/a.jpg'), before);
    assert.deepEqual([asked.images, asked.wanted, asked.enqueued], [1, 0, 0]);
    await backend.close();
  });

  test('is stored with what a store is to say of it: private where its bucket is', async () => {
    const disk = await openBackend(site.service.config.backend);
    const noting = new NotingBackend(disk);
    for (const policy of ['public', 'private']) {
      await site.createBucket(`of-${policy}`, { policy, preset_set: 'tiny' });
      await site.upload(`of-${policy}/a.jpg`);
      await site.settled(`of-${policy}/a.jpg`);
      const [source] = await site.service.database.query<{ id: string; key: string }>(
        `UPDATE storage.variants AS d SET status = 'pending', version_id = NULL FROM storage.objects AS o, storage.versions AS v
         WHERE o.version_id = d.source_version_id AND v.id = o.version_id AND o.bucket_id = $1 AND d.preset = 'small'
         RETURNING v.id, v.key`,
        [`of-${policy}`],
      );

      await performJob({ db: site.db, backend: noting }, 'thumbnail_generate', { version_id: source?.id });

      assert.deepEqual(noting.noted.pop(), {
        contentType: 'image/jpeg',
        cacheControl: `${policy}, max-age=31536000, immutable`,
        metadata: { 'original-key': source?.key, 'thumbnail-size': 'small' },
      });
    }
    assert.equal(noting.noted.length, 0, 'only what was not there was stored');
    await disk.close();
  });

  test('is made anew when its preset has changed and somebody asks, and is read until then', async () => {
    await site.asService(`INSERT INTO storage.variant_presets (preset_set, name, width, height, fit)
      VALUES ('album', 'page', 40, 40, 'cover')`);
    await site.createBucket('album', { preset_set: 'album' });
    await site.upload('album/a.jpg');
    const [old] = await site.settled('album/a.jpg');
    await site.asService(`UPDATE storage.variant_presets SET width = 20, height = 20 WHERE preset_set = 'album';
      INSERT INTO storage.variant_presets (preset_set, name, width, height, fit) VALUES ('album', 'cover', 30, 30, 'cover')`);

    const trial = await site.rebuild({ bucket: 'album', dryRun: true });
    const untouched = await site.settled('album/a.jpg');
    const missing = await site.rebuild({ bucket: 'album', onlyMissing: true });
    const filled = await site.settled('album/a.jpg');
    const one = await site.rebuild({ bucket: 'album', preset: 'page' });
    const [, page] = await site.settled('album/a.jpg');

    assert.deepEqual([trial.wanted, trial.enqueued, untouched.length], [2, 1, 1]);
    assert.equal(missing.wanted, 1);
    assert.deepEqual(
      filled.map(({ preset, width, version_id }) => [preset, width, version_id === old?.version_id]),
      [
        ['cover', 30, false],
        ['page', 40, true],
      ],
    );
    assert.deepEqual([one.wanted, page?.width, page?.status], [1, 20, 'completed']);
    const priorities = await site.service.database.query<{ priority: number }>(
      `SELECT DISTINCT j.priority FROM metadata.river_job AS j JOIN storage.objects AS o ON j.args ->> 'version_id' = o.version_id::text
       WHERE o.bucket_id = 'album' ORDER BY 1`,
    );
    assert.deepEqual(priorities, [{ priority: 2 }, { priority: 4 }], 'what was uploaded is made before');
    await until(
      async () =>
        (await site.service.database.query('SELECT FROM storage.versions WHERE id = $1', [old?.version_id])).length ===
        0,
      { what: 'the bytes that it had are purged' },
    );
  });

  test('of bytes that are no image fails at once, in words, and is not tried again', async () => {
    await site.createBucket('broken');

    await site.upload('broken/a.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0]));
    const failed = await site.settled('broken/a.jpg');

    assert.deepEqual([...new Set(failed.map(({ status, retries }) => `${status} ${retries}`))], ['failed false']);
    assert.match(failed[0]?.error ?? '', /image/);
    assert.match(failed[0]?.failure ?? '', /^(corrupt|unsupported)$/);
    assert.equal(await site.jobsOf('broken/a.jpg', "('completed')"), 1, 'one job, one attempt');
  });

  test('that lost its job, or failed for a passing reason an hour ago, is given one by the sweep', async () => {
    await site.createBucket('lost', { preset_set: 'tiny' });
    const names = ['gone.jpg', 'later.jpg', 'never.jpg', 'new.jpg'];
    await Promise.all(names.map((name) => site.upload(`lost/${name}`)));
    await Promise.all(names.map((name) => site.settled(`lost/${name}`)));
    const set = (name: string, values: string): Promise<unknown> =>
      site.service.database.query(
        `UPDATE storage.variants AS d SET ${values} FROM storage.objects AS o
         WHERE o.version_id = d.source_version_id AND o.bucket_id = 'lost' AND o.name = $1`,
        [name],
      );
    for (const name of names) {
      await set(name, "status = 'pending', version_id = NULL");
    }
    await set('gone.jpg', "updated_at = now() - interval '6 minutes'");
    await set('later.jpg', "status = 'failed', error = 'the store was away', retry_at = now() - interval '1 second'");
    await set('never.jpg', "status = 'failed', error = 'the image is damaged'");
    await site.service.database.query("SELECT storage_internal.enqueue_maintenance('upload_sweep')");
    const states = async (): Promise<Record<string, string>> => {
      const all = names.map(async (name) => [
        name,
        [...new Set((await site.variantsOf(`lost/${name}`)).map(({ status }) => status))].join(),
      ]);
      return Object.fromEntries(await Promise.all(all)) as Record<string, string>;
    };
    await until(
      async () => (await states())['gone.jpg'] === 'completed' && (await states())['later.jpg'] === 'completed',
      {
        timeoutMs: 20_000,
        what: 'what was lost is made',
      },
    );

    assert.deepEqual(await states(), {
      'gone.jpg': 'completed',
      'later.jpg': 'completed',
      'never.jpg': 'failed',
      'new.jpg': 'pending',
    });
    await set('new.jpg', "updated_at = now() - interval '6 minutes'");
    assert.equal(await requeueVariants(site.db, 100), 1);
    assert.equal((await site.settled('lost/new.jpg'))[0]?.status, 'completed');
  });
});

describe('rowlock variants', () => {
  test('lists presets, and has made what is there already', async () => {
    await site.createBucket('told', { preset_set: 'civic-os' });
    await site.upload('told/a.jpg');
    await site.settled('told/a.jpg');
    await site.service.database.query("UPDATE storage.buckets SET preset_set = 'default' WHERE id = 'told'");

    const [presets, done, strange] = await Promise.all([
      site.run('presets'),
      site.run('rebuild', '--bucket', 'told', '--json'),
      site.run('rebuild', '--bucket', 'told', '--preset', 'strange'),
    ]);
    const made = await site.settled('told/a.jpg');

    assert.match(presets.out, /^default: of \d+ buckets\n {2}small +150x150 +cover attention, jpeg 75, pages inside\n/);
    assert.deepEqual(JSON.parse(done.out), { buckets: 1, examined: 1, images: 1, wanted: 3, enqueued: 1, next: null });
    assert.deepEqual([strange.code, made.map(({ status }) => status).join()], [1, 'completed,completed,completed']);
    assert.match(strange.err, /No bucket in question has a preset strange/);
  });
});
