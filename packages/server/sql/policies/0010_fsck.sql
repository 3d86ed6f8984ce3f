-- What fsck found is the operators': the worker's role reads it, and no application role has any right here.

CREATE POLICY worker_reads ON storage.fsck_runs FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.fsck_findings FOR SELECT TO rowlock_worker USING (true);
CREATE POLICY worker_reads ON storage.sweep_position FOR SELECT TO rowlock_worker USING (true);
