-- Rules of quotas: who sets them, how what was there before is counted, what callers see of them, and how they are checked.
-- What writes take and give back is in 37_quotas.sql.

-- Sets, changes or lifts a rule. One that is added to a bucket with objects in it is counted before it refuses anything.
CREATE OR REPLACE FUNCTION storage_internal.quota_set(
  wanted_bucket text, wanted_per text, new_bytes bigint, new_objects bigint, bucket_is_new boolean
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule storage.quotas;
  limits record;
BEGIN
  SELECT * INTO rule FROM storage.quotas AS q
  WHERE q.bucket_id IS NOT DISTINCT FROM wanted_bucket AND q.per = wanted_per FOR UPDATE;
  IF NOT FOUND THEN
    IF wanted_bucket IS NOT NULL AND new_bytes IS NULL AND new_objects IS NULL THEN
      RETURN NULL;
    END IF;
    INSERT INTO storage.quotas (bucket_id, per, bytes_max, objects_max, counted)
    VALUES (wanted_bucket, wanted_per, new_bytes, new_objects, bucket_is_new)
    RETURNING * INTO rule;
    IF NOT bucket_is_new THEN
      UPDATE storage.settings SET value = (value::bigint + 1)::text WHERE name = 'quota_epoch';
      PERFORM storage_internal.enqueue_maintenance('upload_sweep');
    END IF;
    RETURN rule.id;
  END IF;
  IF wanted_bucket IS NOT NULL AND new_bytes IS NULL AND new_objects IS NULL THEN
    DELETE FROM storage.quotas WHERE id = rule.id;
    RETURN NULL;
  END IF;
  UPDATE storage.quotas SET bytes_max = new_bytes, objects_max = new_objects WHERE id = rule.id;
  FOR limits IN SELECT a.id FROM storage.quota_accounts AS a WHERE a.quota_id = rule.id AND NOT a.own_limit ORDER BY a.id LOOP
    PERFORM storage_internal.quota_limit(limits.id, new_bytes, new_objects, false);
  END LOOP;
  RETURN rule.id;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.quota_limit(account bigint, new_bytes bigint, new_objects bigint, is_own boolean)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  before storage.quota_accounts;
  after storage.quota_accounts;
BEGIN
  SELECT * INTO before FROM storage.quota_accounts WHERE id = account FOR UPDATE;
  UPDATE storage.quota_accounts AS a SET own_limit = is_own,
    bytes_max = coalesce(new_bytes, 1::bigint << 60), objects_max = coalesce(new_objects, 1::bigint << 60)
  WHERE a.id = account RETURNING * INTO after;
  PERFORM storage_internal.quota_spread(
    account, before.bytes_max - after.bytes_max, before.objects_max - after.objects_max, false);
END
$$;

CREATE OR REPLACE FUNCTION storage.quota_bucket_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage_internal.quota_set(NEW.id, 'bucket', NEW.quota_bytes, NEW.quota_objects, TG_OP = 'INSERT'),
    storage_internal.quota_set(NEW.id, 'owner', NEW.owner_quota_bytes, NEW.owner_quota_objects, TG_OP = 'INSERT');
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER buckets_quota_set AFTER INSERT ON storage.buckets
  FOR EACH ROW WHEN (num_nonnulls(NEW.quota_bytes, NEW.quota_objects, NEW.owner_quota_bytes, NEW.owner_quota_objects) > 0)
  EXECUTE FUNCTION storage.quota_bucket_changed();
CREATE OR REPLACE TRIGGER buckets_quota_changed AFTER UPDATE ON storage.buckets
  FOR EACH ROW WHEN ((NEW.quota_bytes, NEW.quota_objects, NEW.owner_quota_bytes, NEW.owner_quota_objects)
    IS DISTINCT FROM (OLD.quota_bytes, OLD.quota_objects, OLD.owner_quota_bytes, OLD.owner_quota_objects))
  EXECUTE FUNCTION storage.quota_bucket_changed();

-- What each account should say, from the rows themselves, less what it says: all in one snapshot. Zero, unless somebody
-- wrote with triggers off.
CREATE OR REPLACE FUNCTION storage_internal.quota_drift()
RETURNS TABLE (account_id bigint, quota_id bigint, bucket_id text, owner_id text, bytes bigint, objects bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH kept AS (
    SELECT every.bucket_id, every.owner_id, sum(every.size) AS bytes, count(*) AS objects FROM (
      SELECT o.bucket_id, o.owner_id, o.size FROM storage.objects AS o
      UNION ALL
      SELECT h.bucket_id, h.owner_id, h.size FROM storage.object_history AS h WHERE h.version_id IS NOT NULL
    ) AS every WHERE EXISTS (SELECT FROM storage.quotas) GROUP BY every.bucket_id, every.owner_id
  ), reserved AS (
    SELECT r.account, sum(u.reserved_bytes) AS bytes, sum(u.reserved_objects) AS objects
    FROM storage.uploads AS u, LATERAL unnest(u.reserved_in) AS r (account) WHERE NOT u.reserved_settled GROUP BY r.account
  ), used AS (
    SELECT a.id, coalesce(sum(k.bytes), 0) AS bytes, coalesce(sum(k.objects), 0) AS objects
    FROM storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id
      LEFT JOIN kept AS k ON (q.per = 'bucket' OR k.owner_id = a.owner_id) AND (q.bucket_id IS NULL OR k.bucket_id = q.bucket_id)
    GROUP BY a.id
  ), free AS (
    SELECT s.account_id, sum(s.bytes_free) AS bytes, sum(s.objects_free) AS objects FROM storage.quota_shards AS s GROUP BY s.account_id
  )
  SELECT a.id, q.id, q.bucket_id, a.owner_id,
    (u.bytes + coalesce(r.bytes, 0) - a.bytes_max + f.bytes)::bigint, (u.objects + coalesce(r.objects, 0) - a.objects_max + f.objects)::bigint
  FROM storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id JOIN used AS u ON u.id = a.id
    JOIN free AS f ON f.account_id = a.id LEFT JOIN reserved AS r ON r.account = a.id
  WHERE u.bytes + coalesce(r.bytes, 0) - a.bytes_max + f.bytes <> 0 OR u.objects + coalesce(r.objects, 0) - a.objects_max + f.objects <> 0
$$;

-- Sets what drifted, by the difference, so that whoever writes meanwhile is right as well. Returns how many were wrong.
CREATE OR REPLACE FUNCTION storage_internal.quota_repair() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong record;
  repaired bigint := 0;
BEGIN
  FOR wrong IN SELECT d.account_id, d.bytes, d.objects FROM storage_internal.quota_drift() AS d
    JOIN storage.quotas AS q ON q.id = d.quota_id AND q.counted ORDER BY d.account_id
  LOOP
    PERFORM storage_internal.quota_spread(wrong.account_id, wrong.bytes, wrong.objects, false);
    repaired := repaired + 1;
  END LOOP;
  RETURN repaired;
END
$$;

-- Counts what was there before a quota, once everybody writes under it: first it remembers which transactions may not
-- have seen it, and in a later call, when all of those have ended, counts in one snapshot what they and others left.
-- Returns how many quotas are still to be counted.
CREATE OR REPLACE FUNCTION storage_internal.quota_count() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule storage.quotas;
BEGIN
  FOR rule IN SELECT * FROM storage.quotas AS q WHERE NOT q.counted ORDER BY q.id FOR UPDATE SKIP LOCKED LOOP
    IF rule.since IS NULL THEN
      UPDATE storage.quotas SET since = pg_snapshot_xmax(pg_current_snapshot()) WHERE id = rule.id;
    ELSIF pg_snapshot_xmin(pg_current_snapshot()) >= rule.since THEN
      PERFORM storage_internal.quota_open(rule.id, keeper) FROM (
        SELECT CASE rule.per WHEN 'owner' THEN o.owner_id ELSE '' END AS keeper
        FROM storage.objects AS o WHERE rule.bucket_id IS NULL OR o.bucket_id = rule.bucket_id
        UNION
        SELECT CASE rule.per WHEN 'owner' THEN h.owner_id ELSE '' END
        FROM storage.object_history AS h WHERE rule.bucket_id IS NULL OR h.bucket_id = rule.bucket_id
      ) AS keepers WHERE keeper IS NOT NULL;
      PERFORM storage_internal.quota_spread(d.account_id, d.bytes, d.objects, false)
      FROM (SELECT * FROM storage_internal.quota_drift() AS every WHERE every.quota_id = rule.id ORDER BY every.account_id) AS d;
      UPDATE storage.quotas SET counted = true WHERE id = rule.id;
    END IF;
  END LOOP;
  RETURN (SELECT count(*) FROM storage.quotas WHERE NOT counted);
END
$$;

-- What the caller may know of quotas: their own, those of buckets that they own, and all for the service. With a bucket,
-- what counts there. SECURITY DEFINER: it answers only for oneself.
CREATE OR REPLACE FUNCTION storage.quota_usage(wanted_bucket text DEFAULT NULL)
RETURNS TABLE (
  scope text, bucket_id text, owner_id text, bytes_used bigint, objects_used bigint, bytes_reserved bigint,
  objects_reserved bigint, bytes_max bigint, objects_max bigint, counted boolean
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH me AS (
    SELECT storage.caller_id() AS id,
      pg_has_role(coalesce(nullif(current_setting('role', true), 'none'), session_user), :'service_role', 'USAGE') AS is_service
  ), visible AS (
    SELECT a.*, q.bucket_id, q.per, q.counted
    FROM me, storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id
      LEFT JOIN storage.buckets AS b ON b.id = q.bucket_id
    WHERE (me.is_service OR (q.per = 'owner' AND a.owner_id = me.id) OR b.owner_id = me.id) AND (wanted_bucket IS NULL OR q.bucket_id = wanted_bucket)
    ORDER BY a.id LIMIT 1000
  ), free AS (
    SELECT s.account_id, sum(s.bytes_free)::bigint AS bytes, sum(s.objects_free)::bigint AS objects
    FROM storage.quota_shards AS s WHERE s.account_id IN (SELECT id FROM visible) GROUP BY s.account_id
  ), reserved AS (
    SELECT r.account, sum(u.reserved_bytes)::bigint AS bytes, sum(u.reserved_objects) AS objects
    FROM storage.uploads AS u, LATERAL unnest(u.reserved_in) AS r (account)
    WHERE u.reserved_in IS NOT NULL AND NOT u.reserved_settled GROUP BY r.account
  )
  SELECT v.per, v.bucket_id, nullif(v.owner_id, ''), v.bytes_max - f.bytes - coalesce(r.bytes, 0),
    v.objects_max - f.objects - coalesce(r.objects, 0), coalesce(r.bytes, 0), coalesce(r.objects, 0),
    CASE WHEN v.bytes_max < 1::bigint << 60 THEN v.bytes_max END, CASE WHEN v.objects_max < 1::bigint << 60 THEN v.objects_max END,
    v.counted
  FROM visible AS v JOIN free AS f ON f.account_id = v.id LEFT JOIN reserved AS r ON r.account = v.id
  ORDER BY v.per, v.bucket_id NULLS FIRST, v.owner_id
$$;

-- What each owner may keep in all buckets together; for one owner where `wanted_owner` is given. NULLs lift the limit.
CREATE OR REPLACE FUNCTION storage.set_owner_quota(wanted_owner text, bytes_max bigint, objects_max bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule storage.quotas;
BEGIN
  IF least(bytes_max, objects_max) < 0 OR greatest(bytes_max, objects_max) > 1::bigint << 60 OR wanted_owner = '' THEN
    RAISE EXCEPTION 'a quota is from 0 to 2^60, of an owner that is not empty' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF wanted_owner IS NULL THEN
    PERFORM storage_internal.quota_set(NULL, 'owner', bytes_max, objects_max, false);
    RETURN;
  END IF;
  SELECT * INTO rule FROM storage.quotas AS q WHERE q.bucket_id IS NULL AND q.per = 'owner' FOR UPDATE;
  IF NOT FOUND THEN
    rule.id := storage_internal.quota_set(NULL, 'owner', NULL, NULL, false);
  END IF;
  PERFORM storage_internal.quota_limit(storage_internal.quota_open(rule.id, wanted_owner), bytes_max, objects_max, true);
END
$$;
