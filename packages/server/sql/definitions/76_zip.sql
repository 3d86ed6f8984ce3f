-- What a ZIP download is made of: the caller's own view of a prefix, page by page, with the keys of the bytes.

-- How much there is, counted to one object beyond a limit.
CREATE OR REPLACE FUNCTION storage.zip_totals(wanted_bucket text, prefix text, count_max integer)
RETURNS TABLE (object_count bigint, bytes numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT count(*), coalesce(sum(c.size), 0) FROM (
    SELECT o.size FROM storage.objects AS o
    WHERE o.bucket_id = wanted_bucket AND o.name >= prefix AND o.name < storage.end_of_prefix(prefix)
    LIMIT count_max + 1
  ) AS c;
END;

-- Objects behind a name. `is_prefix` tells an object whose name is also that of a folder: both cannot be unpacked.
CREATE OR REPLACE FUNCTION storage.zip_page(wanted_bucket text, prefix text, after_name text, page integer)
RETURNS TABLE (
  name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamptz,
  is_prefix boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.name, o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, o.updated_at,
    EXISTS (SELECT FROM storage.objects AS i WHERE i.bucket_id = o.bucket_id AND i.name >= o.name || '/' AND i.name < o.name || '0')
  FROM (
    SELECT b.bucket_id, b.name, b.id, b.version_id, b.updated_at FROM storage.objects AS b
    WHERE b.bucket_id = wanted_bucket AND b.name >= prefix AND b.name < storage.end_of_prefix(prefix) AND b.name > after_name
    ORDER BY b.name LIMIT page
  ) AS o, LATERAL storage_internal.version_location(o.version_id) AS l
  ORDER BY o.name;
END;

-- The same of some names and folders together, which an index finds one by one: what lies between them is not read. None is given
-- twice, nor within another, so that the counting ends at the limit. Run as the caller.
CREATE OR REPLACE FUNCTION storage.zip_chosen_totals(wanted_bucket text, names text[], folders text[], count_max integer)
RETURNS TABLE (object_count bigint, bytes numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT count(*), coalesce(sum(c.size), 0) FROM (
    SELECT o.id, o.size FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name = ANY (names)
    UNION ALL
    SELECT i.id, i.size FROM unnest(folders) AS f, LATERAL (
      SELECT o.id, o.size FROM storage.objects AS o
      WHERE o.bucket_id = wanted_bucket AND o.name >= f AND o.name < storage.end_of_prefix(f)
      LIMIT count_max + 1
    ) AS i
    LIMIT count_max + 1
  ) AS c;
END;

CREATE OR REPLACE FUNCTION storage.zip_chosen_page(
  wanted_bucket text, names text[], folders text[], after_name text, page integer
)
RETURNS TABLE (
  name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamptz,
  is_prefix boolean
)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT o.name, o.id, l.key, l.backend, l.size, l.content_type, l.detected_type, o.updated_at,
    EXISTS (SELECT FROM storage.objects AS i WHERE i.bucket_id = wanted_bucket AND i.name >= o.name || '/' AND i.name < o.name || '0')
  FROM (
    SELECT b.name, b.id, b.version_id, b.updated_at FROM storage.objects AS b
    WHERE b.bucket_id = wanted_bucket AND b.name = ANY (names) AND b.name > after_name
    UNION ALL
    SELECT i.name, i.id, i.version_id, i.updated_at FROM unnest(folders) AS f, LATERAL (
      SELECT b.name, b.id, b.version_id, b.updated_at FROM storage.objects AS b
      WHERE b.bucket_id = wanted_bucket AND b.name >= f AND b.name < storage.end_of_prefix(f) AND b.name > after_name
      ORDER BY b.name LIMIT page
    ) AS i
    ORDER BY name LIMIT page
  ) AS o, LATERAL storage_internal.version_location(o.version_id) AS l
  ORDER BY o.name;
END;

-- Both as statements of the API's login role: become the caller, read, come back.
CREATE OR REPLACE FUNCTION storage_internal.zip_totals_as(
  caller_role text, claims text, operation text, wanted_bucket text, prefix text, count_max integer
)
RETURNS TABLE (object_count bigint, bytes numeric)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', operation, true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  RETURN QUERY SELECT * FROM storage.zip_totals(wanted_bucket, prefix, count_max);
  PERFORM set_config('role', 'none', true);
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.zip_page_as(
  caller_role text, claims text, operation text, wanted_bucket text, prefix text, after_name text, page integer
)
RETURNS TABLE (
  name text, object_id uuid, key text, backend text, size bigint, content_type text, detected_type text, updated_at timestamptz,
  is_prefix boolean
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', operation, true), set_config('role', caller_role, true);
  PERFORM storage.search_as_caller();
  RETURN QUERY SELECT * FROM storage.zip_page(wanted_bucket, prefix, after_name, page);
  PERFORM set_config('role', 'none', true);
END
$$;
