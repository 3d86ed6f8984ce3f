-- Entities: application tables whose rows carry files.

CREATE OR REPLACE FUNCTION storage.entity_is_attached(wanted_type text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM storage.entities WHERE entity_type = wanted_type)
$$;

CREATE OR REPLACE FUNCTION storage.entity_definition(wanted_type text) RETURNS storage.entities
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT e FROM storage.entities AS e WHERE e.entity_type = wanted_type
$$;

-- SECURITY INVOKER: the entity's own table privileges and policies decide.
CREATE OR REPLACE FUNCTION storage.can_select_entity(wanted_type text, wanted_id text) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  entity storage.entities := storage.entity_definition(wanted_type);
  question text;
  found_it boolean;
BEGIN
  IF entity.relation IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = entity.relation) THEN
    RETURN false; -- never attached, or its table was dropped
  END IF;
  -- Written before the path changes, so that every name in it has its schema.
  question := format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1::%s)', entity.relation, entity.key_column, entity.key_type);
  PERFORM storage.search_as_caller();
  EXECUTE question INTO found_it USING wanted_id;
  RETURN found_it;
EXCEPTION
  WHEN insufficient_privilege OR data_exception THEN
    RETURN false; -- no right on the table, or an id that is no key of it: not visible
END
$$;

-- The files of deleted rows go with them, and so do uploads that are still on their way. Whoever attaches a file holds
-- a lock on its entity (storage.assert_may_attach), so what it wrote is there to be seen here, or it will not find the
-- row. Many rows at once take one lock for their whole type.
CREATE OR REPLACE FUNCTION storage.entity_files_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- TG_ARGV: entity type, key column.
  gone text[] := ARRAY(SELECT to_jsonb(o) ->> TG_ARGV[1] FROM old_rows AS o);
  abandoned uuid[];
BEGIN
  IF cardinality(gone) > 100 THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('rowlock.entity/' || TG_ARGV[0], 0));
  ELSE
    PERFORM pg_advisory_xact_lock(lock) FROM (
      SELECT DISTINCT hashtextextended(concat('rowlock.entity/', TG_ARGV[0], '/', id), 0) AS lock
      FROM unnest(gone) AS id ORDER BY lock
    ) AS locks;
  END IF;
  -- A request without its upload is not signed any more, also by a signer who is about to.
  WITH refused AS (
    UPDATE :"metadata".file_upload_requests AS r
    SET status = 'failed', upload_id = NULL, presigned_url = NULL, is_open = false, updated_at = now(),
      error_message = 'what the file was for was deleted'
    FROM storage.uploads AS u
    WHERE u.id = r.upload_id AND r.entity_type = TG_ARGV[0] AND r.entity_id = ANY (gone)
    RETURNING u.id
  )
  SELECT array_agg(id ORDER BY id) INTO abandoned FROM refused;
  PERFORM storage_internal.abandon_upload(id, 'what the file was for was deleted') FROM unnest(abandoned) AS id;
  -- Deleting the files row deletes its object by trigger.
  DELETE FROM :"metadata".files WHERE entity_type = TG_ARGV[0] AND entity_id = ANY (gone);
  RETURN NULL;
END
$$;

-- Makes a table's rows carriers of files: whoever can select a row sees its files, and deleting the row deletes
-- them. Run by the table's owner, who must be a member of rowlock_owner.
CREATE OR REPLACE FUNCTION storage.attach_entity(relation regclass, key_column name DEFAULT 'id', entity_type text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted_type text := coalesce(
    attach_entity.entity_type, (SELECT relname FROM pg_class WHERE oid = attach_entity.relation));
  column_type regtype := (
    SELECT atttypid FROM pg_attribute
    WHERE attrelid = attach_entity.relation AND attname = attach_entity.key_column AND NOT attisdropped);
BEGIN
  IF column_type IS NULL THEN
    RAISE EXCEPTION 'table % has no column %', relation, key_column USING ERRCODE = 'undefined_column';
  END IF;
  IF wanted_type !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$' THEN
    RAISE EXCEPTION 'entity type "%" may have letters, digits, "_", "." and "-" only', wanted_type
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO storage.entities AS e (entity_type, relation, key_column, key_type)
  VALUES (wanted_type, attach_entity.relation, attach_entity.key_column, column_type)
  ON CONFLICT ON CONSTRAINT entities_pkey DO UPDATE
    SET relation = EXCLUDED.relation, key_column = EXCLUDED.key_column, key_type = EXCLUDED.key_type;
  EXECUTE format(
    'CREATE OR REPLACE TRIGGER rowlock_files_delete AFTER DELETE ON %s
       REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
       EXECUTE FUNCTION storage.entity_files_delete(%L, %L)',
    attach_entity.relation, wanted_type, attach_entity.key_column);
END
$$;
