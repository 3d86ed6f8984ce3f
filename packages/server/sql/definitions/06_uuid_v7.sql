-- Time-ordered identifiers (RFC 9562, section 5.7): PostgreSQL's own where it has them, which is from 18 on.
DO $$
BEGIN
  IF current_setting('server_version_num')::integer >= 180000 THEN
    CREATE OR REPLACE FUNCTION storage_internal.uuid_v7() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    BEGIN ATOMIC
      SELECT uuidv7();
    END;
  END IF;
END
$$;
