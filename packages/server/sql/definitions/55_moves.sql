-- Move, rename and copy, of one object or of all below a prefix: constant work for each row, whatever its size. All are
-- SECURITY INVOKER, so the caller's policies judge, and everything that a statement of their own would tell them is all
-- that they learn. Refusals are those of 50_uploads.sql.

-- Gives an object another name or bucket. It keeps its id, owner and version: what an upload that crosses writes is
-- moved with it or comes to the old name, and never lost. A taken name is refused, or its object deleted with `overwrite`.
-- `if_match` judges the object that moves, `if_none_match` what has the name.
CREATE OR REPLACE FUNCTION storage.move_object(
  source_bucket text, source_name text, target_bucket text, target_name text, overwrite boolean DEFAULT false,
  source_version uuid DEFAULT NULL, if_match text[] DEFAULT NULL, if_none_match text[] DEFAULT NULL
) RETURNS storage.objects
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  source storage.objects;
  target storage.objects;
  moved storage.objects;
  refused_id uuid;
BEGIN
  PERFORM storage.search_as_caller();
  FOR attempt IN 1..10 LOOP
    -- Both in one order, so that two moves that cross wait for each other and not for ever.
    PERFORM FROM storage.objects AS o
    WHERE (o.bucket_id = source_bucket AND o.name = source_name) OR (o.bucket_id = target_bucket AND o.name = target_name)
    ORDER BY o.bucket_id, o.name FOR UPDATE;
    source := storage.object_to_take(source_bucket, source_name, source_version, if_match);
    IF target_bucket <> source_bucket THEN
      PERFORM storage.assert_bucket_visible(target_bucket);
    END IF;
    SELECT * INTO target FROM storage.objects AS o WHERE o.bucket_id = target_bucket AND o.name = target_name;
    IF NOT storage.conditions_hold(NULL, if_none_match, storage.etag_of(target.sha256, target.version_id)) THEN
      PERFORM storage.refuse('precondition_failed', 'The name is taken');
    ELSIF target.id = source.id THEN
      RETURN source; -- it has that name
    ELSIF target.id IS NOT NULL THEN
      IF NOT overwrite THEN
        PERFORM storage.refuse('object_exists', 'The resource already exists');
      END IF;
      DELETE FROM storage.objects AS o WHERE o.id = target.id;
      IF NOT FOUND THEN
        IF target.id = refused_id THEN
          PERFORM storage.refuse('not_allowed', 'the policies for DELETE on storage.objects do not allow this');
        END IF;
        refused_id := target.id;
        CONTINUE;
      END IF;
    END IF;
    BEGIN
      UPDATE storage.objects AS o SET bucket_id = target_bucket, name = target_name
      WHERE o.id = source.id AND o.bucket_id = source_bucket AND o.name = source_name
        AND (source_version IS NULL OR o.version_id = source_version)
        AND storage.conditions_hold(if_match, NULL, storage.etag_of(o.sha256, o.version_id))
      RETURNING o.* INTO moved;
      IF FOUND THEN
        RETURN moved;
      ELSIF source.id = refused_id THEN
        PERFORM storage.refuse('not_allowed', 'the policies for UPDATE on storage.objects do not allow this');
      END IF;
      refused_id := source.id;
    EXCEPTION WHEN unique_violation THEN
      -- Somebody was faster, or it is there without being seen.
      EXIT WHEN NOT overwrite;
    END;
  END LOOP;
  PERFORM storage.refuse('object_exists', 'The resource already exists');
END
$$;

