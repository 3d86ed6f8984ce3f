/**
 * How presigned PUTs are kept from changing what was committed, as rows: what the stores need, who copies what came to a key
 * without a URL, and versions whose ETag is compared later. Run as the worker's own role.
 */
import type { Database, Statement } from './database.ts';
import type { StoredBytes } from './uploads.ts';

/** How the PUTs of one store are guarded; a store whose door is ours has neither. */
export interface ToldGuards {
  readonly backend: string;
  readonly with_headers?: string | undefined;
  readonly without_headers?: string | undefined;
}

export const putGuardsAre: Statement = {
  name: 'put_guards_are',
  text: 'SELECT storage_internal.put_guards_are($1)',
};

export const incomingClaim: Statement = {
  name: 'incoming_claim',
  text: 'SELECT storage_internal.claim_incoming($1, $2, $3) AS key',
};

export const incomingCommit: Statement = {
  name: 'incoming_commit',
  text: 'SELECT storage_internal.commit_incoming($1, $2, $3, $4, $5, $6) AS created',
};

export const versionsToRecheck: Statement = {
  name: 'versions_to_recheck',
  text: 'SELECT versions_to_recheck AS id FROM storage_internal.versions_to_recheck($1)',
};

export const versionToRecheck: Statement = {
  name: 'version_to_recheck',
  text: 'SELECT backend, key, etag FROM storage_internal.version_to_recheck($1)',
};

export const versionRechecked: Statement = {
  name: 'version_rechecked',
  text: 'SELECT storage_internal.version_rechecked($1)',
};

export const versionQuarantine: Statement = {
  name: 'version_quarantine',
  text: 'SELECT storage_internal.quarantine_version($1, $2, $3, $4) AS quarantined',
};

/** Says how the stores of a worker guard their PUTs, for requests from now on. */
export async function tellPutGuards(db: Database, guards: readonly ToldGuards[]): Promise<void> {
  await db.run(putGuardsAre, [JSON.stringify(guards)]);
}

/** The key to copy to what came for an upload; `undefined` while somebody else copies it, and where the upload is over. */
export async function claimIncoming(
  db: Database,
  uploadId: string,
  { size, freshKey }: { readonly size: number; readonly freshKey: string },
): Promise<string | undefined> {
  const [row] = await db.run<{ key: string | null }>(incomingClaim, [uploadId, size, freshKey]);
  return row?.key ?? undefined;
}

/**
 * Commits as `commitUpload` without a caller does, what was copied to a key.
 *
 * @throws RowlockError as `commitUpload`; `unavailable` where somebody else has begun to copy since
 */
export async function commitIncoming(db: Database, uploadId: string, key: string, bytes: StoredBytes): Promise<void> {
  await db.run(incomingCommit, [
    uploadId,
    key,
    bytes.size,
    bytes.sha256 ?? null,
    bytes.etag ?? null,
    bytes.detected_type ?? null,
  ]);
}
