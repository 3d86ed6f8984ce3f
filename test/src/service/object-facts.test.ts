/** What is known of objects and told to a view of them: how many there are, what a photo says, what is said of one, a choice as a ZIP. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startService, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';

let service: TestService;

before(async () => {
  service = await startService();
  await made('home', { policy: 'private' });
  await made('club', { policy: 'authenticated' });
});
after(() => service.stop());

async function made(name: string, settings: Record<string, unknown>): Promise<void> {
  assert.equal((await send('POST', 'bucket', { name, ...settings })).status, 201);
}

function send(method: string, path: string, json: unknown, as = 'ann'): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return service.fetch(`/storage/v1/${path}`, { as, method, headers, body: JSON.stringify(json) });
}

async function put(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<void> {
  const bytes = new Uint8Array(Buffer.from(body));
  const init = { as: 'ann', method: 'POST', headers: { 'content-type': 'text/plain', ...headers }, body: bytes };
  assert.equal((await service.fetch(`/storage/v1/object/${path}`, init)).status, 201);
}

function metadata(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

async function count(bucket: string, body: Record<string, unknown>, as = 'ann'): Promise<unknown> {
  return (await send('POST', `object/count/${bucket}`, body, as)).json();
}

test('entries are counted as they are listed: folders once, by a part of a name, and only what one sees', async () => {
  for (const name of ['a', 'b/1', 'b/2', 'b-c/3', 'c', 'd/e/f']) await put(`home/counted/${name}`, name);
  const folder = { prefix: 'counted/' };

  const all = await count('home', folder);
  const below = await count('home', { ...folder, recursive: true });
  const searched = await count('home', { ...folder, search: 'B' });
  const stranger = await send('POST', 'object/count/home', folder, 'bob');

  assert.deepEqual(all, { count: 5, complete: true });
  assert.deepEqual(below, { count: 6, complete: true });
  assert.deepEqual(searched, { count: 2, complete: true });
  assert.equal(stranger.status, 404);
});

test('a count and a listing with an offset go beyond what doubling a number reaches', async () => {
  await service.database.query(`
    BEGIN;
    SET LOCAL session_replication_role = replica;
    INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type, metadata)
      SELECT o.bucket_id, 'long/' || lpad(n::text, 6, '0'), o.owner_id, o.version_id, o.size, o.content_type, o.metadata
      FROM storage.objects AS o, generate_series(1, 30000) AS n WHERE o.name = 'counted/a';
    COMMIT`);

  const counted = await count('home', { prefix: 'long' });
  const page = await send('POST', 'object/list/home', { prefix: 'long', offset: 29_999, limit: 10 });

  assert.deepEqual(counted, { count: 30_000, complete: true });
  assert.deepEqual(
    ((await page.json()) as { name: string }[]).map(({ name }) => name),
    ['030000'],
  );
});

/** A photo that says where and with what it was taken. */
function photo(): Promise<Buffer> {
  return sharp({ create: { width: 60, height: 40, channels: 3, background: 'teal' } })
    .withExif({
      IFD0: { Make: 'Acme', Model: 'One' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '51/1 30/1 0/1',
        GPSLongitudeRef: 'W',
        GPSLongitude: '0/1 7/1 30/1',
      },
    })
    .jpeg()
    .toBuffer();
}

interface Facts {
  readonly camera_make?: string | null;
  readonly width: number | null;
  readonly read_at: string | null;
  readonly location: { readonly state: string | null; readonly latitude?: number | null };
}

async function facts(path: string, as?: string): Promise<Facts & { readonly reason?: string }> {
  return (await (await service.fetch(`/storage/v1/object/facts/${path}`, { as })).json()) as Facts;
}

test('a photo is described to who may read it, and its place to who may see that', async () => {
  const consent = { 'content-type': 'image/jpeg', 'x-metadata': metadata({ consent_location: true }) };
  await put('club/photo.jpg', await photo(), consent);
  await put('home/photo.jpg', await photo(), consent);
  for (const path of ['club/photo.jpg', 'home/photo.jpg']) {
    await until(async () => (await facts(path, 'ann')).read_at !== null, { what: 'the photo was read' });
  }

  const own = await facts('club/photo.jpg', 'ann');
  const member = await facts('club/photo.jpg', 'bob');
  const stranger = await facts('home/photo.jpg', 'bob');
  const nobody = await facts('home/photo.jpg');

  assert.deepEqual(
    [own.camera_make, own.width, own.location.state, own.location.latitude],
    ['Acme', 60, 'found', 51.5],
  );
  assert.deepEqual([member.camera_make, member.location.state, member.location.latitude], ['Acme', 'hidden', null]);
  assert.equal(stranger.reason, 'bucket_not_found');
  assert.equal(nobody.reason, 'auth_required');
});

