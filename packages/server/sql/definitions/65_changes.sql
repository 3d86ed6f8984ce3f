-- The change feed. Triggers write a row for every change in the transaction that makes it. It is read in the order of
-- (xid, seq), and only below the oldest transaction that still runs: whatever commits later sorts behind what was read,
-- so that a position is enough to miss nothing. Writers notify nobody: that would make their commits wait for each other.

CREATE OR REPLACE FUNCTION storage.buckets_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO storage.changes (type, bucket_id, owner_id, bucket_owner_id)
    SELECT 'storage.bucket.created', id, owner_id, owner_id FROM new_rows;
  ELSE
    INSERT INTO storage.changes (type, bucket_id, owner_id, bucket_owner_id)
    SELECT 'storage.bucket.deleted', id, owner_id, owner_id FROM old_rows;
  END IF;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER buckets_created AFTER INSERT ON storage.buckets
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.buckets_changed();
CREATE OR REPLACE TRIGGER buckets_deleted AFTER DELETE ON storage.buckets
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.buckets_changed();

-- Names the life of the database that positions belong to: a restored dump, a point in time that was gone back to and a
-- promoted standby count transactions anew or again.
CREATE OR REPLACE FUNCTION storage_internal.changes_epoch() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT encode(substr(sha256(convert_to(concat_ws('/', s.system_identifier, timeline.hex, d.oid, 'storage.changes'::regclass::oid), 'UTF8')), 1, 4), 'hex')
  FROM pg_control_system() AS s, pg_database AS d, LATERAL (
    SELECT CASE WHEN pg_is_in_recovery() THEN (SELECT upper(lpad(to_hex(c.timeline_id), 8, '0')) FROM pg_control_checkpoint() AS c)
      ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS hex
  ) AS timeline
  WHERE d.datname = current_database()
$$;

