-- The signer is told of a request by pg_net, when its transaction has committed; the answer is in net._http_response. The
-- job stays: whoever comes first signs, so a message that is lost delays a URL and loses none.

CREATE OR REPLACE FUNCTION storage_internal.post_request(request uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r :"metadata".file_upload_requests;
BEGIN
  SELECT * INTO STRICT r FROM :"metadata".file_upload_requests AS m WHERE m.id = request;
  PERFORM net.http_post(
    url := storage_internal.setting('signer_url') || '/sign-upload',
    body := jsonb_build_object('requestId', r.id, 'fileName', r.file_name, 'fileType', r.file_type,
      'entityType', r.entity_type, 'entityId', r.entity_id),
    headers := jsonb_build_object('content-type', 'application/json',
      'authorization', 'Bearer ' || storage_internal.setting('signer_secret')),
    timeout_milliseconds := 5000);
  RETURN request;
END
$$;
REVOKE ALL ON FUNCTION storage_internal.post_request(uuid) FROM PUBLIC;
-- Reachable only through the function below: no USAGE on the schema is granted.
GRANT EXECUTE ON FUNCTION storage_internal.post_request(uuid) TO :"anon", :"authenticated", :"service_role";

CREATE OR REPLACE FUNCTION :"api".request_upload_url_pg_net(p_entity_type text, p_entity_id text, p_file_name text, p_file_type text)
RETURNS uuid
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.post_request(:"api".request_upload_url(p_entity_type, p_entity_id, p_file_name, p_file_type));
END;
REVOKE ALL ON FUNCTION :"api".request_upload_url_pg_net(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION :"api".request_upload_url_pg_net(text, text, text, text) TO :"anon", :"authenticated", :"service_role";
