/**
 * A small site for tests of URLs that the database signs: mallory's objects, files and requests beside victor's, with keys
 * but without bytes, and a connection on which statements are sent as anybody. Each is rolled back.
 */
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import { giveKeys, plainStore, withoutTriggers } from './presign-stores.ts';

export const uuid = (n: number): string => `00000000-0000-7000-8000-0000000000${n.toString(16).padStart(2, '0')}`;
type Ids<Name extends string> = Readonly<Record<Name, string>>;

export const versions: Ids<'own' | 'hidden' | 'shown' | 'purging' | 'thumb' | 'coming' | 'theirs'> = {
  own: uuid(1),
  hidden: uuid(2),
  shown: uuid(3),
  purging: uuid(4),
  thumb: uuid(5),
  coming: uuid(6),
  theirs: uuid(7),
};
export const objects: Ids<'own' | 'hidden' | 'shown' | 'purging'> = {
  own: uuid(0x11),
  hidden: uuid(0x12),
  shown: uuid(0x13),
  purging: uuid(0x14),
};
export const files: Ids<'own' | 'hidden'> = { own: uuid(0x21), hidden: uuid(0x22) };
export const requests: Ids<'own' | 'theirs'> = { own: uuid(0x31), theirs: uuid(0x32) };
/** Of the requests, in the same order. */
export const uploads: Ids<'own' | 'theirs'> = { own: uuid(0x41), theirs: uuid(0x42) };

const buckets = `INSERT INTO storage.buckets (id, owner_id, policy)
  VALUES ('mine', 'mallory', 'private'), ('theirs', 'victor', 'private'), ('open', 'victor', 'public')`;
const arrangement = `INSERT INTO storage.versions (id, backend, key, state, size, stored_at, expires_at, content_type) VALUES
    ('${versions.own}', 'disk', 'objects/own', 'stored', 1, now(), NULL, 'image/jpeg'),
    ('${versions.hidden}', 'disk', 'objects/hidden', 'stored', 1, now(), NULL, 'image/jpeg'),
    ('${versions.shown}', 'disk', 'objects/shown', 'stored', 1, now(), NULL, 'text/html'),
    ('${versions.purging}', 'disk', 'objects/purging', 'purging', 1, now(), now(), 'image/jpeg'),
    ('${versions.thumb}', 'disk', 'variants/hidden', 'stored', 1, now(), NULL, 'image/jpeg'),
    ('${versions.coming}', 'disk', 'issue/1/own/original.jpg', 'writing', NULL, NULL, now() + interval '30 minutes', NULL),
    ('${versions.theirs}', 'disk', 'issue/1/theirs/original.jpg', 'writing', NULL, NULL, now() + interval '1 day', NULL);
  INSERT INTO storage.objects (id, bucket_id, name, owner_id, version_id, size, content_type) VALUES
    ('${objects.own}', 'mine', 'a/own.jpg', 'mallory', '${versions.own}', 1, 'image/jpeg'),
    ('${objects.hidden}', 'theirs', 'secret.jpg', 'victor', '${versions.hidden}', 1, 'image/jpeg'),
    ('${objects.shown}', 'open', 'page.html', 'victor', '${versions.shown}', 1, 'text/html'),
    ('${objects.purging}', 'mine', 'going.jpg', 'mallory', '${versions.purging}', 1, 'image/jpeg');
  INSERT INTO storage.variants (source_version_id, preset, status, version_id)
    VALUES ('${versions.hidden}', 'small', 'completed', '${versions.thumb}');
  INSERT INTO metadata.files (id, entity_type, entity_id, file_name, file_type, file_size, s3_original_key, created_by, object_id) VALUES
    ('${files.own}', 'issue', '1', 'Own.jpg', 'image/jpeg', 1, 'objects/own', 'mallory', '${objects.own}'),
    ('${files.hidden}', 'issue', '2', 'Secret.jpg', 'image/jpeg', 1, 'objects/hidden', 'victor', '${objects.hidden}');
  INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at) VALUES
    ('${uploads.own}', '${versions.coming}', 'direct', 'files', 'x', 'authenticated', '{}', 1, false, now() + interval '30 minutes'),
    ('${uploads.theirs}', '${versions.theirs}', 'direct', 'files', 'y', 'authenticated', '{}', 1, false, now() + interval '1 day');
  INSERT INTO metadata.file_upload_requests (id, upload_id, entity_type, entity_id, file_name, file_type, s3_key, requested_by) VALUES
    ('${requests.own}', '${uploads.own}', 'issue', '1', 'a.jpg', 'image/jpeg', 'issue/1/own/original.jpg', 'mallory'),
    ('${requests.theirs}', '${uploads.theirs}', 'issue', '1', 'a.jpg', 'image/jpeg', 'issue/1/theirs/original.jpg', 'victor')`;

export type Outcome = { readonly code: string } | { readonly value: unknown };

/** How a statement is sent: as mallory in the role of people, unless said, after a first statement. */
export interface Sending {
  readonly role?: string;
  readonly sub?: string;
  readonly first?: string;
}

export interface PresignSite {
  readonly database: MigratedDatabase;
  /** As the login role of the API. */
  readonly client: pg.Client;
  /** Whatever the server said beside answers. */
  readonly notices: string[];
  /** The last value of the first row that a statement answers in a READ ONLY transaction, or why it is refused. */
  attempt(statement: string, sending?: Sending): Promise<Outcome>;
  stop(): Promise<void>;
}

/** Makes the database and connects. */
export async function startPresignSite(): Promise<PresignSite> {
  const database = await createMigratedDatabase();
  await giveKeys(database, plainStore);
  await database.query(buckets);
  await withoutTriggers(database, arrangement);
  const notices: string[] = [];
  const client = new pg.Client({ connectionString: database.apiUrl });
  client.on('notice', (notice) => notices.push(JSON.stringify({ ...notice, message: notice.message })));
  await client.connect();
  return {
    database,
    client,
    notices,
    attempt: (statement, sending = {}) => attempted(client, statement, sending),
    async stop() {
      await client.end();
      await database.drop();
    },
  };
}

async function attempted(client: pg.Client, statement: string, sending: Sending): Promise<Outcome> {
  const { role = 'authenticated', sub = 'mallory', first = 'SELECT' } = sending;
  await client.query('BEGIN READ ONLY');
  try {
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify({ sub, role }),
      role,
    ]);
    await client.query(first);
    const { rows } = await client.query({ text: statement, rowMode: 'array' });
    return { value: rows[0]?.at(-1) };
  } catch (error) {
    return { code: (error as { code: string }).code };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** A row that nobody has written, as SQL. */
export const row = (type: string, fields: Readonly<Record<string, unknown>>): string =>
  `jsonb_populate_record(NULL::${type}, '${JSON.stringify(fields)}')`;

/** The path of the URL that was answered; the outcome itself where it is none. */
export const keyIn = (outcome: Outcome): string =>
  'value' in outcome && typeof outcome.value === 'string' ? new URL(outcome.value).pathname : JSON.stringify(outcome);
