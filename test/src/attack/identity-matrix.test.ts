/**
 * Rows 59 and 69 of the list of attacks: every route, asked by everybody, for what is there and hidden, and for what is
 * not there. Whoever may not see it cannot tell the two apart, by status, headers or body.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { temporaryFolder, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { type ObjectRoute, objectRoutes, otherRoutes, type RouteRequest, uploadRoutes } from './route-matrix.ts';
import { withRouteTable } from './route-table.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

let open: Attacked;
let served: readonly string[];
let picture: Buffer;

before(async () => {
  const console_folder = temporaryFolder();
  await writeFile(join(console_folder, 'index.html'), '<!doctype html>');
  ({ started: open, routes: served } = await withRouteTable(() => attacked({ config: { console_folder } })));
  picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.send('POST', '/storage/v1/bucket', { name: 'plaza', policy: 'public' }, 'olivia');
  for (const path of ['files/hidden.png', 'vault/hidden.png', 'plaza/shown.png']) {
    const init = { as: 'olivia', method: 'POST', headers: { 'content-type': 'image/png' }, body: picture };
    assert.equal((await open.service.fetch(`/storage/v1/object/${path}`, init)).status, 201);
  }
  await open.database.query(`
    CREATE TABLE public.cases (id bigint PRIMARY KEY, sub text NOT NULL);
    INSERT INTO public.cases VALUES (1, 'olivia'), (3, 'mallory');
    ALTER TABLE public.cases ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON public.cases FOR SELECT TO authenticated USING (sub = storage.claim('sub'));
    GRANT SELECT ON public.cases TO authenticated, anon;
  `);
  await open.database.query("SELECT storage.attach_entity('public.cases')");
  await open.remember();
});
after(() => open.stop());

/** Who asks: the value of the `Authorization` header. */
const callers: Readonly<Record<string, () => string | undefined>> = {
  anonymous: () => undefined,
  'another user': () => `Bearer ${open.tokens.mallory}`,
  'the owner with an expired token': () => `Bearer ${open.tokens.expired}`,
};

/** What differs between any two answers, or says how they were transported. */
const ignoredHeaders: ReadonlySet<string> = new Set(['date', 'x-request-id', 'connection', 'keep-alive']);

