-- The signer is asked by pgsql-http, and the answer is the URL. The request's row is not committed while it is asked, so
-- it is told everything; a connection to the database is held until it answers, at most for as long as is said here.

CREATE OR REPLACE FUNCTION storage_internal.sign_request_by_http(request uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r record;
  status integer;
  content text;
  answer jsonb;
BEGIN
  SELECT * INTO STRICT r FROM storage_internal.requests_to_sign(ARRAY[request]);
  PERFORM set_config('http.timeout_msec', '5000', true);
  SELECT h.status, h.content INTO status, content FROM :"http".http((
    'POST', storage_internal.setting('signer_url') || '/sign',
    ARRAY[('authorization', 'Bearer ' || storage_internal.setting('signer_secret')):::"http".http_header],
    'application/json',
    jsonb_build_object('key', r.key, 'backend', r.backend, 'fileType', r.file_type, 'fileSize', r.file_size,
      'sha256', encode(r.sha256, 'hex'), 'expiresIn', r.expiry_seconds, 'onlyNew', r.put_guard = 'condition')::text
  ):::"http".http_request) AS h;
  IF status IS DISTINCT FROM 200 THEN
    RAISE EXCEPTION 'the signer answered %', coalesce(status::text, 'nothing') USING ERRCODE = 'external_routine_exception';
  END IF;
  answer := content::jsonb;
  PERFORM storage_internal.requests_signed(ARRAY[request], ARRAY[answer ->> 'url'], ARRAY[answer ->> 'bucket'],
    ARRAY[answer -> 'headers'], ARRAY[(answer ->> 'expiresAt')::timestamptz]);
  RETURN answer ->> 'url';
END
$$;
REVOKE ALL ON FUNCTION storage_internal.sign_request_by_http(uuid) FROM PUBLIC;
-- Reachable only through the function below: no USAGE on the schema is granted.
GRANT EXECUTE ON FUNCTION storage_internal.sign_request_by_http(uuid) TO :"anon", :"authenticated", :"service_role";

CREATE OR REPLACE FUNCTION :"api".get_upload_url_http(p_entity_type text, p_entity_id text, p_file_name text, p_file_type text)
RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.sign_request_by_http(:"api".request_upload_url(p_entity_type, p_entity_id, p_file_name, p_file_type));
END;
REVOKE ALL ON FUNCTION :"api".get_upload_url_http(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION :"api".get_upload_url_http(text, text, text, text) TO :"anon", :"authenticated", :"service_role";
