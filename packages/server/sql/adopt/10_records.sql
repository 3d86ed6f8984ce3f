-- What an adoption remembers: where it was installed, the bodies that it replaced, and what a backfill could not take.
-- All of it is in a schema of its own, beside the adopted one. Applied on every install; each step does nothing where
-- its result is there already.
--
-- Variables: "metadata" is the adopted schema, 'bucket' its bucket, and the application roles.

CREATE SCHEMA IF NOT EXISTS rowlock_adopt AUTHORIZATION rowlock_owner;

SET LOCAL ROLE rowlock_owner;

CREATE TABLE IF NOT EXISTS rowlock_adopt.installed (
  metadata text PRIMARY KEY,
  bucket text NOT NULL,
  installed_at timestamptz NOT NULL DEFAULT now()
);

-- One row for each time that a function was switched; it is active until it is rolled back.
CREATE TABLE IF NOT EXISTS rowlock_adopt.bodies (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  function text NOT NULL,
  -- As pg_get_functiondef prints them: what a rollback executes, and what tells whether somebody else has been there.
  original text NOT NULL,
  switched text NOT NULL,
  switched_at timestamptz NOT NULL DEFAULT now(),
  rolled_back_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS bodies_active_idx ON rowlock_adopt.bodies (function) WHERE rolled_back_at IS NULL;

-- Files that got no object, and why. A row goes when its file is taken after all.
CREATE TABLE IF NOT EXISTS rowlock_adopt.findings (
  file_id uuid PRIMARY KEY,
  found text NOT NULL,
  detail text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT findings_found_known CHECK (found IN ('no_bytes', 'other_bucket', 'key_of_another', 'unusable_key', 'taken'))
);

ALTER TABLE rowlock_adopt.installed ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowlock_adopt.bodies ENABLE ROW LEVEL SECURITY;
ALTER TABLE rowlock_adopt.findings ENABLE ROW LEVEL SECURITY;

INSERT INTO rowlock_adopt.installed (metadata, bucket) VALUES (:'metadata', :'bucket') ON CONFLICT (metadata) DO NOTHING;

-- The logical bucket of the adopted files. Its owner is nobody whom a token can name by chance, so that no caller may
-- write into it: what is there comes from the adopted rows.
INSERT INTO storage.buckets (id, name, owner_id, policy, overwrite)
VALUES (:'bucket', :'bucket', 'adopted:' || :'metadata', 'private', 'deny')
ON CONFLICT (id) DO NOTHING;
