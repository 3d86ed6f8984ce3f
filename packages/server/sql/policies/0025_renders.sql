-- What is rendered on demand is the server's own: the worker keeps it in order, and nobody else reads it.

CREATE POLICY worker_reads ON storage.renders FOR SELECT TO rowlock_worker USING (true);
