-- Who may see a file: whoever may select the row of its entity under that table's own policies.
-- Default deny: an entity type that was never attached is visible to nobody but the file's creator.
CREATE FUNCTION :"metadata".files_can_view(entity_type text, entity_id text, created_by text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT storage.can_select_entity(entity_type, entity_id)
$$;
