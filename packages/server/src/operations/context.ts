/** What every operation is given: the database as callers see it, the bytes, and the limits. It holds no state. */
import type { UrlSigner } from '../auth/signed-url.ts';
import type { Backend } from '../backend/backend.ts';
import type { Database } from '../metadata/database.ts';

export interface OperationContext {
  readonly db: Database;
  readonly backend: Backend;
  readonly urls: UrlSigner;
  /** The largest upload where the bucket sets no limit, in bytes. */
  readonly uploadBytesMax: number;
}
