/** Everything that the catalog says of some schemas, a line for each fact: what an adoption may and may not change. */
import type { CivicOs } from './civic-os.ts';

const facts = `WITH relations AS (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.reloptions, n.nspname
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'v', 'S', 'i')
)
SELECT format('relation %s.%s %s owner %s acl %s rls %s options %s', nspname, relname, relkind, relowner::regrole,
  (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) AS a), relrowsecurity, reloptions) AS fact FROM relations
UNION ALL
SELECT format('column %s.%s.%s %s not null %s default %s acl %s', r.nspname, r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
  a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl)
FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum WHERE r.relkind IN ('r', 'v')
UNION ALL
SELECT format('index %s', pg_get_indexdef(r.oid)) FROM relations AS r WHERE r.relkind = 'i'
UNION ALL
SELECT format('constraint %s.%s %s', r.nspname, r.relname, pg_get_constraintdef(c.oid))
FROM relations AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
UNION ALL
SELECT format('trigger %s.%s %s %s', r.nspname, r.relname, t.tgenabled, pg_get_triggerdef(t.oid))
FROM relations AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('policy %s.%s %s %s', schemaname, tablename, policyname, concat_ws(' ', cmd, roles, qual, with_check))
FROM pg_policies WHERE schemaname = ANY ($1)
UNION ALL
SELECT format('view %s.%s %s', r.nspname, r.relname, pg_get_viewdef(r.oid)) FROM relations AS r WHERE r.relkind = 'v'
UNION ALL
SELECT format('function %s owner %s acl %s %s', p.oid::regprocedure, p.proowner::regrole, p.proacl, pg_get_functiondef(p.oid))
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = ANY ($1)
UNION ALL
SELECT format('schema %s owner %s', nspname, nspowner::regrole) FROM pg_namespace WHERE nspname = ANY ($1)`;

/** The facts of the adopted system's two schemas, in order. */
export async function catalogOf(site: CivicOs): Promise<readonly string[]> {
  const rows = await site.query<{ fact: string }>(facts, [['metadata', 'public']]);
  return rows.map(({ fact }) => fact).sort();
}

/** What is in the one and not in the other: `+` came, `-` went. The rights of a relation are told apart from the rest. */
export function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [was, is] = [new Set(before), new Set(after)];
  return [
    ...before.filter((fact) => !is.has(fact)).map((fact) => `- ${fact}`),
    ...after.filter((fact) => !was.has(fact)).map((fact) => `+ ${fact}`),
  ];
}
