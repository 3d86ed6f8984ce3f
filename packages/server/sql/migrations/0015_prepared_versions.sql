-- The transaction that stored a version's bytes: inside of it, and nowhere else, an object may begin to point at a version
-- that was prepared ahead of its upload. Rows of before have none.
ALTER TABLE storage.versions ADD COLUMN stored_in xid8;
