-- What an UPDATE brings into another bucket is asked of the policies for INSERT there, as if it were uploaded: of all
-- rows of a statement at once, since to ask one by one costs more than to move them.

-- The version of a question: no object can have it. A row with it is judged by the policies and then refused by a foreign
-- key, or never written because its name is taken.
CREATE OR REPLACE FUNCTION storage.no_version() RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT '00000000-0000-0000-0000-000000000000'::uuid;
END;

-- Before the row is moved, of the first that goes into a bucket: whoever may put nothing there does not learn which names
-- are taken. SECURITY INVOKER. The answer is remembered for one statement of the client; whoever forges that is refused
-- by storage.objects_arrived all the same.
CREATE OR REPLACE FUNCTION storage.ask_arrival(wanted_bucket text, wanted_name text, size bigint, content_type text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  question text := concat_ws('/', statement_timestamp(), current_user, wanted_bucket);
BEGIN
  IF current_setting('storage.arrival_asked', true) IS DISTINCT FROM question THEN
    PERFORM storage.may_upload(wanted_bucket, wanted_name,
      jsonb_build_object('size', size, 'content_type', content_type), false);
    PERFORM set_config('storage.arrival_asked', question, true);
  END IF;
END
$$;

-- After they are moved, of all. SECURITY INVOKER. PostgreSQL judges WITH CHECK before it finds that a name is taken, here
-- by what has just arrived: each row is judged, by its true values, and none is written.
CREATE OR REPLACE FUNCTION storage.objects_arrived() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (SELECT bool_or(n.bucket_id <> o.bucket_id) FROM new_rows AS n FULL JOIN old_rows AS o USING (id)) IS NOT TRUE THEN
    RETURN NULL;
  END IF;
  PERFORM storage.search_as_caller();
  WITH pairs AS MATERIALIZED (
    SELECT n.*, n.bucket_id <> o.bucket_id AS crosses FROM new_rows AS n FULL JOIN old_rows AS o USING (id)
  )
  INSERT INTO storage.objects (bucket_id, name, version_id, cache_control, user_metadata)
  SELECT n.bucket_id, n.name, storage.no_version(), n.cache_control, n.user_metadata FROM pairs AS n WHERE n.crosses
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
-- The first of its kind: nothing is written before the answer.
CREATE OR REPLACE TRIGGER objects_05_arrived AFTER UPDATE ON storage.objects
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION storage.objects_arrived();
