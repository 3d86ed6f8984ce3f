-- What comparisons of rows with bytes found and how far they came, so that a killed one goes on and findings can be asked
-- for by SQL; and how far the sweep has looked.

-- `holder`: whoever goes on with a run takes it over, and what another holder says of it is refused.
CREATE TABLE storage.fsck_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  backend text NOT NULL,
  scrub boolean NOT NULL,
  holder uuid NOT NULL,
  phase text NOT NULL DEFAULT 'compare',
  position text COLLATE "C" NOT NULL DEFAULT '',
  progress jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CONSTRAINT fsck_runs_phase_known CHECK (phase IN ('compare', 'scrub', 'count', 'repair', 'done')),
  CONSTRAINT fsck_runs_done_has_ended CHECK ((phase = 'done') = (ended_at IS NOT NULL))
);

CREATE TABLE storage.fsck_findings (
  run_id bigint NOT NULL REFERENCES storage.fsck_runs (id) ON DELETE CASCADE,
  kind text NOT NULL,
  key text COLLATE "C" NOT NULL,
  version_id uuid,
  detail jsonb NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  repaired_at timestamptz,
  PRIMARY KEY (run_id, kind, key)
);

-- One row. `after`: versions up to this id were looked at.
CREATE TABLE storage.sweep_position (
  single boolean PRIMARY KEY DEFAULT true,
  after uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT sweep_position_is_one_row CHECK (single)
);
INSERT INTO storage.sweep_position DEFAULT VALUES;
