/**
 * Files that a real clamd scans: what waits for its scan, what is infected, and what is not scanned at all, by every way that
 * bytes are read. Then what else looks at files: a classifier over HTTP, and a kind of job of the application's own.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, eicar, requires, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type Check, ScannedSite, scannedBytesMax } from './scanned-site.ts';
import { scansThatCross } from './scans-that-cross.ts';

const v1 = '/storage/v1';

let site: ScannedSite;

describe('files that are scanned', { skip: requires('clamd') }, () => {
  before(async () => {
    site = await ScannedSite.start();
    await site.bucket('waiting', { scan: 'before_read' });
    await site.bucket('watched', { scan: 'async' });
    await site.bucket('plain', {});
  });
  after(() => site?.stop());

  test('30 a file waits for its scan while the scanner is down: nobody reads it, and only its owner learns why', async () => {
    const photo = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
      .jpeg()
      .toBuffer();
    await site.scanner.stop();
    await site.upload('waiting/a/photo.jpg', new Uint8Array(photo), 'image/jpeg');
    const [object] = await site.sql<{ id: string }>("SELECT id FROM storage.objects WHERE name = 'a/photo.jpg'");
    const signed = (await (
      await site.call('ann', 'POST', '/object/sign/waiting/a/photo.jpg', { expiresIn: 60 })
    ).json()) as {
      signedURL: string;
    };

    const ann = await site.call('ann', 'GET', '/object/waiting/a/photo.jpg');
    const others = [
      await site.read('bob', 'waiting/a/photo.jpg'),
      await site.read('bob', 'waiting/nothing'),
      await site.read('service', 'waiting/a/photo.jpg'),
      await site.read(undefined, 'public/waiting/a/photo.jpg'),
    ];
    const bySignature = (await site.service.fetch(`${v1}${signed.signedURL}`)).status;
    const [thumbnail, zip] = [
      await site.call('ann', 'GET', '/render/image/authenticated/waiting/a/photo.jpg?preset=small'),
      await (await site.call('ann', 'GET', '/object/zip/waiting/a')).text(),
    ];
    const urls = await (await site.service.fetch(`/rpc/get_download_url?p_id=${object?.id}`, { as: 'ann' })).json();
    await until(
      async () => /cannot be asked/.test(JSON.stringify((await site.checkOf('waiting/a/photo.jpg'))?.detail)),
      {
        what: 'it says what it waits for',
      },
    );

    assert.deepEqual(
      [ann.status, ann.headers.get('x-rowlock-reason'), Number(ann.headers.get('retry-after')) > 0],
      [403, 'not_scanned', true],
    );
    assert.deepEqual(
      others.map(([status]) => status),
      [404, 404, 403, 401],
    );
    assert.deepEqual(others[0], others[1]);
    assert.deepEqual([bySignature, thumbnail.status !== 200, zip.includes('JFIF'), urls], [404, true, false, null]);
    assert.equal((await site.call('bob', 'GET', '/object/checks/waiting/a/photo.jpg')).status, 200);
    assert.deepEqual(await (await site.call('bob', 'GET', '/object/checks/waiting/a/photo.jpg')).json(), []);

    await site.scanner.start();
    const check = await site.found('waiting/a/photo.jpg');
    await until(
      async () => (await site.call('ann', 'GET', '/render/image/authenticated/waiting/a/photo.jpg?preset=small')).ok,
      {
        what: 'its thumbnails are made',
        timeoutMs: 20_000,
      },
    );

    assert.equal(check.status, 'clean');
    assert.deepEqual(
      [
        (await site.read('bob', 'waiting/a/photo.jpg'))[0],
        (await site.service.fetch(`${v1}${signed.signedURL}`)).status,
      ],
      [200, 200],
    );
  });

  test('30 an infected file is read by nobody, by any way, and its objects stay to be seen', async () => {
    await site.upload('plain/virus.txt', eicar());
    const presigned = (
      (await site.sql("SELECT storage.presign_object(id) AS url FROM storage.objects WHERE name = 'virus.txt'")) as {
        url: string;
      }[]
    )[0]?.url;
    const before = await fetch(presigned ?? '');
    await before.arrayBuffer();
    const signed = (await (
      await site.call('ann', 'POST', '/object/sign/plain/virus.txt', { expiresIn: 60 })
    ).json()) as {
      signedURL: string;
    };
    const moved = await site.call('ann', 'POST', '/object/copy', {
      bucketId: 'plain',
      sourceKey: 'virus.txt',
      destinationBucket: 'watched',
      destinationKey: 'v/virus.txt',
    });

    const check = await site.found('watched/v/virus.txt');

    assert.deepEqual([before.status, moved.ok], [200, true]);
    assert.deepEqual([check.status, check.detail], ['infected', { signature: 'Eicar-Test.UNOFFICIAL' }]);
    assert.deepEqual(await site.read('ann', 'watched/v/virus.txt'), [403, 'quarantined']);
    assert.match(await (await site.call('ann', 'GET', '/object/plain/virus.txt')).text(), /infected: Eicar-Test/);
    assert.deepEqual(await site.read('bob', 'watched/v/virus.txt'), [404, 'object_not_found']);
    const statuses = [
      (await site.call('ann', 'HEAD', '/object/plain/virus.txt')).status,
      (await site.service.fetch(`${v1}/object/plain/virus.txt`, { as: 'bob', headers: { range: 'bytes=0-9' } })).status,
      (await site.service.fetch(`${v1}${signed.signedURL}`)).status,
      (await fetch(presigned ?? '')).status,
      (await fetch(presigned ?? '', { method: 'HEAD' })).status,
    ];
    assert.deepEqual(statuses, [403, 404, 404, 404, 404]);
    const copied = await site.call('ann', 'POST', '/object/copy', {
      bucketId: 'watched',
      sourceKey: 'v/virus.txt',
      destinationBucket: 'plain',
      destinationKey: 'copy.txt',
    });
    assert.deepEqual([copied.ok, await site.read('ann', 'plain/copy.txt')], [true, [403, 'quarantined']]);
    const zip = Buffer.from(await (await site.call('ann', 'GET', '/object/zip/watched/v')).arrayBuffer());
    const urls = await site.sql<{ url: string | null }>(
      "SELECT storage.presign_object(id) AS url FROM storage.objects WHERE name LIKE '%virus.txt'",
    );
    assert.deepEqual([zip.includes('EICAR'), urls], [false, [{ url: null }, { url: null }]]);
    const audited = await site.sql(
      "SELECT bucket_id, name FROM storage.audit_log WHERE operation = 'storage.version.quarantined' ORDER BY bucket_id",
    );
    assert.deepEqual(audited, [
      { bucket_id: 'plain', name: 'virus.txt' },
      { bucket_id: 'watched', name: 'v/virus.txt' },
    ]);
    const changes = await site.sql(
      `SELECT c.type FROM storage.changes AS c JOIN storage.objects AS o ON o.id = c.object_id
       WHERE o.bucket_id = 'plain' AND o.name = 'virus.txt' ORDER BY c.revision`,
    );
    assert.deepEqual(changes, [{ type: 'storage.object.created' }, { type: 'storage.object.updated' }]);
  });

  test('30 a virus is found in an archive and in a document', async () => {
    await site.upload('plain/packed/virus2.txt', `${eicar()}\n`);
    const zip = await (await site.call('ann', 'GET', '/object/zip/plain/packed')).arrayBuffer();
    const pdf = `%PDF-1.4\n1 0 obj <</Length 69>> stream\n${eicar()}\nendstream endobj\ntrailer <<>>\n%%EOF\n`;

    await site.upload('watched/packed.zip', new Uint8Array(zip), 'application/zip');
    await site.upload('watched/letter.pdf', pdf, 'application/pdf');

    assert.equal(Buffer.from(zip).includes('EICAR'), false, 'it is compressed');
    assert.deepEqual(
      [(await site.found('watched/packed.zip')).status, (await site.found('watched/letter.pdf')).status],
      ['infected', 'infected'],
    );
  });

  test('30 what is too large to be scanned is never clean, and operators let it out or remove it', async () => {
    await site.upload('waiting/large.bin', new Uint8Array(scannedBytesMax + 1), 'application/octet-stream');
    await site.upload('watched/mine.txt', eicar());
    await site.upload('watched/other.txt', `${eicar()} `);
    const large = await site.found('waiting/large.bin');
    const virus = await site.found('watched/mine.txt');
    const other = await site.found('watched/other.txt');
    const listed = await site.quarantine('list', '--bucket', 'waiting');

    assert.deepEqual([large.status, (await site.read('ann', 'waiting/large.bin'))[0]], ['error', 403]);
    assert.match(JSON.stringify(large.detail), /at most 1048576 are scanned/);
    assert.deepEqual(
      listed.map(({ name, cause, version_id }) => [name, cause, version_id]),
      [['large.bin', 'not_scanned', large.version]],
    );

    const released = await site.quarantine('release', large.version, '--reason', 'ticket 7');
    const purged = await site.quarantine('purge', virus.version, '--reason', 'confirmed');

    assert.deepEqual(released, [{ version_id: large.version, outcome: 'released' }]);
    assert.deepEqual(purged, [{ version_id: virus.version, outcome: 'purged', names: 1 }]);
    assert.equal((await site.read('bob', 'waiting/large.bin'))[0], 200);
    assert.equal((await site.found('waiting/large.bin')).status, 'released');
    assert.equal((await site.read('ann', 'watched/mine.txt'))[1], 'object_not_found');
    const audited = await site.sql(
      `SELECT operation, name, detail ->> 'why' AS why FROM storage.audit_log
       WHERE operation IN ('storage.version.released', 'storage.version.purged') ORDER BY id`,
    );
    assert.deepEqual(audited, [
      { operation: 'storage.version.released', name: 'large.bin', why: 'ticket 7' },
      { operation: 'storage.version.purged', name: 'mine.txt', why: 'confirmed' },
    ]);
    await site.sql("UPDATE storage.versions SET quarantine_cause = 'replaced' WHERE id = $1", [other.version]);
    const refused = await site.sql(
      "SELECT storage_internal.quarantine_release(id, 'x') AS outcome FROM unnest($1::uuid[]) AS id",
      [[large.version, other.version]],
    );
    assert.deepEqual(refused, [{ outcome: 'gone' }, { outcome: 'replaced' }], 'what was replaced never comes out');
  });

  test('30 a bucket looks at less for the service only', async () => {
    const patch = async (as: string, body: object): Promise<number> =>
      (await site.call(as, 'PATCH', '/bucket/plain', body)).status;

    const byOwner = [await patch('ann', { scan: 'async' }), await patch('ann', { scan: 'before_read' })];
    const loosened = [
      await patch('ann', { scan: 'async' }),
      await patch('ann', { scan: 'off' }),
      await patch('ann', { checks: ['word_count'] }),
      await patch('bob', { scan: 'off' }),
    ];
    const byService = [
      await patch('service', { checks: ['file_scan'] }),
      await patch('service', { checks: ['rm -rf'] }),
      await patch('service', { scan: 'off' }),
    ];
    const made = await site.call('ann', 'POST', '/bucket', { name: 'mine', checks: ['word_count'] });

    assert.deepEqual(byOwner, [200, 200]);
    assert.deepEqual(loosened, [403, 403, 403, 403]);
    assert.deepEqual([byService, made.status], [[400, 400, 200], 403]);
  });

  test('30 bytes that were never scanned come by no other way into a bucket that waits', async () => {
    await site.upload('plain/unknown.txt', 'never looked at');
    const to = { bucketId: 'plain', sourceKey: 'unknown.txt', destinationBucket: 'waiting' };

    const copied = await site.call('ann', 'POST', '/object/copy', { ...to, destinationKey: 'unknown.txt' });
    const stillRead = await site.read('bob', 'plain/unknown.txt');
    await site.scanner.stop();
    const moved = await site.call('ann', 'POST', '/object/move', { ...to, destinationKey: 'moved.txt' });
    const held = await site.read('ann', 'waiting/moved.txt');
    await site.scanner.start();

    assert.deepEqual([copied.status, copied.headers.get('x-rowlock-reason')], [403, 'not_scanned']);
    assert.deepEqual([stillRead[0], moved.status, held], [200, 200, [403, 'not_scanned']]);
    assert.equal((await site.found('waiting/moved.txt')).status, 'clean');
    assert.equal((await site.read('bob', 'waiting/moved.txt'))[0], 200);
  });

  test('30 a presigned PUT that is used again after the scan changes nothing', async () => {
    await site.sql("UPDATE storage.buckets SET scan = 'before_read' WHERE id = 'files'");
    const body = 'a'.repeat(eicar().length);
    const wanted = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'n.txt', p_file_type: 'text/plain' };
    const id = await site.rpc('request_upload_url', wanted);
    const [file] = await until(
      async () => {
        const rows = await site.sql<{ url: string; file_id: string; key: string }>(
          `SELECT presigned_url AS url, file_id, s3_key AS key FROM metadata.file_upload_requests
           WHERE id = $1 AND status = 'completed'`,
          [id],
        );
        return rows.length === 1 ? rows : undefined;
      },
      { what: 'the URL is signed' },
    );
    const put = async (bytes: string): Promise<number> =>
      (await fetch(file?.url ?? '', { method: 'PUT', body: bytes, headers: { 'content-type': 'text/plain' } })).status;
    const first = await put(body);
    await site.rpc('create_file_record', {
      ...wanted,
      p_id: file?.file_id,
      p_file_size: body.length,
      p_s3_bucket: 'civic-os-files',
      p_s3_original_key: file?.key,
    });
    const [object] = await until(
      async () => {
        const rows = await site.sql<{ name: string }>(
          `SELECT o.name FROM storage.objects AS o JOIN storage.version_checks AS c ON c.version_id = o.version_id
           WHERE o.bucket_id = 'files' AND c.status = 'clean'`,
        );
        return rows.length === 1 ? rows : undefined;
      },
      { what: 'it is committed and clean', timeoutMs: 20_000 },
    );

    const again = await put(eicar());

    assert.deepEqual([first, again], [200, 412]);
    assert.deepEqual(await site.read('ann', `files/${object?.name}`), [200, body]);
  });

  test('30 at a store that would take such a PUT nothing is clean before its URL is over', async () => {
    await site.upload('waiting/late.txt', 'late');
    const { version } = await site.found('waiting/late.txt');
    const ended = async (): Promise<unknown> =>
      (
        await site.sql("SELECT outcome FROM storage_internal.check_ended($1, 'file_scan', 'clean', NULL)", [version])
      )[0];
    await site.sql("UPDATE storage.version_checks SET status = 'pending', checked_at = NULL WHERE version_id = $1", [
      version,
    ]);
    await site.sql(
      `UPDATE storage.versions SET quarantined_at = now(), quarantine_cause = 'not_scanned', quarantine_reason = 'x',
       recheck_at = now() + interval '1 minute', put_until = now() + interval '1 hour' WHERE id = $1`,
      [version],
    );

    const early = await ended();
    const held = await site.read('ann', 'waiting/late.txt');
    await site.sql(
      "UPDATE storage.versions SET put_until = now() - interval '1 second', recheck_at = NULL WHERE id = $1",
      [version],
    );
    const late = await ended();

    assert.deepEqual([early, held, late], [{ outcome: 'waits' }, [403, 'not_scanned'], { outcome: 'released' }]);
  });

  test('30 a scan whose job was lost gets another one', async () => {
    await site.upload('plain/lost.txt', 'harmless');
    await site.sql(
      `INSERT INTO storage.version_checks (version_id, kind, requested_at)
       SELECT version_id, 'file_scan', now() - interval '10 minutes' FROM storage.objects WHERE name = 'lost.txt'`,
    );

    const requeued = await site.sql('SELECT storage_internal.requeue_checks(10) AS n');
    const again = await site.sql('SELECT storage_internal.requeue_checks(10) AS n');

    assert.equal((await site.found('plain/lost.txt')).status, 'clean');
    assert.deepEqual([requeued, again], [[{ n: '1' }], [{ n: '0' }]]);
  });

  scansThatCross(() => site);

  test('22 what was found in a file is written by nobody but the server', async () => {
    for (const text of [
      "UPDATE storage.version_checks SET status = 'clean'",
      'DELETE FROM storage.version_checks',
      'INSERT INTO storage.version_checks (version_id, kind) SELECT version_id, $$file_scan$$ FROM storage.objects',
      'SELECT storage_internal.check_ended(gen_random_uuid(), $$file_scan$$, $$clean$$, NULL)',
      'SELECT storage_internal.quarantine_release(gen_random_uuid(), $$x$$)',
      'UPDATE storage.versions SET quarantined_at = NULL',
    ]) {
      for (const role of ['anon', 'authenticated', 'service_role']) {
        const asked = site.sql(`DO $do$ BEGIN SET LOCAL ROLE ${role}; EXECUTE $text$${text}$text$; END $do$`);
        await assert.rejects(asked, /permission denied/, `${role}: ${text}`);
      }
    }
  });

  test('others look too: a classifier that reads the file by its URL, and a kind of job of the application', async () => {
    await site.bucket('looked-at', { scan: 'before_read', checks: ['file_classify', 'word_count'] }, 'service');

    await site.upload('looked-at/words.txt', 'three short words');
    await site.upload('looked-at/virus3.txt', eicar());
    await until(async () => (await site.read('ann', 'looked-at/virus3.txt'))[1] === 'quarantined' || undefined, {
      what: 'it is found to be infected',
      timeoutMs: 20_000,
    });
    await site.sql(
      `SELECT metadata.enqueue_job('word_count', jsonb_build_object('version_id', version_id), 'checks')
       FROM storage.objects WHERE name = 'virus3.txt'`,
    );
    await until(
      async () =>
        (await site.sql("SELECT FROM metadata.river_job WHERE finalized_at IS NULL AND queue = 'checks'")).length === 0,
      { what: 'all have looked', timeoutMs: 20_000 },
    );
    const [severity, words, virus] = [
      await site.found('looked-at/words.txt', 'file_classify'),
      await site.found('looked-at/words.txt', 'word_count'),
      (await (await site.call('service', 'GET', '/object/checks/looked-at/virus3.txt')).json()) as Check[],
    ];

    assert.deepEqual([severity.status, severity.detail], ['done', { score: 0.25, severity: 'low' }]);
    assert.deepEqual([words.status, words.detail], ['done', { name: 'words.txt', words: 3 }]);
    assert.deepEqual(site.classified, ['three short words'], 'what is infected is shown to nobody');
    assert.equal(virus.find(({ kind }) => kind === 'word_count')?.status, 'pending');
  });

  test('and everything that Rowlock promises is true', async () => {
    await assertInvariants(site.service);
  });
});
