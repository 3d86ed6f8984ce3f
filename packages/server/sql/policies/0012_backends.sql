-- What was copied between backends is the operators': the worker's role reads it, and no application role has any right here.
-- Bytes that are rows have no policy: functions reach them, and nobody else.

CREATE POLICY worker_reads ON storage.backend_copies FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.backend_copy_failures FOR SELECT TO rowlock_worker USING (true);
