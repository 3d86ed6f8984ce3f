-- Removing bytes: after the commit that dropped the last reference, never before.

-- One job for up to a hundred versions: a cascade over thousands of objects stays cheap.
CREATE OR REPLACE FUNCTION storage_internal.enqueue_purges(version_ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT :"metadata".enqueue_jobs('version_purge', array_agg(args ORDER BY batch), 'maintenance', 3::smallint)
  FROM (
    SELECT batch, jsonb_build_object('version_ids', jsonb_agg(id ORDER BY id)) AS args
    FROM (
      SELECT id, (row_number() OVER (ORDER BY id) - 1) / 100 AS batch
      FROM (SELECT DISTINCT unnest(version_ids) AS id) AS every
      WHERE id IS NOT NULL
    ) AS numbered
    GROUP BY batch
  ) AS batched
$$;

-- The same for versions that objects stopped pointing at, less those that history keeps.
CREATE OR REPLACE FUNCTION storage_internal.purge_unkept(version_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unkept uuid[];
BEGIN
  SELECT array_agg(id) INTO unkept FROM unnest(version_ids) AS id
  WHERE NOT EXISTS (SELECT FROM storage.object_history AS h WHERE h.version_id = id);
  IF unkept IS NOT NULL THEN
    PERFORM storage_internal.enqueue_purges(unkept);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.version_is_referenced(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM storage.objects WHERE version_id = wanted)
    OR EXISTS (SELECT FROM storage.object_history WHERE version_id = wanted)
    OR EXISTS (SELECT FROM storage.variants WHERE version_id = wanted)
    OR EXISTS (SELECT FROM storage.uploads WHERE version_id = wanted AND state <> 'refused' AND expires_at > now())
$$;

-- Marks a version as purging and says where its bytes are; no row when something still points at it, or when
-- it is gone already. Commits before bytes are touched: from here on nothing can attach the version.
CREATE OR REPLACE FUNCTION storage_internal.purge_begin(wanted uuid)
RETURNS TABLE (backend text, key text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  version storage.versions;
  derived uuid[];
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'a purge must see what was committed meanwhile: it runs READ COMMITTED only' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  SELECT * INTO version FROM storage.versions WHERE id = wanted FOR UPDATE;
  IF NOT FOUND OR version.state = 'gone' OR storage_internal.version_is_referenced(wanted) THEN
    RETURN;
  END IF;
  IF version.state <> 'stored' AND version.expires_at > now() THEN
    RETURN; -- bytes may still be arriving, or somebody may still read what was copied to another backend
  END IF;
  DELETE FROM storage.uploads WHERE version_id = wanted;
  DELETE FROM storage.image_locations WHERE version_id = wanted; -- the row of the version may stay for a week
  WITH gone AS (DELETE FROM storage.variants WHERE source_version_id = wanted RETURNING variants.version_id)
  SELECT array_agg(gone.version_id) INTO derived FROM gone WHERE gone.version_id IS NOT NULL;
  UPDATE storage.versions SET state = 'purging', expires_at = coalesce(expires_at, now()) WHERE id = wanted;
  IF derived IS NOT NULL THEN
    PERFORM storage_internal.enqueue_purges(derived);
  END IF;
  RETURN QUERY SELECT version.backend, version.key;
END
$$;

-- The bytes are deleted. A version that was stored cannot get late bytes, so its row goes; one that was not may, or one whose
-- presigned URL is still out at a store that takes it: its row stays for seven days as a tombstone, and is then purged once more.
CREATE OR REPLACE FUNCTION storage_internal.purge_end(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.versions SET state = 'gone', expires_at = now() + interval '7 days'
  WHERE id = wanted AND state = 'purging' AND (stored_at IS NULL OR put_until > now());
  DELETE FROM storage.versions WHERE id = wanted AND state = 'purging' AND stored_at IS NOT NULL;
END
$$;

-- Finds intents whose time is over and purges that did not end, and enqueues their purge; returns how many.
DROP FUNCTION IF EXISTS storage_internal.sweep(interval, integer);
CREATE OR REPLACE FUNCTION storage_internal.sweep_expired(row_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_ids uuid[];
BEGIN
  SELECT array_agg(due.id) INTO found_ids FROM (
    SELECT v.id FROM storage.versions AS v
    WHERE v.state <> 'stored' AND v.state IN ('writing', 'purging') AND v.expires_at <= now()
    ORDER BY v.expires_at LIMIT row_limit
  ) AS due;
  PERFORM storage_internal.forget_tickets(row_limit);
  PERFORM storage_internal.close_requests(row_limit);
  IF found_ids IS NOT NULL THEN
    PERFORM storage_internal.enqueue_purges(found_ids);
  END IF;
  RETURN coalesce(cardinality(found_ids), 0);
END
$$;

-- Looks at the next page of versions in the order of their ids, and enqueues the purge of those that nothing points at and
-- that were stored more than `grace` ago: what lost its job. The page is one statement; its bounds stand at each table, so
-- that it reads the same stretch of their indexes, and it is planned for them. Goes on where the last page ended.
CREATE OR REPLACE FUNCTION storage_internal.sweep_unreferenced(
  grace interval, page_size integer, row_limit integer, OUT examined bigint, OUT enqueued bigint, OUT ended boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  first_id uuid;
  last_id uuid;
  found_ids uuid[];
BEGIN
  SELECT s.after INTO first_id FROM storage.sweep_position AS s FOR UPDATE;
  SELECT count(*), (array_agg(page.id ORDER BY page.id DESC))[1] INTO examined, last_id FROM (
    SELECT v.id FROM storage.versions AS v WHERE v.id > first_id ORDER BY v.id LIMIT page_size
  ) AS page;
  ended := examined < page_size;
  PERFORM storage_internal.withhold_unconsented(first_id, last_id);
  -- Sets, not joins: PostgreSQL cannot guess how many ids lie between two, takes them for one within a bin of its histogram,
  -- and would compare each with each.
  SELECT array_agg(lost.id ORDER BY lost.id) INTO found_ids FROM (
    SELECT v.id FROM storage.versions AS v
    WHERE v.id > first_id AND v.id <= last_id AND v.state = 'stored' AND v.stored_at <= now() - grace
    EXCEPT (
      SELECT o.version_id FROM storage.objects AS o WHERE o.version_id > first_id AND o.version_id <= last_id
      UNION ALL
      SELECT h.version_id FROM storage.object_history AS h WHERE h.version_id > first_id AND h.version_id <= last_id
      UNION ALL
      SELECT d.version_id FROM storage.variants AS d WHERE d.version_id > first_id AND d.version_id <= last_id
      UNION ALL
      SELECT u.version_id FROM storage.uploads AS u
      WHERE u.version_id > first_id AND u.version_id <= last_id AND u.state <> 'refused' AND u.expires_at > now())
    ORDER BY 1 LIMIT row_limit
  ) AS lost;
  enqueued := coalesce(cardinality(found_ids), 0);
  IF enqueued = row_limit THEN
    last_id := found_ids[row_limit]; -- the rest of this page is the next one's
    ended := false;
  END IF;
  IF enqueued > 0 THEN
    PERFORM storage_internal.enqueue_purges(found_ids);
  END IF;
  UPDATE storage.sweep_position SET updated_at = now(),
    after = CASE WHEN ended THEN '00000000-0000-0000-0000-000000000000' ELSE last_id END;
END
$$;

-- Tombstones whose week is over: the caller deletes any late bytes, then forgets the rows.
DROP FUNCTION IF EXISTS storage_internal.tombstones_due(integer);
CREATE OR REPLACE FUNCTION storage_internal.tombstones_due(wanted_backend text, row_limit integer)
RETURNS TABLE (id uuid, key text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT v.id, v.key FROM storage.versions AS v
  WHERE v.state = 'gone' AND v.state <> 'stored' AND v.backend = wanted_backend AND v.expires_at <= now()
  ORDER BY v.expires_at LIMIT row_limit
$$;

DROP FUNCTION IF EXISTS storage_internal.tombstone_forget(uuid);
CREATE OR REPLACE FUNCTION storage_internal.tombstones_forget(wanted uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM storage.versions WHERE id = ANY (wanted) AND state = 'gone' AND expires_at <= now()
$$;

-- Asks for a sweep unless one is waiting or running already.
CREATE OR REPLACE FUNCTION storage_internal.enqueue_maintenance(wanted_kind text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('rowlock.maintenance', 0));
  IF EXISTS (
    SELECT FROM :"metadata".river_job
    WHERE kind = wanted_kind AND state IN ('available', 'running', 'retryable', 'scheduled', 'pending')
  ) THEN
    RETURN false;
  END IF;
  PERFORM :"metadata".enqueue_job(wanted_kind, '{}', 'maintenance', 4::smallint);
  RETURN true;
END
$$;
