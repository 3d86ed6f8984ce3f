/** The audit log as rows: what the API tells it, and pages of it for operators. Writes tell it by triggers, not here. */
import type { Database, Statement } from './database.ts';

/** A row of `storage.audit`. */
export interface AuditRow {
  readonly id: string;
  readonly occurred_at: Date;
  readonly request_id: string | null;
  readonly address: string | null;
  /** The role that connected. */
  readonly login: string;
  readonly role: string;
  readonly subject: string | null;
  readonly operation: string;
  readonly bucket_id: string | null;
  readonly name: string | null;
  readonly object_id: string | null;
  readonly outcome: 'done' | 'refused';
  readonly reason: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
}

/** Which rows are wanted, the newest first. */
export interface AuditQuery {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly subject?: string | undefined;
  readonly bucket?: string | undefined;
  readonly outcome?: 'done' | 'refused' | undefined;
  readonly operation?: string | undefined;
  readonly request_id?: string | undefined;
  readonly limit: number;
}

export const auditTell: Statement = { name: 'audit_tell', text: 'SELECT storage_internal.audit_tell($1::jsonb)' };

export const auditList: Statement = {
  name: 'audit_list',
  text: `SELECT id, occurred_at, request_id, address, login, role, subject, operation, bucket_id, name, object_id, outcome,
           reason, detail
         FROM storage.audit
         WHERE id >= coalesce(storage_internal.audit_from($1::timestamptz), 0)
           AND ($1::timestamptz IS NULL OR occurred_at >= $1) AND ($2::timestamptz IS NULL OR occurred_at < $2)
           AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR bucket_id = $4)
           AND ($5::text IS NULL OR outcome = $5) AND ($6::text IS NULL OR operation = $6)
           AND ($7::text IS NULL OR request_id = $7)
         ORDER BY id DESC LIMIT $8`,
};

/** Appends entries, in one transaction. @throws RowlockError `unavailable` */
export async function tellAudit(db: Database, entries: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  await db.run(auditTell, [JSON.stringify(entries)]);
}

/** Rows of the audit log, the newest first. To be run as a role that may read it. */
export function listAudit(db: Database, query: AuditQuery): Promise<readonly AuditRow[]> {
  const { since, until, subject, bucket, outcome, operation, request_id, limit } = query;
  const values = [since, until, subject, bucket, outcome, operation, request_id].map((value) => value ?? null);
  return db.run<AuditRow & Record<string, unknown>>(auditList, [...values, limit]);
}
