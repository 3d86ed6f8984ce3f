/**
 * Uploads whose version was prepared for many at once, ahead of them: begin writes nothing, and commit is told again what
 * begin was told. The rows of `uploads.ts` are those of every other upload.
 */
import type { Caller } from '../domain/caller.ts';
import { type Database, originOf, type Statement } from './database.ts';
import { type CommittedObject, committedColumns, type StoredBytes, type UploadIntent } from './uploads.ts';

/** A version in state `writing` that no upload has yet. */
export interface PreparedVersion {
  readonly version_id: string;
  readonly key: string;
}

/** What begin answers: `is_open` where an intent was written, so that the upload is committed as any other. */
export interface PreparedUpload {
  readonly size_max: number;
  readonly overwrites: boolean;
  readonly is_open: boolean;
  /** The version is no more; nothing was begun. */
  readonly is_swept: boolean;
}

export const versionsPrepare: Statement = {
  name: 'versions_prepare',
  text: 'SELECT storage_internal.prepare_versions($1, $2, $3, make_interval(secs => $4))',
};

export const versionsGiveBack: Statement = {
  name: 'versions_give_back',
  text: 'SELECT storage_internal.give_versions_back($1)',
};

export const preparedBegin: Statement = {
  name: 'prepared_begin',
  text: `SELECT size_max, overwrites, is_open, is_swept
         FROM storage_internal.begin_prepared($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
};

export const preparedCommit: Statement = {
  name: 'prepared_commit',
  text: `SELECT ${committedColumns}
         FROM storage_internal.commit_prepared($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS c`,
};

export const preparedAbandon: Statement = {
  name: 'prepared_abandon',
  text: 'SELECT storage_internal.abandon_prepared($1) AS abandoned',
};

/** Writes versions for uploads to come, which live for so many seconds. */
export async function prepareVersions(
  db: Database,
  versions: readonly PreparedVersion[],
  { backend, lifeSeconds }: { readonly backend: string; readonly lifeSeconds: number },
): Promise<void> {
  await db.run(versionsPrepare, [
    versions.map(({ version_id }) => version_id),
    backend,
    versions.map(({ key }) => key),
    lifeSeconds,
  ]);
}

/** Takes versions back that no upload was begun with. */
export async function giveVersionsBack(db: Database, versions: readonly PreparedVersion[]): Promise<void> {
  await db.run(versionsGiveBack, [versions.map(({ version_id }) => version_id)]);
}

const metadataText = ({ user_metadata }: UploadIntent): string | null =>
  user_metadata === undefined ? null : JSON.stringify(user_metadata);

/**
 * Asks limits and policies for an upload into the intent's version, which was prepared.
 *
 * @throws RowlockError what `beginUpload` throws
 */
export async function beginPrepared(db: Database, caller: Caller, intent: UploadIntent): Promise<PreparedUpload> {
  const rows = await db.run<Record<keyof PreparedUpload, unknown>>(preparedBegin, [
    intent.upload_id,
    intent.version_id,
    intent.bucket,
    intent.name,
    caller.role,
    caller.claims,
    intent.content_type ?? null,
    intent.declared_size ?? null,
    intent.cache_control ?? null,
    metadataText(intent),
    intent.overwrite ?? null,
    intent.size_cap,
    intent.if_match ?? null,
    intent.if_none_match ?? null,
  ]);
  const [begun] = rows;
  return {
    size_max: Number(begun?.size_max),
    overwrites: begun?.overwrites === true,
    is_open: begun?.is_open === true,
    is_swept: begun?.is_swept === true,
  };
}

/**
 * Commits stored bytes of an upload that `beginPrepared` began and left unopened. Atomic, as `commitUpload` is.
 *
 * @throws RowlockError what `commitUpload` throws
 */
export async function commitPrepared(
  db: Database,
  caller: Caller,
  upload: { readonly intent: UploadIntent; readonly begun: PreparedUpload; readonly bytes: StoredBytes },
): Promise<CommittedObject> {
  const { intent, begun, bytes } = upload;
  const rows = await db.run<CommittedObject & Record<string, unknown>>(preparedCommit, [
    intent.version_id,
    intent.bucket,
    intent.name,
    caller.role,
    caller.claims,
    intent.content_type ?? null,
    intent.cache_control ?? null,
    metadataText(intent),
    begun.size_max,
    begun.overwrites,
    intent.if_match ?? null,
    intent.if_none_match ?? null,
    bytes.size,
    bytes.sha256 ?? null,
    bytes.etag ?? null,
    bytes.detected_type ?? null,
    bytes.origin === undefined ? null : originOf(bytes),
  ]);
  return rows[0] as CommittedObject;
}

/** Gives such an upload up, so that its bytes are purged. Idempotent; does nothing to a committed one. */
export async function abandonPrepared(db: Database, versionId: string): Promise<boolean> {
  const rows = await db.run<{ abandoned: boolean }>(preparedAbandon, [versionId]);
  return rows[0]?.abandoned ?? false;
}
