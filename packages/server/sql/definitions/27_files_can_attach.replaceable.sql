-- Who may upload a file for an entity: an identified caller who can select the entity's row; for entity types
-- that were never attached any identified caller, who alone will see the file.
CREATE FUNCTION :"metadata".files_can_attach(entity_type text, entity_id text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_has_role(current_user, :'service_role', 'MEMBER')
    OR (storage.caller_id() IS NOT NULL
      AND (storage.can_select_entity(entity_type, entity_id) OR NOT storage.entity_is_attached(entity_type)))
$$;
