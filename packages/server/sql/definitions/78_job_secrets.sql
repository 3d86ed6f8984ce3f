-- What jobs hold is shown without its secrets: what a URL is asked with (a presigned one opens the bytes to whoever has it),
-- passwords in URLs, tokens, and values under a name that says what they are. It is for eyes: what runs reads the row.

CREATE OR REPLACE FUNCTION storage_internal.without_secrets(said text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(said,
    '([a-z][a-z0-9+.-]*://[^\s"''<>?#]*)[?#][^\s"''<>]+', '\1?…', 'gi'),
    '([a-z][a-z0-9+.-]*://)[^\s"''<>/@]+@', '\1…@', 'gi'),
    '\meyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)*', '…', 'g'),
    '((?:\m|_)(?:x-amz-signature|x-amz-security-token|signature|token|secret|password|passphrase|api[_-]?key|bearer|basic)\M'
      '\\?["'']?\s*[=: ]\s*\\?["'']?)[^\s"''&,;<>\\]{6,}', '\1…', 'gi')
$$;

-- The same for all texts of a document. What is nested deeper than thirty levels is left out.
CREATE OR REPLACE FUNCTION storage_internal.json_without_secrets(document jsonb, depth integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF depth > 30 THEN
    RETURN '"…"';
  END IF;
  CASE jsonb_typeof(document)
    WHEN 'string' THEN
      RETURN to_jsonb(storage_internal.without_secrets(document #>> '{}'));
    WHEN 'array' THEN
      RETURN (SELECT coalesce(jsonb_agg(storage_internal.json_without_secrets(e.value, depth + 1) ORDER BY e.place), '[]')
        FROM jsonb_array_elements(document) WITH ORDINALITY AS e (value, place));
    WHEN 'object' THEN
      RETURN (SELECT coalesce(jsonb_object_agg(e.key, CASE
          WHEN jsonb_typeof(e.value) <> 'null'
            AND e.key ~* '(^|[_-]|[a-z])(secret|token|password|passphrase|authorization|credentials?|cookie|signature|api_?key|private_?key|secret_?key|access_?key|claims)s?$'
            THEN '"…"'::jsonb
          ELSE storage_internal.json_without_secrets(e.value, depth + 1) END), '{}')
        FROM jsonb_each(document) AS e);
    ELSE
      RETURN document;
  END CASE;
END
$$;

-- The same, or how large it is where that is more than a page should show.
CREATE OR REPLACE FUNCTION storage_internal.json_to_show(document jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN octet_length(document::text) > 100000 THEN jsonb_build_object('too_large', octet_length(document::text))
    ELSE storage_internal.json_without_secrets(document, 0) END
$$;
