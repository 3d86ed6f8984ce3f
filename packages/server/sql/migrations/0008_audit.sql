-- Who did what, and who was refused. Append-only: rows go by age, and in no other way.

CREATE TABLE storage.audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT now(),
  request_id text,
  address text,
  -- The role that connected: nobody can set it, whatever the other columns were told.
  login text NOT NULL DEFAULT session_user,
  role text NOT NULL,
  subject text,
  operation text NOT NULL,
  bucket_id text COLLATE "C",
  name text COLLATE "C",
  object_id uuid,
  outcome text NOT NULL,
  reason text,
  detail jsonb,
  CONSTRAINT audit_log_outcome_known CHECK (outcome IN ('done', 'refused')),
  -- The other columns are cut by what writes them: nobody else can.
  CONSTRAINT audit_log_detail_bounded CHECK (pg_column_size(detail) <= 8192)
);
-- No index but that of the ids, which go up with time: every write of an object pays for each.

INSERT INTO storage.settings (name, value, description) VALUES
  ('audit_retention_days', '365', 'how long the audit log keeps what happened, in days; at least one');
