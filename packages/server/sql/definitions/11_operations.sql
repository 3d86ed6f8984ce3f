-- Which operation a policy judges, asked as policies for Supabase Storage ask it. Like storage.operation() it is as true as the
-- connection that set it: over HTTP the server did, and in SQL whoever may run statements says what they like.

-- Is it one of these? `object.get` is `storage.object.get`. Outside of an operation: no.
CREATE OR REPLACE FUNCTION storage.allow_any_operation(expected_operations text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(
    storage.operation() = ANY (expected_operations)
      OR storage.operation() IN (SELECT 'storage.' || expected FROM unnest(expected_operations) AS expected),
    false);
END;

CREATE OR REPLACE FUNCTION storage.allow_only_operation(expected_operation text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT storage.allow_any_operation(ARRAY[expected_operation]);
END;
