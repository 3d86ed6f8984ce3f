/**
 * Read an object in another size or format: by a caller whose policies let them read the object, or by a signed URL. A picture
 * that is kept is served as it is; else it is made. Invariant: nothing is made before the object was found for whoever asks.
 */
import { createHash } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import type { OpenedGrant } from '../auth/signed-url.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import {
  acceptedFormat,
  type PictureParameters,
  pictureFor,
  picturesOf,
  snapped,
  type Transform,
} from '../domain/transform.ts';
import type { StatementRunner } from '../metadata/database.ts';
import { openSignedRender, type RenderRow, selectRender } from '../metadata/renders.ts';
import type { UrlUse } from '../metadata/signed-urls.ts';
import type { OperationContext } from './context.ts';
import { type OpenedObject, opened } from './read-object.ts';
import { missingObject } from './refusals.ts';
import type { Picture } from './renders.ts';

/** How it is asked for, whoever asks. */
export interface Viewing {
  /** The header `Accept`. */
  readonly accept: string | undefined;
  /** Aborted when whoever asked is gone; asked for only where something has to be made. */
  readonly gone: () => AbortSignal;
}

export interface RenderRequest extends Viewing {
  readonly bucket: string;
  readonly name: string;
  /** Brought to the server's steps. */
  readonly transform: Transform;
  /** Serve only from a public bucket. */
  readonly publicOnly: boolean;
}

/**
 * Finds an object as the caller sees it, and shows it in another form.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `invalid_name`, `media_type_not_allowed` for
 *   what is no image, `too_large`, `render_failed`, `unavailable`
 */
export async function renderObject(
  context: OperationContext,
  caller: Caller,
  request: RenderRequest,
): Promise<OpenedObject> {
  const name = normaliseObjectName(request.name);
  const { bucket, publicOnly, accept, gone } = request;
  const form = formOf(context, snapped(request.transform, context.renders.sizes), accept);
  const look = async (from: StatementRunner): Promise<RenderRow | undefined> => {
    const row = await selectRender(from, caller, { bucket, name }, form.digests);
    return row !== undefined && (!publicOnly || row.public) ? row : undefined;
  };
  const found = async (from: StatementRunner): Promise<RenderRow> => {
    const row = (await look(from)) ?? (from.mayLag ? await look(context.db) : undefined);
    if (row === undefined) throw await missingObject(context, caller, bucket);
    return row;
  };
  const { anonymous } = caller;
  return shown(context, await found(context.reads), {
    bucket,
    name,
    anonymous,
    form,
    gone,
    look: () => found(context.db),
  });
}

/**
 * Shows what a signed URL names, in the form that it was signed for.
 *
 * @throws RowlockError as `readSignedObject` and `renderObject`
 */
export async function renderSigned(
  context: OperationContext,
  grant: OpenedGrant,
  method: 'GET' | 'HEAD',
  { accept, gone }: Viewing,
): Promise<OpenedObject> {
  const { bucket, name, transform = {} } = grant;
  const form = formOf(context, transform, accept);
  const look = async (use: UrlUse): Promise<RenderRow> => {
    const row = await openSignedRender(context.db, grant, use, form.digests);
    if (row === undefined) throw new RowlockError('object_not_found', 'Object not found');
    return row;
  };
  const first = grant.counted ? (method === 'GET' ? 'take' : 'look') : null;
  return shown(context, await look(first), { bucket, name, anonymous: false, form, gone, look: () => look(null) });
}

/** What is asked for, by the type of its source. */
interface Form {
  readonly pictures: Readonly<Record<string, PictureParameters>>;
  readonly digests: Readonly<Record<string, string>>;
}

function formOf({ renders }: OperationContext, transform: Transform, accept: string | undefined): Form {
  const pictures = picturesOf(transform, acceptedFormat(accept));
  const digests = Object.fromEntries(
    Object.entries(pictures).map(([type, picture]) => [type, renders.digestOf(picture)]),
  );
  return { pictures, digests };
}

interface Shown {
  readonly bucket: string;
  readonly name: string;
  readonly anonymous: boolean;
  readonly form: Form;
  readonly gone: () => AbortSignal;
  /** Looks at the object again. */
  readonly look: () => Promise<RenderRow>;
}

/** Of an object that is overwritten all the time: how often it is looked at again. */
const looksMax = 4;

async function shown(context: OperationContext, first: RenderRow, asked: Shown): Promise<OpenedObject> {
  const { bucket, name, anonymous, form, gone, look } = asked;
  let row = first;
  for (let turn = 1; turn <= looksMax; turn += 1) {
    if (!row.is_image) {
      throw new RowlockError('media_type_not_allowed', `No pictures are made of ${row.source_type ?? 'this'}`);
    }
    if (row.key !== null) return kept(context, row, asked);
    const { source_id, source_key, source_backend, source_type } = row;
    const order = {
      source_id,
      source_key,
      source_backend,
      source_type,
      source_size: Number(row.source_size),
      bucket,
      anonymous,
      digest: pictureFor(form.digests, source_type),
      parameters: pictureFor(form.pictures, source_type),
    };
    const picture = await context.renders.make(order, gone());
    if (picture !== undefined) return made(name, row, picture);
    row = await look();
  }
  throw new RowlockError('unavailable', 'The object is written all the time; try again', { retryAfterSeconds: 1 });
}

function kept(context: OperationContext, row: RenderRow, asked: Shown): OpenedObject {
  const { bucket, name, look } = asked;
  if (row.variant_id !== null) context.renders.used(row.variant_id);
  const found = { bucket, name, row, public: row.public };
  return {
    ...opened(context, found, async () => found),
    // Pictures that nobody wanted for long go at any time.
    again: async () => {
      const now = await look();
      return now.key === row.key && now.backend === row.backend ? undefined : shown(context, now, asked);
    },
  };
}

/** A picture that is in memory: nobody reads back what was written a moment ago. */
function made(name: string, row: RenderRow, { data, content_type }: Picture): OpenedObject {
  return {
    name,
    size: data.byteLength,
    content_type,
    detected_type: content_type,
    etag: createHash('sha256').update(data).digest('hex'),
    last_modified: row.updated_at,
    cache_control: row.cache_control ?? undefined,
    public: row.public,
    showsInline: async () => true,
    open: async (range) => (range === undefined ? data : data.subarray(range.start, range.end + 1)),
    again: async () => undefined,
  };
}
