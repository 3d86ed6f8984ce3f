-- Sessions of the gateway: each sees and ends their own, which signs them out everywhere, and the service those of all.

CREATE POLICY gateway_sessions_read ON storage.gateway_sessions FOR SELECT TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()));
CREATE POLICY gateway_sessions_end ON storage.gateway_sessions FOR DELETE TO :"authenticated"
  USING (owner_id = (SELECT storage.caller_id()));
CREATE POLICY gateway_sessions_service_read ON storage.gateway_sessions FOR SELECT TO :"service_role" USING (true);
CREATE POLICY gateway_sessions_service_end ON storage.gateway_sessions FOR DELETE TO :"service_role" USING (true);
