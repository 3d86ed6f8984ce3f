/**
 * Our own print of the catalog: every object of our schemas, normalised, in a stable order, as text that a person can
 * diff. `sql/schema.sql` is this print; it is compared in a test and never executed. River's tables are left to the
 * queue's own check.
 */
import type pg from 'pg';

const sections: readonly { readonly title: string; readonly text: string }[] = [
  {
    title: 'Tables and views',
    text: `SELECT format(E'%s %s (\\n%s\\n)%s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass,
        string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || quote_ident(co.collname) ELSE '' END,
          CASE WHEN d.adbin IS NULL THEN ''
            WHEN a.attgenerated = 's' THEN ' GENERATED ' || pg_get_expr(d.adbin, d.adrelid)
            ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END
          || CASE a.attidentity WHEN 'a' THEN ' IDENTITY' ELSE '' END,
          CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END), E',\\n' ORDER BY a.attnum),
        concat(CASE WHEN c.relrowsecurity THEN ' ROW SECURITY' END, ' ' || array_to_string(c.reloptions, ', '))) AS line
      FROM pg_class AS c
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type AS t ON t.oid = a.atttypid
      LEFT JOIN pg_collation AS co ON co.oid = a.attcollation
      LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relkind IN ('r', 'v') AND c.relnamespace = ANY ($1::regnamespace[]) AND pg_get_userbyid(c.relowner) = 'rowlock_owner'
        AND c.relname !~ '^(river_|rowlock_worker)'
      GROUP BY c.oid, c.relkind, c.relname, c.relrowsecurity, c.reloptions ORDER BY c.oid::regclass::text COLLATE "C"`,
  },
  {
    title: 'Constraints',
    text: `SELECT format('CONSTRAINT %s ON %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid)) AS line
      FROM pg_constraint WHERE connamespace = ANY ($1::regnamespace[]) AND conrelid <> 0 AND contype <> 'n'
        AND conrelid::regclass::text !~ '\\.(river_|rowlock_worker)'
      ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C"`,
  },
  {
    title: 'Indexes',
    text: `SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid
      WHERE c.relnamespace = ANY ($1::regnamespace[]) AND indrelid::regclass::text !~ '\\.(river_|rowlock_worker)'
      ORDER BY indexrelid::regclass::text COLLATE "C"`,
  },
  {
    title: 'Functions',
    text: `SELECT format('FUNCTION %s RETURNS %s %s %s%s%s md5 %s EXECUTE %s', p.oid::regprocedure,
        pg_get_function_result(p.oid), l.lanname,
        CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
        CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END,
        coalesce(' SET ' || array_to_string(p.proconfig, ', '), ''),
        md5(CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE 'atomic' END),
        (SELECT string_agg(coalesce(nullif(x.grantee, 0)::regrole::text, 'PUBLIC'), ',' ORDER BY x.grantee::regrole::text COLLATE "C")
          FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS x)) AS line
      FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
      WHERE p.pronamespace = ANY ($1::regnamespace[]) AND pg_get_userbyid(p.proowner) = 'rowlock_owner'
        AND p.proname !~ '^river_'
      ORDER BY p.oid::regprocedure::text COLLATE "C"`,
  },
  {
    title: 'Triggers',
    text: `SELECT pg_get_triggerdef(t.oid) AS line FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
      WHERE NOT t.tgisinternal AND c.relnamespace = ANY ($1::regnamespace[])
      ORDER BY c.oid::regclass::text COLLATE "C", t.tgname COLLATE "C"`,
  },
  {
    title: 'Policies',
    text: `SELECT format('POLICY %I ON %I.%I FOR %s TO %s USING %s WITH CHECK %s', policyname, schemaname, tablename, cmd,
        array_to_string(roles, ','), coalesce(regexp_replace(qual, '\\s+', ' ', 'g'), '-'),
        coalesce(regexp_replace(with_check, '\\s+', ' ', 'g'), '-')) AS line
      FROM pg_policies WHERE schemaname = ANY ($1::text[])
      ORDER BY schemaname COLLATE "C", tablename COLLATE "C", policyname COLLATE "C"`,
  },
  {
    title: 'Privileges on tables and columns',
    text: `SELECT format('GRANT %s ON %s TO %s', string_agg(privilege, ', ' ORDER BY privilege COLLATE "C"), target, grantee) AS line
      FROM (
        SELECT x.privilege_type AS privilege, c.oid::regclass::text AS target, x.grantee::regrole::text AS grantee
        FROM pg_class AS c, aclexplode(c.relacl) AS x
        WHERE c.relnamespace = ANY ($1::regnamespace[]) AND c.relkind IN ('r', 'v') AND x.grantee <> c.relowner
          AND x.privilege_type <> 'MAINTAIN'
        UNION ALL
        SELECT format('%s (%s)', x.privilege_type, a.attname), c.oid::regclass::text, x.grantee::regrole::text
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS x
        WHERE c.relnamespace = ANY ($1::regnamespace[]) AND x.grantee <> c.relowner
      ) AS privileges
      GROUP BY target, grantee ORDER BY target COLLATE "C", grantee COLLATE "C"`,
  },
];

/**
 * Prints the catalog of our schemas. Equal databases print equal texts on every supported PostgreSQL; so the right to
 * maintain a table, which is granted from PostgreSQL 17 on, is left out.
 */
export async function printSchema(client: pg.Client, schemas: readonly string[]): Promise<string> {
  const lines: string[] = [
    '-- Printed from the catalog of a migrated database by ROWLOCK_WRITE_SCHEMA=1 npm test -- database/migrate.',
    '-- Read it; do not run it.',
  ];
  await client.query('BEGIN READ ONLY');
  try {
    // Names are printed with their schema, whatever the session's path is.
    await client.query("SELECT set_config('search_path', '', true)");
    for (const { title, text } of sections) {
      const { rows } = await client.query<{ line: string }>(text, [[...schemas]]);
      lines.push('', `-- ${title}`, '', ...rows.map((row) => `${row.line};`));
    }
  } finally {
    await client.query('ROLLBACK');
  }
  return `${lines.join('\n')}\n`;
}
