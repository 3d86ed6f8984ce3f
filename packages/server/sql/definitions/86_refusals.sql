-- Why somebody was refused: which policies a command asks, for the service role and for the log. It reads the catalog and
-- no row of anybody.
CREATE OR REPLACE FUNCTION storage_internal.policies_asked(asking_role text, wanted_table text, commands text[])
RETURNS TABLE (command text, may_at_all boolean, policies text[], restrictive text[], asked_by_service boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT c.command,
    CASE WHEN c.command = 'DELETE' THEN has_table_privilege(r.oid, t.oid, 'DELETE') ELSE has_any_column_privilege(r.oid, t.oid, c.command) END,
    coalesce(array_agg(p.polname::text ORDER BY p.polname) FILTER (WHERE p.polpermissive), '{}'),
    coalesce(array_agg(p.polname::text ORDER BY p.polname) FILTER (WHERE NOT p.polpermissive), '{}'),
    pg_has_role(r.oid, :'service_role', 'USAGE')
  FROM unnest(commands) WITH ORDINALITY AS c (command, place)
    JOIN pg_roles AS r ON r.rolname = asking_role
    JOIN pg_class AS t ON t.oid = to_regclass(format('storage.%I', wanted_table))
    LEFT JOIN pg_policy AS p ON p.polrelid = t.oid
      AND p.polcmd::text IN ('*', CASE c.command WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END)
      AND EXISTS (SELECT FROM unnest(p.polroles) AS of_role WHERE of_role = 0 OR pg_has_role(r.oid, of_role, 'USAGE'))
  GROUP BY c.command, c.place, r.oid, t.oid ORDER BY c.place
$$;
REVOKE ALL ON FUNCTION storage_internal.policies_asked(text, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage_internal.policies_asked(text, text, text[]) TO rowlock_authenticator, rowlock_worker;
