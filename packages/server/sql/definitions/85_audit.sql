-- The audit log: every statement that writes objects or buckets writes what it did in the same transaction, whoever sent
-- it and by whatever way. Refusals and signed URLs are told by the API, in transactions of their own. No role may insert,
-- change or delete rows; what the log was told of a request (its id and address) is only as good as the login role.

CREATE OR REPLACE FUNCTION storage.audit_objects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  request text := left(nullif(current_setting('storage.request_id', true), ''), 128);
  client text := left(nullif(current_setting('storage.request_address', true), ''), 64);
  caller_role text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
  subject text := left(storage.caller_id(), 1024);
  via text := left(storage.operation(), 100);
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO storage.audit_log (request_id, address, role, subject, operation, bucket_id, name, object_id, outcome, detail)
    SELECT request, client, caller_role, subject, 'storage.object.created', bucket_id, name, id, 'done',
      jsonb_build_object('via', via, 'version', version_id, 'size', size) FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO storage.audit_log (request_id, address, role, subject, operation, bucket_id, name, object_id, outcome, detail)
    SELECT request, client, caller_role, subject, 'storage.object.deleted', bucket_id, name, id, 'done',
      jsonb_build_object('via', via, 'version', version_id, 'owner', left(owner_id, 1024)) FROM old_rows;
  ELSE
    INSERT INTO storage.audit_log (request_id, address, role, subject, operation, bucket_id, name, object_id, outcome, detail)
    SELECT request, client, caller_role, subject,
      CASE WHEN (o.bucket_id, o.name) = (n.bucket_id, n.name) THEN 'storage.object.updated' ELSE 'storage.object.moved' END,
      n.bucket_id, n.name, n.id, 'done', CASE WHEN (o.bucket_id, o.name) = (n.bucket_id, n.name)
        THEN jsonb_build_object('via', via, 'version', n.version_id, 'size', n.size, 'replaced', nullif(o.version_id, n.version_id))
        ELSE jsonb_build_object('via', via, 'version', n.version_id, 'from', jsonb_build_array(o.bucket_id, o.name)) END
    FROM new_rows AS n FULL JOIN old_rows AS o USING (id);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_y_audit_inserted AFTER INSERT ON storage.objects
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();
CREATE OR REPLACE TRIGGER objects_y_audit_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();
CREATE OR REPLACE TRIGGER objects_y_audit_deleted AFTER DELETE ON storage.objects
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_objects();

CREATE OR REPLACE FUNCTION storage.audit_buckets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bucket storage.buckets := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  detail jsonb;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What changed, from and to.
    SELECT jsonb_object_agg(n.key, jsonb_build_array(o.value, n.value)) INTO detail
    FROM jsonb_each(to_jsonb(NEW)) AS n JOIN jsonb_each(to_jsonb(OLD)) AS o USING (key)
    WHERE n.value <> o.value AND n.key <> 'updated_at' AND octet_length(n.value::text) + octet_length(o.value::text) <= 300;
  END IF;
  INSERT INTO storage.audit_log (request_id, address, role, subject, operation, bucket_id, outcome, detail)
  VALUES (left(nullif(current_setting('storage.request_id', true), ''), 128),
    left(nullif(current_setting('storage.request_address', true), ''), 64),
    coalesce(nullif(current_setting('role', true), 'none'), session_user), left(storage.caller_id(), 1024),
    CASE TG_OP WHEN 'INSERT' THEN 'storage.bucket.created' WHEN 'UPDATE' THEN 'storage.bucket.updated' ELSE 'storage.bucket.deleted' END,
    bucket.id, 'done', detail);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER buckets_y_audit AFTER INSERT OR UPDATE OR DELETE ON storage.buckets
  FOR EACH ROW EXECUTE FUNCTION storage.audit_buckets();

-- A version that was purged for ever is a write too.
CREATE OR REPLACE FUNCTION storage.audit_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO storage.audit_log (request_id, address, role, subject, operation, bucket_id, name, object_id, outcome, detail)
  SELECT left(nullif(current_setting('storage.request_id', true), ''), 128),
    left(nullif(current_setting('storage.request_address', true), ''), 64),
    coalesce(nullif(current_setting('role', true), 'none'), session_user), left(storage.caller_id(), 1024),
    'storage.version.let_go', bucket_id, name, object_id, 'done',
    jsonb_build_object('via', left(storage.operation(), 100), 'version', version_id)
  FROM old_rows WHERE version_id IS NOT NULL;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER history_y_audit AFTER DELETE ON storage.object_history
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_history();

