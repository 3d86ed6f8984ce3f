-- Where images were taken: kept only with consent, told only to whom it concerns, and written to the entity of a file as whoever
-- uploaded it.

DROP FUNCTION IF EXISTS storage_internal.consents_to_location(uuid);

-- What serializes storing a position and taking back the consent to it: an advisory lock of its version, and no row of objects
-- or files.
CREATE OR REPLACE FUNCTION storage_internal.location_lock(source uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT hashtextextended('rowlock.location ' || source, 0);
END;

-- Does an object consent? Of a file its request says so, of another object its user metadata, unless its bucket decides.
CREATE OR REPLACE FUNCTION storage_internal.location_is_kept(of_bucket text, of_file boolean, user_metadata jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE of_bucket
    WHEN 'always' THEN true
    WHEN 'never' THEN false
    ELSE coalesce(of_file, user_metadata ->> 'consent_location' = 'true', false) END;
END;

CREATE OR REPLACE FUNCTION storage_internal.object_keeps_location(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce((
    SELECT storage_internal.location_is_kept(b.locations, f.consent_location, o.user_metadata)
    FROM storage.objects AS o JOIN storage.buckets AS b ON b.id = o.bucket_id LEFT JOIN :"metadata".files AS f ON f.object_id = o.id
    WHERE o.id = wanted), false)
$$;

-- May it be kept where this image was taken? What is read of it is kept where all consent whose objects have these bytes, and
-- then for as long as one does and none takes it back. What history keeps consents as its file does, or as it did.
CREATE OR REPLACE FUNCTION storage_internal.location_consents(source uuid, OUT everybody boolean, OUT anybody boolean)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(bool_and(c.consents), false), coalesce(bool_or(c.consents), false)
  FROM (
    SELECT storage_internal.location_is_kept(b.locations, f.consent_location, o.user_metadata) AS consents
    FROM storage.objects AS o JOIN storage.buckets AS b ON b.id = o.bucket_id LEFT JOIN :"metadata".files AS f ON f.object_id = o.id
    WHERE o.version_id = source
    UNION ALL
    SELECT storage_internal.location_is_kept(b.locations, f.consent_location, h.user_metadata)
    FROM storage.object_history AS h JOIN storage.buckets AS b ON b.id = h.bucket_id
      LEFT JOIN :"metadata".files AS f ON f.object_id = h.object_id
    WHERE h.version_id = source
  ) AS c
$$;

-- Whether an object's position may be shown if there is one: what is kept for somebody else's copy, or until the next sweep, is
-- not shown where this very object does not consent.
CREATE OR REPLACE FUNCTION storage.shows_location(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage_internal.object_keeps_location(wanted) OR NOT EXISTS (
    SELECT FROM storage.objects AS o JOIN storage.image_locations AS l ON l.version_id = o.version_id AND l.state = 'found'
    WHERE o.id = wanted)
$$;

-- SECURITY INVOKER: of the objects that the caller sees.
CREATE OR REPLACE FUNCTION storage.may_see_location(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM storage.objects AS o
    WHERE o.version_id = wanted AND storage.can_see_location(o) AND storage.shows_location(o.id));
END
$$;

-- An entity's row gets the position of a photo.

CREATE OR REPLACE FUNCTION storage.entity_location(wanted_type text) RETURNS storage.entity_locations
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l FROM storage.entity_locations AS l WHERE l.entity_type = wanted_type
$$;

-- The value that a column gets, as an expression over $2 (latitude) and $3 (longitude); other numbers for what it is compared
-- with. NULL where a column of this type takes no position. PostGIS is named by the schema of its types, and only where a
-- column is of one.
CREATE OR REPLACE FUNCTION storage.position_expression(relation regclass, wanted_column name, is_whole boolean, latitude text, longitude text)
RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT CASE
    WHEN is_whole AND t.typname IN ('geometry', 'geography') THEN format('%1$I.st_setsrid(%1$I.st_makepoint(%3$s, %2$s), 4326)::%1$I.%4$I',
      n.nspname, latitude, longitude, t.typname)
    WHEN is_whole AND t.oid = 'point'::regtype THEN format('point(%s, %s)', longitude, latitude)
    WHEN NOT is_whole AND t.typcategory = 'N' THEN format('%s::%s', latitude, format_type(a.atttypid, a.atttypmod)) END
  FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid JOIN pg_namespace AS n ON n.oid = t.typnamespace
  WHERE a.attrelid = relation AND a.attname = wanted_column AND NOT a.attisdropped AND a.attnum > 0;
END;

-- Writes a position to an entity's row, as the caller: its rights on the table and its policies decide. A value that somebody
-- else wrote stays; `previous` is the one that may be replaced. SECURITY INVOKER, and callable by anyone: it changes what the
-- caller could change by UPDATE, and less.
CREATE OR REPLACE FUNCTION storage.locate_entity(
  wanted_type text, wanted_id text, latitude double precision, longitude double precision,
  previous_latitude double precision DEFAULT NULL, previous_longitude double precision DEFAULT NULL
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  entity storage.entities := storage.entity_definition(wanted_type);
  place storage.entity_locations := storage.entity_location(wanted_type);
  is_whole boolean := place.location_column IS NOT NULL;
  columns name[] := CASE WHEN is_whole THEN ARRAY[place.location_column] ELSE ARRAY[place.latitude_column, place.longitude_column] END;
  values_new text[];
  values_previous text[];
  is_free text;
  statement text;
  question text;
  count_changed bigint;
  is_set boolean;
BEGIN
  IF entity.relation IS NULL OR place.entity_type IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = entity.relation) THEN
    RETURN 'refused'; -- not attached any more, or takes no positions
  END IF;
  values_new := ARRAY[storage.position_expression(entity.relation, columns[1], is_whole, '$2', '$3'),
    storage.position_expression(entity.relation, columns[2], is_whole, '$3', '$2')];
  values_previous := ARRAY[storage.position_expression(entity.relation, columns[1], is_whole, '$4', '$5'),
    storage.position_expression(entity.relation, columns[2], is_whole, '$5', '$4')];
  SELECT string_agg(format('%I IS NULL', c), ' AND ') INTO is_free FROM unnest(columns) AS c;
  -- Each is written before the path changes, so that every name in it has its schema.
  question := format('SELECT NOT (%s) FROM %s WHERE %I = $1::%s', is_free, entity.relation, entity.key_column, entity.key_type);
  IF NOT place.only_if_null AND previous_latitude IS NOT NULL THEN
    SELECT format('(%s) OR (%s)', is_free, string_agg(format('%I::text = (%s)::text', c, values_previous[i]), ' AND '))
    INTO is_free FROM unnest(columns) WITH ORDINALITY AS u (c, i);
  END IF;
  SELECT format('UPDATE %s SET %s WHERE %I = $1::%s AND (%s)', entity.relation,
    string_agg(format('%I = %s', c, values_new[i]), ', '), entity.key_column, entity.key_type, is_free)
  INTO statement FROM unnest(columns) WITH ORDINALITY AS u (c, i);
  PERFORM storage.search_as_caller();
  EXECUTE statement USING wanted_id, latitude, longitude, previous_latitude, previous_longitude;
  GET DIAGNOSTICS count_changed = ROW_COUNT;
  IF count_changed > 0 THEN
    RETURN 'applied';
  END IF;
  EXECUTE question INTO is_set USING wanted_id;
  RETURN CASE WHEN is_set THEN 'kept' ELSE 'refused' END;
END
$$;

DROP FUNCTION IF EXISTS storage_internal.take_location_requests(uuid);
DROP FUNCTION IF EXISTS storage_internal.location_applied(uuid, text, text, text);
DROP FUNCTION IF EXISTS storage_internal.apply_locations(uuid);

-- What was asked for. Without an entity where there is none that takes the position of this file.
CREATE OR REPLACE FUNCTION storage_internal.asked_locations(source uuid)
RETURNS TABLE (file_id uuid, caller_role text, caller_claims text, entity_type text, entity_id text, latitude double precision,
  longitude double precision, previous_latitude double precision, previous_longitude double precision)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT r.file_id, r.caller_role, r.caller_claims::text, e.entity_type, f.entity_id, l.latitude, l.longitude, p.latitude, p.longitude
  FROM storage.location_requests AS r
    LEFT JOIN :"metadata".files AS f ON f.id = r.file_id AND f.consent_location
    LEFT JOIN storage.image_locations AS l ON l.version_id = source AND l.state = 'found'
    LEFT JOIN storage.entity_locations AS e ON e.entity_type = f.entity_type AND l.version_id IS NOT NULL
      AND (e.property_name IS NULL OR e.property_name = f.property_name)
    LEFT JOIN storage.located_entities AS d ON d.entity_type = f.entity_type AND d.entity_id = f.entity_id
    LEFT JOIN storage.image_locations AS p ON p.version_id = d.version_id
  WHERE r.version_id = source
$$;

-- Says what became of a request, and ends it. False where somebody is ending it otherwise: then nothing may be written that it
-- asked for. It waits for nobody, because the caller may hold a lock on the entity.
CREATE OR REPLACE FUNCTION storage_internal.end_location_request(
  source uuid, asked_file uuid, entity_type text, entity_id text, outcome text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  IF NOT pg_try_advisory_xact_lock(storage_internal.location_lock(source)) THEN
    RETURN false;
  END IF;
  DELETE FROM storage.location_requests AS r WHERE r.file_id IN (
    SELECT w.file_id FROM storage.location_requests AS w WHERE w.file_id = asked_file AND w.version_id = source FOR UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE storage.image_locations SET applied = outcome WHERE version_id = source AND outcome IS NOT NULL;
  INSERT INTO storage.located_entities (entity_type, entity_id, version_id)
  SELECT end_location_request.entity_type, end_location_request.entity_id, source WHERE outcome = 'applied'
  ON CONFLICT ON CONSTRAINT located_entities_pkey DO UPDATE SET version_id = EXCLUDED.version_id;
  RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION storage_internal.image_is_read(source uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE storage.image_metadata SET read_at = now() WHERE version_id = source AND read_at IS NULL
    AND EXISTS (SELECT FROM storage.image_locations AS l WHERE l.version_id = source AND l.state = 'found')
$$;

-- Writes a position to its entity, as whoever uploaded the photo. Whatever their table says against it, also at the end of the
-- transaction, costs the position and nothing else. The entity is locked before the request, as by whoever deletes it; where
-- somebody is at work on either, the request stays for the sweep.
CREATE OR REPLACE FUNCTION storage_internal.place_image(source uuid) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked record;
  outcome text;
BEGIN
  PERFORM set_config('lock_timeout', '1s', true);
  FOR asked IN SELECT * FROM storage_internal.asked_locations(source) LOOP
    outcome := NULL;
    BEGIN
      IF asked.entity_type IS NOT NULL THEN
        PERFORM storage_internal.become(asked.caller_role, asked.caller_claims, 'storage.location.apply');
        outcome := storage.locate_entity(asked.entity_type, asked.entity_id, asked.latitude, asked.longitude,
          asked.previous_latitude, asked.previous_longitude);
        PERFORM storage.search_as_caller();
        EXECUTE 'SET CONSTRAINTS ALL IMMEDIATE';
        PERFORM set_config('search_path', 'pg_catalog, pg_temp', true), set_config('role', 'none', true);
      END IF;
      IF NOT storage_internal.end_location_request(source, asked.file_id, asked.entity_type, asked.entity_id, outcome) THEN
        RAISE lock_not_available;
      END IF;
      CONTINUE;
    EXCEPTION
      WHEN transaction_rollback OR lock_not_available THEN
        CONTINUE;
      WHEN insufficient_privilege THEN
        outcome := 'refused';
      WHEN query_canceled OR OTHERS THEN
        outcome := 'failed'; -- also what took too long: it would again
    END;
    PERFORM storage_internal.end_location_request(source, asked.file_id, asked.entity_type, asked.entity_id, outcome);
  END LOOP;
  PERFORM storage_internal.image_is_read(source);
END
$$;

-- Images whose position is known and still asked for: their job ended too early, or somebody was at work on their entity. In no
-- order, so that none that cannot be placed keeps others from it.
CREATE OR REPLACE FUNCTION storage_internal.images_to_place(row_limit integer) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.version_id FROM storage.image_locations AS l
  WHERE l.state = 'found' AND l.version_id IN (
    SELECT r.version_id FROM storage.location_requests AS r WHERE r.created_at < now() - interval '1 minute')
  ORDER BY random() LIMIT row_limit
$$;

-- A photo whose uploader consented shall say where its entity is, when it has been read.
CREATE OR REPLACE FUNCTION storage_internal.ask_for_location(u storage.uploads, object storage.objects) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO storage.location_requests (file_id, version_id, caller_role, caller_claims)
  SELECT r.file_id, object.version_id, u.caller_role, u.caller_claims
  FROM :"metadata".file_upload_requests AS r JOIN storage.entity_locations AS e ON e.entity_type = r.entity_type
  WHERE r.upload_id = u.id AND r.consent_location
  ON CONFLICT ON CONSTRAINT location_requests_pkey DO NOTHING;
  IF FOUND THEN
    DELETE FROM storage.location_requests WHERE file_id IN (
      SELECT old.file_id FROM storage.location_requests AS old WHERE old.created_at < now() - interval '7 days'
      ORDER BY old.created_at LIMIT 100);
  END IF;
END
$$;

-- Says which columns of an entity's table take the position of a photo: one, of PostGIS or of type point, or two numbers. With
-- neither, none does any more. Run by the table's owner, who must be a member of rowlock_owner, after storage.attach_entity.
CREATE OR REPLACE FUNCTION storage.locate_entities(
  entity_type text, location_column name DEFAULT NULL, latitude_column name DEFAULT NULL, longitude_column name DEFAULT NULL,
  only_if_null boolean DEFAULT true, property_name text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  entity storage.entities := storage.entity_definition(entity_type);
  wanted name;
BEGIN
  IF entity.relation IS NULL THEN
    RAISE EXCEPTION 'there is no entity type %; see storage.attach_entity', entity_type USING ERRCODE = 'undefined_object';
  END IF;
  FOREACH wanted IN ARRAY array_remove(ARRAY[location_column, latitude_column, longitude_column], NULL) LOOP
    IF storage.position_expression(entity.relation, wanted, location_column IS NOT NULL, '$2', '$3') IS NULL THEN
      RAISE EXCEPTION 'column % of % takes no position: one is of type geometry, geography or point, two are numbers', wanted, entity.relation
        USING ERRCODE = 'datatype_mismatch';
    END IF;
  END LOOP;
  DELETE FROM storage.entity_locations AS l WHERE l.entity_type = locate_entities.entity_type;
  IF num_nonnulls(location_column, latitude_column, longitude_column) > 0 THEN
    INSERT INTO storage.entity_locations (entity_type, location_column, latitude_column, longitude_column, only_if_null, property_name)
    VALUES (entity_type, location_column, latitude_column, longitude_column, only_if_null, property_name);
  END IF;
END
$$;
