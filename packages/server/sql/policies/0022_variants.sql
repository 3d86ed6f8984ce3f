-- Presets are no secret: whoever asks for a variant names one. The service's role writes them, and the owner of the tables.

CREATE POLICY variant_presets_read ON storage.variant_presets FOR SELECT TO :"anon", :"authenticated" USING (true);
CREATE POLICY variant_presets_service ON storage.variant_presets TO :"service_role" USING (true) WITH CHECK (true);
CREATE POLICY worker_reads ON storage.variant_presets FOR SELECT TO rowlock_worker USING (true);
