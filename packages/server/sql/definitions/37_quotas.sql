-- Quotas: reserved when an upload begins, settled when it commits, given back by whatever removes. Counters never drift,
-- because what is free changes in the transaction that changes what is kept. Never exceeded: a shard gives away only what
-- it has, and whoever finds too little there gathers what the others have. Without any quota nothing here writes.

-- Opens an account, with all that its limit allows; the one that is there where somebody was quicker.
CREATE OR REPLACE FUNCTION storage_internal.quota_open(rule bigint, keeper text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  quota storage.quotas;
  account storage.quota_accounts;
BEGIN
  -- Shared with those who change the limit: an account is opened with the limit of before or of after, not between.
  SELECT * INTO quota FROM storage.quotas WHERE id = rule FOR SHARE;
  IF NOT FOUND THEN
    RETURN NULL; -- lifted meanwhile
  END IF;
  INSERT INTO storage.quota_accounts (quota_id, owner_id, bytes_max, objects_max, shards)
  VALUES (rule, keeper, coalesce(quota.bytes_max, 1::bigint << 60), coalesce(quota.objects_max, 1::bigint << 60),
    CASE quota.per WHEN 'bucket' THEN 8 ELSE 4 END)
  ON CONFLICT ON CONSTRAINT quota_accounts_one_per_owner DO NOTHING
  RETURNING * INTO account;
  IF NOT FOUND THEN
    RETURN (SELECT id FROM storage.quota_accounts WHERE quota_id = rule AND owner_id = keeper);
  END IF;
  INSERT INTO storage.quota_shards (account_id, shard, bytes_free, objects_free)
  SELECT account.id, n, account.bytes_max / account.shards + CASE n WHEN 0 THEN account.bytes_max % account.shards ELSE 0 END,
    account.objects_max / account.shards + CASE n WHEN 0 THEN account.objects_max % account.shards ELSE 0 END
  FROM generate_series(0, account.shards - 1) AS n;
  RETURN account.id;
END
$$;

-- What applies to one owner's objects in one bucket: accounts in the order of their ids, opened on first use.
CREATE OR REPLACE FUNCTION storage_internal.quota_accounts_of(wanted_bucket text, wanted_owner text) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  rule record;
  keeper text;
  account bigint;
  accounts bigint[] := '{}';
BEGIN
  FOR rule IN SELECT q.id, q.per FROM storage.quotas AS q WHERE q.bucket_id = wanted_bucket OR q.bucket_id IS NULL LOOP
    keeper := CASE rule.per WHEN 'owner' THEN wanted_owner ELSE '' END;
    CONTINUE WHEN keeper IS NULL;
    SELECT a.id INTO account FROM storage.quota_accounts AS a WHERE a.quota_id = rule.id AND a.owner_id = keeper;
    IF NOT FOUND THEN
      account := storage_internal.quota_open(rule.id, keeper);
    END IF;
    accounts := array_append(accounts, account);
  END LOOP;
  accounts := array_remove(accounts, NULL); -- lifted meanwhile
  RETURN CASE WHEN cardinality(accounts) < 2 THEN accounts ELSE ARRAY(SELECT unnest(accounts) AS a ORDER BY a) END;
END
$$;

-- Says what is used up, and how much of it to those who may know: the service, the owner it is counted for, and the
-- owner of the bucket.
CREATE OR REPLACE FUNCTION storage_internal.quota_refuse(wanted bigint, asking_role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found record;
  whose text;
BEGIN
  SELECT a.owner_id, a.bytes_max, a.objects_max, q.bucket_id, q.per, b.owner_id AS bucket_owner,
    sum(s.bytes_free) AS bytes_free, sum(s.objects_free) AS objects_free
  INTO found
  FROM storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id
    JOIN storage.quota_shards AS s ON s.account_id = a.id LEFT JOIN storage.buckets AS b ON b.id = q.bucket_id
  WHERE a.id = wanted GROUP BY a.id, q.id, b.id;
  whose := CASE found.per WHEN 'bucket' THEN 'The quota of this bucket'
    ELSE 'The quota of the object''s owner' || CASE WHEN found.bucket_id IS NULL THEN '' ELSE ' in this bucket' END END;
  IF pg_has_role(asking_role, :'service_role', 'USAGE') OR storage.caller_id() = found.bucket_owner
    OR (found.per = 'owner' AND storage.caller_id() = found.owner_id)
  THEN
    whose := concat(whose, ' is used up: ',
      CASE WHEN found.bytes_max < 1::bigint << 60 THEN format('%s of %s bytes', found.bytes_max - found.bytes_free, found.bytes_max) END,
      CASE WHEN greatest(found.bytes_max, found.objects_max) < 1::bigint << 60 THEN ' and ' END,
      CASE WHEN found.objects_max < 1::bigint << 60 THEN format('%s of %s objects', found.objects_max - found.objects_free, found.objects_max) END,
      ' are used or reserved');
  ELSE
    whose := whose || ' is used up';
  END IF;
  PERFORM storage.refuse('quota_exceeded', whose);
END
$$;

-- Takes from all shards of an account together, in their order, and spreads what is left. Negative takes give back.
-- False, and nothing done, where it may refuse and too little is left.
CREATE OR REPLACE FUNCTION storage_internal.quota_spread(account bigint, bytes bigint, objects bigint, may_refuse boolean)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  bytes_left bigint;
  objects_left bigint;
  shards bigint;
BEGIN
  FOR turn IN 1..2 LOOP
    SELECT sum(s.bytes_free), sum(s.objects_free), count(*) INTO bytes_left, objects_left, shards
    FROM storage.quota_shards AS s WHERE s.account_id = account;
    IF shards = 0 THEN
      RETURN true; -- lifted meanwhile
    END IF;
    -- What is committed as used is used: a full quota is answered before anything is locked, so that it costs little.
    IF may_refuse AND ((bytes > 0 AND bytes_left < bytes) OR (objects > 0 AND objects_left < objects)) THEN
      RETURN false;
    END IF;
    IF turn = 1 THEN
      PERFORM FROM storage.quota_shards AS s WHERE s.account_id = account ORDER BY s.shard FOR UPDATE;
    END IF;
  END LOOP;
  bytes_left := bytes_left - bytes;
  objects_left := objects_left - objects;
  UPDATE storage.quota_shards AS s SET is_open = bytes_left >= 0 AND objects_left >= 0,
    bytes_free = CASE WHEN bytes_left < 0 THEN CASE s.shard WHEN 0 THEN bytes_left ELSE 0 END
      ELSE bytes_left / shards + CASE s.shard WHEN 0 THEN bytes_left % shards ELSE 0 END END,
    objects_free = CASE WHEN objects_left < 0 THEN CASE s.shard WHEN 0 THEN objects_left ELSE 0 END
      ELSE objects_left / shards + CASE s.shard WHEN 0 THEN objects_left % shards ELSE 0 END END
  WHERE s.account_id = account;
  RETURN true;
END
$$;

-- Takes from this connection's shard where that has enough, else from all. Whoever takes of several accounts takes in
-- the order of their ids.
CREATE OR REPLACE FUNCTION storage_internal.quota_take(account bigint, bytes bigint, objects bigint, asking_role text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  may_refuse boolean;
BEGIN
  IF bytes = 0 AND objects = 0 THEN
    RETURN;
  END IF;
  -- Far from the edge.
  UPDATE storage.quota_shards AS s SET bytes_free = s.bytes_free - bytes, objects_free = s.objects_free - objects
  FROM storage.quota_accounts AS a
  WHERE a.id = account AND s.account_id = account AND s.shard = pg_backend_pid() % a.shards AND s.is_open
    AND (bytes <= 0 OR s.bytes_free >> 6 >= bytes) AND (objects <= 0 OR s.objects_free >> 6 >= objects);
  IF FOUND THEN
    RETURN;
  END IF;
  BEGIN
    UPDATE storage.quota_shards AS s SET bytes_free = s.bytes_free - bytes, objects_free = s.objects_free - objects
    FROM storage.quota_accounts AS a
    WHERE a.id = account AND s.account_id = account AND s.shard = pg_backend_pid() % a.shards AND s.is_open
      AND (bytes <= 0 OR s.bytes_free >= bytes) AND (objects <= 0 OR s.objects_free >= objects);
    IF FOUND THEN
      RETURN;
    END IF;
    -- An UPDATE that waited for another's keeps the row locked though it fits no more. Who then locks all of them in their
    -- order would hold one out of it, and deadlock with the next who does: the lock ends with the subtransaction.
    RAISE SQLSTATE 'RWLCQ';
  EXCEPTION WHEN SQLSTATE 'RWLCQ' THEN NULL;
  END;
  SELECT q.counted INTO may_refuse
  FROM storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id WHERE a.id = account;
  IF NOT storage_internal.quota_spread(account, bytes, objects, coalesce(may_refuse, false)) THEN
    PERFORM storage_internal.quota_refuse(account, asking_role);
  END IF;
END
$$;

-- A transaction that looks at the database as it was must not look past a quota that was added since. Its writes are
-- refused with 40001, and right when it is tried again.
CREATE OR REPLACE FUNCTION storage_internal.quota_is_in_view() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    PERFORM FROM storage.settings WHERE name = 'quota_epoch' FOR SHARE;
  END IF;
END
$$;

-- Settles what rows of a statement need more or less than before, less what their uploads had reserved.
CREATE OR REPLACE FUNCTION storage_internal.quota_settle(needs storage_internal.quota_need[], version_ids uuid[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  asking_role text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
  need storage_internal.quota_need;
  accounts bigint[];
  reserved bigint[];
  reserved_bytes bigint;
  reserved_objects bigint;
  owed record;
BEGIN
  IF cardinality(version_ids) = 1 AND cardinality(needs) = 1 THEN
    -- One upload, which is nearly always what this is.
    need := needs[1];
    accounts := storage_internal.quota_accounts_of(need.bucket_id, need.owner_id);
    SELECT c.accounts, c.bytes, c.objects INTO reserved, reserved_bytes, reserved_objects
    FROM storage_internal.quota_credit(version_ids) AS c;
    IF reserved = accounts THEN
      need.bytes := need.bytes - reserved_bytes;
      need.objects := need.objects - reserved_objects;
    END IF;
    IF reserved IS NULL OR reserved = accounts THEN
      FOR i IN 1..cardinality(accounts) LOOP
        PERFORM storage_internal.quota_take(accounts[i], need.bytes, need.objects, asking_role);
      END LOOP;
      RETURN;
    END IF;
  END IF;
  FOR owed IN
    WITH every AS (
      SELECT account, n.bytes, n.objects
      FROM (
        SELECT bucket_id, owner_id, sum(bytes)::bigint AS bytes, sum(objects)::bigint AS objects
        FROM unnest(needs) GROUP BY bucket_id, owner_id
      ) AS n, LATERAL unnest(storage_internal.quota_accounts_of(n.bucket_id, n.owner_id)) AS account
      UNION ALL
      SELECT account, -c.bytes, -c.objects
      FROM (
        SELECT * FROM storage_internal.quota_credit(version_ids)
        UNION ALL SELECT reserved, reserved_bytes, reserved_objects
      ) AS c, LATERAL unnest(c.accounts) AS account
    )
    SELECT account, sum(bytes)::bigint AS bytes, sum(objects)::bigint AS objects FROM every GROUP BY account ORDER BY account
  LOOP
    PERFORM storage_internal.quota_take(owed.account, owed.bytes, owed.objects, asking_role);
  END LOOP;
END
$$;

-- What the uploads of versions had reserved, once: of rows that the running commit took, and of no copy of a version.
CREATE OR REPLACE FUNCTION storage_internal.quota_credit(version_ids uuid[])
RETURNS TABLE (accounts bigint[], bytes bigint, objects integer)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.uploads AS u SET reserved_settled = true
  WHERE u.version_id = ANY (version_ids) AND u.state = 'committing' AND u.reserved_in IS NOT NULL AND NOT u.reserved_settled
  RETURNING u.reserved_in, u.reserved_bytes, u.reserved_objects
$$;

-- After every statement that writes objects, whoever wrote it. It is the last of its kind: the triggers before it have
-- written what of the old is kept under its name, and so still counts.
CREATE OR REPLACE FUNCTION storage.quota_objects_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  needs storage_internal.quota_need[];
  versions uuid[];
BEGIN
  PERFORM storage_internal.quota_is_in_view() WHERE current_setting('transaction_isolation') <> 'read committed';
  IF NOT EXISTS (SELECT FROM storage.quotas) THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    SELECT array_agg(n.need), array_agg(n.version_id) INTO needs, versions FROM (
      SELECT ROW(bucket_id, owner_id, size, 1)::storage_internal.quota_need AS need, version_id FROM new_rows
    ) AS n;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    needs := needs || ARRAY(
      SELECT ROW(o.bucket_id, o.owner_id, -o.size, -1)::storage_internal.quota_need
      FROM old_rows AS o
      WHERE NOT EXISTS (
        SELECT FROM storage.object_history AS h
        WHERE h.version_id = o.version_id AND h.object_id = o.id AND h.bucket_id = o.bucket_id AND h.name = o.name
          AND h.superseded_at = now()));
  END IF;
  IF needs IS NOT NULL THEN
    PERFORM storage_internal.quota_settle(needs, versions);
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER objects_z_quota_inserted AFTER INSERT ON storage.objects
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();
CREATE OR REPLACE TRIGGER objects_z_quota_updated AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();
CREATE OR REPLACE TRIGGER objects_z_quota_deleted AFTER DELETE ON storage.objects
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_objects_changed();

-- What is kept of older versions counts until it goes.
CREATE OR REPLACE FUNCTION storage.quota_history_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  needs storage_internal.quota_need[];
BEGIN
  PERFORM storage_internal.quota_is_in_view() WHERE current_setting('transaction_isolation') <> 'read committed';
  IF EXISTS (SELECT FROM storage.quotas) THEN
    SELECT array_agg(ROW(o.bucket_id, o.owner_id, -o.size, -1)::storage_internal.quota_need) INTO needs
    FROM old_rows AS o WHERE o.version_id IS NOT NULL;
    PERFORM storage_internal.quota_settle(needs, NULL) WHERE needs IS NOT NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER history_z_quota_deleted AFTER DELETE ON storage.object_history
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.quota_history_deleted();

-- For whom an upload under this name will count, and what it would give back: what the name has now, unless that is kept.
CREATE OR REPLACE FUNCTION storage_internal.quota_replaced(wanted_bucket text, wanted_name text)
RETURNS TABLE (owner_id text, bytes bigint, objects integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN QUERY
    SELECT o.owner_id, CASE WHEN k.is_kept THEN 0 ELSE o.size END, CASE WHEN k.is_kept THEN 0 ELSE 1 END
    FROM storage.objects AS o JOIN storage.buckets AS b ON b.id = o.bucket_id JOIN storage.versions AS v ON v.id = o.version_id,
      LATERAL (SELECT storage_internal.keep_until(b, v.stored_at, false) IS NOT NULL AS is_kept) AS k
    WHERE o.bucket_id = wanted_bucket AND o.name = wanted_name;
  IF NOT FOUND THEN
    RETURN QUERY SELECT storage.caller_id(), 0::bigint, 0;
  END IF;
END
$$;

-- An intent of whatever kind reserves one object, unless it replaces one, and as many bytes as it declared.
CREATE OR REPLACE FUNCTION storage.quota_upload_begun() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  replaced record;
  account bigint;
BEGIN
  NEW.reserved_in := NULL;
  NEW.reserved_settled := false;
  PERFORM storage_internal.quota_is_in_view() WHERE current_setting('transaction_isolation') <> 'read committed';
  IF NOT EXISTS (SELECT FROM storage.quotas) THEN
    RETURN NEW;
  END IF;
  SELECT * INTO replaced FROM storage_internal.quota_replaced(NEW.bucket_id, NEW.name);
  NEW.reserved_in := storage_internal.quota_accounts_of(NEW.bucket_id, replaced.owner_id);
  NEW.reserved_bytes := greatest(coalesce(NEW.declared_size, 0) - replaced.bytes, 0);
  NEW.reserved_objects := 1 - replaced.objects;
  IF cardinality(NEW.reserved_in) = 0 THEN
    NEW.reserved_in := NULL;
    RETURN NEW;
  END IF;
  FOREACH account IN ARRAY NEW.reserved_in LOOP
    PERFORM storage_internal.quota_take(account, NEW.reserved_bytes, NEW.reserved_objects, NEW.caller_role);
  END LOOP;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER uploads_quota_begun BEFORE INSERT ON storage.uploads
  FOR EACH ROW EXECUTE FUNCTION storage.quota_upload_begun();

-- An intent that goes without an object gives back what it reserved.
CREATE OR REPLACE FUNCTION storage.quota_upload_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage_internal.quota_take(account, -OLD.reserved_bytes, -OLD.reserved_objects, OLD.caller_role)
  FROM (SELECT unnest(OLD.reserved_in) AS account ORDER BY account) AS every;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER uploads_quota_gone AFTER DELETE ON storage.uploads
  FOR EACH ROW WHEN (OLD.reserved_in IS NOT NULL AND NOT OLD.reserved_settled) EXECUTE FUNCTION storage.quota_upload_gone();

-- The most bytes that a body of unknown length could still have: what is free in the tightest account.
CREATE OR REPLACE FUNCTION storage_internal.quota_room(wanted_bucket text, wanted_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  replaced record;
BEGIN
  IF NOT EXISTS (SELECT FROM storage.quotas) THEN
    RETURN NULL;
  END IF;
  SELECT * INTO replaced FROM storage_internal.quota_replaced(wanted_bucket, wanted_name);
  RETURN (SELECT greatest(min(accounts.free), 0) + replaced.bytes FROM (
    SELECT sum(s.bytes_free)::bigint AS free
    FROM unnest(storage_internal.quota_accounts_of(wanted_bucket, replaced.owner_id)) AS account
      JOIN storage.quota_accounts AS a ON a.id = account JOIN storage.quotas AS q ON q.id = a.quota_id AND q.counted
      JOIN storage.quota_shards AS s ON s.account_id = a.id
    GROUP BY account
  ) AS accounts HAVING count(*) > 0);
END
$$;