/** Everything of an answer that somebody could tell something from. */
async function visible(request: RouteRequest, authorization: string | undefined): Promise<object> {
  const { path, ...init } = request;
  const headers = { ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
  const answer = await open.service.fetch(path, { ...init, headers });
  return {
    status: answer.status,
    headers: [...answer.headers].filter(([name]) => !ignoredHeaders.has(name)),
    body: await answer.text(),
  };
}

const nameOf = ({ route, how }: ObjectRoute): string => (how === undefined ? route : `${route}, ${how}`);

type Place = readonly [bucket: string, name: string];

/** Pairs of places that look the same to whoever may not look: what is there, and what is not. */
const insideFiles: readonly [Place, Place] = [
  ['files', 'hidden.png'],
  ['files', 'absent.png'],
];
const insideVault: readonly [Place, Place] = [
  ['vault', 'hidden.png'],
  ['vault', 'absent.png'],
];
const betweenBuckets: readonly [Place, Place] = [
  ['vault', 'hidden.png'],
  ['nihil', 'hidden.png'],
];

test('59 the matrix has every route of the running server, described or not', () => {
  const asked = new Set([...[...objectRoutes, ...uploadRoutes].map(({ route }) => route), ...otherRoutes]);

  assert.deepEqual([...asked].sort(), served);
});

for (const [who, authorization] of Object.entries(callers)) {
  describe(`59 for ${who}, hidden and missing are the same`, () => {
    after(() => open.assertUnharmed());
    for (const each of [...objectRoutes, ...uploadRoutes]) {
      test(nameOf(each), async () => {
        const isUpload = uploadRoutes.includes(each);
        const pairs = [...(each.ofBucket || isUpload ? [] : [insideFiles]), insideVault, betweenBuckets];

        for (const [there, absent] of pairs) {
          const hidden = await visible(each.ask(...there), authorization());
          const missing = await visible(each.ask(...absent), authorization());

          assert.deepEqual(hidden, missing, `${there.join('/')} and ${absent.join('/')}`);
        }
      });
    }
  });
}

describe('59 for whoever may, the same routes answer', () => {
  for (const each of objectRoutes.filter(({ allowed }) => allowed !== undefined)) {
    test(nameOf(each), async () => {
      for (const [bucket, name] of [insideFiles[0], insideVault[0]]) {
        const { path, ...init } = each.ask(bucket, name);
        const owner = await open.service.fetch(path, { ...init, as: 'olivia' });
        const service = await open.service.fetch(path, { ...init, as: 'service' });

        // The bucket of files belongs to nobody: its objects are their owners'.
        assert.deepEqual([owner.status, service.status], [each.allowed, each.allowed], `${bucket}/${name}`);
      }
    });
  }
});

describe('59 besides the matrix', () => {
  afterEach(() => open.assertUnharmed());
  test('59 a list shows nothing of what is hidden, neither names nor folders nor that there are any', async () => {
    await open.service.fetch('/storage/v1/object/files/hidden-folder/x', { as: 'olivia', method: 'POST', body: 'x' });
    await open.remember();
    for (const body of [{}, { search: 'hidden' }, { prefix: 'hidden-folder' }, { offset: 1 }, { limit: 1000 }]) {
      const listed = await open.send('POST', '/storage/v1/object/list/files', body, 'mallory');

      assert.deepEqual(await listed.json(), [], JSON.stringify(body));
    }
    const buckets = await (await open.service.fetch('/storage/v1/bucket', { as: 'mallory' })).text();
    assert.doesNotMatch(buckets, /vault/);
  });

  test('59 a taken name that is hidden is refused like any taken name, and its bytes stay', async () => {
    const answers = [];
    for (const { ask } of uploadRoutes) {
      const { path, ...init } = ask('files', 'hidden.png');
      answers.push(await open.service.fetch(path, { ...init, as: 'mallory' }));
    }

    for (const answer of answers) await assertRefused(answer, 409, 'object_exists');
    const still = await open.service.fetch('/storage/v1/object/files/hidden.png', { as: 'olivia' });
    assert.deepEqual(Buffer.from(await still.arrayBuffer()), picture);
  });

  test('59 what is public can be read by everybody, and changed by its owner alone', async () => {
    for (const [who, authorization] of Object.entries(callers)) {
      const headers = authorization() === undefined ? {} : { authorization: String(authorization()) };
      const read = await open.service.fetch('/storage/v1/object/public/plaza/shown.png', { headers });
      const put = await open.service.fetch('/storage/v1/object/plaza/shown.png', { headers, method: 'PUT', body: 'x' });
      const gone = await open.service.fetch('/storage/v1/object/plaza/shown.png', { headers, method: 'DELETE' });

      const expected = { anonymous: [200, 401, 401], 'another user': [200, 403, 403] }[who] ?? [401, 401, 401];
      assert.deepEqual([read.status, put.status, gone.status], expected, who);
    }
  });
});

interface UploadRequestRow {
  readonly id: string;
  readonly file_id: string;
}

/** An upload that olivia asked for, of which nobody else may learn. */
async function askedByOlivia(): Promise<UploadRequestRow> {
  const ask = { p_entity_type: 'cases', p_entity_id: '1', p_file_name: 'a.txt', p_file_type: 'text/plain' };
  const id = (await (await open.send('POST', '/rpc/request_upload_url', ask, 'olivia')).json()) as string;
  await until(async () => {
    const rows = (await (
      await open.send('GET', `/rpc/get_upload_url?p_request_id=${id}`, undefined, 'olivia')
    ).json()) as {
      readonly status: string;
    }[];
    return rows[0]?.status === 'completed';
  });
  const [row] = await open.database.query<UploadRequestRow>(
    'SELECT id, file_id FROM metadata.file_upload_requests WHERE id = $1',
    [id],
  );
  assert.ok(row);
  await open.remember();
  return row;
}

const nowhere = '00000000-0000-4000-8000-000000000000';

describe('69 and 70 upload requests', () => {
  afterEach(() => open.assertUnharmed());
  test('69 an upload request, its file and its URL are those of who asked', async () => {
    const { id, file_id } = await askedByOlivia();
    const record = (file: string, entity: string): object => ({
      p_id: file,
      p_entity_type: 'cases',
      p_entity_id: entity,
      p_file_name: 'a.txt',
      p_file_type: 'text/plain',
      p_file_size: 1,
      p_s3_bucket: 'civic-os-files',
      p_s3_original_key: 'x',
    });
    const calls: readonly ((real: boolean) => RouteRequest)[] = [
      (real) => ({ method: 'GET', path: `/rpc/get_upload_url?p_request_id=${real ? id : nowhere}` }),
      (real) => posted('get_upload_url', { p_request_id: real ? id : nowhere }),
      (real) => posted('create_file_record', record(real ? file_id : nowhere, '3')),
      (real) => posted('create_file_record', record(real ? file_id : nowhere, '1')),
      (real) => posted('delete_file_record', { p_file_id: real ? file_id : nowhere }),
    ];

    for (const [who, authorization] of Object.entries(callers)) {
      for (const call of calls) {
        const real = await visible(call(true), authorization());
        const missing = await visible(call(false), authorization());

        assert.deepEqual(real, missing, `${who}: ${call(true).path}`);
      }
    }
  });

  test('69 a file cannot be asked for an entity that is hidden, and hidden and missing entities are the same', async () => {
    const ask = (entity: string): RouteRequest =>
      posted('request_upload_url', {
        p_entity_type: 'cases',
        p_entity_id: entity,
        p_file_name: 'a.txt',
        p_file_type: 'text/plain',
      });

    for (const [who, authorization] of Object.entries(callers)) {
      const hidden = await visible(ask('1'), authorization());
      const missing = await visible(ask('2'), authorization());

      assert.deepEqual(hidden, missing, who);
      assert.ok([401, 403].includes((hidden as { readonly status: number }).status), who);
    }
  });

  test('70 nobody asks for a URL with a path in it, or without a token', async () => {
    const hostile = ['..', '../1', 'a/b', '.', '', 'a\u0000', 'x'.repeat(101), 'cases\n', '1 ', '%2e%2e', '/'];
    const ask = (type: string, id: string, changes: object = {}): object => ({
      p_entity_type: type,
      p_entity_id: id,
      p_file_name: 'a.txt',
      p_file_type: 'text/plain',
      ...changes,
    });

    for (const part of hostile) {
      for (const body of [ask(part, '3'), ask('cases', part)]) {
        await assertRefusedByFunction(await open.send('POST', '/rpc/request_upload_url', body, 'mallory'), 400);
        await assertRefusedByFunction(await open.send('POST', '/rpc/request_upload_url', body), 400);
      }
    }
    for (const changes of [
      { p_file_name: '' },
      { p_file_name: 'a\nb' },
      { p_file_type: 'image/png\n;x' },
      { p_file_type: 'x' },
    ]) {
      const answer = await open.send('POST', '/rpc/request_upload_url', ask('cases', '3', changes), 'mallory');
      await assertRefusedByFunction(answer, 400);
    }
    const anonymous = await open.send('POST', '/rpc/request_upload_url', ask('cases', '3'));
    await assertRefusedByFunction(anonymous, 401);
  });
});

function posted(name: string, body: object): RouteRequest {
  return {
    method: 'POST',
    path: `/rpc/${name}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** PostgREST's form of an error: a code, a message, and never details, which may name hidden rows. */
async function assertRefusedByFunction(answer: Response, status: number): Promise<void> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  const { code, message, details } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  assert.match(String(code), /^\w+$/);
  assert.equal(typeof message, 'string');
  assert.equal(details, null);
}
