-- The worker reads how far the change feed is kept. Changes themselves are shown by storage.changes_since only.

CREATE POLICY worker_reads ON storage.change_feed FOR SELECT TO rowlock_worker USING (true);
