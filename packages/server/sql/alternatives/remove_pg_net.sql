DROP FUNCTION IF EXISTS :"api".request_upload_url_pg_net(text, text, text, text);
DROP FUNCTION IF EXISTS storage_internal.post_request(uuid);
