/**
 * What is to be known of a deployed system before it is adopted, and how far an adoption has come. It only reads, with
 * whatever rights it has, and works on databases that are nothing of the kind.
 */
import type pg from 'pg';

/** The names of an adoption. */
export interface AdoptNames {
  /** Their schema: files, upload requests and River's tables. */
  readonly metadata: string;
  /** Our own schema for the same, beside it. */
  readonly own: string;
  /** Where our functions and views are put that would be exposed. */
  readonly api: string;
  readonly anon: string;
  readonly authenticated: string;
  readonly service_role: string;
  /** The bucket of their files. */
  readonly bucket: string;
}

export interface AdoptedTable {
  readonly name: string;
  readonly is_there: boolean;
  readonly is_table: boolean;
  readonly owner: string | null;
  /** Whether we have the owner's rights. */
  readonly is_owned: boolean;
  readonly columns: readonly string[];
}

export interface AdoptedFunction {
  readonly table_name: string;
  readonly schema: string;
  readonly name: string;
  /** Such as `metadata.insert_s3_presign_job()`. */
  readonly signature: string;
  readonly is_owned: boolean;
  readonly is_definer: boolean;
  /** As PostgreSQL prints it: what recreates it. */
  readonly definition: string;
  readonly source: string;
}

export interface AdoptFacts {
  readonly server_version_num: number;
  readonly role: string;
  readonly is_superuser: boolean;
  readonly creates_roles: boolean;
  readonly owns_database: boolean;
  /** Of all roles that are needed, those that are not there. */
  readonly roles_missing: readonly string[];
  /** Application roles that we may not grant to our login roles, and that are not granted yet. */
  readonly roles_ungrantable: readonly string[];
  /** A schema of one of our names that is not ours. */
  readonly schemas_taken: readonly string[];
  readonly tables: readonly AdoptedTable[];
  readonly functions: readonly AdoptedFunction[];
  readonly has_records: boolean;
  readonly has_column: boolean;
  /** Not one that an interruption left behind. */
  readonly has_index: boolean;
  readonly has_trigger: boolean;
  /** Transactions that have run for more than a minute: a change of a table waits for them. */
  readonly long_transactions: readonly {
    readonly pid: number;
    readonly seconds: number;
    readonly application: string;
  }[];
}

/** The tables that an adoption needs. */
const adoptedTables: readonly string[] = ['files', 'file_upload_requests', 'river_job', 'river_queue', 'river_leader'];

/** $1: their schema. $2: application roles. $3: all roles. $4: our schemas. */
const facts = `SELECT current_setting('server_version_num')::int AS server_version_num, current_user::text AS role,
  r.rolsuper AS is_superuser, r.rolcreaterole AS creates_roles,
  (SELECT pg_has_role(d.datdba, 'USAGE') FROM pg_database AS d WHERE d.datname = current_database()) AS owns_database,
  ARRAY(SELECT w FROM unnest($3::text[]) AS w WHERE NOT EXISTS (SELECT FROM pg_roles AS x WHERE x.rolname = w)) AS roles_missing,
  ARRAY(SELECT x.rolname::text FROM pg_roles AS x
    WHERE x.rolname = ANY ($2::text[]) AND NOT pg_has_role(current_user, x.oid, 'MEMBER WITH ADMIN OPTION')
      AND EXISTS (SELECT FROM unnest(ARRAY['rowlock_authenticator', 'rowlock_worker']) AS l WHERE NOT EXISTS (
        SELECT FROM pg_auth_members AS m JOIN pg_roles AS y ON y.oid = m.member WHERE m.roleid = x.oid AND y.rolname = l))
    ORDER BY 1) AS roles_ungrantable,
  ARRAY(SELECT n.nspname::text FROM pg_namespace AS n JOIN pg_roles AS o ON o.oid = n.nspowner
    WHERE n.nspname = ANY ($4::text[]) AND o.rolname <> 'rowlock_owner' AND NOT (n.nspname = ($4::text[])[1] AND pg_has_role(n.nspowner, 'USAGE'))
    ORDER BY 1) AS schemas_taken,
  to_regclass('rowlock_adopt.bodies') IS NOT NULL AS has_records,
  EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = f.oid AND a.attname = 'object_id' AND NOT a.attisdropped) AS has_column,
  EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = f.oid AND c.relname = 'files_rowlock_object_id_idx' AND i.indisvalid) AS has_index,
  EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = f.oid AND t.tgname = 'rowlock_files_deleted') AS has_trigger
FROM pg_roles AS r LEFT JOIN (
  SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'files'
) AS f ON true
WHERE r.rolname = current_user`;