-- So is a revocation: it takes URLs from whoever holds them.
CREATE OR REPLACE FUNCTION storage.audit_revocations() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO storage.audit_log (request_id, address, role, subject, operation, outcome, detail)
  SELECT left(nullif(current_setting('storage.request_id', true), ''), 128),
    left(nullif(current_setting('storage.request_address', true), ''), 64),
    coalesce(nullif(current_setting('role', true), 'none'), session_user), left(storage.caller_id(), 1024),
    'storage.signed_url.revoked', 'done', jsonb_build_object('scope', scope, 'value', value)
  FROM new_rows;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER signed_url_revocations_y_audit AFTER INSERT ON storage.signed_url_revocations
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_revocations();

-- What the API tells: refusals and signed URLs, many at once. `login` says that it was the API.
CREATE OR REPLACE FUNCTION storage_internal.audit_tell(entries jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO storage.audit_log (occurred_at, request_id, address, role, subject, operation, bucket_id, name, object_id,
    outcome, reason, detail)
  SELECT least(e.occurred_at, now()), left(nullif(e.request_id, ''), 128), left(nullif(e.address, ''), 64),
    coalesce(left(nullif(e.role, ''), 63), 'unknown'), left(nullif(e.subject, ''), 1024),
    coalesce(left(nullif(e.operation, ''), 100), 'unknown'), left(nullif(e.bucket_id, ''), 255),
    left(nullif(e.name, ''), 1024), e.object_id, e.outcome, left(nullif(e.reason, ''), 100),
    CASE WHEN octet_length(e.detail::text) <= 4096 THEN e.detail END
  FROM jsonb_to_recordset(entries) AS e (occurred_at timestamptz, request_id text, address text, role text, subject text,
    operation text, bucket_id text, name text, object_id uuid, outcome text, reason text, detail jsonb)
  LIMIT 10000
$$;

-- Nobody changes what is written, its owner neither; what goes is older than the retention says.
CREATE OR REPLACE FUNCTION storage.audit_is_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF NOT EXISTS (SELECT FROM old_rows WHERE occurred_at > storage_internal.audit_horizon()) THEN
      RETURN NULL;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only; rows go when they are older than the setting audit_retention_days'
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE OR REPLACE FUNCTION storage_internal.audit_horizon() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT now() - make_interval(days => greatest(coalesce((
    SELECT value::integer FROM storage.settings WHERE name = 'audit_retention_days' AND value ~ '^\d{1,5}$'), 365), 1))
$$;
CREATE OR REPLACE TRIGGER audit_log_keeps_deleted AFTER DELETE ON storage.audit_log
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_is_kept();
CREATE OR REPLACE TRIGGER audit_log_keeps_updated BEFORE UPDATE OR TRUNCATE ON storage.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION storage.audit_is_kept();

-- Lets go of the oldest rows where they are old enough; returns how many went. Ids go up with time.
CREATE OR REPLACE FUNCTION storage_internal.audit_expire(row_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM storage.audit_log WHERE id IN (
      SELECT o.id FROM (SELECT id, occurred_at FROM storage.audit_log ORDER BY id LIMIT row_limit) AS o
      WHERE o.occurred_at <= storage_internal.audit_horizon())
    RETURNING id
  )
  SELECT count(*) FROM gone
$$;

-- From which id on entries may be as young as that: ids go up with time, but for transactions that took up to a day.
CREATE OR REPLACE FUNCTION storage_internal.audit_from(wanted timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  low bigint := 0;
  high bigint := coalesce((SELECT max(id) FROM storage.audit_log), 0) + 1;
  middle bigint;
BEGIN
  WHILE low < high LOOP
    middle := low + (high - low) / 2;
    IF (SELECT a.occurred_at FROM storage.audit_log AS a WHERE a.id >= middle ORDER BY a.id LIMIT 1) < wanted - interval '1 day' THEN
      low := middle + 1;
    ELSE
      high := middle;
    END IF;
  END LOOP;
  RETURN low;
END
$$;

ALTER TABLE storage.quotas ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.quota_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.quota_shards ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.audit_log ENABLE ROW LEVEL SECURITY;

-- What operators look at.
CREATE OR REPLACE VIEW storage.audit WITH (security_invoker = true) AS
SELECT id, occurred_at, request_id, address, login, role, subject, operation, bucket_id, name, object_id, outcome, reason, detail
FROM storage.audit_log;

REVOKE ALL ON storage.audit_log, storage.audit FROM PUBLIC;
GRANT SELECT ON storage.audit_log, storage.audit TO :"service_role", rowlock_worker;

REVOKE ALL ON FUNCTION storage_internal.audit_tell(jsonb),
  storage_internal.audit_from(timestamptz), storage_internal.audit_horizon(), storage_internal.audit_expire(integer),
  storage.audit_objects(), storage.audit_buckets(),
  storage.audit_history(), storage.audit_revocations(), storage.audit_is_kept() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage_internal.audit_tell(jsonb) TO rowlock_authenticator;
GRANT EXECUTE ON FUNCTION storage_internal.audit_tell(jsonb), storage_internal.audit_from(timestamptz),
  storage_internal.audit_horizon(), storage_internal.audit_expire(integer) TO rowlock_worker;
