/** What the database signs is what the signer in TypeScript signs, byte by byte, whatever keys, types and names there are. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase, type SeededRandom, seededRandom } from '@rowlock/test-harness';
import type { PresignGetOptions, PresignPutOptions } from '../../../packages/server/dist/backend/backend.js';
import {
  presignGetUrl,
  presignPartUrl,
  presignPutUrl,
} from '../../../packages/server/dist/backend/s3/presign-object.js';
import { Presigner } from '../../../packages/server/dist/backend/s3/presigner.js';
import { isActiveType } from '../../../packages/server/dist/domain/media-type.js';
import { contentDisposition } from '../../../packages/server/dist/http/send-object.js';
import { giveKeys, plainStore, type SignedStore, signedAt, withoutTriggers } from './presign-stores.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const random: SeededRandom = seededRandom();

const stores: readonly SignedStore[] = [
  plainStore,
  {
    name: 's3',
    endpoint: 'https://s3.eu-central-1.amazonaws.com:443',
    region: 'eu-central-1',
    bucket: 'some.bucket',
    addressing: 'virtual',
    credentials: {
      access_key_id: 'ASIAIOSFODNN7EXAMPLE',
      secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      session_token: 'IQoJb3JpZ2luX2VjEJr//////////wEaCXVz+b=/é€😀 %&?#',
    },
    upload_acl: 'public-read',
  },
  {
    name: 'archive',
    endpoint: 'https://[::1]:9443/base path/of it/',
    region: 'auto',
    service: 's3-object-lambda',
    bucket: 'old+files',
    key_prefix: 'rowlock/files/',
    credentials: { access_key_id: 'a/b+c=', secret_access_key: 'é' },
  },
];
const presigners: ReadonlyMap<string, Presigner> = new Map(stores.map((store) => [store.name, new Presigner(store)]));

const awkward = [...'abcXYZ019-_.~!*\'()+ %&=?#:;,@$"<>[]{}|\\^`/éß€\u0301\u202e漢😀👩‍💻'];
const anyText = (lengthMax: number): string =>
  Array.from({ length: 1 + random.integer(lengthMax) }, () => random.pick(awkward)).join('');
/** As the server makes them as a rule, and as nobody should. */
const anyKey = (): string =>
  random.integer(3) === 0
    ? `objects/${random.bytes(1).toString('hex')}/${random.bytes(16).toString('hex')}`
    : anyText(60);
const types = [
  'image/jpeg',
  'image/png',
  'image/svg+xml',
  'application/pdf',
  'text/html',
  'text/plain',
  'application/x-a+b',
  'video/mp4',
  'font/woff2',
  'application/vnd.a!#$&^_.+-b',
];
const anyName = (): string | null =>
  random.integer(3) === 0 ? null : random.pick(['photo.jpg', '', 'My Photo (1).JPG', anyText(40)]);

interface AnyVersion {
  readonly id: string;
  readonly backend: string;
  readonly key: string;
  readonly content_type: string | null;
  readonly detected_type: string | null;
  readonly expires_in: number;
  readonly file_name: string | null;
}

