/**
 * The rules that the catalog of a migrated database keeps, each as a query that names what breaks it. It says nothing
 * about which rows a policy shows; docs/reference/access.md does. A rule that finds nothing returns no row, and every
 * exception stands here with its reason.
 */

/** One rule: a sentence, and a query whose column `line` names each offender. */
export interface CatalogRule {
  readonly name: string;
  readonly offenders: string;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (names: readonly string[]): string => `ARRAY[${names.map(literal).join(', ')}]::text[]`;

/** What PUBLIC may execute, and why. */
export const publicFunctions: Readonly<Record<string, string>> = {
  'metadata.river_job_state_in_bitmask(bit,metadata.river_job_state)':
    "River's: part of a unique index, so whoever inserts a job evaluates it; it reads nothing",
};

/** Functions without a search_path of their own that are no BEGIN ATOMIC, and why. */
export const pathlessFunctions: Readonly<Record<string, string>> = {
  'metadata.river_job_state_in_bitmask(bit,metadata.river_job_state)':
    "River's: the planner inlines it into every write of a job, which a setting would forbid; it runs as its caller",
};

/** Tables without row-level security, and why. */
export const tablesWithoutRowSecurity: Readonly<Record<string, string>> = {
  'storage.migrations': 'only the worker may read it, and all of it',
  'metadata.river_job': "River's: the worker's alone, and all of it",
  'metadata.river_leader': "River's: the worker's alone, and all of it",
  'metadata.river_migration': "River's: the worker's alone, and all of it",
  'metadata.river_notification': "River's: nobody uses it",
  'metadata.river_queue': "River's: the worker's alone, and all of it",
  'metadata.rowlock_worker_lease': "the worker's alone, and all of it",
};

export const ourRoles: readonly string[] = [
  'rowlock_owner',
  'rowlock_authenticator',
  'rowlock_worker',
  'anon',
  'authenticated',
  'service_role',
];

/** What the API's login role calls: begin, commit, what these two are made of, and reads that are one statement. */
export const functionsOfTheApi: readonly string[] = [
  'become',
  'begin_upload',
  'open_upload',
  'commit_upload',
  'amend_upload',
  'take_upload',
  'finish_upload',
  'abandon_upload',
  'prepare_versions',
  'give_versions_back',
  'begin_prepared',
  'look_at_prepared',
  'open_prepared',
  'take_prepared',
  'commit_prepared',
  'written_object',
  'abandon_prepared',
  'placed_buckets',
  'blob_put',
  'blob_append',
  'blob_finish',
  'blob_discard',
  'blob_head',
  'blob_piece',
  'blob_read',
  'blob_page',
  'blob_check',
  'sign_upload',
  'open_ticket',
  'ticket',
  'begin_ticket_upload',
  'take_ticket',
  'entity_of_upload',
  'direct_upload',
  'begin_multipart',
  'open_multipart',
  'multipart_begun',
  'multipart_state',
  'multipart_as',
  'abort_multipart_as',
  'multipart_object',
  'part_expected',
  'upload_to_complete',
  'sign_object_as',
  'sign_objects_as',
  'register_signed_url',
  'open_signed_object',
  'object_info_as',
  'read_object_as',
  'read_key_as',
  'session_caller',
  'begin_session',
  'keep_session',
  'end_session',
  'read_render_as',
  'open_signed_render',
  'variant_error',
  'render_begin',
  'render_is_leased',
  'render_intent',
  'render_commit',
  'render_give_up',
  'render_fail',
  'renders_used',
  'trim_renders',
  'list_objects_as',
  'zip_totals_as',
  'zip_page_as',
  'changes_as',
  'changes_poll',
  'changes_notify',
  'bucket_inline',
  'bytes_announced',
  'quota_room',
  'quota_count',
  'health',
  'key_in_quarantine',
  'audit_tell',
  'policies_asked',
].map((name) => `storage_internal.${name}`);

/** Which role of ours is a member of which: the login roles of the application roles, and of nothing else. */
const memberships = ['rowlock_authenticator', 'rowlock_worker'].flatMap((member) =>
  ['anon', 'authenticated', 'service_role'].map((role) => `${member} in ${role}`),
);

const ourSchemas = list(['storage', 'storage_internal', 'storage_sign']);
const functionIsOurs = `(p.pronamespace::regnamespace::text = ANY (${ourSchemas}) OR pg_get_userbyid(p.proowner) = 'rowlock_owner')`;
const relationIsOurs = `(c.relnamespace::regnamespace::text = ANY (${ourSchemas}) OR pg_get_userbyid(c.relowner) = 'rowlock_owner')`;
const functionAcl = `aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))`;
const functionName = 'p.oid::regprocedure::text';
const except = (table: Readonly<Record<string, string>>): string => `<> ALL (${list(Object.keys(table))})`;

export const catalogRules: readonly CatalogRule[] = [
  {
    name: 'every function sets a search_path with pg_temp last, or was resolved when it was created',
    offenders: `SELECT ${functionName} AS line FROM pg_proc AS p
      WHERE ${functionIsOurs} AND ${functionName} ${except(pathlessFunctions)}
        AND NOT coalesce(p.proconfig, '{}') @> ARRAY['search_path=pg_catalog, pg_temp']
        AND (p.prosecdef OR p.prosqlbody IS NULL)`,
  },
  {
    name: 'PUBLIC executes no function that is not listed',
    offenders: `SELECT ${functionName} AS line FROM pg_proc AS p
      WHERE ${functionIsOurs} AND ${functionName} ${except(publicFunctions)}
        AND EXISTS (SELECT FROM ${functionAcl} AS x WHERE x.grantee = 0)`,
  },
  {
    name: 'nobody but the owner may execute a trigger function, and so nobody can hang it on a table of theirs',
    offenders: `SELECT DISTINCT ${functionName} AS line FROM pg_proc AS p, ${functionAcl} AS x
      WHERE ${functionIsOurs} AND p.prorettype = 'trigger'::regtype AND x.grantee <> p.proowner`,
  },
  {
    name: 'no function that application roles can name takes an identity as an argument',
    offenders: `SELECT DISTINCT ${functionName} AS line FROM pg_proc AS p, unnest(p.proargnames) AS argument
      WHERE ${functionIsOurs} AND argument ~ '(claims|caller|role|jwt)'
        AND has_schema_privilege('authenticated', p.pronamespace, 'USAGE') AND has_function_privilege('authenticated', p.oid, 'EXECUTE')`,
  },
  {
    name: 'every view is security_invoker',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
      WHERE c.relkind IN ('v', 'm') AND ${relationIsOurs} AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'`,
  },
  {
    name: 'a view that filters rows is a security_barrier',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
      WHERE c.relkind = 'v' AND ${relationIsOurs} AND pg_get_viewdef(c.oid) ~* '\\m(where|having|limit|offset|distinct)\\M'
        AND NOT coalesce(c.reloptions, '{}') @> '{security_barrier=true}'`,
  },
  {
    name: 'every table has row-level security',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
      WHERE c.relkind IN ('r', 'p') AND ${relationIsOurs} AND NOT c.relrowsecurity
        AND c.oid::regclass::text ${except(tablesWithoutRowSecurity)}`,
  },
  {
    name: 'a table without row-level security is granted to the worker only',
    offenders: `SELECT DISTINCT c.oid::regclass::text AS line FROM pg_class AS c, aclexplode(c.relacl) AS x
      WHERE c.relkind IN ('r', 'p') AND ${relationIsOurs} AND NOT c.relrowsecurity
        AND x.grantee NOT IN (c.relowner, 'rowlock_worker'::regrole)`,
  },
  {
    name: 'no policy is for PUBLIC',
    offenders: `SELECT format('%I on %s', pol.polname, pol.polrelid::regclass) AS line FROM pg_policy AS pol JOIN pg_class AS c ON c.oid = pol.polrelid
      WHERE ${relationIsOurs} AND 0 = ANY (pol.polroles)`,
  },
  {
    name: 'every trigger is enabled',
    offenders: `SELECT format('%I on %s', t.tgname, t.tgrelid::regclass) AS line FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
      WHERE ${relationIsOurs} AND NOT t.tgisinternal AND t.tgenabled = 'D'`,
  },
  {
    name: 'everything in our schemas belongs to the owner, whom row-level security does not bind because nobody is it',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
        WHERE c.relnamespace::regnamespace::text = ANY (${ourSchemas}) AND pg_get_userbyid(c.relowner) <> 'rowlock_owner'
      UNION ALL SELECT ${functionName} FROM pg_proc AS p
        WHERE p.pronamespace::regnamespace::text = ANY (${ourSchemas}) AND pg_get_userbyid(p.proowner) <> 'rowlock_owner'
      UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'rowlock_owner' AND rolcanlogin`,
  },
  {
    name: 'no role of ours is a superuser, bypasses policies, or makes roles and databases',
    offenders: `SELECT rolname::text AS line FROM pg_roles
      WHERE rolname = ANY (${list(ourRoles)}) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
  },
  {
    name: 'the login roles inherit nothing, and are members of the application roles only',
    offenders: `SELECT format('%s in %s', m.member::regrole, m.roleid::regrole) AS line FROM pg_auth_members AS m
        WHERE m.member::regrole::text = ANY (${list(ourRoles)})
          AND (format('%s in %s', m.member::regrole, m.roleid::regrole) <> ALL (${list(memberships)}) OR m.admin_option)
      UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname IN ('rowlock_authenticator', 'rowlock_worker') AND rolinherit`,
  },
  {
    name: 'the login role of the API has no right on any table, column or sequence',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
      WHERE ${relationIsOurs} AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND CASE WHEN c.relkind = 'S'
        THEN has_sequence_privilege('rowlock_authenticator', c.oid, 'USAGE, SELECT, UPDATE')
        ELSE has_any_column_privilege('rowlock_authenticator', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
          OR has_table_privilege('rowlock_authenticator', c.oid, 'DELETE, TRUNCATE, TRIGGER') END`,
  },
  {
    name: 'the login role of the API executes what begins, commits or reads, and nothing else',
    offenders: `SELECT ${functionName} AS line FROM pg_proc AS p
      WHERE ${functionIsOurs} AND ${functionName} ${except(publicFunctions)}
        AND p.pronamespace::regnamespace || '.' || p.proname <> ALL (${list(functionsOfTheApi)})
        AND has_function_privilege('rowlock_authenticator', p.oid, 'EXECUTE')`,
  },
  {
    name: 'the login role of the worker writes the tables of the queue only',
    offenders: `SELECT c.oid::regclass::text AS line FROM pg_class AS c
      WHERE ${relationIsOurs} AND c.relkind IN ('r', 'p', 'v') AND c.oid::regclass::text !~ '^metadata\\.(river_|rowlock_worker_lease)'
        AND (has_any_column_privilege('rowlock_worker', c.oid, 'INSERT, UPDATE, REFERENCES')
          OR has_table_privilege('rowlock_worker', c.oid, 'DELETE, TRUNCATE, TRIGGER'))`,
  },
  {
    name: 'the statements of the worker find nothing outside of pg_catalog without its schema',
    offenders: `SELECT 'rowlock_worker' AS line WHERE NOT EXISTS (
      SELECT FROM pg_db_role_setting WHERE setrole = 'rowlock_worker'::regrole AND setconfig @> ARRAY['search_path=pg_catalog, pg_temp'])`,
  },
  {
    name: 'only the owner creates in our schemas, and application roles cannot name what is internal',
    offenders: `SELECT format('%s may CREATE in %s', coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), n.nspname) AS line
        FROM pg_namespace AS n, aclexplode(n.nspacl) AS x
        WHERE n.nspname IN ('storage', 'storage_internal', 'storage_sign', 'metadata') AND x.privilege_type = 'CREATE' AND x.grantee <> n.nspowner
      UNION ALL SELECT format('%s may USE storage_internal', role) FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role
        WHERE has_schema_privilege(role, 'storage_internal', 'USAGE')`,
  },
  {
    name: 'what signs is named by nobody but the owner, and so are the keys',
    offenders: `SELECT format('%s may USE storage_sign', coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC')) AS line
        FROM pg_namespace AS n, aclexplode(n.nspacl) AS x WHERE n.nspname = 'storage_sign' AND x.grantee <> n.nspowner
      UNION ALL SELECT format('%s has %s on %s', coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), x.privilege_type, c.relname)
        FROM pg_class AS c, aclexplode(c.relacl) AS x WHERE c.relname = 's3_signing_keys' AND x.grantee <> c.relowner
      UNION ALL SELECT format('%I on s3_signing_keys', polname) FROM pg_policy WHERE polrelid = 'storage.s3_signing_keys'::regclass`,
  },
  {
    name: 'nobody may pass a right on',
    offenders: `SELECT format('%s on %s', x.grantee::regrole, c.oid::regclass) AS line FROM pg_class AS c, aclexplode(c.relacl) AS x
        WHERE ${relationIsOurs} AND x.is_grantable AND x.grantee <> c.relowner
      UNION ALL SELECT format('%s on %s', x.grantee::regrole, ${functionName}) FROM pg_proc AS p, ${functionAcl} AS x
        WHERE ${functionIsOurs} AND x.is_grantable AND x.grantee <> p.proowner`,
  },
  {
    name: 'what the owner creates next is granted to nobody',
    offenders: `SELECT 'functions that the owner creates are executable by PUBLIC' AS line
        WHERE NOT EXISTS (
          SELECT FROM pg_default_acl WHERE defaclrole = 'rowlock_owner'::regrole AND defaclnamespace = 0 AND defaclobjtype = 'f')
      UNION ALL SELECT format('default %s in %s for %s', d.defaclobjtype, d.defaclnamespace::regnamespace, x.grantee)
        FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS x
        WHERE d.defaclrole = 'rowlock_owner'::regrole AND x.grantee <> d.defaclrole`,
  },
];
