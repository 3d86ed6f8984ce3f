-- Who sees counted and listed signed URLs, and who may revoke which: their issuer, the owner of the object, the owner of
-- its bucket, and the service.

CREATE POLICY signed_urls_read ON storage.signed_urls FOR SELECT TO :"authenticated"
  USING ((SELECT storage.caller_id()) IS NOT NULL
    AND (issuer = (SELECT storage.signed_url_issuer()) OR storage.caller_owns_object(object_id)));
CREATE POLICY signed_urls_service ON storage.signed_urls FOR SELECT TO :"service_role" USING (true);
CREATE POLICY worker_reads ON storage.signed_urls FOR SELECT TO rowlock_worker USING (true);

CREATE POLICY signed_url_revocations_create ON storage.signed_url_revocations FOR INSERT TO :"authenticated"
  WITH CHECK (storage.caller_id() IS NOT NULL AND CASE scope
    WHEN 'id' THEN left(value, 16) = storage.signed_url_issuer()
    WHEN 'issuer' THEN value = storage.signed_url_issuer()
    WHEN 'object' THEN storage.caller_owns_object(value::uuid)
    WHEN 'object_url' THEN storage.caller_owns_object(left(value, 36)::uuid)
    ELSE false
  END);
CREATE POLICY signed_url_revocations_service ON storage.signed_url_revocations FOR INSERT TO :"service_role"
  WITH CHECK (true);
CREATE POLICY worker_reads ON storage.signed_url_revocations FOR SELECT TO rowlock_worker USING (true);
