/**
 * What becomes of positions when somebody else is at work on what they belong to, and of those whose objects are copied, moved, overwritten or deleted, as those consent or not. It decodes nothing:
 * it says of texts where they were taken, as the job does that reads photographs. It needs the buckets `open` (always), `shy`
 * (never) and `roll` (with history) of `olivia`. Invariant: all that it asserts, it has seen otherwise before.
 */
import assert from 'node:assert/strict';
import pg from 'pg';
import { exifOfFile } from './photo-uploads.ts';
import type { Attacked, SqlCaller } from './standing.ts';

/** A position, as the job that reads a photo says it. */
export const facts: string = JSON.stringify({ location: { state: 'found', latitude: 1, longitude: 2 } });

/** What that job says it with. */
export const keepFacts: string = "SELECT storage_internal.keep_image_facts($1, 3, 2, 'jpeg', $2)";

const ann: SqlCaller = { role: 'authenticated', sub: 'ann' };
const olivia: SqlCaller = { role: 'authenticated', sub: 'olivia' };

/** What the positions are asked and told by. */
interface Positions {
  put(path: string, consents?: boolean): Promise<string>;
  to(action: 'copy' | 'move', source: string, target: string): Promise<void>;
  shown(version: string): Promise<boolean>;
  states(...versions: readonly string[]): Promise<string[]>;
  says(name: string, metadata: string): Promise<unknown>;
}

function positionsOf(attack: Attacked): Positions {
  const put = async (path: string, consents = true): Promise<string> => {
    const given = Buffer.from(`{"consent_location": ${consents}}`).toString('base64');
    const headers = { 'content-type': 'text/plain', 'x-metadata': given };
    const options = { as: 'olivia', method: 'PUT', body: path, headers };
    const answer = await attack.service.fetch(`/storage/v1/object/${path}`, options);
    assert.ok(answer.ok, await answer.text());
    const [row] = await attack.database.query<{ id: string }>(
      "SELECT version_id AS id FROM storage.objects WHERE concat(bucket_id, '/', name) = $1",
      [path],
    );
    assert.ok(row);
    await attack.database.query(keepFacts, [row.id, facts]);
    return row.id;
  };
  const to = async (action: 'copy' | 'move', source: string, target: string): Promise<void> => {
    const [bucketId, sourceKey] = source.split('/');
    const [destinationBucket, destinationKey] = target.split('/');
    const body = { bucketId, sourceKey, destinationBucket, destinationKey };
    assert.equal((await attack.send('POST', `/storage/v1/object/${action}`, body, 'olivia')).status, 200);
  };
  const shown = async (version: string) =>
    (await attack.sql(olivia, 'SELECT FROM storage.image_locations WHERE version_id = $1 AND latitude = 1', [version]))
      .length === 1;
  const states = async (...versions: readonly string[]) =>
    (
      await attack.database.query<{ state: string }>(
        'SELECT l.state FROM unnest($1::uuid[]) WITH ORDINALITY AS v (id, n) JOIN storage.image_locations AS l ON l.version_id = v.id ORDER BY n',
        [versions],
      )
    ).map(({ state }) => state);
  const says = (name: string, metadata: string) =>
    attack.sql(olivia, 'UPDATE storage.objects SET user_metadata = $2 WHERE name = $1', [name, metadata]);
  return { put, to, shown, states, says };
}

/** Asserts that no position is shown or kept for which nobody consents any more. */
export async function positionsEndWithConsent(attack: Attacked): Promise<void> {
  const { put, to, shown, states, says } = positionsOf(attack);
  const [moved, gone, first] = [await put('open/moved'), await put('open/gone', false), await put('roll/old')];
  const [second, mine, deleted] = [await put('roll/old'), await put('roll/mine'), await put('roll/deleted')];
  assert.deepEqual(await states(moved, gone, first, second, mine, deleted), Array(6).fill('found'));

  await to('move', 'open/moved', 'shy/moved');
  await to('copy', 'open/gone', 'roll/silent');
  assert.ok(await shown(gone));
  await attack.sql(olivia, "DELETE FROM storage.objects WHERE bucket_id = 'open' AND name = 'gone'");
  assert.deepEqual([await shown(moved), await shown(gone)], [false, false], 'at once');
  await attack.database.query("SELECT storage_internal.sweep_unreferenced('1 hour', 100000, 1000)");
  assert.deepEqual(await states(moved, gone), ['withheld', 'withheld'], 'with the next sweep');

  assert.deepEqual(await states(first, second), ['found', 'found'], 'an overwrite takes nothing back');
  await says('old', '{}');
  assert.deepEqual(await states(first, second), ['withheld', 'withheld'], 'also in history');

  await to('copy', 'roll/mine', 'open/theirs');
  await says('mine', '{}');
  await attack.database.query(keepFacts, [mine, facts]);
  assert.deepEqual(await states(mine), ['withheld'], 'also where a copy consents, and when it is read again');

  await attack.sql(olivia, "DELETE FROM storage.objects WHERE name = 'deleted'");
  assert.deepEqual(await states(deleted), ['found']);
  await attack.database.query("UPDATE storage.buckets SET locations = 'never' WHERE id = 'roll'");
  assert.deepEqual(await states(deleted), ['withheld'], 'also of what only history has');
}

/** Stores the position of ann's file for issue 12 while somebody holds all that a deletion locks, and places it afterwards. */
export async function placeBesideDeletion(attack: Attacked, file: string, version: string): Promise<void> {
  await attack.database.query('UPDATE public.issue SET latitude = NULL, longitude = NULL WHERE id = 12');
  await attack.database.query('DELETE FROM storage.image_metadata WHERE version_id = $1', [version]);
  await attack.database.query(
    `INSERT INTO storage.location_requests (file_id, version_id, caller_role, caller_claims, created_at)
     VALUES ($1, $2, 'authenticated', '{"sub": "ann"}', now() - interval '1 hour')`,
    [file, version],
  );
  const [person, worker] = [attack.database.url, attack.database.workerUrl].map(
    (url) => new pg.Client({ connectionString: url, statement_timeout: 5000 }),
  );
  assert.ok(person && worker);
  await Promise.all([person.connect(), worker.connect()]);
  const place = () => worker.query('SELECT storage_internal.place_image($1)', [version]);
  await person.query('BEGIN');
  await person.query('SELECT FROM public.issue WHERE id = 12 FOR UPDATE');
  await person.query('SELECT FROM metadata.files WHERE id = $1 FOR UPDATE', [file]);
  await person.query('SELECT FROM storage.objects WHERE version_id = $1 FOR UPDATE', [version]);

  const kept = await worker.query<{ keep_image_facts: boolean }>(keepFacts, [version, facts]);
  const before = await exifOfFile(attack, ann, file);
  await place();
  const during = await exifOfFile(attack, ann, file);
  await person.query('ROLLBACK');
  const due = await worker.query<{ id: string }>('SELECT id FROM storage_internal.images_to_place(20) AS id');
  await place();

  await Promise.all([person.end(), worker.end()]);
  assert.equal(kept.rows[0]?.keep_image_facts, true);
  assert.equal(before?.status, 'pending', 'who polls is told when all is done');
  assert.deepEqual([during?.status, during?.location_status, during?.location_applied], ['extracted', 'found', null]);
  assert.deepEqual(due.rows, [{ id: version }]);
  assert.equal((await exifOfFile(attack, ann, file))?.location_applied, 'applied');
}
