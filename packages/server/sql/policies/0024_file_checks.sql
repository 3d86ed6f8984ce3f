-- What was found in a file is its owner's, the owner's of its bucket, and the service's; of bytes that somebody else has a copy
-- of, the service's alone. Nobody writes it but functions.

CREATE POLICY version_checks_read ON storage.version_checks FOR SELECT TO :"authenticated"
  USING (storage.caller_owns_version(version_id));
CREATE POLICY version_checks_service ON storage.version_checks FOR SELECT TO :"service_role" USING (true);
CREATE POLICY worker_reads ON storage.version_checks FOR SELECT TO rowlock_worker USING (true);
