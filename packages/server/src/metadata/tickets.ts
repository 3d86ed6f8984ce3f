/** Tickets of signed uploads as rows: signed as the caller, used once by whoever holds the URL. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';
import type { UploadIntent } from './uploads.ts';

/** What a signed upload binds. */
export interface TicketTerms {
  readonly content_type: string | undefined;
  /** Most bytes. */
  readonly size_max: number | undefined;
  /** SHA-256 of the bytes, in hex. */
  readonly sha256: string | undefined;
  readonly user_metadata: Readonly<Record<string, unknown>> | undefined;
  readonly if_match: readonly string[] | undefined;
  readonly if_none_match: readonly string[] | undefined;
}

export const ticketSign: Statement = {
  name: 'ticket_sign',
  text: `SELECT storage_internal.sign_upload($1, $2, $3, $4, $5, $6, make_interval(secs => $7), $8, $9) AS expires_at`,
};

export const ticketBegin: Statement = {
  name: 'ticket_begin',
  text: 'SELECT * FROM storage_internal.begin_ticket_upload($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
};

/**
 * Asks limits and policies, and writes the ticket. Answers until when an upload may begin.
 *
 * @throws RowlockError `bucket_not_found`, `object_exists`, `precondition_failed`, `not_allowed`, `media_type_not_allowed`
 */
export async function signTicket(
  db: Database,
  caller: Caller,
  ticket: {
    readonly ticket_id: string;
    readonly bucket: string;
    readonly name: string;
    readonly overwrite: boolean;
    readonly expiry_seconds: number;
    readonly terms: TicketTerms;
    readonly size_cap: number;
  },
): Promise<Date> {
  const rows = await db.run<{ expires_at: Date }>(ticketSign, [
    ticket.ticket_id,
    ticket.bucket,
    ticket.name,
    caller.role,
    caller.claims,
    ticket.overwrite,
    ticket.expiry_seconds,
    JSON.stringify(ticket.terms),
    ticket.size_cap,
  ]);
  return rows[0]?.expires_at ?? new Date(Number.NaN);
}

/**
 * Begins an upload by a ticket: writes an intent in the name of whoever signed it. Answers the largest body, and the
 * SHA-256 that it must have.
 *
 * @throws RowlockError `upload_gone`, `url_expired`, and what beginning an upload throws
 */
export async function beginTicketUpload(
  db: Database,
  ticketId: string,
  intent: Omit<UploadIntent, 'bucket' | 'name' | 'overwrite' | 'if_match' | 'if_none_match'>,
): Promise<{ readonly size_max: number; readonly sha256: Buffer | undefined }> {
  const rows = await db.run<{ size_max: string; sha256: Buffer | null }>(ticketBegin, [
    ticketId,
    intent.upload_id,
    intent.version_id,
    intent.content_type ?? null,
    intent.declared_size ?? null,
    intent.cache_control ?? null,
    intent.user_metadata === undefined ? null : JSON.stringify(intent.user_metadata),
    intent.backend,
    intent.key,
    intent.size_cap,
  ]);
  return { size_max: Number(rows[0]?.size_max), sha256: rows[0]?.sha256 ?? undefined };
}
