/**
 * What the client offers beside single uploads, on each backend: pictures and their thumbnails, files of entities by the names that
 * Angular applications call, and the same of a client that meets nothing but PostgREST.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient, isRowlockError, type Picture, type RowlockError, type StorageClient } from '@rowlock/client';
import { RowlockFiles } from '@rowlock/client/files';
import { type Postgrest, type PostgrestClaims, startPostgrest, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { aName, backendNames, bucketOn, type ClientSite, sha256, skipOf, startClientSite } from './client-site.ts';

let site: ClientSite;
let postgrest: Postgrest;
let photo: Uint8Array<ArrayBuffer>;

before(async () => {
  site = await startClientSite();
  postgrest = await startPostgrest(site.service.database);
  const created = { width: 320, height: 200, channels: 3, background: '#c83232' } as const;
  photo = new Uint8Array(await sharp({ create: created }).jpeg().toBuffer());
});
after(async () => {
  await postgrest?.stop();
  await site?.stop();
});

const photoFile = (): File => new File([photo], 'Pothole.JPG', { type: 'image/jpeg' });

/** A client that meets PostgREST alone: what is not for it goes to the store. */
function postgrestClient(as: PostgrestClaims): StorageClient {
  const url = 'http://postgrest';
  const send: typeof fetch = async (asked, init = {}) => {
    const { origin, pathname, searchParams } = new URL(String(asked));
    if (origin !== url) return await fetch(asked, init);
    const query = Object.fromEntries(searchParams);
    const body = init.body === undefined ? {} : { body: JSON.parse(String(init.body)) };
    const method = init.method === 'POST' ? 'POST' : 'GET';
    const answer = await postgrest.ask({ method, path: pathname, query, as, ...body });
    return new Response(answer.status === 204 ? null : new Uint8Array(answer.bytes), answer);
  };
  return createClient({ url, fetch: send, postgrest: true });
}

for (const backend of backendNames) {
  describe(`the client's surface on ${backend}`, { skip: skipOf(backend) }, () => {
    before(() => site.keepFilesOn(backend));

    test('thumbnails are waited for, told on the way, and there when the wait ends', async () => {
      const states: Picture[] = [];

      const uploaded = await site.client.upload(photoFile(), { bucket: bucketOn(backend), name: aName() });
      const picture = await site.client.waitForThumbnails(uploaded, { onState: (state) => states.push(state) });
      const variants = await site.client.variants(uploaded.bucket, uploaded.name, { expirySeconds: 60 });

      assert.deepEqual([picture.status, picture.width, picture.height], ['completed', 320, 200]);
      assert.match(picture.thumbhash ?? '', /^[A-Za-z0-9+/]{20,}=*$/);
      assert.equal(states.at(-1)?.status, 'completed');
      assert.deepEqual(variants.map(({ preset }) => preset).sort(), ['large', 'medium', 'small']);
      for (const { url, size, content_type } of variants) {
        const bytes = new Uint8Array(await (await fetch(String(url))).arrayBuffer());
        assert.deepEqual([bytes.length, content_type], [size, 'image/jpeg']);
      }
    });

    test('the names of Angular applications upload, wait, list, sign and remove', async () => {
      const files = new RowlockFiles(site.client);
      const entityId = backend;

      const picture = await files.uploadWithThumbnails(photoFile(), 'pothole', entityId, { propertyName: 'photo' });
      const [listed, ...others] = await files.getFiles('pothole', entityId);
      const [urls] = await files.urls([listed?.id ?? '']);
      const original = new Uint8Array(await (await fetch(String(urls?.original_url))).arrayBuffer());
      await files.remove(listed?.id ?? '');

      assert.deepEqual([picture.status, picture.file_id, others], ['completed', listed?.id, []]);
      assert.deepEqual(
        [listed?.file_name, listed?.property_name, listed?.thumbnail_status, listed?.thumbhash],
        ['Pothole.JPG', 'photo', 'completed', picture.thumbhash],
      );
      assert.equal(sha256(original), sha256(photo));
      assert.ok(urls?.thumbnail_medium_url);
      assert.deepEqual(await files.getFiles('pothole', entityId), []);
      await assert.rejects(files.remove(listed?.id ?? ''), (error: RowlockError) => error.status === 404);
    });

    test('the three steps of an upload can be made one by one', async () => {
      const files = new RowlockFiles(site.client);
      const facts = { name: 'note.txt', type: 'text/plain', size: 5 };

      const presigned = await files.getPresignedUrl('note', backend, facts);
      await files.uploadToS3(presigned, new Blob(['a not']));
      const record = await files.createFileRecord(presigned, 'note', backend, facts);
      const again = await files.createFileRecord(presigned, 'note', backend, facts);
      const settled = await files.waitForThumbnails(presigned.file_id);

      assert.deepEqual(
        [record['id'], again['id'], settled.status],
        [presigned.file_id, presigned.file_id, 'not_applicable'],
      );
      await until(() => site.client.exists(settled.bucket, settled.name), { what: 'the file is committed' });
    });

    test('with PostgREST alone files of entities go up whole and in parts, and are listed', async () => {
      const client = postgrestClient({ sub: 'ann', role: 'authenticated' });
      const way = backend === 'postgres' ? 'put' : 'parts';

      const uploaded = await client.upload(photoFile(), {
        entityType: 'page',
        entityId: backend,
        way,
        checksum: 'sha256',
      });
      const picture = await client.waitForThumbnails(uploaded);
      const listed = await new RowlockFiles(client).getFiles('page', backend);

      assert.deepEqual([picture.status, uploaded.sha256], ['completed', sha256(photo)]);
      assert.deepEqual(
        listed.map(({ id }) => id),
        [uploaded.fileId],
      );
      assert.equal((await client.picture({ bucket: picture.bucket, name: picture.name })).object_id, picture.object_id);
      await assert.rejects(client.upload(photoFile(), { bucket: 'box', name: 'x' }).done, (error) =>
        isRowlockError(error, 'not_implemented'),
      );
    });
  });
}

