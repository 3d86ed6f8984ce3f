-- What is known of images beside their positions: stored by the job that decodes them, and asked by callers.

DROP FUNCTION IF EXISTS storage_internal.image_measured(uuid, integer, integer, text);

DROP FUNCTION IF EXISTS storage_internal.write_image_facts(uuid, integer, integer, text, jsonb);
DROP FUNCTION IF EXISTS storage_internal.store_image_facts(uuid, integer, integer, text, jsonb);

-- For the job that decoded an image: writes what was read of it. True where its position is known now, and asked for: then
-- storage_internal.place_image is to follow, in a transaction of its own, and the image counts as read after that. No row is
-- locked here that a caller locks who deletes objects, files or what they belong to.
CREATE OR REPLACE FUNCTION storage_internal.keep_image_facts(
  source uuid, pixel_width integer, pixel_height integer, image_format text, facts jsonb
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  place jsonb := facts -> 'location';
  place_state text := coalesce(place ->> 'state', 'none');
  is_awaited boolean;
BEGIN
  -- Whoever is taking consent back is waited for, and whoever begins to waits.
  PERFORM pg_advisory_xact_lock(storage_internal.location_lock(source));
  IF place_state = 'found' AND NOT (
    SELECT c.everybody OR (c.anybody AND EXISTS (
      SELECT FROM storage.image_locations AS l WHERE l.version_id = source AND l.state = 'found'))
    FROM storage_internal.location_consents(source) AS c)
  THEN
    place_state := 'withheld';
    place := NULL;
  END IF;
  is_awaited := place_state = 'found' AND EXISTS (SELECT FROM storage.location_requests AS r WHERE r.version_id = source);
  INSERT INTO storage.image_metadata AS m (version_id, width, height, format, orientation, taken_at, taken_at_local, camera_make,
    camera_model, lens_model, title, caption, creator, copyright, keywords, thumbhash, dominant_colour, dhash, sharpness,
    brightness, contrast, shadows, highlights, read_at)
  SELECT v.id, pixel_width, pixel_height, image_format, coalesce(f.orientation, 1), f.taken_at, f.taken_at_local, f.camera_make,
    f.camera_model, f.lens_model, f.title, f.caption, f.creator, f.copyright, coalesce(f.keywords, '{}'),
    decode(f.thumbhash, 'base64'), f.dominant_colour, ('x' || f.dhash)::bit(64), f.sharpness, f.brightness, f.contrast,
    f.shadows, f.highlights, CASE WHEN NOT is_awaited THEN now() END
  FROM storage.versions AS v, jsonb_to_record(facts) AS f (
    orientation smallint, taken_at timestamptz, taken_at_local timestamp, camera_make text, camera_model text, lens_model text,
    title text, caption text, creator text, copyright text, keywords text[], thumbhash text, dominant_colour text, dhash text,
    sharpness real, brightness real, contrast real, shadows real, highlights real)
  WHERE v.id = source AND v.state = 'stored'
  ON CONFLICT ON CONSTRAINT image_metadata_pkey DO UPDATE SET width = EXCLUDED.width, height = EXCLUDED.height,
    format = EXCLUDED.format, orientation = EXCLUDED.orientation, taken_at = EXCLUDED.taken_at,
    taken_at_local = EXCLUDED.taken_at_local, camera_make = EXCLUDED.camera_make, camera_model = EXCLUDED.camera_model,
    lens_model = EXCLUDED.lens_model, title = EXCLUDED.title, caption = EXCLUDED.caption, creator = EXCLUDED.creator,
    copyright = EXCLUDED.copyright, keywords = EXCLUDED.keywords, thumbhash = EXCLUDED.thumbhash,
    dominant_colour = EXCLUDED.dominant_colour, dhash = EXCLUDED.dhash, sharpness = EXCLUDED.sharpness,
    brightness = EXCLUDED.brightness, contrast = EXCLUDED.contrast, shadows = EXCLUDED.shadows,
    highlights = EXCLUDED.highlights, read_at = EXCLUDED.read_at;
  IF NOT FOUND THEN
    RETURN false; -- deleted meanwhile
  END IF;
  INSERT INTO storage.image_locations AS l (version_id, state, latitude, longitude, altitude, accuracy)
  VALUES (source, place_state, (place ->> 'latitude')::double precision, (place ->> 'longitude')::double precision,
    (place ->> 'altitude')::real, (place ->> 'accuracy')::real)
  ON CONFLICT ON CONSTRAINT image_locations_pkey DO UPDATE SET state = EXCLUDED.state, latitude = EXCLUDED.latitude,
    longitude = EXCLUDED.longitude, altitude = EXCLUDED.altitude, accuracy = EXCLUDED.accuracy;
  IF place_state <> 'found' THEN
    DELETE FROM storage.located_entities WHERE version_id = source;
    DELETE FROM storage.location_requests WHERE version_id = source;
  END IF;
  RETURN is_awaited;
END
$$;

-- Whether a file is to be read once more: because consent came later.
CREATE OR REPLACE FUNCTION storage_internal.image_is_unread(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM storage.image_metadata AS m JOIN storage.image_locations AS l USING (version_id)
    WHERE m.version_id = wanted AND m.read_at IS NULL)
$$;

-- A time as its camera wrote it: with its offset where that is known.
CREATE OR REPLACE FUNCTION storage.time_taken(taken_at timestamptz, taken_at_local timestamp) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT to_char(taken_at_local, 'YYYY-MM-DD"T"HH24:MI:SS') || coalesce(
    CASE WHEN taken_at_local < taken_at AT TIME ZONE 'UTC' THEN '-' ELSE '+' END
    || to_char(abs(extract(epoch FROM taken_at_local - taken_at AT TIME ZONE 'UTC')) * interval '1 second', 'HH24:MI'), '');
END;

-- What a file says of itself, null for what is not there or not the caller's to see. `status` ends at `extracted`, also where
-- nothing was found: `location_status` tells none, invalid, withheld and found apart, and `hidden` where the caller may see the
-- file and not its position.
CREATE OR REPLACE FUNCTION :"api".get_file_exif(p_file_id uuid) RETURNS json
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT json_build_object(
    'status', CASE WHEN m.read_at IS NOT NULL THEN 'extracted' WHEN l.state IS NOT NULL THEN 'pending' ELSE f.thumbnail_status END,
    'location_status', CASE WHEN m.read_at IS NULL THEN NULL ELSE coalesce(l.state, 'hidden') END,
    'location_applied', l.applied,
    'exif_data', CASE WHEN m.read_at IS NOT NULL THEN json_build_object(
      'latitude', l.latitude, 'longitude', l.longitude, 'altitude', l.altitude, 'accuracy', l.accuracy,
      'timestamp', storage.time_taken(m.taken_at, m.taken_at_local), 'make', m.camera_make, 'camera', m.camera_model,
      'lens', m.lens_model, 'orientation', m.orientation, 'width', m.width, 'height', m.height) END)
  FROM :"metadata".files AS f LEFT JOIN storage.objects AS o ON o.id = f.object_id
    LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id
    LEFT JOIN storage.image_locations AS l ON l.version_id = o.version_id
  WHERE f.id = p_file_id;
END;

-- The numbers of 16 bits that differ from one in at most so many.
CREATE OR REPLACE FUNCTION storage_internal.near_parts(part integer, distance integer) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(DISTINCT part # (CASE WHEN distance >= 1 THEN 1 << a ELSE 0 END * x) # (CASE WHEN distance >= 2 THEN 1 << b ELSE 0 END * y))
  FROM generate_series(0, 15) AS a, generate_series(0, 15) AS b, generate_series(0, 1) AS x, generate_series(0, 1) AS y
$$;

-- Images whose hashes differ in at most so many bits from that of one. Of four quarters that differ in less than 4 * (n + 1)
-- bits, one differs in at most n: hence the index is asked for that.
CREATE OR REPLACE FUNCTION storage_internal.similar_versions(wanted uuid, bits integer)
RETURNS TABLE (version_id uuid, distance integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  hash bit(64);
  parts integer[];
  nearby integer[];
BEGIN
  SELECT m.dhash, m.dhash_parts INTO hash, parts FROM storage.image_metadata AS m WHERE m.version_id = wanted;
  IF hash IS NULL THEN
    RETURN;
  END IF;
  SELECT array_agg(n) INTO nearby FROM unnest(parts) AS p, unnest(storage_internal.near_parts(p, bits / 4)) AS n;
  RETURN QUERY SELECT m.version_id, bit_count(m.dhash # hash)::integer FROM storage.image_metadata AS m
    WHERE m.dhash_parts && nearby AND bit_count(m.dhash # hash) <= bits;
END
$$;

-- Objects with pictures like that of one, nearest first, at most a hundred: those that the caller sees. `distance` is 0 to 11
-- of 64 bits; up to 5 is the same picture scaled, encoded again or a little lighter, as a rule. `same_bytes` is certain.
CREATE OR REPLACE FUNCTION storage.similar_images(object_id uuid, distance integer DEFAULT 5)
RETURNS TABLE (id uuid, bucket_id text, name text, bits integer, same_bytes boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT o.id, o.bucket_id, o.name, s.distance, coalesce(o.sha256 = source.sha256, o.version_id = source.version_id)
  FROM storage.objects AS source
  CROSS JOIN LATERAL storage_internal.similar_versions(source.version_id, least(greatest(similar_images.distance, 0), 11)) AS s
  JOIN storage.objects AS o ON o.version_id = s.version_id
  WHERE source.id = object_id AND o.id <> source.id
  ORDER BY s.distance, o.id LIMIT 100;
END;

-- How many pictures of each camera the caller sees.
CREATE OR REPLACE VIEW storage.cameras WITH (security_invoker = true, security_barrier = true) AS
SELECT camera_make, camera_model, count(*) AS images, min(taken_at_local) AS first_taken, max(taken_at_local) AS last_taken
FROM storage.image_metadata WHERE camera_make IS NOT NULL OR camera_model IS NOT NULL
GROUP BY camera_make, camera_model;
