-- What is known of an image beside its size: when, with what and by whom it was taken, what it looks like. Where it was taken
-- stands in a table of its own, which fewer may read; and how it gets from there to what the file belongs to.

ALTER TABLE storage.image_metadata
  -- EXIF's 1 to 8, as the file says; width and height are those after it was applied.
  ADD COLUMN orientation smallint NOT NULL DEFAULT 1,
  -- The instant where the camera wrote the offset of its clock, and what the clock showed in any case.
  ADD COLUMN taken_at timestamptz,
  ADD COLUMN taken_at_local timestamp,
  ADD COLUMN camera_make text,
  ADD COLUMN camera_model text,
  ADD COLUMN lens_model text,
  ADD COLUMN title text,
  ADD COLUMN caption text,
  ADD COLUMN creator text,
  ADD COLUMN copyright text,
  ADD COLUMN keywords text[] NOT NULL DEFAULT '{}',
  -- A placeholder of about 25 bytes.
  ADD COLUMN thumbhash bytea,
  ADD COLUMN dominant_colour text,
  -- Whether each pixel of 8 rows of 9 is lighter than the next. NULL for a picture without structure.
  ADD COLUMN dhash bit(64),
  -- Its quarters with their places: of two hashes that differ in few bits, a quarter is equal or nearly so.
  ADD COLUMN dhash_parts integer[] GENERATED ALWAYS AS (
    CASE WHEN dhash IS NOT NULL THEN ARRAY[
      substring(dhash, 1, 16)::integer, 65536 + substring(dhash, 17, 16)::integer,
      131072 + substring(dhash, 33, 16)::integer, 196608 + substring(dhash, 49, 16)::integer] END
  ) STORED,
  -- 0 to 1 each: variance of the Laplacian at 256 pixels, mean and spread of lightness, shares of black and of white.
  ADD COLUMN sharpness real,
  ADD COLUMN brightness real,
  ADD COLUMN contrast real,
  ADD COLUMN shadows real,
  ADD COLUMN highlights real,
  -- When all of this was read from the file. NULL: it was measured before there was any of it.
  ADD COLUMN read_at timestamptz,
  ADD CONSTRAINT image_metadata_orientation_known CHECK (orientation BETWEEN 1 AND 8) NOT VALID;
CREATE INDEX image_metadata_dhash_idx ON storage.image_metadata USING gin (dhash_parts) WHERE dhash_parts IS NOT NULL;

CREATE TABLE storage.image_locations (
  version_id uuid PRIMARY KEY REFERENCES storage.image_metadata (version_id) ON DELETE CASCADE,
  -- `withheld`: the file says where, and nobody consented that it is kept.
  state text NOT NULL,
  -- Degrees (WGS 84), south and west negative; metres.
  latitude double precision,
  longitude double precision,
  altitude real,
  accuracy real,
  -- What became of it at the entity of its file; NULL: it was not asked for.
  applied text,
  CONSTRAINT image_locations_state_known CHECK (state IN ('found', 'none', 'invalid', 'withheld')),
  CONSTRAINT image_locations_found_is_whole CHECK (num_nonnulls(latitude, longitude) = CASE state WHEN 'found' THEN 2 ELSE 0 END
    AND (state = 'found' OR num_nonnulls(altitude, accuracy) = 0)),
  CONSTRAINT image_locations_on_earth CHECK (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180),
  CONSTRAINT image_locations_applied_known CHECK (applied IN ('applied', 'kept', 'refused', 'failed'))
);

ALTER TABLE storage.buckets
  -- Whether it is kept where pictures were taken: where whoever uploads them consents, always, or never.
  ADD COLUMN locations text NOT NULL DEFAULT 'consent',
  ADD CONSTRAINT buckets_locations_known CHECK (locations IN ('consent', 'always', 'never')) NOT VALID;

-- Where the bytes of a bucket have to be: `eu-central-1`. Said by operators, and asserted by the workers when they start.
ALTER TABLE storage.buckets ADD COLUMN region text,
  ADD CONSTRAINT buckets_region_is_a_name CHECK (region ~ '^[a-z0-9-]{1,63}$') NOT VALID;

-- Which columns of an entity's table take the position of a photo: one of PostGIS or of type point, or two of numbers.
CREATE TABLE storage.entity_locations (
  entity_type text PRIMARY KEY REFERENCES storage.entities (entity_type) ON DELETE CASCADE,
  location_column name,
  latitude_column name,
  longitude_column name,
  -- False: the position of an earlier photo is replaced by that of a later one, as long as nobody else has changed it.
  only_if_null boolean NOT NULL DEFAULT true,
  -- Only of files under this property; NULL for all.
  property_name text,
  CONSTRAINT entity_locations_one_or_two CHECK (num_nonnulls(location_column, latitude_column) = 1
    AND (latitude_column IS NULL) = (longitude_column IS NULL))
);

-- Whose photo is to say where an entity is, as whom that is written: until the photo was read, or for a week.
CREATE TABLE storage.location_requests (
  file_id uuid PRIMARY KEY REFERENCES :"metadata".files (id) ON DELETE CASCADE,
  version_id uuid NOT NULL,
  caller_role text NOT NULL,
  caller_claims jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX location_requests_version_idx ON storage.location_requests (version_id);
CREATE INDEX location_requests_created_idx ON storage.location_requests (created_at);

-- Which photo said last where an entity is. Goes with the photo, and with the consent.
CREATE TABLE storage.located_entities (
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  version_id uuid NOT NULL REFERENCES storage.image_locations (version_id) ON DELETE CASCADE,
  PRIMARY KEY (entity_type, entity_id)
);
CREATE INDEX located_entities_version_idx ON storage.located_entities (version_id);
