-- What looks at bytes after they were committed: scanners, classifiers and jobs of applications' own, and what they found.

CREATE TABLE storage.version_checks (
  version_id uuid NOT NULL REFERENCES storage.versions (id) ON DELETE CASCADE,
  -- The kind of the job that looks: `file_scan`, `file_classify`, or an application's own.
  kind text COLLATE "C" NOT NULL,
  -- `pending` until somebody has looked; `error` where nobody could. A scan is `clean` or `infected`, or `released` where an
  -- operator said so; everything else is `done`.
  status text NOT NULL DEFAULT 'pending',
  detail jsonb,
  requested_at timestamptz NOT NULL DEFAULT now(),
  checked_at timestamptz,
  CONSTRAINT version_checks_pkey PRIMARY KEY (version_id, kind),
  CONSTRAINT version_checks_kind_valid CHECK (kind ~ '^[a-z][a-z0-9]*(_[a-z0-9]+)+$' AND length(kind) <= 63),
  CONSTRAINT version_checks_status_known CHECK (status IN ('pending', 'clean', 'infected', 'released', 'done', 'error')),
  CONSTRAINT version_checks_ended_says_when CHECK ((status = 'pending') = (checked_at IS NULL)),
  CONSTRAINT version_checks_detail_bounded CHECK (octet_length(detail::text) <= 65536)
);
-- For what waits too long.
CREATE INDEX version_checks_pending_idx ON storage.version_checks (requested_at) WHERE status = 'pending';
ALTER TABLE storage.version_checks ENABLE ROW LEVEL SECURITY;

ALTER TABLE storage.buckets
  -- `async`: what comes is read until it was found to be infected. `before_read`: nobody reads it until it was found to be clean.
  ADD COLUMN scan text NOT NULL DEFAULT 'off',
  -- Kinds of jobs that look at everything that comes, besides.
  ADD COLUMN checks text[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT buckets_scan_known CHECK (scan IN ('off', 'async', 'before_read')),
  ADD CONSTRAINT buckets_checks_bounded CHECK (cardinality(checks) <= 16 AND octet_length(checks::text) <= 1100);

-- Why a version is in quarantine, as a word: `replaced` after the commit, `infected`, `not_scanned` yet, or `derived` from a
-- version in quarantine. No CHECK: each costs every upload (0011_checks_as_functions.sql), and only functions of ours write it.
ALTER TABLE storage.versions ADD COLUMN quarantine_cause text;
UPDATE storage.versions
SET quarantine_cause = CASE quarantine_reason WHEN 'of a version in quarantine' THEN 'derived' ELSE 'replaced' END
WHERE quarantined_at IS NOT NULL;
