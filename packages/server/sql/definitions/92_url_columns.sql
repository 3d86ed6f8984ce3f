-- URLs as columns of a select. PostgREST shows a function of a view's row type like a column when it is asked for:
-- `?select=name,download_url`. Behind 90_views.sql, whose types these take. Nothing of the row but its id is believed.

CREATE OR REPLACE FUNCTION :"api".download_url(o :"api".storage_objects) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT storage.presign_object((o).id);
END;

CREATE OR REPLACE FUNCTION :"api".original_url(f :"api".files) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.presign_file((f).id);
END;

CREATE OR REPLACE FUNCTION :"api".thumbnail_small_url(f :"api".files) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.presign_thumbnail((f).id, 'small');
END;

CREATE OR REPLACE FUNCTION :"api".thumbnail_medium_url(f :"api".files) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.presign_thumbnail((f).id, 'medium');
END;

CREATE OR REPLACE FUNCTION :"api".thumbnail_large_url(f :"api".files) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT storage.presign_thumbnail((f).id, 'large');
END;

REVOKE ALL ON FUNCTION :"api".download_url(:"api".storage_objects), :"api".original_url(:"api".files),
  :"api".thumbnail_small_url(:"api".files), :"api".thumbnail_medium_url(:"api".files), :"api".thumbnail_large_url(:"api".files) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION :"api".download_url(:"api".storage_objects), :"api".original_url(:"api".files),
  :"api".thumbnail_small_url(:"api".files), :"api".thumbnail_medium_url(:"api".files), :"api".thumbnail_large_url(:"api".files)
  TO :"anon", :"authenticated", :"service_role";
