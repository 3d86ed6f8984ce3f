-- Variants as data: presets are rows, a bucket names the set of them that its images get, and a variant says by which
-- parameters it was made. The set `none` has no presets, now and later.

-- The service's role writes presets itself, so it is its to call. It says what does not hold.
CREATE FUNCTION storage.preset_holds(
  width integer, height integer, fit text, preset_position text, focal_x real, focal_y real, format text, quality integer,
  background text, document_fit text
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fits constant text[] := ARRAY['cover', 'contain', 'inside', 'fill'];
  broken text := CASE
    WHEN coalesce(width, 1) NOT BETWEEN 1 AND 4096 OR coalesce(height, 1) NOT BETWEEN 1 AND 4096
      THEN 'width and height are 1 to 4096 pixels'
    WHEN fit <> ALL (fits) OR document_fit <> ALL (fits) THEN 'fit and document_fit are cover, contain, inside or fill'
    WHEN preset_position NOT IN ('attention', 'entropy', 'centre', 'focal') THEN 'position is attention, entropy, centre or focal'
    WHEN (preset_position = 'focal') <> (num_nonnulls(focal_x, focal_y) = 2) OR num_nonnulls(focal_x, focal_y) = 1
      OR focal_x NOT BETWEEN 0 AND 1 OR focal_y NOT BETWEEN 0 AND 1
      THEN 'focal_x and focal_y are 0 to 1, and belong to the position focal'
    WHEN format NOT IN ('jpeg', 'png', 'webp', 'avif', 'stripped') THEN 'format is jpeg, png, webp, avif or stripped'
    WHEN quality NOT BETWEEN 1 AND 100 THEN 'quality is 1 to 100'
    WHEN background !~ '^#[0-9a-f]{6}$' AND (background <> 'transparent' OR format = 'jpeg')
      THEN 'background is a colour such as #ffffff, or transparent where the format can be'
  END;
BEGIN
  IF broken IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'this is no preset: ' || broken,
      SCHEMA = 'storage', TABLE = 'variant_presets', CONSTRAINT = 'variant_presets_hold';
  END IF;
  RETURN true;
END
$$;

CREATE TABLE storage.variant_presets (
  preset_set text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- Of the box, in pixels. NULL follows from the picture.
  width integer,
  height integer,
  fit text NOT NULL DEFAULT 'cover',
  position text NOT NULL DEFAULT 'attention',
  -- Parts of the upright picture, 0 to 1.
  focal_x real,
  focal_y real,
  format text NOT NULL DEFAULT 'jpeg',
  quality integer NOT NULL DEFAULT 80,
  background text NOT NULL DEFAULT '#ffffff',
  animated boolean NOT NULL DEFAULT false,
  -- An object, whose picture is laid over each variant. Without a foreign key: to delete objects must stay cheap.
  watermark_object_id uuid,
  watermark_position text,
  watermark_opacity real,
  watermark_scale real,
  -- How a page is fitted; NULL for as a picture.
  document_fit text,
  PRIMARY KEY (preset_set, name),
  CONSTRAINT variant_presets_named CHECK (preset_set ~ '^[a-z0-9][a-z0-9_-]{0,62}$' AND preset_set <> 'none'
    AND name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  CONSTRAINT variant_presets_hold CHECK (storage.preset_holds(width, height, fit, position, focal_x, focal_y, format, quality,
    background, document_fit)),
  CONSTRAINT variant_presets_watermark_whole
    CHECK (num_nonnulls(watermark_object_id, watermark_position, watermark_opacity, watermark_scale) IN (0, 4)
      AND coalesce(watermark_position, 'centre') IN ('centre', 'northwest', 'northeast', 'southwest', 'southeast')
      AND coalesce(watermark_opacity, 1) > 0 AND coalesce(watermark_opacity, 1) <= 1
      AND coalesce(watermark_scale, 1) > 0 AND coalesce(watermark_scale, 1) <= 1)
);

INSERT INTO storage.variant_presets (preset_set, name, width, height, fit, position, quality, document_fit) VALUES
  ('default', 'small', 150, 150, 'cover', 'attention', 75, 'inside'),
  ('default', 'medium', 400, 400, 'cover', 'attention', 80, 'inside'),
  ('default', 'large', 800, 800, 'cover', 'attention', 85, 'inside'),
  ('civic-os', 'small', 150, 150, 'contain', 'centre', 80, NULL),
  ('civic-os', 'medium', 400, 400, 'contain', 'centre', 85, NULL),
  ('civic-os', 'large', 800, 800, 'contain', 'centre', 90, NULL);

ALTER TABLE storage.buckets ADD COLUMN preset_set text COLLATE "C" NOT NULL DEFAULT 'default',
  ADD CONSTRAINT buckets_preset_set_is_a_name CHECK (preset_set ~ '^[a-z0-9][a-z0-9_-]{0,62}$');

-- The constraints of storage.variants, asked by one function, as those of 0011.
CREATE FUNCTION storage_internal.variant_holds(
  source_version_id uuid, preset text, status text, version_id uuid, error text, digest text, params jsonb, failure text
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN status IN ('pending', 'processing', 'completed', 'failed', 'not_applicable')
    AND (status = 'completed') = (version_id IS NOT NULL) AND (status = 'failed') = (error IS NOT NULL)
    AND version_id IS DISTINCT FROM source_version_id
    AND (digest IS NULL OR digest ~ '^[0-9a-f]{64}$') AND (failure IS NULL OR failure ~ '^[a-z_]{1,40}$')
    -- What no preset says must say itself what it is.
    AND (preset IS NOT NULL OR (digest IS NOT NULL AND jsonb_typeof(params) = 'object'));
END
$$;
ALTER TABLE storage.variants
  ALTER COLUMN preset DROP NOT NULL,
  -- SHA-256 of the parameters that it was made by, in hex; for one of no preset, of those that it is to be made by. NULL: made
  -- before there were any, or elsewhere. 64 zeros: to be made again.
  ADD COLUMN digest text,
  ADD COLUMN params jsonb,
  ADD COLUMN content_type text,
  ADD COLUMN size bigint,
  -- When it was last read; kept of those without a preset, which go when nobody wants them.
  ADD COLUMN used_at timestamptz,
  -- Why it failed, in a word; how often it did; and when it is tried again without being asked.
  ADD COLUMN failure text,
  ADD COLUMN failures smallint NOT NULL DEFAULT 0,
  ADD COLUMN retry_at timestamptz,
  DROP CONSTRAINT variants_status_known,
  DROP CONSTRAINT variants_completed_has_bytes,
  DROP CONSTRAINT variants_failed_says_why,
  DROP CONSTRAINT variants_not_its_source,
  ADD CONSTRAINT variants_hold CHECK (
    storage_internal.variant_holds(source_version_id, preset, status, version_id, error, digest, params, failure)) NOT VALID;
CREATE UNIQUE INDEX variants_one_per_digest ON storage.variants (source_version_id, digest) WHERE preset IS NULL;
CREATE INDEX variants_used_idx ON storage.variants (used_at) WHERE preset IS NULL;
CREATE INDEX variants_unmade_idx ON storage.variants (updated_at)
  WHERE status IN ('pending', 'processing') OR retry_at IS NOT NULL;
