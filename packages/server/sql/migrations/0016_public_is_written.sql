-- `public` of a bucket may be written, as setup scripts for Supabase Storage do: it and `policy` say the same, whichever
-- of them a statement names (storage.buckets_fill).
ALTER TABLE storage.buckets ALTER COLUMN public DROP EXPRESSION;
UPDATE storage.buckets SET public = (policy = 'public') WHERE public IS DISTINCT FROM (policy = 'public');
ALTER TABLE storage.buckets ALTER COLUMN public SET NOT NULL, ALTER COLUMN public SET DEFAULT false,
  ADD CONSTRAINT buckets_public_by_policy CHECK (public = (policy = 'public'));