test('without a token a public picture has its size and no camera', async () => {
  await made('gallery', { policy: 'public' });
  await put('gallery/photo.jpg', await photo(), { 'content-type': 'image/jpeg' });
  await until(async () => (await facts('gallery/photo.jpg', 'ann')).read_at !== null, { what: 'the photo was read' });

  const nobody = await facts('gallery/photo.jpg');

  assert.equal(nobody.width, 60);
  assert.ok(!('camera_make' in nobody));
  assert.equal(nobody.location.state, null);
});

test('what is no image has no facts, and is there', async () => {
  const said = await facts('home/counted/a', 'ann');

  assert.deepEqual([said.width, said.read_at, said.location.state], [null, null, null]);
});

interface Info {
  readonly version: string;
  readonly metadata: unknown;
  readonly cache_control: string;
  readonly reason?: string;
}

test('what is said of an object is changed by who may overwrite it, and its version stays', async () => {
  await put('home/said.txt', 'x', { 'x-metadata': metadata({ a: 1 }) });
  await put('club/said.txt', 'x');
  const before = (await (await service.fetch('/storage/v1/object/info/home/said.txt', { as: 'ann' })).json()) as Info;

  const changed = await send('PATCH', 'object/info/home/said.txt', { metadata: { b: [2] }, version: before.version });
  const after = (await changed.json()) as Info;
  const cached = await send('PATCH', 'object/info/home/said.txt', { cache_control: 'max-age=60' });
  const stale = '01900000-0000-7000-8000-000000000000';
  const other = await send('PATCH', 'object/info/home/said.txt', { metadata: {}, version: stale });
  const stranger = await send('PATCH', 'object/info/home/said.txt', { metadata: {} }, 'bob');
  const empty = await send('PATCH', 'object/info/home/said.txt', {});

  assert.deepEqual([after.metadata, after.version], [{ b: [2] }, before.version]);
  const last = (await cached.json()) as Info;
  assert.deepEqual([last.metadata, last.cache_control], [{ b: [2] }, 'max-age=60']);
  assert.deepEqual([other.status, stranger.status, empty.status], [412, 404, 400]);
});

test('who may read an object and not change it is refused by name', async () => {
  await made('open', { policy: 'public' });
  await put('open/said.txt', 'x');

  const refused = await send('PATCH', 'object/info/open/said.txt', { metadata: { mine: true } }, 'bob');

  assert.equal(refused.status, 403);
  const info = (await (await service.fetch('/storage/v1/object/info/open/said.txt', { as: 'ann' })).json()) as Info;
  assert.deepEqual(info.metadata, {});
});

async function namesIn(answer: Response): Promise<readonly string[]> {
  const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
  // Names stand in the central directory, behind its signature and 42 bytes more.
  return text
    .split('PK\x01\x02')
    .slice(1)
    .map((entry) => entry.slice(42, 42 + entry.charCodeAt(24) + 256 * entry.charCodeAt(25)));
}

test('a choice of files and folders comes as one archive, named behind the folder that they share', async () => {
  for (const name of ['x/y/1.txt', 'x/y/2.txt', 'x/y/z/3.txt', 'x/y/z/4.txt', 'x/other.txt'])
    await put(`home/${name}`, name);

  const zip = await send('POST', 'object/zip/home', { names: ['x/y/1.txt'], folders: ['x/y/z/', 'x/y/none'] });
  const twice = await send('POST', 'object/zip/home', {
    names: ['x/y/1.txt', 'x/y/1.txt', 'x/y/z/3.txt'],
    folders: ['x/y/z', 'x/y/z/', 'x/y/z/deeper'],
  });
  const nothing = await send('POST', 'object/zip/home', { names: [] });
  const stranger = await send('POST', 'object/zip/home', { names: ['x/y/1.txt'] }, 'bob');

  assert.deepEqual([...(await namesIn(zip))].sort(), ['1.txt', 'z/3.txt', 'z/4.txt']);
  assert.deepEqual([...(await namesIn(twice))].sort(), ['1.txt', 'z/3.txt', 'z/4.txt']);
  assert.deepEqual([nothing.status, stranger.status], [400, 404]);
});