-- A cursor as a position. NULL is now, `oldest` the end of what was forgotten.
CREATE OR REPLACE FUNCTION storage_internal.changes_position(since text, OUT xid xid8, OUT seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts text[] := regexp_match(since, '^([0-9a-f]{8}):([0-9]{1,20}):([0-9]{1,19})$');
  feed storage.change_feed;
BEGIN
  IF since IS NULL THEN
    xid := pg_snapshot_xmin(pg_current_snapshot());
    seq := 0;
    RETURN;
  END IF;
  SELECT * INTO feed FROM storage.change_feed;
  IF since = 'oldest' THEN
    xid := feed.forgotten_xid;
    seq := feed.forgotten_seq;
    RETURN;
  ELSIF parts IS NULL THEN
    PERFORM storage.refuse('invalid_request', 'since is a cursor of this feed, or "oldest"');
  END IF;
  IF parts[1] <> storage_internal.changes_epoch() THEN
    PERFORM storage.refuse('cursor_expired', 'the cursor is from another life of this database; list again, and follow from a new cursor');
  END IF;
  xid := parts[2]::xid8;
  seq := parts[3]::bigint;
  IF (xid, seq) < (feed.forgotten_xid, feed.forgotten_seq) THEN
    PERFORM storage.refuse('cursor_expired', 'changes behind the cursor are no longer kept; list again, and follow from a new cursor');
  ELSIF xid > pg_snapshot_xmax(pg_current_snapshot()) AND NOT pg_is_in_recovery() THEN
    PERFORM storage.refuse('cursor_expired', 'the cursor is ahead of this database; list again, and follow from a new cursor');
  END IF;
END
$$;

-- The next changes behind a cursor that are about a bucket and a prefix, at most row_limit looked at, and then one row
-- without a change: the cursor behind all of them, and whether there are more. `arrived`: it is about the place where the
-- object is now; `departed`: about the one that it left.
CREATE OR REPLACE FUNCTION storage_internal.changes_examined(
  since text, row_limit integer, wanted_bucket text, wanted_prefix text
)
RETURNS TABLE (change storage.changes, arrived boolean, departed boolean, cursor text, more boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  row_count integer := least(greatest(coalesce(row_limit, 100), 1), 1000);
  epoch text := storage_internal.changes_epoch();
  readable xid8 := pg_snapshot_xmin(pg_current_snapshot());
  reached record;
  found_rows storage.changes[];
BEGIN
  SELECT * INTO reached FROM storage_internal.changes_position(since);
  SELECT array_agg(c ORDER BY c.xid, c.seq) INTO found_rows FROM (
    SELECT * FROM storage.changes AS c
    WHERE (c.xid, c.seq) > (reached.xid, reached.seq) AND c.xid < readable
    ORDER BY c.xid, c.seq LIMIT row_count
  ) AS c;
  RETURN QUERY
    SELECT judged.change, judged.arrived, judged.departed, concat_ws(':', epoch, (judged.change).xid, (judged.change).seq), true
    FROM (
      SELECT c AS change,
        (wanted_bucket IS NULL OR c.bucket_id = wanted_bucket)
          AND (wanted_prefix IS NULL OR coalesce(starts_with(c.name, wanted_prefix), false)) AS arrived,
        c.previous_bucket_id IS NOT NULL AND (wanted_bucket IS NULL OR c.previous_bucket_id = wanted_bucket)
          AND (wanted_prefix IS NULL OR starts_with(c.previous_name, wanted_prefix)) AS departed
      FROM unnest(found_rows) AS c
    ) AS judged
    WHERE judged.arrived OR judged.departed;
  IF cardinality(found_rows) = row_count THEN
    reached.xid := found_rows[row_count].xid;
    reached.seq := found_rows[row_count].seq;
  ELSIF (readable, 0::bigint) > (reached.xid, reached.seq) THEN
    -- All that there is was looked at: the cursor of a quiet reader does not grow old.
    reached.xid := readable;
    reached.seq := 0;
  END IF;
  RETURN QUERY SELECT NULL::storage.changes, false, false, concat_ws(':', epoch, reached.xid, reached.seq),
    coalesce(cardinality(found_rows), 0) = row_count;
END
$$;

-- What the caller may know of the next changes behind a cursor: {changes, cursor, more}. SECURITY INVOKER. Looks at
-- row_limit changes (1 to 1000) and shows those that are for the caller, so a page may be empty while there are more.
-- A creation or an update is shown to whoever reads the object now, at that place; of what is not there any more, its id
-- and its bucket to whom storage.can_see_removed allows; of a version that was overwritten, no size and no type to others.
CREATE OR REPLACE FUNCTION storage.changes_since(
  since text DEFAULT NULL, row_limit integer DEFAULT 100, wanted_bucket text DEFAULT NULL, wanted_prefix text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  WITH examined AS MATERIALIZED (
    SELECT e.change AS c, e.arrived, e.departed, e.cursor, e.more
    FROM storage_internal.changes_examined(since, row_limit, wanted_bucket, wanted_prefix) AS e
  ), looked_up AS MATERIALIZED (
    -- Found one by one, by id: a join may read all objects and ask the policies of each.
    SELECT e.*, CASE
      WHEN NOT e.arrived OR (e.c).type IN ('storage.object.deleted', 'storage.bucket.deleted') THEN NULL
      WHEN (e.c).object_id IS NULL THEN (
        SELECT 0::bigint FROM storage.buckets AS b WHERE b.id = (e.c).bucket_id AND b.created_at <= (e.c).occurred_at LIMIT 1)
      ELSE (
        SELECT o.revision FROM storage.objects AS o
        WHERE o.id = (e.c).object_id AND o.bucket_id = (e.c).bucket_id AND o.name = (e.c).name LIMIT 1)
      END AS seen_revision
    FROM examined AS e
  ), judged AS MATERIALIZED (
    SELECT l.*, CASE
      WHEN l.seen_revision IS NOT NULL AND (l.c).previous_bucket_id IS NULL
        AND l.seen_revision = coalesce((l.c).revision, 0) THEN true
      ELSE coalesce(storage.can_see_removed(l.c), false)
      END AS told
    FROM looked_up AS l WHERE (l.c).seq IS NOT NULL
  ), shown AS (
    SELECT (j.c).xid, (j.c).seq, jsonb_build_object(
      'type', CASE WHEN j.seen_revision IS NULL AND (j.c).previous_bucket_id IS NOT NULL THEN 'storage.object.deleted' ELSE (j.c).type END,
      'object_id', (j.c).object_id,
      'bucket', CASE WHEN j.seen_revision IS NULL THEN coalesce((j.c).previous_bucket_id, (j.c).bucket_id) ELSE (j.c).bucket_id END,
      'path', CASE WHEN j.seen_revision IS NOT NULL THEN (j.c).name END,
      'previous_bucket', CASE WHEN j.seen_revision IS NOT NULL AND j.told THEN (j.c).previous_bucket_id END,
      'size', CASE WHEN j.seen_revision IS NOT NULL AND (j.told OR j.seen_revision = (j.c).revision) THEN (j.c).size END,
      'content_type', CASE WHEN j.seen_revision IS NOT NULL AND (j.told OR j.seen_revision = (j.c).revision) THEN (j.c).content_type END,
      'owner_id', CASE WHEN j.seen_revision IS NOT NULL THEN (j.c).owner_id END,
      'revision', (j.c).revision,
      'timestamp', to_char((j.c).occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      'cursor', j.cursor) AS event
    FROM judged AS j
    WHERE j.seen_revision IS NOT NULL
      OR (j.told AND CASE WHEN (j.c).previous_bucket_id IS NULL THEN j.arrived ELSE j.departed END)
  )
  SELECT jsonb_build_object(
    'changes', coalesce((SELECT jsonb_agg(s.event ORDER BY s.xid, s.seq) FROM shown AS s), '[]'),
    'cursor', e.cursor,
    'more', e.more)
  FROM examined AS e WHERE (e.c).seq IS NULL;
END;

-- The same as one statement of the API's login role: becomes the caller, reads, comes back.
CREATE OR REPLACE FUNCTION storage_internal.changes_as(
  caller_role text, claims text, since text, row_limit integer, wanted_bucket text, wanted_prefix text
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  page jsonb;
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', 'storage.changes.read', true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  page := storage.changes_since(since, row_limit, wanted_bucket, wanted_prefix);
  PERFORM set_config('role', 'none', true);
  RETURN page;
END
$$;

-- What the poller of a process asks: which buckets have changes behind the cursor, where to go on, for how long the
-- oldest change that nobody can read yet has waited, and whether SQL listeners want to be told.
CREATE OR REPLACE FUNCTION storage_internal.changes_poll(
  since text, OUT head text, OUT newest text, OUT buckets text[], OUT more boolean, OUT lag_seconds double precision, OUT has_listeners boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  oldest_unread timestamptz;
BEGIN
  SELECT max(e.cursor) FILTER (WHERE (e.change).seq IS NULL), bool_or(e.more) FILTER (WHERE (e.change).seq IS NULL),
    (array_agg(e.cursor ORDER BY (e.change).xid DESC, (e.change).seq DESC) FILTER (WHERE (e.change).seq IS NOT NULL))[1]
  INTO head, more, newest
  FROM storage_internal.changes_examined(since, 1000, NULL, NULL) AS e;
  IF newest IS NOT NULL THEN
    SELECT array_agg(DISTINCT bucket) INTO buckets
    FROM storage_internal.changes_examined(since, 1000, NULL, NULL) AS e,
      LATERAL unnest(ARRAY[(e.change).bucket_id, (e.change).previous_bucket_id]) AS bucket
    WHERE bucket IS NOT NULL;
  END IF;
  SELECT c.occurred_at INTO oldest_unread FROM storage_internal.changes_position(head) AS p, LATERAL (
    SELECT occurred_at FROM storage.changes WHERE (xid, seq) > (p.xid, p.seq) ORDER BY xid, seq LIMIT 1) AS c;
  lag_seconds := coalesce(greatest(extract(epoch FROM clock_timestamp() - oldest_unread), 0), 0);
  has_listeners := coalesce((SELECT listeners_until > now() FROM storage.change_feed), false);
END
$$;

-- Tells SQL listeners that there are changes to read: a hint without content, from whichever process polled first.
CREATE OR REPLACE FUNCTION storage_internal.changes_notify(newest text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.change_feed AS f SET notified_xid = p.xid, notified_seq = p.seq
  FROM storage_internal.changes_position(newest) AS p
  WHERE (f.notified_xid, f.notified_seq) < (p.xid, p.seq) AND f.listeners_until > now();
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_notify('rowlock_changes', '');
  RETURN true;
END
$$;

-- Says that somebody listens on the channel rowlock_changes: for as long, at most an hour, servers NOTIFY it when there
-- is something to read. To be called again before the time is over.
CREATE OR REPLACE FUNCTION storage.listen_for_changes(for_seconds integer DEFAULT 300) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.change_feed
  SET listeners_until = greatest(listeners_until, now() + make_interval(secs => least(greatest(for_seconds, 1), 3600)))
  RETURNING listeners_until
$$;

-- Deletes changes that are older than the retention, the first of the feed first; returns how many. What is left behind
-- is where the feed begins, so that a cursor before it can be told from one that missed nothing.
CREATE OR REPLACE FUNCTION storage_internal.changes_expire(row_limit integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  keep interval := make_interval(secs => storage_internal.setting('changes_retention_seconds')::double precision);
  last_old record;
  deleted bigint;
BEGIN
  PERFORM FROM storage.change_feed FOR UPDATE; -- one at a time
  -- Committed by a transaction that this cluster has not had: they came with a dump, and would appear out of turn.
  DELETE FROM storage.changes
  WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) AND xid IS DISTINCT FROM pg_current_xact_id_if_assigned();
  SELECT aged.xid, aged.seq INTO last_old FROM (
    SELECT c.xid, c.seq, bool_and(c.occurred_at <= now() - keep) OVER (ORDER BY c.xid, c.seq) AS all_old
    FROM (
      SELECT * FROM storage.changes WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, seq LIMIT row_limit
    ) AS c
  ) AS aged
  WHERE aged.all_old ORDER BY aged.xid DESC, aged.seq DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  DELETE FROM storage.changes WHERE (xid, seq) <= (last_old.xid, last_old.seq);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  UPDATE storage.change_feed SET forgotten_xid = last_old.xid, forgotten_seq = last_old.seq;
  RETURN deleted;
END
$$;

-- For PostgREST, under the name of its views.
CREATE OR REPLACE FUNCTION :"api".storage_changes(
  since text DEFAULT NULL, row_limit integer DEFAULT 100, bucket text DEFAULT NULL, prefix text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.changes_since(since, row_limit, bucket, prefix);
END;
