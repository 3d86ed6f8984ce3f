DROP FUNCTION IF EXISTS :"api".get_upload_url_http(text, text, text, text);
DROP FUNCTION IF EXISTS storage_internal.sign_request_by_http(uuid);
