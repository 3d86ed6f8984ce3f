-- The change feed: where an object was before it moved, whose bucket that was, events of buckets, and what is forgotten.

ALTER TABLE storage.changes
  ALTER COLUMN object_id DROP NOT NULL,
  ALTER COLUMN revision DROP NOT NULL,
  ALTER COLUMN name DROP NOT NULL,
  -- Only where the change moved the object.
  ADD COLUMN previous_bucket_id text,
  ADD COLUMN previous_name text,
  -- The owner, at that time, of the bucket that the object was in before the change.
  ADD COLUMN bucket_owner_id text,
  DROP CONSTRAINT changes_type_known,
  ADD CONSTRAINT changes_type_known CHECK (type IN ('storage.object.created', 'storage.object.updated',
    'storage.object.deleted', 'storage.bucket.created', 'storage.bucket.deleted')),
  ADD CONSTRAINT changes_of_objects_name_them CHECK (
    starts_with(type, 'storage.bucket.') = (object_id IS NULL)
    AND (object_id IS NULL) = (revision IS NULL) AND (object_id IS NULL) = (name IS NULL)),
  ADD CONSTRAINT changes_previous_is_whole CHECK ((previous_bucket_id IS NULL) = (previous_name IS NULL));

-- One row: up to where changes were deleted because they were old, up to where SQL listeners were told, and until when
-- there are any.
CREATE TABLE storage.change_feed (
  only_row boolean PRIMARY KEY DEFAULT true,
  forgotten_xid xid8 NOT NULL DEFAULT '0',
  forgotten_seq bigint NOT NULL DEFAULT 0,
  notified_xid xid8 NOT NULL DEFAULT '0',
  notified_seq bigint NOT NULL DEFAULT 0,
  listeners_until timestamptz,
  CONSTRAINT change_feed_is_one CHECK (only_row)
);
INSERT INTO storage.change_feed DEFAULT VALUES;

INSERT INTO storage.settings (name, value, description) VALUES
  ('changes_retention_seconds', '604800', 'how long changes can be read again, in seconds');

-- What browsers would run is saved as a file, unless its bucket says that it is to be shown (in a sandbox).
ALTER TABLE storage.buckets ADD COLUMN inline boolean NOT NULL DEFAULT false;
