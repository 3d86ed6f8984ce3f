-- How much may be kept. A rule (`quotas`) is for a bucket, or for each owner in one bucket or in all; an account is what
-- one rule counts for one bucket or owner; its shards hold what is still free, so that writers do not wait for one row.

ALTER TABLE storage.buckets
  ADD COLUMN quota_bytes bigint,
  ADD COLUMN quota_objects bigint,
  ADD COLUMN owner_quota_bytes bigint,
  ADD COLUMN owner_quota_objects bigint,
  ADD CONSTRAINT buckets_quotas_bounded CHECK (quota_bytes BETWEEN 0 AND 1152921504606846976
    AND quota_objects BETWEEN 0 AND 1152921504606846976 AND owner_quota_bytes BETWEEN 0 AND 1152921504606846976
    AND owner_quota_objects BETWEEN 0 AND 1152921504606846976);

-- `counted`: what was there before the rule is in its accounts. Until then they are kept and refuse nothing.
CREATE TABLE storage.quotas (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bucket_id text COLLATE "C" REFERENCES storage.buckets (id) ON DELETE CASCADE,
  per text NOT NULL,
  bytes_max bigint,
  objects_max bigint,
  counted boolean NOT NULL DEFAULT false,
  since xid8,
  CONSTRAINT quotas_one_per_scope UNIQUE NULLS NOT DISTINCT (bucket_id, per),
  CONSTRAINT quotas_per_known CHECK (per = 'owner' OR (per = 'bucket' AND bucket_id IS NOT NULL))
);

-- No limit is 2^60. `own_limit`: set for this owner, whatever the rule says.
CREATE TABLE storage.quota_accounts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  quota_id bigint NOT NULL REFERENCES storage.quotas (id) ON DELETE CASCADE,
  owner_id text NOT NULL,
  bytes_max bigint NOT NULL,
  objects_max bigint NOT NULL,
  own_limit boolean NOT NULL DEFAULT false,
  shards smallint NOT NULL,
  CONSTRAINT quota_accounts_one_per_owner UNIQUE (quota_id, owner_id),
  CONSTRAINT quota_accounts_limits_not_negative CHECK (bytes_max >= 0 AND objects_max >= 0)
);

-- Free is the limit less what is kept and what is reserved. Shards are closed while less than nothing is free, after a
-- limit was lowered: then all of it stands in the first one.
CREATE TABLE storage.quota_shards (
  account_id bigint NOT NULL REFERENCES storage.quota_accounts (id) ON DELETE CASCADE,
  shard smallint NOT NULL,
  bytes_free bigint NOT NULL,
  objects_free bigint NOT NULL,
  is_open boolean NOT NULL DEFAULT true,
  PRIMARY KEY (account_id, shard)
) WITH (fillfactor = 40, autovacuum_vacuum_threshold = 500);

ALTER TABLE storage.uploads
  ADD COLUMN reserved_in bigint[],
  ADD COLUMN reserved_bytes bigint,
  ADD COLUMN reserved_objects integer,
  ADD COLUMN reserved_settled boolean NOT NULL DEFAULT false,
  -- Expanded only where somebody sends so much; rows of before are left as they are.
  ADD CONSTRAINT uploads_user_metadata_bounded CHECK (octet_length(user_metadata::text) <= 1048576) NOT VALID;
CREATE INDEX uploads_reserved_idx ON storage.uploads (bucket_id) WHERE reserved_in IS NOT NULL;

ALTER TABLE storage.objects
  ADD CONSTRAINT objects_user_metadata_bounded CHECK (octet_length(user_metadata::text) <= 1048576) NOT VALID;

INSERT INTO storage.settings (name, value, description) VALUES
  ('quota_epoch', '0', 'counts up with every quota that is added; not to be set');

CREATE TYPE storage_internal.quota_need AS (bucket_id text, owner_id text, bytes bigint, objects bigint);