-- Makes another object of the same bytes, which belongs to whoever copies. With `overwrite` an object that has the name
-- gets them instead and stays itself. `given` is the metadata of the copy,
-- {cache_control, user_metadata}, or NULL for that of the source.
CREATE OR REPLACE FUNCTION storage.copy_object(
  source_bucket text, source_name text, target_bucket text, target_name text, overwrite boolean DEFAULT false,
  source_version uuid DEFAULT NULL, if_match text[] DEFAULT NULL, if_none_match text[] DEFAULT NULL, given jsonb DEFAULT NULL,
  OUT created boolean, OUT object storage.objects
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  source storage.objects;
  target storage.objects;
  refused_id uuid;
BEGIN
  PERFORM storage.search_as_caller();
  FOR attempt IN 1..10 LOOP
    source := storage.object_to_take(source_bucket, source_name, source_version, if_match);
    IF given IS NOT NULL THEN
      source.cache_control := given ->> 'cache_control';
      source.user_metadata := nullif(given -> 'user_metadata', 'null');
    END IF;
    PERFORM storage.assert_bucket_visible(target_bucket);
    SELECT * INTO target FROM storage.objects AS o WHERE o.bucket_id = target_bucket AND o.name = target_name;
    IF NOT storage.conditions_hold(NULL, if_none_match, storage.etag_of(target.sha256, target.version_id)) THEN
      PERFORM storage.refuse('precondition_failed', 'The name is taken');
    ELSIF target.id IS NOT NULL AND NOT overwrite THEN
      PERFORM storage.refuse('object_exists', 'The resource already exists');
    ELSIF target.id IS NOT NULL AND target.id = refused_id THEN
      PERFORM storage.refuse('not_allowed', 'the policies for UPDATE on storage.objects do not allow this');
    END IF;
    BEGIN
      IF target.id IS NOT NULL THEN
        UPDATE storage.objects AS o SET version_id = source.version_id, cache_control = source.cache_control,
          user_metadata = source.user_metadata
        WHERE o.id = target.id AND o.bucket_id = target_bucket AND o.name = target_name
          AND storage.conditions_hold(NULL, if_none_match, storage.etag_of(o.sha256, o.version_id));
        created := false;
        refused_id := target.id;
      ELSE
        INSERT INTO storage.objects (bucket_id, name, version_id, cache_control, user_metadata)
        VALUES (target_bucket, target_name, source.version_id, source.cache_control, source.user_metadata);
        created := true;
      END IF;
      IF FOUND THEN
        SELECT * INTO object FROM storage.objects AS o WHERE o.bucket_id = target_bucket AND o.name = target_name;
        object.bucket_id := target_bucket;
        object.name := target_name;
        RETURN;
      END IF;
    EXCEPTION
      WHEN unique_violation THEN
        EXIT WHEN NOT overwrite;
      WHEN foreign_key_violation OR insufficient_privilege THEN
        -- The source was overwritten since it was read, and perhaps purged; else it is what it seems.
        IF EXISTS (SELECT FROM storage.objects AS o WHERE o.id = source.id AND o.version_id = source.version_id) THEN
          RAISE;
        END IF;
    END;
  END LOOP;
  PERFORM storage.refuse('object_exists', 'The resource already exists');
END
$$;

-- The object that a move or a copy begins with, as the caller sees it.
CREATE OR REPLACE FUNCTION storage.object_to_take(
  source_bucket text, source_name text, source_version uuid, if_match text[]
) RETURNS storage.objects
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  source storage.objects;
BEGIN
  PERFORM storage.search_as_caller();
  SELECT * INTO source FROM storage.objects AS o WHERE o.bucket_id = source_bucket AND o.name = source_name;
  IF NOT FOUND OR source.version_id <> source_version THEN
    PERFORM storage.refuse('object_not_found', 'Object not found');
  ELSIF NOT storage.conditions_hold(if_match, NULL, storage.etag_of(source.sha256, source.version_id)) THEN
    PERFORM storage.refuse('precondition_failed', 'The object is not the one that If-Match names');
  END IF;
  RETURN source;
END
$$;

CREATE OR REPLACE FUNCTION storage.assert_bucket_visible(wanted_bucket text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM storage.search_as_caller();
  PERFORM FROM storage.buckets AS b WHERE b.id = wanted_bucket;
  IF NOT FOUND THEN
    PERFORM storage.refuse('bucket_not_found', 'Bucket not found');
  END IF;
END
$$;

-- Everything below a prefix at once. A prefix is a folder: it is empty or ends in a slash. What the caller sees and may
-- not move stays and is counted; a name that is taken refuses the whole.

-- How many objects of a folder the caller sees, up to one more than may be worked on at once.
CREATE OR REPLACE FUNCTION storage.count_below(wanted_bucket text, prefix text, count_max integer) RETURNS bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  found_count bigint;
BEGIN
  PERFORM storage.search_as_caller();
  SELECT count(*) INTO found_count FROM (
    SELECT FROM storage.objects AS o
    WHERE o.bucket_id = wanted_bucket AND o.name >= prefix AND starts_with(o.name, prefix)
    LIMIT count_max + 1) AS below;
  RETURN found_count;
END
$$;

CREATE OR REPLACE FUNCTION storage.assert_folders(
  source_bucket text, source_prefix text, target_bucket text, target_prefix text, count_max integer
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  below bigint;
BEGIN
  IF source_prefix !~ '(^|/)$' OR target_prefix !~ '(^|/)$' THEN
    PERFORM storage.refuse('invalid_request', 'A prefix is a folder: it is empty or ends in a slash');
  ELSIF source_bucket = target_bucket AND starts_with(target_prefix, source_prefix) THEN
    PERFORM storage.refuse('invalid_request', 'A folder cannot go into itself');
  END IF;
  PERFORM storage.assert_bucket_visible(source_bucket), storage.assert_bucket_visible(target_bucket);
  below := storage.count_below(source_bucket, source_prefix, count_max);
  IF below > count_max THEN
    PERFORM storage.refuse('invalid_request', format('More than %s objects are below; take its folders one by one', count_max));
  END IF;
  RETURN below;
END
$$;

CREATE OR REPLACE FUNCTION storage.move_prefix(
  source_bucket text, source_prefix text, target_bucket text, target_prefix text, count_max integer DEFAULT 100000,
  OUT moved bigint, OUT withheld bigint
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  below bigint;
  places integer[] := ARRAY[NULL];
  place integer;
  went bigint;
  careful boolean := false;
BEGIN
  below := storage.assert_folders(source_bucket, source_prefix, target_bucket, target_prefix, count_max);
  PERFORM storage.search_as_caller();
  moved := 0;
  IF source_bucket = target_bucket AND starts_with(source_prefix, target_prefix) THEN
    -- Up the same path: a name may be free only once a shorter one has moved on.
    SELECT array_agg(DISTINCT length(o.name) ORDER BY length(o.name)) INTO places
    FROM storage.objects AS o
    WHERE o.bucket_id = source_bucket AND o.name >= source_prefix AND starts_with(o.name, source_prefix);
  END IF;
  FOREACH place IN ARRAY coalesce(places, '{}') LOOP
    <<attempt>>
    LOOP
      BEGIN
        UPDATE storage.objects AS o
        SET bucket_id = target_bucket, name = target_prefix || substr(o.name, length(source_prefix) + 1)
        WHERE o.bucket_id = source_bucket AND o.name >= source_prefix AND starts_with(o.name, source_prefix)
          AND (place IS NULL OR length(o.name) = place)
          AND (NOT careful OR storage.may_move(o, jsonb_populate_record(o, jsonb_build_object(
            'bucket_id', target_bucket, 'name', target_prefix || substr(o.name, length(source_prefix) + 1)))));
        GET DIAGNOSTICS went = ROW_COUNT;
        moved := moved + went;
        EXIT attempt;
      EXCEPTION WHEN insufficient_privilege THEN
        -- Not all of them may be moved. To ask for each beforehand costs as much as the move, so only now.
        IF careful THEN
          RAISE;
        END IF;
        careful := true;
      END;
    END LOOP;
  END LOOP;
  withheld := greatest(below - moved, 0);
END
$$;

-- The copies belong to whoever copies.
CREATE OR REPLACE FUNCTION storage.copy_prefix(
  source_bucket text, source_prefix text, target_bucket text, target_prefix text, count_max integer DEFAULT 100000
) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  copied bigint;
BEGIN
  PERFORM storage.assert_folders(source_bucket, source_prefix, target_bucket, target_prefix, count_max);
  PERFORM storage.search_as_caller();
  INSERT INTO storage.objects (bucket_id, name, version_id, cache_control, user_metadata)
  SELECT target_bucket, target_prefix || substr(o.name, length(source_prefix) + 1), o.version_id, o.cache_control, o.user_metadata
  FROM storage.objects AS o
  WHERE o.bucket_id = source_bucket AND o.name >= source_prefix AND starts_with(o.name, source_prefix);
  GET DIAGNOSTICS copied = ROW_COUNT;
  RETURN copied;
END
$$;

CREATE OR REPLACE FUNCTION storage.delete_prefix(
  wanted_bucket text, prefix text, count_max integer DEFAULT 100000, OUT deleted bigint, OUT withheld bigint
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  below bigint;
BEGIN
  below := storage.assert_folders(wanted_bucket, prefix, wanted_bucket, NULL, count_max);
  PERFORM storage.search_as_caller();
  DELETE FROM storage.objects AS o
  WHERE o.bucket_id = wanted_bucket AND o.name >= prefix AND starts_with(o.name, prefix);
  GET DIAGNOSTICS deleted = ROW_COUNT;
  withheld := greatest(below - deleted, 0);
END
$$;
