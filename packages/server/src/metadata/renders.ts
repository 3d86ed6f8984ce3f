/**
 * Pictures rendered on demand as rows: finding one under the caller's policies or by a signed URL, the lease of whoever
 * renders it, and the budget of its bucket. Each step is one statement of the API's login role.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement, StatementRunner } from './database.ts';
import type { ReadableObject } from './objects.ts';
import type { UrlToOpen, UrlUse } from './signed-urls.ts';

export const renderRead: Statement = {
  name: 'render_read',
  text: 'SELECT * FROM storage_internal.read_render_as($1, $2, $3, $4, $5)',
};

export const renderOpenSigned: Statement = {
  name: 'render_open_signed',
  text: 'SELECT * FROM storage_internal.open_signed_render($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
};

export const renderBegin: Statement = {
  name: 'render_begin',
  text: 'SELECT verdict, error FROM storage_internal.render_begin($1, $2, $3, $4, $5, $6)',
};

export const renderLeased: Statement = {
  name: 'render_leased',
  text: 'SELECT storage_internal.render_is_leased($1, $2) AS is_leased',
};

export const renderIntent: Statement = {
  name: 'render_intent',
  text: 'SELECT storage_internal.render_intent($1, $2, $3) AS is_wanted',
};

export const renderCommit: Statement = {
  name: 'render_commit',
  text: 'SELECT storage_internal.render_commit($1, $2, $3, $4, $5, $6, $7) AS outcome',
};

export const renderGiveUp: Statement = { name: 'render_give_up', text: 'SELECT storage_internal.render_give_up($1)' };

export const renderFail: Statement = {
  name: 'render_fail',
  text: 'SELECT storage_internal.render_fail($1, $2, $3, $4)',
};

export const rendersUsed: Statement = {
  name: 'renders_used',
  text: 'SELECT storage_internal.renders_used($1::uuid[])',
};

export const rendersTrim: Statement = {
  name: 'renders_trim',
  text: 'SELECT storage_internal.trim_renders($1) AS budget',
};

export const variantError: Statement = {
  name: 'variant_error',
  text: 'SELECT storage_internal.variant_error($1, $2, $3, $4) AS error',
};

/** An object that may be read in another form: the picture where there is one (`key` and what goes with it), and its source. */
export interface RenderRow extends ReadableObject {
  readonly public: boolean;
  /** Whether pictures are made of its type. */
  readonly is_image: boolean;
  readonly variant_id: string | null;
  /** The object's version. */
  readonly source_id: string;
  readonly source_key: string;
  readonly source_backend: string;
  readonly source_size: string;
  /** What its bytes are, or are said to be. */
  readonly source_type: string | null;
}

/** The object as the caller sees it, and its picture; undefined when hidden or missing. `digests`: by type, `*` for others. */
export async function selectRender(
  db: StatementRunner,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
  digests: Readonly<Record<string, string>>,
): Promise<RenderRow | undefined> {
  const values = [caller.role, caller.claims, at.bucket, at.name, digests];
  return (await db.run<RenderRow & Record<string, unknown>>(renderRead, values))[0];
}

/**
 * The same by a verified signed URL; undefined where its object is not there any more.
 *
 * @throws RowlockError `url_revoked`, `url_used_up`, `precondition_failed`
 */
export async function openSignedRender(
  db: Database,
  url: UrlToOpen,
  use: UrlUse,
  digests: Readonly<Record<string, string>>,
): Promise<RenderRow | undefined> {
  const [row] = await db.run<RenderRow & Record<string, unknown>>(renderOpenSigned, [
    url.bucket,
    url.name,
    url.object_id,
    digests,
    url.id,
    url.signed_at,
    url.version_id ?? null,
    url.content_type ?? null,
    url.size_max ?? null,
    url.sha256 ?? null,
    use,
  ]);
  return row;
}

/** What a request to render is answered: see `storage_internal.render_begin`. */
export interface RenderVerdict {
  readonly verdict: 'render' | 'unkept' | 'wait' | 'done' | 'failed' | 'cooling' | 'unsupported' | 'gone';
  /** Why it failed, in words for whoever may read the object. */
  readonly error: string | null;
}

/** What is to be rendered: a version in a form, for a bucket. */
export interface RenderOrder {
  readonly source_id: string;
  readonly bucket: string;
  readonly digest: string;
  readonly parameters: object;
}

/** Asks for the lease of a picture; `renderId` names it, and the version that is to be. */
export async function beginRender(
  db: Database,
  order: RenderOrder,
  renderId: string,
  leaseSeconds: number,
): Promise<RenderVerdict> {
  const { source_id, bucket, digest, parameters } = order;
  const [row] = await db.run<RenderVerdict & Record<string, unknown>>(renderBegin, [
    source_id,
    bucket,
    digest,
    parameters,
    renderId,
    leaseSeconds,
  ]);
  if (row === undefined) throw new Error('a function with OUT parameters answered no row');
  return row;
}

/** Whether somebody is rendering this now. */
export async function isLeased(db: Database, sourceId: string, digest: string): Promise<boolean> {
  const [row] = await db.run<{ is_leased: boolean }>(renderLeased, [sourceId, digest]);
  return row?.is_leased === true;
}

/** Why a preset's variant failed, for somebody who was shown that it did. */
export async function selectVariantError(
  db: Database,
  at: { readonly bucket: string; readonly name: string; readonly version: string | undefined },
  preset: string,
): Promise<string | undefined> {
  const values = [at.bucket, at.name, at.version ?? null, preset];
  const [row] = await db.run<{ error: string | null }>(variantError, values);
  return row?.error ?? undefined;
}
