-- May they, and which policy says so: for the service role, of any other caller and one object. Nothing is worked out
-- beside PostgreSQL: each thing is tried as that caller, and undone. SECURITY INVOKER all of it, so that SET ROLE is
-- judged by the session that asks, and no expression runs with more rights than the caller's own.

-- Tries one thing as the caller, inside of a subtransaction that never ends well: what a trigger wrote, enqueued or
-- notified is undone with it, and so are role, claims and locks. Answers what came of it.
CREATE OR REPLACE FUNCTION storage.try_access(
  attempt text, operation text, caller_role text, claims jsonb, wanted_bucket text, wanted_name text
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_rows boolean;
  u storage.uploads;
  said text;
  state text;
  detail text;
BEGIN
  BEGIN
    PERFORM set_config('lock_timeout', '2s', true), set_config('request.jwt.claims', claims::text, true),
      set_config('storage.operation', operation, true), set_config('role', caller_role, true);
    PERFORM storage.search_as_caller();
    CASE attempt
      WHEN 'see_bucket' THEN PERFORM FROM storage.buckets AS b WHERE b.id = wanted_bucket;
      WHEN 'select', 'sign' THEN PERFORM FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
      WHEN 'read' THEN PERFORM FROM storage.read_object(wanted_bucket, wanted_name);
      WHEN 'insert' THEN PERFORM storage.may_upload(wanted_bucket, wanted_name, '{}', false);
      WHEN 'upload', 'overwrite' THEN
        u.bucket_id := wanted_bucket;
        u.name := wanted_name;
        PERFORM storage.ask_upload(u, attempt = 'overwrite', 1, false);
        IF attempt = 'overwrite' THEN
          PERFORM FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
          IF NOT FOUND THEN
            PERFORM storage.refuse('object_exists', 'an object that they do not see has the name');
          END IF;
        END IF;
      WHEN 'update' THEN
        UPDATE storage.objects AS o SET user_metadata = o.user_metadata
        WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
      WHEN 'move' THEN
        -- To a name beside it that nothing has.
        PERFORM storage.move_object(wanted_bucket, wanted_name, wanted_bucket,
          regexp_replace(wanted_name, '[^/]{1,40}$', '') || gen_random_uuid()::text);
      WHEN 'delete' THEN
        DELETE FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
    END CASE;
    found_rows := FOUND;
    -- What would be said no earlier than by COMMIT is asked too.
    SET CONSTRAINTS ALL IMMEDIATE;
    state := 'done';
    RAISE EXCEPTION 'undone' USING ERRCODE = 'RWLUN';
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    state := CASE WHEN state = 'done' THEN state ELSE SQLSTATE END;
  END;
  IF state = 'done' THEN
    RETURN CASE WHEN found_rows THEN jsonb_build_object('outcome', 'allowed')
      ELSE jsonb_build_object('outcome', 'refused', 'reason', CASE attempt WHEN 'see_bucket' THEN 'bucket_not_found'
        WHEN 'select' THEN 'object_not_found' WHEN 'sign' THEN 'object_not_found' WHEN 'read' THEN 'object_not_found'
        ELSE 'not_allowed' END) END;
  END IF;
  RETURN jsonb_build_object(
    'outcome', CASE WHEN state IN ('RWLCK', '42501') THEN 'refused' ELSE 'failed' END,
    'reason', CASE state WHEN 'RWLCK' THEN said WHEN '42501' THEN 'not_allowed' WHEN '55P03' THEN 'unavailable' ELSE 'internal' END,
    'message', left(CASE state WHEN 'RWLCK' THEN detail ELSE said END, 500), 'sqlstate', state);
END
$$;

-- What one expression of a policy says of one row, asked as the caller; undone like the above. The expression comes from
-- the catalog, and from nobody who asks. A function in FROM gives the row the name and the type of its table, so that
-- whatever the expression says of it means what it means there.
CREATE OR REPLACE FUNCTION storage.judge_policy(
  wanted_policy oid, part text, operation text, caller_role text, claims jsonb, judged anyelement
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  question text;
  verdict boolean;
  said text;
  state text;
BEGIN
  SELECT format('SELECT (%s)::boolean FROM unnest(ARRAY[$1]) AS %I',
    CASE part WHEN 'using' THEN pg_get_expr(p.polqual, p.polrelid)
      ELSE coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid)) END, t.relname)
  INTO question FROM pg_policy AS p JOIN pg_class AS t ON t.oid = p.polrelid
  WHERE p.oid = wanted_policy AND t.reltype = pg_typeof(judged);
  IF question IS NULL THEN
    RETURN NULL;
  END IF;
  BEGIN
    PERFORM set_config('lock_timeout', '2s', true), set_config('request.jwt.claims', claims::text, true),
      set_config('storage.operation', operation, true), set_config('role', caller_role, true);
    PERFORM storage.search_as_caller();
    EXECUTE question INTO verdict USING judged;
    state := 'done';
    RAISE EXCEPTION 'undone' USING ERRCODE = 'RWLUN';
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    IF state = 'done' THEN
      RETURN jsonb_build_object('value', coalesce(verdict::text, 'null'));
    END IF;
    RETURN jsonb_build_object('value', 'error', 'error', left(said, 500));
  END;
