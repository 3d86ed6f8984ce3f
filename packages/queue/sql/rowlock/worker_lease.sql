-- One row for each live worker of ours: how long it counts as alive, and for which queues it sleeps until told.
-- Logged, unlike river_leader: after a power cut that took workers and server together, it is the only record of
-- whose running jobs have to be rescued.
CREATE TABLE :"schema".rowlock_worker_lease (
  client_id text,
  -- Tells two processes apart that were given the same client_id by mistake.
  token uuid NOT NULL,
  queues text[] NOT NULL,
  waiting_queues text[] NOT NULL DEFAULT '{}',
  -- Set where Go workers share the queues: they can be told in no other way.
  notify_always boolean NOT NULL DEFAULT false,
  expires_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT rowlock_worker_lease_pkey PRIMARY KEY (client_id),
  CONSTRAINT client_id_length CHECK (char_length(client_id) BETWEEN 1 AND 100)
) WITH (fillfactor = 50);
