-- One row for each queue that a client has worked lately, and whether it is paused.
CREATE TABLE :"schema".river_queue (
  name text,
  created_at timestamptz NOT NULL DEFAULT now(),
  metadata jsonb NOT NULL DEFAULT '{}',
  paused_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT river_queue_pkey PRIMARY KEY (name)
);