END
$$;

-- Policies of our tables, or of one of them, as the SQL that makes them.
CREATE OR REPLACE FUNCTION storage.list_policies(wanted_table regclass DEFAULT NULL)
RETURNS TABLE (id oid, table_name text, name text, command text, permissive boolean, roles text[], using_expression text,
  check_expression text, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p.oid, t.oid::regclass::text, p.polname::text, c.command, p.polpermissive, r.roles, e.using_expression, e.check_expression,
    format('CREATE POLICY %I ON %s%s FOR %s TO %s', p.polname, t.oid::regclass,
      CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END, c.command,
      (SELECT string_agg(CASE of_role WHEN 'PUBLIC' THEN of_role ELSE quote_ident(of_role) END, ', ') FROM unnest(r.roles) AS of_role))
    || coalesce(format(E'\n  USING (%s)', e.using_expression), '') || coalesce(format(E'\n  WITH CHECK (%s)', e.check_expression), '') || ';'
  FROM pg_policy AS p
    JOIN pg_class AS t ON t.oid = p.polrelid
    CROSS JOIN LATERAL (SELECT CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
      WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command) AS c
    CROSS JOIN LATERAL (SELECT array_agg(CASE of_role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(of_role) END::text ORDER BY of_role)
      AS roles FROM unnest(p.polroles) AS of_role) AS r
    CROSS JOIN LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid, true) AS using_expression,
      pg_get_expr(p.polwithcheck, p.polrelid, true) AS check_expression) AS e
  WHERE CASE WHEN wanted_table IS NULL THEN t.relnamespace IN (to_regnamespace('storage'), to_regnamespace(quote_ident(:'metadata')))
    ELSE t.oid = wanted_table END
  ORDER BY t.oid::regclass::text, p.polname
$$;

-- Every policy that a table's rows are judged by for a role, with what it says of a row that is there (USING), and of
-- one that would be written (WITH CHECK): of what is there, unless the policy is for INSERT alone or nothing is there.
CREATE OR REPLACE FUNCTION storage.judge_policies(
  caller_role text, claims jsonb, existing anyelement, candidate anyelement
) RETURNS jsonb
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
    'table', p.table_name, 'name', p.name, 'command', p.command, 'permissive', p.permissive, 'roles', p.roles,
    'definition', p.definition,
    'using', CASE WHEN p.using_expression IS NOT NULL AND NOT existing IS NULL
      THEN storage.judge_policy(p.id, 'using', o.operation, caller_role, claims, existing) END,
    'check', CASE WHEN p.command IN ('SELECT', 'DELETE') THEN NULL
      WHEN p.command = 'INSERT' OR existing IS NULL AND p.command = 'ALL'
        THEN storage.judge_policy(p.id, 'check', o.operation, caller_role, claims, candidate)
      WHEN NOT existing IS NULL THEN storage.judge_policy(p.id, 'check', o.operation, caller_role, claims, existing) END)
    ORDER BY p.permissive, p.command, p.name), '[]')
  FROM storage.list_policies((SELECT t.typrelid::regclass FROM pg_type AS t WHERE t.oid = pg_typeof(existing))) AS p
    CROSS JOIN LATERAL (SELECT CASE p.command WHEN 'DELETE' THEN 'storage.object.delete' WHEN 'INSERT' THEN 'storage.object.upload'
      WHEN 'UPDATE' THEN 'storage.object.upload' ELSE 'storage.object.get' END AS operation) AS o
  WHERE EXISTS (
    SELECT FROM unnest(p.roles) AS of_role
    WHERE CASE WHEN of_role = 'PUBLIC' THEN true ELSE pg_has_role(caller_role, of_role, 'USAGE') END)
$$;

-- The row that the caller would make there: what BEFORE triggers fill in of what they know before there are bytes.
CREATE OR REPLACE FUNCTION storage.candidate_object(claims jsonb, wanted_bucket text, wanted_name text) RETURNS storage.objects
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  made storage.objects;
BEGIN
  BEGIN
    PERFORM set_config('request.jwt.claims', claims::text, true);
    made.owner_id := storage.caller_id();
    RAISE EXCEPTION 'undone' USING ERRCODE = 'RWLUN';
  EXCEPTION WHEN SQLSTATE 'RWLUN' THEN
    NULL;
  END;
  made.id := gen_random_uuid();
  made.bucket_id := wanted_bucket;
  made.name := wanted_name;
  made.revision := 1;
  made.size := 0;
  made.content_type := 'application/octet-stream';
  made.created_at := now();
  made.updated_at := now();
  made.last_accessed_at := now();
  made.path_tokens := string_to_array(wanted_name, '/');
  RETURN made;
