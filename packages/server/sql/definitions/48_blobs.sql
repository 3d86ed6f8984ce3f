-- Bytes as rows. Only these functions reach them, and only the server's login roles reach the functions. A put is one
-- statement for few bytes; else a statement for each chunk, each by itself, and a last one that gives the blob its key: no
-- connection is held while bytes arrive, and until the end nobody sees any.

CREATE OR REPLACE FUNCTION storage_internal.blob_put(new_id uuid, new_key text, all_bytes bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- When a put resolves its bytes are durable, whatever this database does by default.
  PERFORM set_config('synchronous_commit', 'on', true);
  INSERT INTO storage.blobs (id, key, size) VALUES (new_id, new_key, octet_length(all_bytes));
  INSERT INTO storage.blob_chunks (blob_id, place, bytes)
  SELECT new_id, n, substring(all_bytes FROM n * 262144 + 1 FOR 262144)
  FROM generate_series(0, (octet_length(all_bytes) + 262143) / 262144 - 1) AS n;
END
$$;

-- The next chunk of an unfinished blob; the first one makes it.
CREATE OR REPLACE FUNCTION storage_internal.blob_append(wanted uuid, new_place integer, chunk bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF new_place = 0 THEN
    INSERT INTO storage.blobs (id, size) VALUES (wanted, octet_length(chunk));
  ELSE
    UPDATE storage.blobs SET size = size + octet_length(chunk), touched_at = now() WHERE id = wanted AND key IS NULL;
    IF NOT FOUND THEN
      PERFORM storage.refuse('unavailable', 'The unfinished bytes were swept; upload them again');
    END IF;
  END IF;
  INSERT INTO storage.blob_chunks (blob_id, place, bytes) VALUES (wanted, new_place, chunk);
END
$$;

-- Makes an unfinished blob visible and durable under its key.
CREATE OR REPLACE FUNCTION storage_internal.blob_finish(wanted uuid, new_key text, total bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  UPDATE storage.blobs SET key = new_key, created_at = now() WHERE id = wanted AND key IS NULL AND size = total;
  IF NOT FOUND THEN
    PERFORM storage.refuse('unavailable', 'The unfinished bytes were swept; upload them again');
  END IF;
END
$$;

-- Takes back what a put wrote that failed, finished or not: only that put knows the id.
CREATE OR REPLACE FUNCTION storage_internal.blob_discard(wanted uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM storage.blobs WHERE id = wanted
$$;

CREATE OR REPLACE FUNCTION storage_internal.blob_head(wanted_key text)
RETURNS TABLE (id uuid, key text, size bigint, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT b.id, b.key, b.size, b.created_at FROM storage.blobs AS b WHERE b.key = wanted_key;
END
$$;

-- So many bytes of a blob from a place on, counted from 0; fewer at its end, NULL behind it.
CREATE OR REPLACE FUNCTION storage_internal.blob_piece(wanted uuid, first_byte bigint, byte_count integer) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  piece bytea;
BEGIN
  SELECT string_agg(
      substring(c.bytes
        FROM greatest(first_byte - c.place * 262144::bigint, 0)::integer + 1
        FOR (least(first_byte + byte_count, (c.place + 1) * 262144::bigint) - greatest(first_byte, c.place * 262144::bigint))::integer),
      ''::bytea ORDER BY c.place)
  INTO piece
  FROM storage.blob_chunks AS c
  WHERE c.blob_id = wanted AND c.place BETWEEN first_byte / 262144 AND (first_byte + byte_count - 1) / 262144;
  RETURN piece;
END
$$;

-- What a blob is, and its first piece, in one round trip. In PL/pgSQL, which keeps its plan for the session.
CREATE OR REPLACE FUNCTION storage_internal.blob_read(wanted_key text, first_byte bigint, byte_count integer)
RETURNS TABLE (id uuid, key text, size bigint, created_at timestamptz, bytes bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT b.id, b.key, b.size, b.created_at, storage_internal.blob_piece(b.id, first_byte, byte_count)
    FROM storage.blobs AS b WHERE b.key = wanted_key;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.blob_delete(wanted_key text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true);
  DELETE FROM storage.blobs WHERE key = wanted_key;
  RETURN FOUND;
END
$$;

-- Finished blobs in the bytewise order of their keys.
CREATE OR REPLACE FUNCTION storage_internal.blob_page(after_key text, from_key text, row_limit integer)
RETURNS TABLE (id uuid, key text, size bigint, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
  SELECT b.id, b.key, b.size, b.created_at FROM storage.blobs AS b
  WHERE b.key > after_key AND b.key >= from_key ORDER BY b.key LIMIT row_limit
$$;

CREATE OR REPLACE FUNCTION storage_internal.blobs_unfinished()
RETURNS TABLE (id uuid, size bigint, age_ms double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.id, b.size, extract(epoch FROM clock_timestamp() - b.touched_at)::double precision * 1000
  FROM storage.blobs AS b WHERE b.key IS NULL ORDER BY b.touched_at LIMIT 100000
$$;

CREATE OR REPLACE FUNCTION storage_internal.blobs_remove_unfinished(older_than_ms double precision) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH gone AS (
    DELETE FROM storage.blobs
    WHERE key IS NULL AND touched_at < clock_timestamp() - make_interval(secs => older_than_ms / 1000)
    RETURNING 1
  )
  SELECT count(*) FROM gone
$$;

-- Raises where no bytes can be written now.
CREATE OR REPLACE FUNCTION storage_internal.blob_check() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_read_only') = 'on' THEN
    PERFORM storage.refuse('unavailable', 'The database takes no writes');
  END IF;
  PERFORM FROM storage.blobs WHERE key = '';
END
$$;
