-- What keeps a presigned PUT that is used once more from changing what was committed, at stores that answer such URLs
-- themselves; and versions that are not served because their bytes are not those that were committed.

-- As the workers have said of each store: how the PUT is guarded of a client that sends the headers which it is told to
-- send, and of one that sends only its type. A store whose door is ours has no row.
CREATE TABLE storage.put_guards (
  backend text PRIMARY KEY,
  with_headers text NOT NULL,
  without_headers text NOT NULL,
  CONSTRAINT put_guards_known CHECK (with_headers IN ('condition', 'incoming', 'recheck') AND without_headers IN ('incoming', 'recheck'))
);

ALTER TABLE storage.uploads
  -- `condition`: the PUT says if-none-match. `incoming`: it goes to incoming/<id>, and the commit copies. `recheck`: the ETag
  -- is compared later. NULL: our own door takes no second one, or nothing is known of the store.
  ADD COLUMN put_guard text,
  -- Until when somebody is taken to be copying what came.
  ADD COLUMN copying_until timestamptz,
  -- When an event of the store last said that its bytes are there.
  ADD COLUMN announced_at timestamptz,
  ADD CONSTRAINT uploads_put_guard_known CHECK (put_guard IN ('condition', 'incoming', 'recheck')) NOT VALID;

ALTER TABLE storage.versions
  -- Until when bytes may come under the key by a URL that is out: as long as that the key is remembered.
  ADD COLUMN put_until timestamptz,
  ADD COLUMN recheck_at timestamptz,
  ADD COLUMN quarantined_at timestamptz,
  ADD COLUMN quarantine_reason text,
  ADD CONSTRAINT versions_quarantined_says_why CHECK ((quarantined_at IS NULL) = (quarantine_reason IS NULL)) NOT VALID;
CREATE INDEX versions_recheck_idx ON storage.versions (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX versions_quarantined_idx ON storage.versions (quarantined_at) WHERE quarantined_at IS NOT NULL;

-- Whether its client sends the headers that it is told to send with the PUT.
ALTER TABLE :"metadata".file_upload_requests ADD COLUMN sends_headers boolean NOT NULL DEFAULT false,
  -- The key that its PUT goes to; NULL for that of the file.
  ADD COLUMN put_key text;
