-- What the application has in its own database: one table with row-level security. Rowlock is told that its
-- rows have files, and which columns a photo's position fills. May be applied again.

CREATE TABLE IF NOT EXISTS public.pothole (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  title text NOT NULL CHECK (length(btrim(title)) BETWEEN 1 AND 120),
  reported_by text NOT NULL DEFAULT storage.caller_id(),
  reported_at timestamptz NOT NULL DEFAULT now(),
  is_public boolean NOT NULL DEFAULT false,
  latitude double precision CHECK (latitude BETWEEN -90 AND 90),
  longitude double precision CHECK (longitude BETWEEN -180 AND 180)
);

-- A report is its reporter's until they publish it. Its photos follow: whoever may see the row may see its files.
ALTER TABLE public.pothole ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS pothole_read ON public.pothole;
CREATE POLICY pothole_read ON public.pothole FOR SELECT TO authenticated
  USING (is_public OR reported_by = (SELECT storage.caller_id()));
DROP POLICY IF EXISTS pothole_report ON public.pothole;
CREATE POLICY pothole_report ON public.pothole FOR INSERT TO authenticated
  WITH CHECK (reported_by = (SELECT storage.caller_id()));
DROP POLICY IF EXISTS pothole_change ON public.pothole;
CREATE POLICY pothole_change ON public.pothole FOR UPDATE TO authenticated
  USING (reported_by = (SELECT storage.caller_id())) WITH CHECK (reported_by = (SELECT storage.caller_id()));
DROP POLICY IF EXISTS pothole_delete ON public.pothole;
CREATE POLICY pothole_delete ON public.pothole FOR DELETE TO authenticated
  USING (reported_by = (SELECT storage.caller_id()));
GRANT SELECT, INSERT (title), UPDATE (title, is_public, latitude, longitude), DELETE ON public.pothole TO authenticated;

-- Rows carry files, deleting a row deletes them, and the first photo with a position and consent says where the row is.
SELECT storage.attach_entity('public.pothole');
SELECT storage.locate_entities('pothole', latitude_column => 'latitude', longitude_column => 'longitude');
