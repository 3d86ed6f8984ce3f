-- Where pictures were taken: whoever reads one and may see its position (storage.can_see_location), and the service. Nobody
-- without a name: anon has no grant.

CREATE POLICY image_locations_read ON storage.image_locations FOR SELECT TO :"authenticated"
  USING (storage.may_see_location(version_id));
CREATE POLICY image_locations_service ON storage.image_locations FOR SELECT TO :"service_role" USING (true);
