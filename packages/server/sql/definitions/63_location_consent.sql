-- Consent that ends: what was kept because of it goes, also where copies of the object consent. What ends with an object, or by
-- moving it to another bucket, is not shown any more at once, and goes with the next sweep.

CREATE OR REPLACE FUNCTION storage_internal.withhold_locations(unwanted uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  DELETE FROM storage.location_requests WHERE version_id = ANY (unwanted);
  DELETE FROM storage.located_entities WHERE version_id = ANY (unwanted);
  UPDATE storage.image_locations SET state = 'withheld', latitude = NULL, longitude = NULL, altitude = NULL, accuracy = NULL
  WHERE version_id = ANY (unwanted) AND state = 'found'
$$;

-- Whose object does not consent any more: its version and those that history keeps under its name.
CREATE OR REPLACE FUNCTION storage_internal.object_withdraws_location(object uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  current_version uuid;
  unwanted uuid[];
BEGIN
  IF storage_internal.object_keeps_location(object) THEN
    RETURN; -- its bucket decides
  END IF;
  SELECT o.version_id INTO current_version FROM storage.objects AS o WHERE o.id = object;
  -- Only this may still be read right now; what history keeps has been, or is looked at by the sweep.
  PERFORM pg_advisory_xact_lock(storage_internal.location_lock(current_version));
  SELECT array_agg(h.version_id) INTO unwanted FROM storage.objects AS o
    JOIN storage.object_history AS h ON h.bucket_id = o.bucket_id AND h.name = o.name AND h.object_id = o.id AND h.version_id IS NOT NULL
  WHERE o.id = object;
  PERFORM storage_internal.withhold_locations(array_append(unwanted, current_version));
END
$$;

-- Positions that were kept with a consent that nobody gives any more: of the versions between two, for the sweep.
CREATE OR REPLACE FUNCTION storage_internal.withhold_unconsented(first_id uuid, last_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unwanted uuid[];
BEGIN
  SELECT array_agg(l.version_id) INTO unwanted FROM storage.image_locations AS l
  WHERE l.version_id > first_id AND l.version_id <= last_id AND l.state = 'found'
    AND NOT (storage_internal.location_consents(l.version_id)).anybody;
  IF unwanted IS NOT NULL THEN
    PERFORM storage_internal.withhold_locations(unwanted);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION storage.file_consent_withdrawn() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NEW.object_id IS NOT NULL THEN
    PERFORM storage_internal.object_withdraws_location(NEW.object_id);
  END IF;
  DELETE FROM storage.location_requests WHERE file_id = NEW.id;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER file_consent_withdrawn AFTER UPDATE OF consent_location ON :"metadata".files
  FOR EACH ROW WHEN (OLD.consent_location AND NOT NEW.consent_location) EXECUTE FUNCTION storage.file_consent_withdrawn();

CREATE OR REPLACE FUNCTION storage.object_consent_withdrawn() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage_internal.object_withdraws_location(NEW.id);
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER object_consent_withdrawn AFTER UPDATE OF user_metadata ON storage.objects
  FOR EACH ROW WHEN (OLD.version_id = NEW.version_id AND OLD.user_metadata ->> 'consent_location' = 'true'
    AND NEW.user_metadata ->> 'consent_location' IS DISTINCT FROM 'true')
  EXECUTE FUNCTION storage.object_consent_withdrawn();

-- Without a lock for each version, of which there may be millions: what is being stored right now is not shown, and the sweep's.
CREATE OR REPLACE FUNCTION storage.bucket_consent_withdrawn() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage_internal.withhold_locations(array_agg(w.version_id))
  FROM (
    SELECT l.version_id FROM storage.objects AS o JOIN storage.image_locations AS l ON l.version_id = o.version_id AND l.state = 'found'
      LEFT JOIN :"metadata".files AS f ON f.object_id = o.id
    WHERE o.bucket_id = NEW.id AND NOT storage_internal.location_is_kept(NEW.locations, f.consent_location, o.user_metadata)
    UNION
    SELECT l.version_id FROM storage.object_history AS h
      JOIN storage.image_locations AS l ON l.version_id = h.version_id AND l.state = 'found'
      LEFT JOIN :"metadata".files AS f ON f.object_id = h.object_id
    WHERE h.bucket_id = NEW.id AND NOT storage_internal.location_is_kept(NEW.locations, f.consent_location, h.user_metadata)
  ) AS w HAVING count(*) > 0;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER bucket_consent_withdrawn AFTER UPDATE OF locations ON storage.buckets
  FOR EACH ROW WHEN (NEW.locations <> OLD.locations AND NEW.locations <> 'always') EXECUTE FUNCTION storage.bucket_consent_withdrawn();

-- Has a file read again of which a position was withheld.
CREATE OR REPLACE FUNCTION storage_internal.read_image_again(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE storage.image_metadata AS m SET read_at = NULL FROM storage.image_locations AS l
  WHERE m.version_id = wanted AND l.version_id = wanted AND l.state = 'withheld';
  IF FOUND THEN
    PERFORM :"metadata".enqueue_job('thumbnail_generate', jsonb_build_object('version_id', wanted), 'thumbnails', 2::smallint);
  END IF;
END
$$;

-- `seen` is the file's id where the caller sees the file.
CREATE OR REPLACE FUNCTION storage_internal.change_location_consent(seen uuid, consent boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asking_role text := coalesce(nullif(current_setting('role', true), 'none'), session_user);
BEGIN
  IF seen IS NULL THEN
    RAISE EXCEPTION 'no such file' USING ERRCODE = 'no_data_found';
  ELSIF consent IS NULL THEN
    RAISE EXCEPTION 'consent is true or false' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  UPDATE :"metadata".files AS f SET consent_location = consent, updated_at = now()
  WHERE f.id = seen AND (f.created_by = storage.caller_id() OR pg_has_role(asking_role, :'service_role', 'USAGE'));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'only the creator of a file says whether its position is kept' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE :"metadata".file_upload_requests AS r SET consent_location = consent WHERE r.file_id = seen;
  IF consent THEN
    PERFORM storage_internal.read_image_again(o.version_id) FROM :"metadata".files AS f JOIN storage.objects AS o ON o.id = f.object_id
    WHERE f.id = seen;
  END IF;
END
$$;

-- Says whether the position of a file may be kept. Without consent it is deleted at once; with consent given later the
-- file is read again.
CREATE OR REPLACE FUNCTION :"api".set_location_consent(p_file_id uuid, p_consent boolean) RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT storage_internal.change_location_consent((SELECT f.id FROM :"metadata".files AS f WHERE f.id = p_file_id), p_consent);
END;