const idOf = (n: number, prefix: string): string => `${prefix}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

function anyVersion(n: number): AnyVersion {
  return {
    id: idOf(n, '0badcafe'),
    backend: random.pick(stores).name,
    key: `${n}/${anyKey()}`,
    content_type: random.integer(8) === 0 ? null : random.pick(types),
    detected_type: random.integer(2) === 0 ? null : random.pick(types),
    expires_in: 1 + random.integer(3600),
    file_name: anyName(),
  };
}

/** The key as the store has it. */
const placeOf = (backend: string, key: string): string =>
  `${stores.find(({ name }) => name === backend)?.key_prefix ?? ''}${key}`;

function getUrl(version: AnyVersion, now: Date, expirySeconds = version.expires_in): string {
  const { backend, content_type, detected_type, file_name } = version;
  const active = isActiveType(content_type) || isActiveType(detected_type);
  const disposition = file_name === null ? (active ? 'attachment' : undefined) : contentDisposition(file_name);
  const options: PresignGetOptions = {
    expirySeconds,
    contentType: content_type ?? 'application/octet-stream',
    ...(disposition === undefined ? {} : { contentDisposition: disposition }),
    now,
  };
  return presignGetUrl(presigners.get(backend) as Presigner, placeOf(backend, version.key), options);
}

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
  await giveKeys(database, ...stores);
});
after(() => database.drop());

async function insertVersions(versions: readonly AnyVersion[]): Promise<void> {
  await database.query(
    `INSERT INTO storage.versions (id, backend, key, content_type, detected_type, state, size, stored_at)
     SELECT id, backend, key, content_type, detected_type, 'stored', 1, now()
     FROM jsonb_to_recordset($1) AS v (id uuid, backend text, key text, content_type text, detected_type text)`,
    [JSON.stringify(versions)],
  );
}

describe('GET', () => {
  const versions = Array.from({ length: 1000 * rounds }, (_, n) => anyVersion(n));
  before(() => insertVersions(versions));

  test(`a thousand random requests are signed as the signer in TypeScript signs them, seed ${random.seed}`, async () => {
    const signed = await database.query<{ url: string }>(
      `SELECT storage_sign.sign(v.id, v.expires_in, v.file_name) AS url
       FROM unnest($1::uuid[], $2::int[], $3::text[]) WITH ORDINALITY AS v (id, expires_in, file_name, place) ORDER BY v.place`,
      [
        versions.map(({ id }) => id),
        versions.map(({ expires_in }) => expires_in),
        versions.map(({ file_name }) => file_name),
      ],
    );

    assert.equal(signed.length, versions.length);
    for (const [n, { url }] of signed.entries()) {
      assert.equal(url, getUrl(versions[n] as AnyVersion, signedAt(url)));
    }
  });

  test('many at once are signed the same, in the order in which they are asked for', async () => {
    const shuffled = versions.toSorted(() => random.next() - 0.5);
    const signed = await database.query<{ url: string }>('SELECT storage_sign.sign_many($1, 77, $2) AS url', [
      shuffled.map(({ id }) => id),
      shuffled.map(({ file_name }) => file_name),
    ]);

    assert.equal(signed.length, shuffled.length);
    for (const [n, { url }] of signed.entries()) {
      assert.equal(url, getUrl(shuffled[n] as AnyVersion, signedAt(url), 77));
    }
  });

  test('every character of ASCII in a key and in a name is encoded as it should be', async () => {
    const ascii = Array.from({ length: 126 }, (_, n) => String.fromCharCode(n + 1)).join('');
    const version: AnyVersion = {
      id: idOf(1, '0badcaff'),
      backend: 'disk',
      key: ascii,
      content_type: 'image/jpeg',
      detected_type: null,
      expires_in: 1,
      file_name: ascii,
    };
    await insertVersions([version]);

    const [row] = await database.query<{ url: string }>('SELECT storage_sign.sign($1, 1, $2) AS url', [
      version.id,
      version.file_name,
    ]);

    assert.equal(row?.url, getUrl(version, signedAt(row?.url ?? '')));
  });
});

describe('PUT', () => {
  test(`a thousand random upload requests are signed as the signer in TypeScript signs them`, async () => {
    const requests = Array.from({ length: 1000 * rounds }, (_, n) => ({
      n,
      id: idOf(n, '0badf00d'),
      upload_id: idOf(n, '0badf00e'),
      version_id: idOf(n, '0badf00f'),
      backend: random.pick(stores).name,
      key: `put/${n}/${anyKey()}`,
      file_type: random.pick(['', 'image/jpeg', 'text/plain; charset=utf-8', 'text/plain  ;  a="b  c" ', ...types]),
      file_size: random.integer(2) === 0 ? null : random.integer(2 ** 40),
      sha256: random.integer(2) === 0 ? null : random.bytes(32).toString('hex'),
      expires_in: 1 + random.integer(3600),
      put_guard: random.pick([null, 'condition', 'incoming', 'recheck']),
    }));
    const columns = `jsonb_to_recordset('${JSON.stringify(requests).replaceAll("'", "''")}') AS r (id uuid, upload_id uuid,
      version_id uuid, backend text, key text, file_type text, file_size bigint, sha256 text, put_guard text)`;
    await withoutTriggers(
      database,
      `INSERT INTO storage.versions (id, backend, key, state, expires_at)
         SELECT version_id, backend, key, 'writing', now() + interval '1 day' FROM ${columns};
       INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at,
           put_guard)
         SELECT upload_id, version_id, 'direct', 'files', key, 'authenticated', '{}', 1, false, now() + interval '1 day', put_guard
         FROM ${columns};
       INSERT INTO metadata.file_upload_requests (id, upload_id, entity_type, entity_id, file_name, file_type, file_size, sha256, s3_key)
         SELECT id, upload_id, 'a', 'b', 'c', file_type, file_size, decode(sha256, 'hex'), key FROM ${columns}`,
    );

    const signed = await database.query<{ url: string }>(
      `SELECT storage_sign.sign_put(r.id, r.expires_in) AS url
       FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS r (id, expires_in, place) ORDER BY r.place`,
      [requests.map(({ id }) => id), requests.map(({ expires_in }) => expires_in)],
    );

    assert.equal(signed.length, requests.length);
    for (const [n, { url }] of signed.entries()) {
      const request = requests[n] as (typeof requests)[number];
      const { backend, file_type, file_size, sha256, expires_in, put_guard } = request;
      const key = put_guard === 'incoming' ? `incoming/${request.upload_id}` : request.key;
      const acl = stores.find(({ name }) => name === backend)?.upload_acl;
      const options: PresignPutOptions = {
        expirySeconds: expires_in,
        contentType: file_type,
        now: signedAt(url),
        ...(file_size === null ? {} : { contentLength: file_size }),
        ...(sha256 === null ? {} : { sha256 }),
        ...(acl === undefined ? {} : { acl }),
        ...(put_guard === 'condition' ? { onlyNew: true } : {}),
      };
      assert.equal(url, presignPutUrl(presigners.get(backend) as Presigner, placeOf(backend, key), options));
    }
  });
});

describe('PUT of parts', () => {
  test('random parts of random uploads are signed as the signer in TypeScript signs them', async () => {
    const mebi = 2 ** 20;
    const uploads = Array.from({ length: 300 * rounds }, (_, n) => {
      const part_size = 5 * mebi + random.integer(5 * 2 ** 30 - 5 * mebi);
      return {
        upload_id: idOf(n, '0badf011'),
        version_id: idOf(n, '0badf012'),
        backend: random.pick(stores).name,
        key: `parts/${n}/${anyKey()}`,
        part_size,
        size: Math.min(part_size * (1 + random.integer(9999)) - random.integer(part_size), 5 * 2 ** 40),
        store_id: random.pick([
          random.bytes(16).toString('hex'),
          '2~a/b+c=d.e_f-g&%?#~',
          `${random.bytes(40).toString('base64')}`,
        ]),
        expires_in: 1 + random.integer(3600),
      };
    });
    const columns = `jsonb_to_recordset('${JSON.stringify(uploads).replaceAll("'", "''")}') AS r (upload_id uuid, version_id uuid,
      backend text, key text, part_size bigint, size bigint, store_id text)`;
    await withoutTriggers(
      database,
      `INSERT INTO storage.versions (id, backend, key, state, expires_at)
         SELECT version_id, backend, key, 'writing', now() + interval '1 day' FROM ${columns};
       INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
         SELECT upload_id, version_id, 'direct', 'files', key, 'authenticated', '{}', 1, false, now() + interval '1 day' FROM ${columns};
       INSERT INTO storage.multipart_uploads (upload_id, version_id, bucket_id, name, size, part_size, store_id)
         SELECT upload_id, version_id, 'files', key, size, part_size, store_id FROM ${columns}`,
    );
    const countOf = ({ size, part_size }: (typeof uploads)[number]): number => Math.ceil(size / part_size);

    const signed = await database.query<{ place: string; part_number: number; size: string; url: string }>(
      `SELECT r.place, s.part_number, s.size, s.url
       FROM unnest($1::uuid[], $2::int[], $3::int[]) WITH ORDINALITY AS r (id, expires_in, last, place),
         LATERAL storage_sign.sign_parts(r.id, ARRAY[1, r.last, r.last + 1, 0, -1], r.expires_in) AS s`,
      [uploads.map(({ upload_id }) => upload_id), uploads.map(({ expires_in }) => expires_in), uploads.map(countOf)],
    );

    assert.equal(signed.length, 2 * uploads.length, 'parts that there are not have no URL');
    for (const { place, part_number, size, url } of signed) {
      const upload = uploads[Number(place) - 1] as (typeof uploads)[number];
      const { backend, key, store_id, part_size, expires_in } = upload;
      assert.equal(Number(size), Math.min(part_size, upload.size - (part_number - 1) * part_size));
      const options = { part_number, contentLength: Number(size), expirySeconds: expires_in, now: signedAt(url) };
      const presigner = presigners.get(backend) as Presigner;
      assert.equal(url, presignPartUrl(presigner, { key: placeOf(backend, key), store_id }, options));
    }
  });
});
