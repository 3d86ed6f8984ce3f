/**
 * What photographs say of people: positions, names, cameras. Row 120 of the list of attacks, and what must work for those
 * who consented. Real photographs, as far as code can make them, through the whole service.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createWorker, defaultQueues, defaultSchemaNames } from '@rowlock/server';
import { assertInvariants, until } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';
import { drawn, scene } from '../../../packages/server/dist/imaging/sample-images.js';
import { exifOfFile, photo, uploadPhoto, versionOfFile } from './photo-uploads.ts';
import { facts, keepFacts, placeBesideDeletion, positionsEndWithConsent } from './position-ends.ts';
import { type Attacked, attacked, type SqlCaller, sqlStateOf } from './standing.ts';

let attack: Attacked;

const ann: SqlCaller = { role: 'authenticated', sub: 'ann' };
const bob: SqlCaller = { role: 'authenticated', sub: 'bob' };
const anon: SqlCaller = { role: 'anon' };

before(async () => {
  attack = await attacked();
  await attack.database.query(`
    CREATE TABLE public.issue (id int PRIMARY KEY, owner text, latitude numeric(9, 6), longitude numeric(9, 6),
      CONSTRAINT issue_9_is_nowhere CHECK (id <> 9 OR latitude IS NULL));
    CREATE TABLE public.walk (id int PRIMARY KEY, start point);
    ALTER TABLE public.issue ENABLE ROW LEVEL SECURITY;
    CREATE POLICY read ON public.issue FOR SELECT TO authenticated USING (true);
    CREATE POLICY change ON public.issue FOR UPDATE TO authenticated USING (owner = storage.claim('sub'));
    GRANT SELECT, UPDATE (latitude, longitude) ON public.issue TO authenticated;
    GRANT SELECT, UPDATE ON public.walk TO authenticated;
    INSERT INTO public.issue (id, owner, latitude, longitude) VALUES
      (1, 'ann', NULL, NULL), (2, 'ann', 1.5, 2.5), (3, 'bob', NULL, NULL), (4, 'ann', NULL, NULL), (9, 'ann', NULL, NULL),
      (10, 'ann', NULL, NULL), (11, 'ann', NULL, NULL), (12, 'ann', NULL, NULL);
    CREATE FUNCTION public.issue_refuses() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = TG_ARGV[0]; END$$;
    CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON public.issue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 10)
      EXECUTE FUNCTION public.issue_refuses('23514');
    CREATE TRIGGER slow BEFORE UPDATE ON public.issue FOR EACH ROW WHEN (NEW.id = 11)
      EXECUTE FUNCTION public.issue_refuses('57014');
    INSERT INTO public.walk VALUES (1, NULL);
    SELECT storage.attach_entity('public.issue'), storage.attach_entity('public.walk');
    SELECT storage.locate_entities('issue', latitude_column => 'latitude', longitude_column => 'longitude');
    SELECT storage.locate_entities('walk', 'start', only_if_null => false);
    INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia');
    INSERT INTO storage.buckets (id, owner_id, locations) VALUES ('shy', 'olivia', 'never'), ('open', 'olivia', 'always');
    INSERT INTO storage.buckets (id, owner_id, versioning) VALUES ('roll', 'olivia', 'on')`);
});
after(async () => {
  await attack.settle();
  await assertInvariants(attack.service);
  await attack.stop();
});

const exifOf = (caller: SqlCaller, file: string) => exifOfFile(attack, caller, file);
const uploaded = (type: string, id: number, bytes: Buffer, consent = true): Promise<string> =>
  uploadPhoto(attack, { uploader: ann, type, id, bytes, consent });

async function issue(id: number): Promise<[latitude: string | null, longitude: string | null]> {
  const [row] = await attack.database.query<{ latitude: string | null; longitude: string | null }>(
    'SELECT latitude, longitude FROM public.issue WHERE id = $1',
    [id],
  );
  return [row?.latitude ?? null, row?.longitude ?? null];
}

test('120 with consent a photo says where its entity is, as its uploader and where nobody said so by hand', async () => {
  const bytes = await photo();

  const files = await Promise.all([1, 2, 3, 9, 10, 11].map((id) => uploaded('issue', id, bytes)));

  assert.deepEqual(await issue(1), ['51.508000', '7.000000']);
  assert.deepEqual(await issue(2), ['1.500000', '2.500000']);
  assert.deepEqual(await issue(3), [null, null], "another's row");
  assert.deepEqual(await issue(9), [null, null], 'its table refuses it');
  assert.deepEqual(await issue(10), [null, null], 'its table refuses it at the end of the transaction');
  assert.deepEqual(await issue(11), [null, null], 'its table takes too long');
  const exifs = await Promise.all(files.map((file) => exifOf(ann, file)));
  assert.deepEqual(
    exifs.map((exif) => exif?.location_applied),
    ['applied', 'kept', 'refused', 'failed', 'failed', 'failed'],
  );
  assert.deepEqual(exifs[0]?.exif_data, {
    latitude: 51.508,
    longitude: 7,
    altitude: null,
    accuracy: null,
    timestamp: '2024-05-17T10:11:12+02:00',
    make: 'Acme',
    camera: 'Acme One',
    lens: null,
    orientation: 1,
    width: 320,
    height: 240,
  });
  const left = await attack.database.query('SELECT FROM storage.location_requests');
  assert.equal(left.length, 0, 'nobody is waited for');
});

test('120 without consent a position is neither stored nor applied, and a photo without one ends the poll as well', async () => {
  const [silent, plain] = await Promise.all([
    uploaded('issue', 4, await photo(), false),
    uploaded('issue', 4, await photo(0, false)),
  ]);

  assert.deepEqual(
    [(await exifOf(ann, silent))?.location_status, (await exifOf(ann, plain))?.location_status],
    ['withheld', 'none'],
  );
  assert.equal((await exifOf(ann, silent))?.exif_data?.['latitude'], null);
  assert.deepEqual(await issue(4), [null, null]);
  const kept = await attack.database.query(
    'SELECT FROM storage.image_locations WHERE state <> $1 AND latitude IS NULL AND version_id IN (SELECT version_id FROM storage.objects AS o JOIN metadata.files AS f ON f.object_id = o.id WHERE f.id = ANY ($2))',
    ['found', [silent, plain]],
  );
  assert.equal(kept.length, 2);
  await attack.database.query(
    'UPDATE storage.image_metadata SET read_at = NULL WHERE version_id = $1', // as if the job that was to read it had been discarded
    [await versionOfFile(attack, silent)],
  );
  await attack.sql(ann, 'SELECT public.set_location_consent($1, true)', [silent]);
  await until(async () => (await exifOf(ann, silent))?.location_status === 'found', {
    what: 'the photo was read again',
  });
});

test('120 a later photo moves what an earlier one placed, and nothing that was moved by hand', async () => {
  const start = async () =>
    (await attack.database.query<{ start: { x: number; y: number } }>('SELECT start FROM public.walk'))[0]?.start;

  await uploaded('walk', 1, await photo(7));
  const before = await start();
  await uploaded('walk', 1, await photo(8));
  const later = await start();
  await attack.database.query('UPDATE public.walk SET start = point(1, 2)');
  await uploaded('walk', 1, await photo(9));

  assert.deepEqual(
    [before, later, await start()],
    [
      { x: 7, y: 51.508 },
      { x: 8, y: 51.508 },
      { x: 1, y: 2 },
    ],
  );
});

test('120 a position is told to whoever uploaded it and nobody else, and deleted at once when they take their consent back', async () => {
  const file = await uploaded('issue', 1, await photo());

  const told = await exifOf(bob, file);

  assert.deepEqual([told?.status, told?.location_status, told?.exif_data?.['latitude']], ['extracted', 'hidden', null]);
  assert.equal((await attack.sql(bob, 'SELECT latitude FROM storage.image_locations')).length, 0);
  assert.ok((await attack.sql(ann, "SELECT latitude FROM storage.image_locations WHERE state = 'found'")).length > 0);
  for (const statement of [
    'SELECT version_id FROM storage.image_locations',
    'SELECT camera_model FROM storage.image_metadata',
    'SELECT taken_at FROM storage.image_metadata',
    'SELECT * FROM storage.image_metadata',
    'SELECT * FROM storage.cameras',
    `SELECT public.get_file_exif('${file}')`,
    `SELECT public.set_location_consent('${file}', true)`,
    'SELECT * FROM storage.location_requests',
    'SELECT * FROM storage.located_entities',
  ]) {
    assert.equal(await sqlStateOf(attack.sql(anon, statement)), '42501', statement);
  }
  for (const table of ['location_requests', 'located_entities', 'entity_locations']) {
    assert.equal(await sqlStateOf(attack.sql(ann, `SELECT * FROM storage.${table}`)), '42501', table);
  }
  const columns = await attack.database.query<{ column: string }>(
    `SELECT column_name AS column FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name IN ('files', 'storage_objects', 'storage_object_versions')`,
  );
  assert.doesNotMatch(columns.map(({ column }) => column).join(), /exif|latitude|longitude|camera|taken/);

  const withdraw = (caller: SqlCaller, id = file) =>
    attack.sql(caller, 'SELECT public.set_location_consent($1, false)', [id]);

  assert.equal(await sqlStateOf(withdraw(bob)), '42501');
  assert.equal(await sqlStateOf(withdraw(ann, '00000000-0000-4000-8000-000000000000')), 'P0002');
  assert.equal((await exifOf(ann, file))?.location_status, 'found');
  await withdraw(ann);

  const exif = await exifOf(ann, file);
  assert.deepEqual(
    [exif?.location_status, exif?.exif_data?.['latitude'], exif?.exif_data?.['longitude']],
    ['withheld', null, null],
  );
});

test('120 consent that is being taken back while the photo is read is waited for', async () => {
  const file = await uploaded('issue', 1, await photo());
  const version = await versionOfFile(attack, file);
  await attack.database.query('DELETE FROM storage.image_metadata WHERE version_id = $1', [version]);
  const [person, worker] = [attack.database.url, attack.database.workerUrl].map(
    (url) => new pg.Client({ connectionString: url }),
  );
  assert.ok(person && worker);
  await Promise.all([person.connect(), worker.connect()]);

  await person.query('BEGIN');
  await person.query('UPDATE metadata.files SET consent_location = false WHERE id = $1', [file]);
  const storing = worker.query(keepFacts, [version, facts]);
  const waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%keep_image_facts%'";
  await until(async () => (await attack.database.query(waits)).length > 0, { what: 'the worker waits' });
  await person.query('COMMIT');
  await storing;
  await Promise.all([person.end(), worker.end()]);

  assert.equal((await exifOf(ann, file))?.location_status, 'withheld');
});

test('120 whoever is deleting a file or what it belongs to is not waited for, and the position is written later', async () => {
  const file = await uploaded('issue', 12, await photo());

  await placeBesideDeletion(attack, file, await versionOfFile(attack, file));

  assert.deepEqual(await issue(12), ['1.000000', '2.000000']);
});

test('120 no position outlives the consent to it in a copy, in history or in another bucket', () =>
  positionsEndWithConsent(attack));

test('120 of objects the user metadata consents, for these bytes, unless their bucket keeps no positions', async () => {
  const consent = Buffer.from('{"consent_location": true}').toString('base64');
  const put = async (path: string, headers: Record<string, string>): Promise<void> => {
    const body = new Uint8Array(await photo());
    const answer = await attack.service.fetch(`/storage/v1/object/${path}`, {
      as: 'olivia',
      method: 'PUT',
      body,
      headers: { 'content-type': 'image/jpeg', ...headers },
    });
    assert.ok(answer.ok, await answer.text());
  };
  const state = async (path: string): Promise<string | undefined> => {
    const [row] = await attack.sql<{ state: string }>(
      { role: 'authenticated', sub: 'olivia' },
      "SELECT l.state FROM storage.objects AS o JOIN storage.image_locations AS l USING (version_id) WHERE concat(o.bucket_id, '/', o.name) = $1",
      [path],
    );
    return row?.state;
  };

  await Promise.all([
    put('photos/yes.jpg', { 'x-metadata': consent }),
    put('photos/no.jpg', {}),
    put('shy/yes.jpg', { 'x-metadata': consent }),
    put('photos/replaced.jpg', { 'x-metadata': consent }).then(() => put('photos/replaced.jpg', {})),
  ]);
  const names = ['photos/yes.jpg', 'photos/no.jpg', 'shy/yes.jpg', 'photos/replaced.jpg'];
  await until(async () => (await Promise.all(names.map(state))).every(Boolean), { what: 'all were read' });

  assert.deepEqual(await Promise.all(names.map(state)), ['found', 'withheld', 'withheld', 'withheld']);
  await attack.database.query("UPDATE storage.buckets SET locations = 'never' WHERE id = 'photos'");
  assert.equal(await state('photos/yes.jpg'), 'withheld');
});

test('120 a preset gives a copy of the original that says nothing, with the same pixels, where one can be made', async () => {
  await attack.database.query(`
    INSERT INTO storage.variant_presets (preset_set, name, format) VALUES ('web', 'public', 'stripped');
    INSERT INTO storage.variant_presets (preset_set, name, width, height) VALUES ('web', 'small', 50, 50);
    INSERT INTO storage.buckets (id, owner_id, preset_set) VALUES ('web', 'olivia', 'web')`);
  const original = await sharp(await photo())
    .withMetadata({ orientation: 6 })
    .keepExif()
    .jpeg()
    .toBuffer();
  const files = {
    'photo.jpg': original,
    'drawing.gif': await drawn(scene(60, 40)).gif().toBuffer(),
    // Shown, and not to be taken apart: it breaks off inside of a segment behind its scans.
    'broken.jpg': Buffer.concat([original.subarray(0, -2), Buffer.from([0xff, 0xe5, 0, 80, 0])]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const type = `image/${name.slice(-3).replace('jpg', 'jpeg')}`;
    const headers = { 'content-type': type };
    const path = `/storage/v1/object/web/${name}`;
    assert.ok(
      (await attack.service.fetch(path, { as: 'olivia', method: 'PUT', body: new Uint8Array(bytes), headers })).ok,
    );
  }
  const render = (name: string, preset: string) =>
    attack.service.fetch(`/storage/v1/render/image/authenticated/web/${name}?preset=${preset}`, { as: 'olivia' });
  await until(async () => (await render('photo.jpg', 'public')).status === 200, { what: 'the copy is there' });
  await until(async () => (await render('drawing.gif', 'small')).status === 200, { what: 'the thumbnail is there' });

  const answer = await render('photo.jpg', 'public');

  const copy = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.headers.get('content-type'), 'image/jpeg');
  for (const sign of ['Acme', 'Photographer', '2024:05:17'])
    assert.ok(original.includes(sign) && !copy.includes(sign), sign);
  const [before, after] = await Promise.all([original, copy].map((file) => sharp(file).autoOrient().raw().toBuffer()));
  assert.ok(before && after?.equals(before));
  assert.ok((await render('drawing.gif', 'public')).status >= 400, 'of a GIF none can be made');
  await until(async () => (await render('broken.jpg', 'public')).status >= 400, { what: 'the copy is given up' });
  assert.equal((await render('broken.jpg', 'small')).status, 200, 'only the copy fails');
});

test('a column of PostGIS is written by functions of its schema, with its system of coordinates', async () => {
  // An imitation: PostGIS is not installed here. Its types and the two functions that are called have these names.
  await attack.database.query(`
    CREATE SCHEMA gis;
    CREATE TYPE gis.geometry AS (x double precision, y double precision, srid integer);
    CREATE FUNCTION gis.st_makepoint(double precision, double precision) RETURNS gis.geometry LANGUAGE sql
      RETURN ROW($1, $2, 0)::gis.geometry;
    CREATE FUNCTION gis.st_setsrid(gis.geometry, integer) RETURNS gis.geometry LANGUAGE sql
      RETURN ROW(($1).x, ($1).y, $2)::gis.geometry;
    GRANT USAGE ON SCHEMA gis TO authenticated;
    CREATE TABLE public.place (id uuid PRIMARY KEY, location gis.geometry);
    GRANT SELECT, UPDATE ON public.place TO authenticated;
    INSERT INTO public.place VALUES ('00000000-0000-4000-8000-000000000001', NULL);
    SELECT storage.attach_entity('public.place'), storage.locate_entities('place', 'location')`);
  const locate = (id: string) =>
    attack.sql(ann, "SELECT storage.locate_entity('place', $1, 51.5, -0.25) AS outcome", [id]);
  const known = '00000000-0000-4000-8000-000000000001';

  const outcomes = [await locate(known), await locate(known), await locate('00000000-0000-4000-8000-000000000002')];

  assert.deepEqual(outcomes.flat(), [{ outcome: 'applied' }, { outcome: 'kept' }, { outcome: 'refused' }]);
  const [row] = await attack.database.query('SELECT location::text FROM public.place');
  assert.deepEqual(row, { location: '(-0.25,51.5,4326)' });
  const wrong = attack.database.query("SELECT storage.locate_entities('place', 'id')");
  assert.equal(await sqlStateOf(wrong), '42804', 'a column of another type takes no position');
});

test('R84 no worker starts where a bucket is to be kept in a region that its store is not known to be in', async () => {
  const { config, database } = attack.service;
  await attack.database.query("UPDATE storage.buckets SET region = 'eu-central-1' WHERE id = 'shy'");

  const starting = createWorker({
    database: { ...config.database, url: database.workerUrl },
    backend: config.backend,
    names: defaultSchemaNames,
    queues: defaultQueues,
    sweep_interval_seconds: 3600,
    stop_timeout_ms: 5000,
  });

  await assert.rejects(
    starting,
    /elsewhere: "shy" in eu-central-1, and its backend "disk" is in no region that is known/,
  );
  assert.equal(await sqlStateOf(attack.sql(ann, "UPDATE storage.buckets SET region = 'here'")), '42501');
});

test('near duplicates are found among what the caller sees, whatever their size', async () => {
  const picture = () => drawn(scene(600, 400));
  const olivia: SqlCaller = { role: 'authenticated', sub: 'olivia' };
  const files: Readonly<Record<string, Buffer>> = {
    'one.jpg': await picture().jpeg().toBuffer(),
    'two.png': await picture().resize(200).png().toBuffer(),
    'other.jpg': await picture().flop().negate().jpeg().toBuffer(),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const answer = await attack.service.fetch(`/storage/v1/object/photos/like/${name}`, {
      as: 'olivia',
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: { 'content-type': `image/${name.slice(-3).replace('jpg', 'jpeg')}` },
    });
    assert.ok(answer.ok);
  }
  const read =
    "SELECT FROM storage.image_metadata AS m JOIN storage.objects AS o USING (version_id) WHERE o.name LIKE 'like/%'";
  await until(async () => (await attack.database.query(read)).length === 3, { what: 'all were read' });
  const like = (caller: SqlCaller) =>
    attack.sql<{ name: string; bits: number; same_bytes: boolean }>(
      caller,
      "SELECT s.* FROM storage.objects AS o, storage.similar_images(o.id) AS s WHERE o.name = 'like/one.jpg'",
    );

  const found = (await like(olivia)).filter(({ name }) => name.startsWith('like/'));

  assert.deepEqual(
    found.map(({ name, same_bytes }) => [name, same_bytes]),
    [['like/two.png', false]],
  );
  assert.deepEqual(await like(bob), []);
  assert.equal(await sqlStateOf(attack.sql(bob, 'SELECT * FROM storage_internal.similar_versions(NULL, 1)')), '42501');
  const [theirs, hers] = await Promise.all(
    [bob, olivia].map((caller) =>
      attack.sql<{ camera_model: string; images: string }>(caller, 'SELECT * FROM storage.cameras'),
    ),
  );
  assert.deepEqual([theirs?.length, hers?.[0]?.camera_model], [1, 'Acme One']);
  assert.ok(Number(hers?.[0]?.images) > Number(theirs?.[0]?.images), 'also pictures that bob does not see');
});
