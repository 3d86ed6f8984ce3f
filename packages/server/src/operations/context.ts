/** What every operation is given: the database as callers see it, the bytes, and the limits. It holds no state. */
import type { UrlSigner } from '../auth/signed-url.ts';
import type { UploadTokens } from '../auth/upload-token.ts';
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import type { Database, StatementRunner } from '../metadata/database.ts';
import type { Placement } from './placement.ts';
import type { PreparedVersions } from './prepared-versions.ts';
import type { Renders } from './renders.ts';

export interface OperationContext {
  readonly db: Database;
  /** Where what only reads is asked: a standby while there is a fresh one, else the same as `db`. */
  readonly reads: StatementRunner;
  /** Where new bytes go as a rule: `backends.default`. */
  readonly backend: Backend;
  readonly backends: Backends;
  /** Where the new bytes of a bucket go. */
  readonly placement: Placement;
  readonly urls: UrlSigner;
  readonly uploadTokens: UploadTokens;
  /** Pictures that are made when they are asked for. */
  readonly renders: Renders;
  /** Versions prepared for small uploads; without, each upload writes its own. */
  readonly prepared?: PreparedVersions;
  /** The largest upload where the bucket sets no limit, in bytes. */
  readonly uploadBytesMax: number;
}