END
$$;

-- May a caller of this role and with these claims do what can be done with this object, and what does each policy say?
CREATE OR REPLACE FUNCTION storage.explain_access(caller_role text, claims jsonb, wanted_bucket text, wanted_name text) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bucket storage.buckets;
  object storage.objects;
  attempts jsonb;
  is_asked boolean := true;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = caller_role)
    OR NOT pg_has_role('rowlock_authenticator', caller_role, 'MEMBER') OR caller_role = 'rowlock_authenticator'
  THEN
    PERFORM storage.refuse('invalid_request', format('No caller has the role %s', to_json(caller_role)));
  ELSIF claims IS NULL OR jsonb_typeof(claims) <> 'object' THEN
    PERFORM storage.refuse('invalid_request', 'Claims are an object');
  END IF;
  claims := claims || jsonb_build_object('role', caller_role);
  PERFORM storage.search_as_caller();
  SELECT * INTO bucket FROM storage.buckets AS b WHERE b.id = wanted_bucket;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
  SELECT * INTO object FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
  SELECT jsonb_agg(jsonb_build_object('attempt', a.attempt, 'kind', a.kind, 'operation', a.operation) || CASE
    WHEN a.needs = 'object' AND object.id IS NULL THEN '{"outcome": "not_applicable", "reason": "object_not_found"}'
    WHEN a.needs = 'none' AND object.id IS NOT NULL THEN '{"outcome": "not_applicable", "reason": "object_exists"}'
    ELSE storage.try_access(a.attempt, a.operation, caller_role, claims, wanted_bucket, wanted_name) END ORDER BY a.place)
  INTO attempts
  FROM (VALUES
    (1, 'see_bucket', 'action', 'storage.bucket.get', ''),
    (2, 'read', 'action', 'storage.object.get', 'object'),
    (3, 'sign', 'action', 'storage.object.sign', 'object'),
    (4, 'upload', 'action', 'storage.object.upload', 'none'),
    (5, 'overwrite', 'action', 'storage.object.upload', 'object'),
    (6, 'move', 'action', 'storage.object.move', 'object'),
    (7, 'delete', 'action', 'storage.object.delete', 'object'),
    (8, 'select', 'command', '', 'object'),
    (9, 'insert', 'command', '', ''),
    (10, 'update', 'command', '', 'object'),
    (11, 'delete', 'command', '', 'object')) AS a (place, attempt, kind, operation, needs);
  BEGIN
    PERFORM set_config('role', caller_role, true);
    is_asked := row_security_active('storage.objects');
    RAISE EXCEPTION 'undone' USING ERRCODE = 'RWLUN';
  EXCEPTION WHEN SQLSTATE 'RWLUN' THEN
    NULL;
  END;
  RETURN jsonb_build_object(
    'role', caller_role, 'claims', claims, 'bucket', wanted_bucket, 'name', wanted_name,
    'object', CASE WHEN object.id IS NOT NULL
      THEN jsonb_build_object('id', object.id, 'owner_id', object.owner_id, 'size', object.size, 'content_type', object.content_type) END,
    'bucket_owner_id', bucket.owner_id, 'bucket_policy', bucket.policy,
    'row_security', is_asked,
    'grants', jsonb_build_object(
      'select', has_any_column_privilege(caller_role, 'storage.objects', 'SELECT'),
      'insert', has_any_column_privilege(caller_role, 'storage.objects', 'INSERT'),
      'update', has_any_column_privilege(caller_role, 'storage.objects', 'UPDATE'),
      'delete', has_table_privilege(caller_role, 'storage.objects', 'DELETE')),
    'attempts', attempts,
    'policies', storage.judge_policies(caller_role, claims, object, storage.candidate_object(claims, wanted_bucket, wanted_name))
      || (SELECT coalesce(jsonb_agg(p), '[]') FROM jsonb_array_elements(storage.judge_policies(caller_role, claims, bucket, bucket)) AS p
          WHERE p ->> 'command' IN ('SELECT', 'ALL')));
END
$$;

REVOKE ALL ON FUNCTION storage.try_access(text, text, text, jsonb, text, text), storage.judge_policy(oid, text, text, text, jsonb, anyelement),
  storage.list_policies(regclass), storage.judge_policies(text, jsonb, anyelement, anyelement),
  storage.candidate_object(jsonb, text, text), storage.explain_access(text, jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.try_access(text, text, text, jsonb, text, text), storage.judge_policy(oid, text, text, text, jsonb, anyelement),
  storage.list_policies(regclass), storage.judge_policies(text, jsonb, anyelement, anyelement),
  storage.candidate_object(jsonb, text, text), storage.explain_access(text, jsonb, text, text) TO :"service_role";
