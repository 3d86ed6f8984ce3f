-- How the storage fares, for its operators: what is kept and by whom, what fsck found, what the tables need. For the service
-- role alone. It changes nothing and asks no store; a bucket of many millions of objects is counted by a sample.

CREATE OR REPLACE FUNCTION storage.health_report() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  sampled_most constant double precision := 300000;
  rows_estimated constant double precision := (SELECT greatest(c.reltuples, 0) FROM pg_class AS c WHERE c.oid = 'storage.objects'::regclass);
  versions_estimated constant double precision := (SELECT greatest(c.reltuples, 0) FROM pg_class AS c WHERE c.oid = 'storage.versions'::regclass);
  percent constant double precision := least(100, 100 * sampled_most / greatest(rows_estimated, 1));
  versions_percent constant double precision := least(100, 100 * sampled_most / greatest(versions_estimated, 1));
  kept jsonb;
  places jsonb;
BEGIN
  -- One pass for the three ways to add up.
  WITH grouped AS (
    SELECT grouping(o.bucket_id, o.owner_id, t.media_type) AS by, o.bucket_id, o.owner_id, t.media_type,
      count(*) * 100 / percent AS objects, coalesce(sum(o.size), 0) * 100 / percent AS bytes
    FROM storage.objects AS o TABLESAMPLE SYSTEM (percent),
      LATERAL (SELECT split_part(coalesce(o.detected_type, o.content_type, 'unknown'), ';', 1) AS media_type) AS t
    GROUP BY GROUPING SETS ((o.bucket_id), (o.owner_id), (t.media_type), ())
  ), ranked AS (
    SELECT g.*, row_number() OVER (PARTITION BY g.by ORDER BY g.bytes DESC, g.objects DESC) AS place FROM grouped AS g
  )
  SELECT jsonb_build_object('is_estimate', percent < 100,
    'objects', coalesce(round(max(r.objects) FILTER (WHERE r.by = 7)), 0), 'bytes', coalesce(round(max(r.bytes) FILTER (WHERE r.by = 7)), 0),
    'buckets', coalesce(jsonb_agg(jsonb_build_object('name', r.bucket_id, 'objects', round(r.objects), 'bytes', round(r.bytes)) ORDER BY r.place)
      FILTER (WHERE r.by = 3 AND r.place <= 50), '[]'),
    'owners', coalesce(jsonb_agg(jsonb_build_object('name', r.owner_id, 'objects', round(r.objects), 'bytes', round(r.bytes)) ORDER BY r.place)
      FILTER (WHERE r.by = 5 AND r.place <= 50), '[]'),
    'media_types', coalesce(jsonb_agg(jsonb_build_object('name', r.media_type, 'objects', round(r.objects), 'bytes', round(r.bytes)) ORDER BY r.place)
      FILTER (WHERE r.by = 6 AND r.place <= 50), '[]'))
  INTO kept FROM ranked AS r;
  -- All bytes that are paid for: older versions, variants and what waits to be purged as well.
  SELECT coalesce(jsonb_agg(jsonb_build_object('name', b.backend, 'versions', round(b.versions), 'bytes', round(b.bytes),
    'is_estimate', versions_percent < 100) ORDER BY b.backend), '[]')
  INTO places
  FROM (
    SELECT v.backend, count(*) * 100 / versions_percent AS versions, coalesce(sum(v.size), 0) * 100 / versions_percent AS bytes
    FROM storage.versions AS v TABLESAMPLE SYSTEM (versions_percent) WHERE v.state IN ('stored', 'purging') GROUP BY v.backend
  ) AS b;
  RETURN jsonb_build_object('at', clock_timestamp(), 'kept', kept, 'backends', places,
    'quotas', (
      SELECT coalesce(jsonb_agg(to_jsonb(u) ORDER BY u.fullness DESC), '[]') FROM (
        SELECT q.per AS scope, q.bucket_id, nullif(a.owner_id, '') AS owner_id, q.counted,
          a.bytes_max - f.bytes - coalesce(r.bytes, 0) AS bytes_used, coalesce(r.bytes, 0) AS bytes_reserved,
          a.objects_max - f.objects - coalesce(r.objects, 0) AS objects_used, coalesce(r.objects, 0) AS objects_reserved,
          CASE WHEN a.bytes_max < 1::bigint << 60 THEN a.bytes_max END AS bytes_max,
          CASE WHEN a.objects_max < 1::bigint << 60 THEN a.objects_max END AS objects_max,
          greatest(1 - f.bytes::float8 / nullif(a.bytes_max, 0), 1 - f.objects::float8 / nullif(a.objects_max, 0), 0) AS fullness
        FROM storage.quota_accounts AS a JOIN storage.quotas AS q ON q.id = a.quota_id
          JOIN (
            SELECT s.account_id, sum(s.bytes_free)::bigint AS bytes, sum(s.objects_free)::bigint AS objects
            FROM storage.quota_shards AS s GROUP BY s.account_id
          ) AS f ON f.account_id = a.id
          LEFT JOIN (
            SELECT w.account, sum(p.reserved_bytes)::bigint AS bytes, sum(p.reserved_objects)::bigint AS objects
            FROM storage.uploads AS p, LATERAL unnest(p.reserved_in) AS w (account)
            WHERE p.reserved_in IS NOT NULL AND NOT p.reserved_settled GROUP BY w.account
          ) AS r ON r.account = a.id
        ORDER BY fullness DESC LIMIT 50) AS u),
    'fsck', (
      SELECT coalesce(jsonb_agg(jsonb_build_object('backend', f.backend, 'scrub', f.scrub, 'phase', f.phase, 'started_at', f.started_at,
        'updated_at', f.updated_at, 'ended_at', f.ended_at, 'versions', f.progress -> 'versions', 'keys', f.progress -> 'keys',
        'findings', (
          SELECT coalesce(jsonb_object_agg(g.kind, g.open), '{}') FROM (
            SELECT d.kind, count(*) AS open FROM storage.fsck_findings AS d
            WHERE d.run_id = f.id AND d.repaired_at IS NULL AND d.kind <> 'overdue' GROUP BY d.kind) AS g)) ORDER BY f.backend), '[]')
      FROM (SELECT DISTINCT ON (r.backend) r.* FROM storage.fsck_runs AS r ORDER BY r.backend, r.id DESC) AS f),
    'upkeep', (SELECT to_jsonb(h) - 'steps' FROM storage_internal.health() AS h),
    'tables', (
      SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.bytes DESC), '[]') FROM (
        SELECT s.schemaname || '.' || s.relname AS name, s.n_live_tup AS rows_live, s.n_dead_tup AS rows_dead,
          pg_total_relation_size(s.relid) AS bytes, greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed_at,
          greatest(s.last_analyze, s.last_autoanalyze) AS analyzed_at
        FROM pg_stat_all_tables AS s WHERE s.schemaname IN ('storage', :'metadata')
        ORDER BY bytes DESC LIMIT 40) AS t),
    'database', jsonb_build_object('bytes', pg_database_size(current_database()), 'version', current_setting('server_version')));
END
$$;

CREATE OR REPLACE FUNCTION :"api".storage_health() RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.health_report();
END;
