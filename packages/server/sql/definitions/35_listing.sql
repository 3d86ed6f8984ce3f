-- Listings: pages of a bucket's names in bytewise order, by keyset. All of it is SECURITY INVOKER, so that the policies
-- of storage.objects judge every row; a folder is there if the caller may select something below it. Names are in
-- the order of their bytes, and a folder stands where its slash puts it: `a`, `a-b`, `a/`, `a0`.
--
-- A page costs what it shows: objects are read in runs along the index, and a folder is left by seeking behind it,
-- never by reading what it holds. What a policy hides is read and dropped, and statement_timeout bounds that.

-- Where the names that begin with a text end: none is longer than 1,024 bytes, so none sorts behind this.
CREATE OR REPLACE FUNCTION storage.end_of_prefix(prefix text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT prefix || repeat(chr(1114111), 257);
END;

-- A time as our JSON says it, with all its microseconds.
CREATE OR REPLACE FUNCTION storage.json_time(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT left(to_json(moment AT TIME ZONE 'UTC')::text, -1) || 'Z"';
END;

-- A time again: most objects are as old as they were when they were made, and saying it costs more than comparing.
CREATE OR REPLACE FUNCTION storage.json_time_or(known timestamptz, said text, moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN moment = known THEN said ELSE left(to_json(moment AT TIME ZONE 'UTC')::text, -1) || 'Z"' END;
END;

-- An object as an entry of a listing. User metadata beyond 4 KiB is for info: a thousand entries are one answer. Never NULL,
-- which would leave the object out: rows that were loaded with triggers off may have no metadata.
CREATE OR REPLACE FUNCTION storage.list_entry(
  name text, id uuid, created_at timestamptz, created text, updated_at timestamptz, last_accessed_at timestamptz, metadata jsonb,
  user_metadata jsonb
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT '{"name":' || to_json(name)::text || ',"id":"' || id::text || '","created_at":' || created
    || ',"updated_at":' || storage.json_time_or(created_at, created, updated_at)
    || ',"last_accessed_at":' || storage.json_time_or(created_at, created, last_accessed_at)
    || ',"metadata":' || coalesce(metadata::text, 'null') || ',"user_metadata":'
    || CASE WHEN pg_column_size(user_metadata) <= 4096 AND octet_length(user_metadata::text) <= 4096
         THEN user_metadata::text ELSE 'null' END
    || '}';
END;

-- A folder as an entry: with its whole name and its slash, or as one entry among objects.
CREATE OR REPLACE FUNCTION storage.list_folder(name text, full_name boolean) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN full_name THEN '{"name":' || to_json(name)::text || '}'
    ELSE '{"name":' || to_json(left(name, -1))::text
      || ',"id":null,"created_at":null,"updated_at":null,"last_accessed_at":null,"metadata":null,"user_metadata":null}' END;
END;

-- A stretch of objects without folders, which most folders are: in one pass, or `folders` above zero and then for nothing.
-- Both are inlined into the statement that calls them.
CREATE OR REPLACE FUNCTION storage.list_flat_up(
  wanted_bucket text, from_name text, until_name text, prefix_length integer, delimited boolean, rows_max integer, cut integer
) RETURNS TABLE (entries text, scanned bigint, last_name text, folders bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT
    string_agg(
      storage.list_entry(
        substr(r.name, cut), r.id, r.created_at, r.created, r.updated_at, r.last_accessed_at, r.metadata, r.user_metadata), ','),
    count(*), max(r.name), count(*) FILTER (WHERE delimited AND strpos(substr(r.name, prefix_length + 1), '/') > 0)
  FROM (
    SELECT o.name, o.id, o.created_at, storage.json_time(o.created_at) AS created, o.updated_at, o.last_accessed_at, o.metadata,
      o.user_metadata
    FROM storage.objects AS o
    WHERE o.bucket_id = wanted_bucket AND o.name >= from_name AND o.name < until_name
    ORDER BY o.name LIMIT rows_max
  ) AS r;
END;

-- One run of objects upwards, up to the first that lies in a folder: at most rows_max rows are read, and those that a
-- search drops. `scanned` below rows_max says that nothing is left. Inlined into the statement that calls it.
CREATE OR REPLACE FUNCTION storage.list_run_up(
  wanted_bucket text, from_name text, until_name text, prefix_length integer, delimited boolean, search text, rows_max integer,
  cut integer, bare boolean
) RETURNS TABLE (entries text, entry_count bigint, scanned bigint, last_name text, folder_name text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT
    string_agg(
      storage.list_entry(
        substr(r.name, cut), r.id, r.created_at, r.created, r.updated_at, r.last_accessed_at, r.metadata, r.user_metadata), ',')
      FILTER (WHERE r.folders = 0 AND NOT bare),
    count(*) FILTER (WHERE r.folders = 0),
    count(*),
    max(r.name) FILTER (WHERE r.folders = 0),
    min(r.name) FILTER (WHERE r.folders = 1)
  FROM (
    SELECT o.*, CASE WHEN NOT bare THEN storage.json_time(o.created_at) END AS created,
      count(*) FILTER (WHERE delimited AND strpos(substr(o.name, prefix_length + 1), '/') > 0)
      OVER (ORDER BY o.name ROWS UNBOUNDED PRECEDING) AS folders
    FROM (
      SELECT b.name, b.id, b.created_at, b.updated_at, b.last_accessed_at, b.metadata, b.user_metadata
      FROM storage.objects AS b
      WHERE b.bucket_id = wanted_bucket AND b.name >= from_name AND b.name < until_name
        AND (search = '' OR (delimited AND strpos(substr(b.name, prefix_length + 1), '/') > 0)
          OR strpos(lower(substr(b.name, prefix_length + 1)), search) > 0)
      ORDER BY b.name LIMIT rows_max
    ) AS o
  ) AS r;
END;

-- The same downwards.
CREATE OR REPLACE FUNCTION storage.list_run_down(
  wanted_bucket text, from_name text, until_name text, prefix_length integer, delimited boolean, search text, rows_max integer,
  cut integer, bare boolean
) RETURNS TABLE (entries text, entry_count bigint, scanned bigint, last_name text, folder_name text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT
    string_agg(
      storage.list_entry(
        substr(r.name, cut), r.id, r.created_at, r.created, r.updated_at, r.last_accessed_at, r.metadata, r.user_metadata), ',')
      FILTER (WHERE r.folders = 0 AND NOT bare),
    count(*) FILTER (WHERE r.folders = 0),
    count(*),
    min(r.name) FILTER (WHERE r.folders = 0),
    max(r.name) FILTER (WHERE r.folders = 1)
  FROM (
    SELECT o.*, CASE WHEN NOT bare THEN storage.json_time(o.created_at) END AS created,
      count(*) FILTER (WHERE delimited AND strpos(substr(o.name, prefix_length + 1), '/') > 0)
      OVER (ORDER BY o.name DESC ROWS UNBOUNDED PRECEDING) AS folders
    FROM (
      SELECT b.name, b.id, b.created_at, b.updated_at, b.last_accessed_at, b.metadata, b.user_metadata
      FROM storage.objects AS b
      WHERE b.bucket_id = wanted_bucket AND b.name >= from_name AND b.name < until_name
        AND (search = '' OR (delimited AND strpos(substr(b.name, prefix_length + 1), '/') > 0)
          OR strpos(lower(substr(b.name, prefix_length + 1)), search) > 0)
      ORDER BY b.name DESC LIMIT rows_max
    ) AS o
  ) AS r;
END;

-- A page in the order of names. `after_name` is the last entry of the page before, a folder with its slash; `skip`
-- entries are passed over. `entries` and `folders` are the insides of JSON arrays: with full_names folders stand apart,
-- without they stand between the objects, relative to the prefix. Plans are generic and one for each usual role, as for
-- storage_internal.read_object_as. Behind search_as_caller stands nothing whose name an exact match elsewhere could take.
CREATE OR REPLACE FUNCTION storage.list_page(
  wanted_bucket text, prefix text, delimited boolean, descending boolean, after_name text, after_folder boolean,
  page integer, skip integer, search text, full_names boolean
)
RETURNS TABLE (entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  from_name text := prefix;
  until_name text := storage.end_of_prefix(prefix);
  prefix_length integer := length(prefix);
  cut integer := CASE WHEN full_names THEN 1 ELSE length(prefix) + 1 END;
  wanted_text text := lower(search);
  skipping boolean := skip > 0;
  missing integer := CASE WHEN skip > 0 THEN skip ELSE page END;
  guess integer := CASE WHEN skip > 0 THEN 1000 ELSE page END;
  rows_max integer;
  run record;
  flat record;
  folder text;
  -- Worth a try until the first folder is seen, upwards, and where nothing is searched.
  is_flat boolean := page > 1 AND NOT descending AND search = '';
BEGIN
  entries := '';
  folders := '';
  IF after_name IS NOT NULL THEN
    IF NOT starts_with(after_name, prefix) THEN
      PERFORM storage.refuse('invalid_request', 'A listing goes on below its prefix');
    ELSIF descending THEN
      until_name := after_name;
    ELSE
      from_name := CASE WHEN after_folder THEN left(after_name, -1) || '0' ELSE after_name || chr(1) END;
    END IF;
  END IF;
  more := false;
  PERFORM storage.search_as_caller();
  LOOP
    IF missing = 0 AND skipping THEN
      skipping := false;
      missing := page;
      guess := page;
    END IF;
    -- With everything that was wanted, one row more tells whether there is another page.
    EXIT WHEN missing = 0 AND NOT full_names;
    rows_max := CASE WHEN missing = 0 THEN 1 ELSE least(guess, missing, 1000) END;
    IF is_flat AND NOT skipping AND missing > 0 THEN
      IF current_user = :'authenticated' THEN
        SELECT * INTO flat FROM storage.list_flat_up(wanted_bucket, from_name, until_name, prefix_length, delimited, rows_max, cut);
      ELSIF current_user = :'anon' THEN
        SELECT * INTO flat FROM storage.list_flat_up(wanted_bucket, from_name, until_name, prefix_length, delimited, rows_max, cut);
      ELSE
        SELECT * INTO flat FROM storage.list_flat_up(wanted_bucket, from_name, until_name, prefix_length, delimited, rows_max, cut);
      END IF;
      IF flat.folders = 0 THEN
        missing := missing - flat.scanned;
        IF flat.scanned > 0 THEN
          entries := entries || CASE entries WHEN '' THEN '' ELSE ',' END || flat.entries;
          last_name := flat.last_name;
          last_folder := false;
          from_name := flat.last_name || chr(1);
        END IF;
        EXIT WHEN flat.scanned < rows_max;
        CONTINUE;
      END IF;
      is_flat := false;
      guess := 8;
      rows_max := least(guess, missing, 1000);
    END IF;
    IF descending THEN
      IF current_user = :'authenticated' THEN
        SELECT * INTO run FROM storage.list_run_down(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
      ELSIF current_user = :'anon' THEN
        SELECT * INTO run FROM storage.list_run_down(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
      ELSE
        SELECT * INTO run FROM storage.list_run_down(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
      END IF;
    ELSIF current_user = :'authenticated' THEN
      SELECT * INTO run FROM storage.list_run_up(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
    ELSIF current_user = :'anon' THEN
      SELECT * INTO run FROM storage.list_run_up(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
    ELSE
      SELECT * INTO run FROM storage.list_run_up(wanted_bucket, from_name, until_name, prefix_length, delimited, wanted_text, rows_max, cut, skipping OR missing = 0);
    END IF;
    IF missing = 0 THEN
      more := run.scanned > 0;
      EXIT;
    END IF;
    IF run.entry_count > 0 THEN
      missing := missing - run.entry_count;
      last_name := run.last_name;
      last_folder := false;
      IF descending THEN
        until_name := run.last_name;
      ELSE
        from_name := run.last_name || chr(1);
      END IF;
      IF NOT skipping THEN
        entries := entries || CASE entries WHEN '' THEN '' ELSE ',' END || run.entries;
      END IF;
    END IF;
    IF run.folder_name IS NOT NULL THEN
      folder := left(run.folder_name, prefix_length + strpos(substr(run.folder_name, prefix_length + 1), '/'));
      IF descending THEN
        until_name := folder;
      ELSE
        from_name := left(folder, -1) || '0';
      END IF;
      IF wanted_text = '' OR strpos(lower(substr(folder, prefix_length + 1)), wanted_text) > 0 THEN
        missing := missing - 1;
        last_name := folder;
        last_folder := true;
        IF skipping THEN
          NULL;
        ELSIF full_names THEN
          folders := folders || CASE folders WHEN '' THEN '' ELSE ',' END || storage.list_folder(folder, true);
        ELSE
          entries := entries || CASE entries WHEN '' THEN '' ELSE ',' END || storage.list_folder(substr(folder, cut), false);
        END IF;
      END IF;
      guess := run.entry_count + 1;
    ELSIF run.scanned < rows_max THEN
      EXIT;
    ELSE
      guess := least(guess * 2, 1000);
    END IF;
  END LOOP;
  RETURN NEXT;
END
$$;

-- Everything directly below a prefix, folders left by seeking: what sorts by time start from.
CREATE OR REPLACE FUNCTION storage.list_walk(wanted_bucket text, prefix text, delimited boolean, sort_column text)
RETURNS TABLE (name text, is_folder boolean, at timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  from_name text := prefix;
  until_name text := storage.end_of_prefix(prefix);
  prefix_length integer := length(prefix);
  run refcursor;
  next_row record;
  scanned integer;
  slash integer;
BEGIN
  PERFORM storage.search_as_caller();
  LOOP
    scanned := 0;
    IF current_user = :'authenticated' THEN
      OPEN run FOR SELECT o.name, CASE sort_column WHEN 'created_at' THEN o.created_at WHEN 'updated_at' THEN o.updated_at ELSE o.last_accessed_at END AS at
        FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name >= from_name AND o.name < until_name ORDER BY o.name LIMIT 1000;
    ELSIF current_user = :'anon' THEN
      OPEN run FOR SELECT o.name, CASE sort_column WHEN 'created_at' THEN o.created_at WHEN 'updated_at' THEN o.updated_at ELSE o.last_accessed_at END AS at
        FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name >= from_name AND o.name < until_name ORDER BY o.name LIMIT 1000;
    ELSE
      OPEN run FOR SELECT o.name, CASE sort_column WHEN 'created_at' THEN o.created_at WHEN 'updated_at' THEN o.updated_at ELSE o.last_accessed_at END AS at
        FROM storage.objects AS o WHERE o.bucket_id = wanted_bucket AND o.name >= from_name AND o.name < until_name ORDER BY o.name LIMIT 1000;
    END IF;
    LOOP
      FETCH run INTO next_row;
      EXIT WHEN NOT FOUND;
      scanned := scanned + 1;
      slash := CASE WHEN delimited THEN strpos(substr(next_row.name, prefix_length + 1), '/') ELSE 0 END;
      name := CASE WHEN slash = 0 THEN next_row.name ELSE left(next_row.name, prefix_length + slash) END;
      is_folder := slash > 0;
      at := CASE WHEN slash = 0 THEN next_row.at END;
      RETURN NEXT;
      from_name := CASE WHEN slash = 0 THEN next_row.name || chr(1) ELSE left(name, -1) || '0' END;
      IF slash > 0 THEN
        scanned := 1000;
        EXIT;
      END IF;
    END LOOP;
    CLOSE run;
    EXIT WHEN scanned < 1000;
  END LOOP;
END
$$;

-- A page in the order of a time: folders first, by name, then objects by time and name. It reads everything directly
-- below the prefix for every page, and only the rows of the page whole.
CREATE OR REPLACE FUNCTION storage.list_page_by_time(
  wanted_bucket text, prefix text, delimited boolean, descending boolean, sort_column text, after_name text, after_folder boolean,
  after_at timestamptz, page integer, skip integer, search text, full_names boolean
)
RETURNS TABLE (entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
  WITH sorted AS MATERIALIZED (
    SELECT w.name, w.is_folder, w.at FROM storage.list_walk(wanted_bucket, prefix, delimited, sort_column) AS w
    WHERE (search = '' OR strpos(lower(substr(w.name, length(prefix) + 1)), lower(search)) > 0)
      AND (after_name IS NULL
        OR (after_folder AND (NOT w.is_folder OR w.name COLLATE "C" > after_name))
        OR (NOT after_folder AND NOT w.is_folder AND CASE WHEN descending
              THEN (w.at, w.name COLLATE "C") < (after_at, after_name) ELSE (w.at, w.name COLLATE "C") > (after_at, after_name) END))
    ORDER BY w.is_folder DESC, CASE WHEN NOT descending THEN w.at END, CASE WHEN descending THEN w.at END DESC,
      CASE WHEN NOT descending OR w.is_folder THEN w.name END COLLATE "C", CASE WHEN descending THEN w.name END COLLATE "C" DESC
    LIMIT page + 1 OFFSET skip
  ), placed AS (
    SELECT s.*, row_number() OVER () AS place FROM sorted AS s
  ), shown AS (
    SELECT p.place, p.is_folder AND full_names AS apart, CASE WHEN p.is_folder
        THEN storage.list_folder(CASE WHEN full_names THEN p.name ELSE substr(p.name, length(prefix) + 1) END, full_names)
        ELSE storage.list_entry(CASE WHEN full_names THEN o.name ELSE substr(o.name, length(prefix) + 1) END,
          o.id, o.created_at, storage.json_time(o.created_at), o.updated_at, o.last_accessed_at, o.metadata, o.user_metadata) END AS entry
    FROM placed AS p LEFT JOIN storage.objects AS o ON o.bucket_id = wanted_bucket AND o.name = p.name AND NOT p.is_folder
    WHERE p.place <= page
  ), last AS (
    SELECT p.name, p.is_folder, trim('"' FROM storage.json_time(p.at)) AS at
    FROM placed AS p WHERE p.place <= page ORDER BY p.place DESC LIMIT 1
  )
  SELECT coalesce(string_agg(s.entry, ',' ORDER BY s.place) FILTER (WHERE NOT s.apart), ''),
    coalesce(string_agg(s.entry, ',' ORDER BY s.place) FILTER (WHERE s.apart), ''),
    (SELECT l.name FROM last AS l), (SELECT l.is_folder FROM last AS l), (SELECT l.at FROM last AS l),
    (SELECT count(*) > page FROM placed)
  FROM shown AS s;
END;

-- The same as one statement of the API's login role: becomes the caller, lists, comes back.
CREATE OR REPLACE FUNCTION storage_internal.list_objects_as(
  caller_role text, claims text, operation text, wanted_bucket text, prefix text, delimited boolean, descending boolean,
  sort_column text, after_name text, after_folder boolean, after_at timestamptz, page integer, skip integer, search text,
  full_names boolean
)
RETURNS TABLE (entries text, folders text, last_name text, last_folder boolean, last_at text, more boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('transaction_read_only', 'on', true), set_config('request.jwt.claims', claims, true),
    set_config('storage.operation', operation, true), set_config('role', caller_role, true);
  IF sort_column = 'name' THEN
    RETURN QUERY SELECT * FROM storage.list_page(
      wanted_bucket, prefix, delimited, descending, after_name, after_folder, page, skip, search, full_names);
  ELSE
    PERFORM storage.search_as_caller();
    RETURN QUERY SELECT * FROM storage.list_page_by_time(
      wanted_bucket, prefix, delimited, descending, sort_column, after_name, after_folder, after_at, page, skip, search, full_names);
  END IF;
  PERFORM set_config('role', 'none', true);
END
$$;
