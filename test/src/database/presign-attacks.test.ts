/**
 * URLs that are signed inside of the database are signed for what the caller may read, and for nothing else: rows that are
 * made up, ids of others, lifetimes and numbers without end.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  files,
  keyIn,
  objects,
  type PresignSite,
  requests,
  row,
  startPresignSite,
  uploads,
  uuid,
  versions,
} from './presign-site.ts';
import { withoutTriggers } from './presign-stores.ts';

let site: PresignSite;
let database: PresignSite['database'];
let attempt: PresignSite['attempt'];

before(async () => {
  site = await startPresignSite();
  ({ database, attempt } = site);
});
after(() => site.stop());

describe('61 what the caller cannot read is not signed, and looks like what is not there', () => {
  const forged = { id: objects.hidden, bucket_id: 'mine', name: 'a', owner_id: 'mallory', version_id: versions.hidden };
  const calls = {
    'a row of storage.objects': `storage.presign_get(${row('storage.objects', forged)})`,
    'a row of the view of objects': `public.download_url(${row('public.storage_objects', { ...forged, version: versions.hidden })})`,
    'a row of the view of files': `public.original_url(${row('public.files', { id: files.hidden, object_id: objects.own, created_by: 'mallory' })})`,
    'a row of the view of files, for a thumbnail': `public.thumbnail_small_url(${row('public.files', { id: files.hidden })})`,
    'a row without an id': `storage.presign_get(${row('storage.objects', { ...forged, id: undefined })})`,
    'no row': 'storage.presign_get(NULL)',
    'the id of an object': `public.get_download_url('${objects.hidden}')`,
    'the id of a file': `public.get_download_url('${files.hidden}')`,
    'the id of a version': `public.get_download_url('${versions.hidden}')`,
    'the id of nothing': `public.get_download_url('${uuid(0xff)}')`,
    'a preset of a file': `storage.presign_thumbnail('${files.hidden}', 'small')`,
    "somebody's request": `storage.presign_put('${requests.theirs}')`,
    'a request that is not there': `storage.presign_put('${uuid(0xff)}')`,
    'an upload instead of a request': `storage.presign_put('${uploads.own}')`,
  };
  for (const [what, call] of Object.entries(calls)) {
    for (const role of ['anon', 'authenticated'] as const) {
      test(`${role} gets null for ${what}`, async () => {
        assert.deepEqual(await attempt(`SELECT ${call}`, { role }), { value: null });
      });
    }
  }

  test('of many, each by itself: null beside a URL', async () => {
    const ids = [objects.own, objects.hidden, files.own, files.hidden, uuid(0xff), versions.own, objects.shown];
    const outcome = await attempt(
      `SELECT json_agg(u.url ~ 'objects/(own|shown)') FROM public.get_download_urls('{${ids.join(',')}}') AS u`,
    );
    const ofFiles = await attempt(
      `SELECT json_agg(to_jsonb(f) - 'id') FROM public.file_urls('{${files.hidden},${uuid(0xff)},${objects.own}}') AS f`,
    );

    assert.deepEqual(outcome, { value: [true, null, true, null, null, null, true] });
    const none = {
      original_url: null,
      thumbnail_small_url: null,
      thumbnail_medium_url: null,
      thumbnail_large_url: null,
    };
    assert.deepEqual(ofFiles, { value: [none, none, none] });
  });

  test('of a row with an id of ones own nothing else is believed', async () => {
    const outcome = await attempt(
      `SELECT storage.presign_get(${row('storage.objects', { ...forged, id: objects.own })})`,
    );

    assert.equal(keyIn(outcome), '/civic-os-files/objects/own');
  });

  test('a control: whoever may read them gets their URLs', async () => {
    for (const call of Object.entries(calls).filter(([what]) => /of objects|view of files|object$|file$/.test(what))) {
      const outcome = await attempt(`SELECT ${call[1]}`, { sub: 'victor' });

      assert.match(keyIn(outcome), /^\/civic-os-files\/(objects|variants)\/hidden$/, call[0]);
    }
    const ofFile = await attempt(`SELECT f.thumbnail_small_url FROM public.file_urls('{${files.hidden}}') AS f`, {
      sub: 'victor',
    });
    assert.equal(keyIn(ofFile), '/civic-os-files/variants/hidden');
    assert.equal(
      keyIn(await attempt(`SELECT storage.presign_put('${requests.own}')`)),
      '/civic-os-files/issue/1/own/original.jpg',
    );
  });

  test('bytes that are not stored have no URL, though their owner may read the object', async () => {
    for (const state of ['purging', 'gone', 'writing']) {
      await withoutTriggers(
        database,
        `UPDATE storage.versions SET state = '${state}' WHERE id = '${versions.purging}'`,
      );

      assert.deepEqual(await attempt(`SELECT public.get_download_url('${objects.purging}')`), { value: null });
      assert.deepEqual(
        await attempt(`SELECT storage.presign_get(o) FROM storage.objects AS o WHERE id = '${objects.purging}'`),
        {
          value: null,
        },
      );
      assert.deepEqual(await attempt(`SELECT url FROM public.get_download_urls('{${objects.purging}}')`), {
        value: null,
      });
    }
  });

  test('an upload that is over has no URL', async () => {
    for (const change of ["state = 'committing'", "expires_at = now() - interval '1 second'", "kind = 'body'"]) {
      await withoutTriggers(database, `UPDATE storage.uploads SET ${change} WHERE id = '${uploads.own}'`);

      assert.deepEqual(await attempt(`SELECT storage.presign_put('${requests.own}')`), { value: null }, change);

      await withoutTriggers(
        database,
        `UPDATE storage.uploads SET state = 'open', kind = 'direct', expires_at = now() + interval '30 minutes' WHERE id = '${uploads.own}'`,
      );
    }
  });
});

describe('73 lifetimes and sizes are refused, not changed', () => {
  const own = `'${objects.own}'`;
  const calls: Readonly<Record<string, (seconds: string) => string>> = {
    get_download_url: (seconds) => `SELECT public.get_download_url(${own}, ${seconds})`,
    'get_download_url of what is hidden': (seconds) =>
      `SELECT public.get_download_url('${objects.hidden}', ${seconds})`,
    get_download_urls: (seconds) => `SELECT url FROM public.get_download_urls(ARRAY[${own}]::uuid[], ${seconds})`,
    file_urls: (seconds) => `SELECT original_url FROM public.file_urls(ARRAY['${files.own}']::uuid[], ${seconds})`,
    presign_get: (seconds) => `SELECT storage.presign_get(${row('storage.objects', { id: objects.own })}, ${seconds})`,
    presign_put: (seconds) => `SELECT storage.presign_put('${requests.own}', ${seconds})`,
  };
  for (const [name, call] of Object.entries(calls)) {
    test(`${name} takes 1 to 3600 seconds`, async () => {
      for (const seconds of ['0', '-1', '3601', '604800', '2147483647', 'NULL']) {
        assert.deepEqual(await attempt(call(seconds)), { code: '22023' }, seconds);
      }
      const shortest = await attempt(call('1'));
      assert.ok(
        'value' in shortest && (shortest.value === null || String(shortest.value).includes('X-Amz-Expires=1&')),
      );
    });
  }

  test('an upload URL does not outlive its upload', async () => {
    assert.deepEqual(await attempt(`SELECT storage.presign_put('${requests.own}', 1860)`), { code: '22023' });
    assert.match(keyIn(await attempt(`SELECT storage.presign_put('${requests.own}', 1500)`)), /original\.jpg$/);
  });

  test('ten thousand ids are signed at once and no more, and a name has a kilobyte', async () => {
    const many = (count: number): string =>
      `SELECT count(*)::int FROM public.get_download_urls(array_fill(${own}::uuid, ARRAY[${count}]))`;

    assert.deepEqual(await attempt(many(10_000)), { value: 10_000 });
    assert.deepEqual(await attempt(many(10_001)), { code: '22023' });
    assert.deepEqual(
      await attempt(`SELECT count(*) FROM public.file_urls(array_fill(${own}::uuid, ARRAY[101, 100]))`),
      {
        code: '22023',
      },
    );
    assert.deepEqual(await attempt(`SELECT public.get_download_url(${own}, 60, repeat('é', 513))`), { code: '22023' });
    assert.deepEqual(await attempt('SELECT count(*)::int FROM public.get_download_urls(NULL)'), { value: 0 });
  });
});

test('83 what a browser would run is signed to be saved, whatever was asked for', async () => {
  const urls = [
    await attempt(`SELECT public.get_download_url('${objects.shown}')`),
    await attempt(`SELECT url FROM public.get_download_urls('{${objects.shown}}')`),
    await attempt(`SELECT o.download_url FROM public.storage_objects AS o WHERE id = '${objects.shown}'`),
  ];

  for (const url of urls) {
    assert.ok('value' in url);
    assert.equal(new URL(String(url.value)).searchParams.get('response-content-disposition'), 'attachment');
  }
});
