-- Unguessable names in public buckets: whoever knows one reads the object, and a new one takes that away.

-- A name in the same folder and with the same extension, of 122 random bits.
CREATE OR REPLACE FUNCTION storage.unguessable_name(name text) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT concat(substring(name FROM '^(.*/)[^/]*$'), gen_random_uuid(), lower(substring(name FROM '\.[A-Za-z0-9]{1,10}$')));
END;

-- Moves an object of the caller's to such a name and answers it. The old name is nobody's from then on; id, bytes and
-- metadata stay. What caches keep of the old URL, they keep until its max-age is over.
CREATE OR REPLACE FUNCTION :"api".rotate_object_name(p_bucket text, p_name text) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
  SELECT m.name FROM storage.move_object(p_bucket, p_name, p_bucket, storage.unguessable_name(p_name)) AS m;
END;
