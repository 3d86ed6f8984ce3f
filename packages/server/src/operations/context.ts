/** What every operation is given: the database as callers see it, the bytes, and the limits. It holds no state. */
import type { UrlSigner } from '../auth/signed-url.ts';
import type { UploadTokens } from '../auth/upload-token.ts';
import type { Backend } from '../backend/backend.ts';
import type { Database, StatementRunner } from '../metadata/database.ts';

export interface OperationContext {
  readonly db: Database;
  /** Where what only reads is asked: a standby while there is a fresh one, else the same as `db`. */
  readonly reads: StatementRunner;
  readonly backend: Backend;
  readonly urls: UrlSigner;
  readonly uploadTokens: UploadTokens;
  /** The largest upload where the bucket sets no limit, in bytes. */
  readonly uploadBytesMax: number;
}
