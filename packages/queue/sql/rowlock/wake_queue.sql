-- Tells whoever listens that a queue has work, if anybody needs to be told.
--
-- A NOTIFY makes every commit of the server wait for its turn, so it is sent only where it can matter:
-- * a worker of ours has said in its lease that it sleeps until told, or
-- * no worker of ours serves the queue, so if anybody does, it is a Go worker, or
-- * a Go client leads (its id has no lease), so Go workers are about, or
-- * a lease says that they are, or
-- * this transaction reads an old snapshot, which may not show that a worker went to sleep since.
--
-- The worker's half: it writes that it sleeps, then looks for jobs until every transaction that was under way at that
-- moment has ended, then sleeps. Call this after the insert: a transaction has its id by then, so the worker waits
-- for it if it read the lease too early.
CREATE OR REPLACE FUNCTION :"schema".rowlock_wake_queue(queue text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  is_needed boolean := current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted');
BEGIN
  IF NOT is_needed THEN
    SELECT coalesce(bool_or(lease.notify_always OR rowlock_wake_queue.queue = ANY (lease.waiting_queues)), true)
    INTO is_needed
    FROM :"schema".rowlock_worker_lease AS lease
    WHERE lease.expires_at > clock_timestamp() AND rowlock_wake_queue.queue = ANY (lease.queues);
  END IF;
  IF NOT is_needed THEN
    is_needed := EXISTS (
      SELECT FROM :"schema".river_leader AS leader
      WHERE leader.expires_at > clock_timestamp()
        AND NOT EXISTS (
          SELECT FROM :"schema".rowlock_worker_lease AS lease WHERE lease.client_id = leader.leader_id
        )
    );
  END IF;
  IF is_needed THEN
    PERFORM pg_notify(:'schema' || '.river_insert', json_build_object('queue', rowlock_wake_queue.queue)::text);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION :"schema".rowlock_wake_queue(text) FROM PUBLIC;
