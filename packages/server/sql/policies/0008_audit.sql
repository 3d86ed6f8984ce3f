-- Who reads the audit log. Nobody writes it but triggers.
CREATE POLICY audit_read ON storage.audit_log FOR SELECT TO :"service_role", rowlock_worker USING (true);
