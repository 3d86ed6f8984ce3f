-- Where the keys of storage_sign come from: a worker derives them from the store's secret, which stays with it.

-- Writes the keys of one store and lets go of those whose day has been over for an hour; a statement that came before
-- midnight still finds its own. One change for each day that is new or different.
CREATE OR REPLACE FUNCTION storage_internal.signing_keys_store(
  wanted_backend text, keys jsonb, wanted_acl text, OUT written bigint, OUT removed bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  WITH changed AS (
    INSERT INTO storage.s3_signing_keys AS k (backend, day, region, service, access_key_id, session_token, endpoint, bucket,
      addressing, scope, origin, host, path_prefix, query_prefix, query_token, upload_acl, inner_pad, outer_pad,
      valid_from, valid_until)
    SELECT wanted_backend, n.day, n.region, n.service, n.access_key_id, n.session_token, n.endpoint, n.bucket,
      n.addressing, n.scope, n.origin, n.host, n.path_prefix, n.query_prefix, n.query_token, wanted_acl, decode(n.inner_pad, 'hex'),
      decode(n.outer_pad, 'hex'), n.day::timestamp AT TIME ZONE 'UTC', n.valid_until
    FROM (
      SELECT k.*, coalesce(k.credential_ends_at - interval '5 minutes', 'infinity') AS valid_until
      FROM jsonb_to_recordset(keys) AS k (day date, region text, service text, access_key_id text, session_token text,
        endpoint text, bucket text, addressing text, scope text, origin text, host text, path_prefix text, query_prefix text,
        query_token text, inner_pad text, outer_pad text, credential_ends_at timestamptz)
    ) AS n
    WHERE n.valid_until > n.day::timestamp AT TIME ZONE 'UTC'
    ORDER BY n.day
    ON CONFLICT ON CONSTRAINT s3_signing_keys_pkey DO UPDATE
      SET region = EXCLUDED.region, service = EXCLUDED.service, access_key_id = EXCLUDED.access_key_id,
        session_token = EXCLUDED.session_token, endpoint = EXCLUDED.endpoint, bucket = EXCLUDED.bucket,
        addressing = EXCLUDED.addressing, scope = EXCLUDED.scope, origin = EXCLUDED.origin, host = EXCLUDED.host, path_prefix = EXCLUDED.path_prefix,
        query_prefix = EXCLUDED.query_prefix, query_token = EXCLUDED.query_token, upload_acl = EXCLUDED.upload_acl,
        inner_pad = EXCLUDED.inner_pad, outer_pad = EXCLUDED.outer_pad, valid_from = EXCLUDED.valid_from, valid_until = EXCLUDED.valid_until,
        derived_at = now()
      WHERE (k.inner_pad, k.origin, k.path_prefix, k.query_prefix, k.query_token, k.upload_acl, k.valid_until)
        IS DISTINCT FROM (EXCLUDED.inner_pad, EXCLUDED.origin, EXCLUDED.path_prefix, EXCLUDED.query_prefix, EXCLUDED.query_token,
          EXCLUDED.upload_acl, EXCLUDED.valid_until)
    RETURNING 1
  )
  SELECT count(*) INTO written FROM changed;
  DELETE FROM storage.s3_signing_keys AS k WHERE k.day < ((now() - interval '1 hour') AT TIME ZONE 'UTC')::date;
  GET DIAGNOSTICS removed = ROW_COUNT;
END
$$;