describe('waits for thumbnails', () => {
  test('what has none is not waited for, and what cannot be made says why', async () => {
    const bucket = bucketOn('disk');
    const broken = new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0])]);
    const text = await site.client.upload(new Blob(['text']), { bucket, name: aName(), contentType: 'text/plain' });
    const torn = await site.client.upload(broken, { bucket, name: aName(), contentType: 'image/jpeg' });

    const [none, failed] = await Promise.all([text, torn].map((each) => site.client.waitForThumbnails(each)));

    assert.deepEqual([none?.status, none?.variants], ['not_applicable', []]);
    assert.equal(failed?.status, 'failed');
    assert.ok(failed?.error);
  });

  test('a wait ends with its time, its signal, and what is not there or not to be seen', async () => {
    const files = new RowlockFiles(site.client);
    const facts = { name: 'photo.jpg', type: 'image/jpeg', size: 1000 };
    const presigned = await files.getPresignedUrl('secret', '2', facts);
    await files.createFileRecord(presigned, 'secret', '2', facts); // its bytes never come
    const fileId = presigned.file_id;
    const bob = await site.as('bob');
    const stop = new AbortController();

    const late = files.waitForThumbnails(fileId, { timeoutMs: 300 });
    const stopped = files.waitForThumbnails(fileId, { signal: stop.signal, onState: () => stop.abort() });

    await Promise.all([
      assert.rejects(late, (error) => isRowlockError(error, 'request_timeout')),
      assert.rejects(stopped, (error) => isRowlockError(error, 'client_closed')),
    ]);
    await assert.rejects(bob.waitForThumbnails({ fileId }), (error) => isRowlockError(error, 'object_not_found'));
    await until(() => site.gateway.open === 0, { what: 'no request is left' });
    await files.remove(fileId);
  });

  test("of an entity's files others see what their policies show, and no more", async () => {
    const files = new RowlockFiles(site.client);
    const uploaded = await files.upload(photoFile(), 'secret', '1');
    await files.waitForThumbnails(uploaded.fileId ?? '');
    const bob = await site.as('bob');

    const seen = await new RowlockFiles(bob).getFiles('secret', '1');

    const [mayView] = await site.service.database.query<{ may: boolean }>(
      "SELECT metadata.files_can_view('secret', '1', 'ann') AS may",
    );
    assert.equal(seen.length, mayView?.may === true ? 1 : 0);
  });
});