/** $1: their schema. $2: tables. */
const tables = `SELECT w AS name, c.oid IS NOT NULL AS is_there, coalesce(c.relkind = 'r', false) AS is_table,
  pg_get_userbyid(c.relowner)::text AS owner, coalesce(pg_has_role(c.relowner, 'USAGE'), false) AS is_owned,
  ARRAY(SELECT a.attname::text FROM pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns
FROM unnest($2::text[]) WITH ORDINALITY AS wanted (w, position)
  LEFT JOIN pg_class AS c ON c.relname = w AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
ORDER BY position`;

/** $1: their schema. Found by the triggers that call them, in whatever schema they are. */
const functions = `SELECT c.relname::text AS table_name, n.nspname::text AS schema, p.proname::text AS name,
  format('%I.%I()', n.nspname, p.proname) AS signature, pg_has_role(p.proowner, 'USAGE') AS is_owned,
  p.prosecdef AS is_definer, pg_get_functiondef(p.oid) AS definition, p.prosrc AS source
FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS s ON s.oid = c.relnamespace
WHERE s.nspname = $1 AND NOT t.tgisinternal
  AND (c.relname::text, p.proname::text) IN (('file_upload_requests', 'insert_s3_presign_job'), ('files', 'insert_thumbnail_job'))
ORDER BY p.proname`;

/** Of this database and not our own. */
const longTransactions = `SELECT pid, extract(epoch FROM now() - xact_start)::int AS seconds, application_name AS application
FROM pg_stat_activity
WHERE datname = current_database() AND xact_start < now() - interval '1 minute' AND pid <> pg_backend_pid()
ORDER BY xact_start LIMIT 10`;

const ownRoles = ['rowlock_owner', 'rowlock_authenticator', 'rowlock_worker'];

/** Reads all of it, in four statements. */
export async function inspectAdoption(client: pg.ClientBase, names: AdoptNames): Promise<AdoptFacts> {
  const application = [names.anon, names.authenticated, names.service_role];
  const ours = [names.api, 'storage', 'storage_internal', 'rowlock_adopt', names.own];
  const found = await client.query<AdoptFacts>(facts, [
    names.metadata,
    application,
    [...ownRoles, names.anon, names.authenticated],
    ours,
  ]);
  const [row] = found.rows;
  if (row === undefined) throw new Error('the role that is connected is not in pg_roles');
  const tableRows = await client.query<AdoptedTable>(tables, [names.metadata, adoptedTables]);
  return {
    ...row,
    tables: tableRows.rows,
    functions: await adoptedFunctions(client, names.metadata),
    long_transactions: (await client.query<AdoptFacts['long_transactions'][number]>(longTransactions)).rows,
  };
}

/** The two trigger functions as they are now. */
export async function adoptedFunctions(client: pg.ClientBase, metadata: string): Promise<readonly AdoptedFunction[]> {
  return (await client.query<AdoptedFunction>(functions, [metadata])).rows;
}

export interface AdoptCounts {
  readonly files: number;
  readonly files_without_object: number;
  readonly files_stuck: number;
  readonly requests_stuck: number;
  readonly jobs_in_our_queues: number;
}

/** How much there is to do; counts whole tables. Needs the column, if only to tell how many rows lack it. */
export async function countAdoption(client: pg.ClientBase, metadata: string, hasColumn: boolean): Promise<AdoptCounts> {
  const schema = client.escapeIdentifier(metadata);
  const { rows } = await client.query<AdoptCounts>(
    `SELECT (SELECT count(*) FROM ${schema}.files)::int AS files,
      (SELECT count(*) FROM ${schema}.files AS f WHERE ${hasColumn ? 'f.object_id IS NULL' : 'true'})::int AS files_without_object,
      (SELECT count(*) FROM ${schema}.files WHERE thumbnail_status IN ('pending', 'processing')
        AND created_at < now() - interval '15 minutes')::int AS files_stuck,
      (SELECT count(*) FROM ${schema}.file_upload_requests WHERE status IN ('pending', 'processing')
        AND created_at < now() - interval '15 minutes')::int AS requests_stuck,
      (SELECT count(*) FROM ${schema}.river_job WHERE queue IN ('fs_presign', 'fs_thumbnails')
        AND state IN ('available', 'retryable', 'scheduled', 'pending', 'running'))::int AS jobs_in_our_queues`,
  );
  if (rows[0] === undefined) throw new Error('a count answered no row');
  return rows[0];
}
