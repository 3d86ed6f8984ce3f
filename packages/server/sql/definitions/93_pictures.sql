-- What a client asks of a picture and of the files of an entity: SECURITY INVOKER and BEGIN ATOMIC, so that the policies of objects,
-- files, variants and facts decide, through the service and through PostgREST alike.

-- Of all variants of presets of a version in one word: failed when one failed, completed when all are there.
CREATE OR REPLACE FUNCTION storage.variants_status(statuses text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN 'failed' = ANY (statuses) THEN 'failed'
    WHEN statuses <@ ARRAY['not_applicable'] THEN 'not_applicable'
    WHEN statuses <@ ARRAY['completed', 'not_applicable'] THEN 'completed'
    WHEN statuses && ARRAY['processing', 'completed'] THEN 'processing'
    ELSE 'pending'
  END
$$;

-- An object or a file, by its id: what is known of its picture, and its variants; with `p_expires_in`, each with a URL. NULL for
-- what the caller does not see.
CREATE OR REPLACE FUNCTION :"api".get_picture(p_id uuid, p_expires_in integer DEFAULT NULL) RETURNS json
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT json_build_object(
    'bucket', coalesce(found.bucket_id, storage.files_bucket()), 'name', found.name,
    'object_id', found.object_id, 'file_id', found.file_id,
    'status', CASE WHEN found.version_id IS NULL THEN found.thumbnail_status ELSE made.status END,
    'error', made.error, 'width', m.width, 'height', m.height,
    'thumbhash', encode(m.thumbhash, 'base64'), 'dominant_colour', m.dominant_colour, 'variants', coalesce(made.variants, '[]'))
  FROM (
    SELECT o.bucket_id, o.name, o.id AS object_id, NULL::uuid AS file_id, o.version_id, NULL::text AS thumbnail_status
    FROM storage.objects AS o WHERE o.id = p_id
    UNION ALL
    SELECT o.bucket_id, coalesce(o.name, f.s3_original_key), o.id, f.id, o.version_id, f.thumbnail_status
    FROM :"metadata".files AS f LEFT JOIN storage.objects AS o ON o.id = f.object_id WHERE f.id = p_id
  ) AS found
  LEFT JOIN storage.image_metadata AS m ON m.version_id = found.version_id
  CROSS JOIN LATERAL (
    SELECT storage.variants_status(coalesce(array_agg(v.status), '{}')) AS status, min(v.error) AS error,
      json_agg(json_build_object('preset', v.preset, 'status', v.status, 'width', v.width, 'height', v.height,
        'content_type', v.content_type, 'size', v.size, 'error', v.error,
        'url', CASE WHEN p_expires_in IS NOT NULL AND v.version_id IS NOT NULL THEN storage_sign.sign(v.version_id, p_expires_in) END)
        ORDER BY v.width, v.preset) AS variants
    FROM storage.variants AS v WHERE v.source_version_id = found.version_id AND v.preset IS NOT NULL
  ) AS made
  LIMIT 1;
END;

-- The newest thousand files of an entity that the caller sees, with what a gallery shows before it has their pictures.
CREATE OR REPLACE FUNCTION :"api".get_entity_files(p_entity_type text, p_entity_id text)
RETURNS TABLE (id uuid, entity_type text, entity_id text, property_name text, file_name text, file_type text, file_size bigint,
  bucket text, name text, object_id uuid, thumbnail_status text, thumbnail_error text, width integer, height integer,
  thumbhash text, dominant_colour text, created_by text, created_at timestamptz, updated_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT f.id, f.entity_type, f.entity_id, f.property_name, f.file_name, f.file_type, f.file_size,
    coalesce(o.bucket_id, storage.files_bucket()), coalesce(o.name, f.s3_original_key), f.object_id, f.thumbnail_status, f.thumbnail_error,
    f.width, f.height, encode(m.thumbhash, 'base64'), m.dominant_colour, f.created_by::text, f.created_at, f.updated_at
  FROM :"metadata".files AS f LEFT JOIN storage.objects AS o ON o.id = f.object_id
  LEFT JOIN storage.image_metadata AS m ON m.version_id = o.version_id
  WHERE f.entity_type = p_entity_type AND f.entity_id = p_entity_id
  ORDER BY f.created_at DESC, f.id DESC LIMIT 1000;
END;

REVOKE ALL ON FUNCTION storage.variants_status(text[]), :"api".get_picture(uuid, integer), :"api".get_entity_files(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION storage.variants_status(text[]), :"api".get_picture(uuid, integer), :"api".get_entity_files(text, text)
  TO :"anon", :"authenticated", :"service_role";
