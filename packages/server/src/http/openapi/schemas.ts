/**
 * The bodies of answers as OpenAPI shows them. They describe what the routes answer and check nothing; a test compares
 * them with real answers.
 */
import { errorSpellings } from '@rowlock/client/contract';
import { type TSchema, Type } from '@sinclair/typebox';

const time = Type.String({ format: 'date-time' });
const id = Type.String({ format: 'uuid' });
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const bytes = Type.Integer({ minimum: 0, description: 'bytes' });
const anyObject = Type.Object({}, { additionalProperties: true });

const error: TSchema = Type.Object({
  statusCode: Type.String({ description: 'the HTTP status, as a text' }),
  error: Type.String(),
  message: Type.String(),
  code: Type.String(),
  reason: Type.Unsafe<string>({ type: 'string', enum: Object.keys(errorSpellings) }),
});

const bucket: TSchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  owner: Type.String(),
  owner_id: orNull(Type.String()),
  policy: Type.Unsafe<string>({ type: 'string', enum: ['private', 'public', 'authenticated'] }),
  public: Type.Boolean(),
  type: Type.Literal('STANDARD'),
  file_size_limit: orNull(bytes),
  max_file_size: bytes,
  allowed_mime_types: orNull(Type.Array(Type.String())),
  config: Type.Object({ allowed_mime_types: Type.Array(Type.String()), max_file_size: bytes }),
  overwrite: Type.Unsafe<string>({ type: 'string', enum: ['allow', 'deny'] }),
  inline: Type.Boolean({ description: 'whether what a browser would run is shown, in a sandbox, and not saved' }),
  scan: Type.Unsafe<string>({
    type: 'string',
    enum: ['off', 'async', 'before_read'],
    description: 'whether what comes is scanned, and whether nobody reads it before',
  }),
  checks: Type.Array(Type.String(), { description: 'kinds of jobs that look at what comes, besides' }),
  preset_set: Type.String({ description: 'the set of presets that variants are made in; `none` for no variants' }),
  versioning: Type.Unsafe<string>({ type: 'string', enum: ['off', 'on', 'suspended'] }),
  soft_delete_seconds: orNull(Type.Integer()),
  history_keep: orNull(Type.Integer()),
  noncurrent_days: orNull(Type.Integer()),
  quota_bytes: orNull(bytes),
  quota_objects: orNull(Type.Integer()),
  owner_quota_bytes: orNull(bytes),
  owner_quota_objects: orNull(Type.Integer()),
  created_at: time,
  updated_at: time,
  file_count: Type.Optional(Type.Integer()),
  total_size: Type.Optional(bytes),
});

const uploadedObject: TSchema = Type.Object({
  Id: id,
  Key: Type.String({ description: 'bucket and path' }),
  id,
  bucket: Type.String(),
  path: Type.String(),
  size: bytes,
  content_type: Type.String(),
  owner_id: orNull(Type.String()),
  sha256: Type.Optional(orNull(Type.String())),
  created_at: time,
  updated_at: Type.Optional(time),
});

const objectInfo: TSchema = Type.Object({
  id,
  name: Type.String(),
  version: id,
  bucket_id: Type.String(),
  owner_id: orNull(Type.String()),
  size: bytes,
  content_type: Type.String(),
  detected_type: orNull(Type.String()),
  cache_control: Type.String(),
  sha256: orNull(Type.String()),
  etag: Type.String(),
  metadata: orNull(anyObject),
  last_modified: time,
  created_at: time,
});

const imageFacts: TSchema = Type.Object({
  version: id,
  width: orNull(Type.Integer()),
  height: orNull(Type.Integer()),
  format: orNull(Type.String()),
  orientation: orNull(Type.Integer()),
  thumbhash: Type.Union([Type.String(), Type.Null()], { description: 'base64' }),
  dominant_colour: orNull(Type.String()),
  taken_at: Type.Optional(orNull(Type.String())),
  camera_make: Type.Optional(orNull(Type.String())),
  camera_model: Type.Optional(orNull(Type.String())),
  lens_model: Type.Optional(orNull(Type.String())),
  title: Type.Optional(orNull(Type.String())),
  caption: Type.Optional(orNull(Type.String())),
  creator: Type.Optional(orNull(Type.String())),
  copyright: Type.Optional(orNull(Type.String())),
  keywords: Type.Optional(orNull(Type.Array(Type.String()))),
  read_at: orNull(time),
  location: Type.Object({
    state: orNull(Type.String()),
    latitude: Type.Optional(orNull(Type.Number())),
    longitude: Type.Optional(orNull(Type.Number())),
    altitude: Type.Optional(orNull(Type.Number())),
    accuracy: Type.Optional(orNull(Type.Number())),
  }),
});

const entryCount: TSchema = Type.Object({
  count: Type.Integer(),
  complete: Type.Boolean({ description: 'false where there are more than a million' }),
});

const entry: TSchema = Type.Object({
  name: Type.String({ description: 'relative to the folder' }),
  id: Type.Union([id, Type.Null()], { description: 'null for a folder' }),
  created_at: orNull(time),
  updated_at: orNull(time),
  metadata: orNull(anyObject),
});

const change: TSchema = Type.Object({
  type: Type.Unsafe<string>({
    type: 'string',
    enum: [
      'storage.object.created',
      'storage.object.updated',
      'storage.object.deleted',
      'storage.bucket.created',
      'storage.bucket.deleted',
    ],
  }),
  object_id: orNull(id),
  bucket: Type.String(),
  path: Type.Union([Type.String(), Type.Null()], { description: 'null where the object is not there any more' }),
  previous_bucket: orNull(Type.String()),
  size: orNull(bytes),
  content_type: orNull(Type.String()),
  owner_id: orNull(Type.String()),
  revision: Type.Union([Type.Integer(), Type.Null()], { description: 'goes up with each change of an object' }),
  timestamp: time,
  cursor: Type.String(),
});

/** The components of the description, by name. */
export const schemas: Readonly<Record<string, TSchema>> = {
  Error: error,
  Message: Type.Object({ message: Type.String() }),
  Bucket: bucket,
  Buckets: Type.Array(Type.Ref('#/components/schemas/Bucket')),
  UploadedObject: uploadedObject,
  ObjectInfo: objectInfo,
  ImageFacts: imageFacts,
  EntryCount: entryCount,
  Entries: Type.Array(entry),
  Change: change,
  ChangePage: Type.Object({
    changes: Type.Array(Type.Ref('#/components/schemas/Change')),
    cursor: Type.String({ description: 'where to go on; opaque' }),
    more: Type.Boolean({ description: 'whether there is more to read now' }),
  }),
  RelocatedObject: Type.Object({ Id: id, Key: Type.String(), id, bucket_id: Type.String(), name: Type.String() }),
  Page: Type.Object({
    hasNext: Type.Boolean(),
    nextCursor: Type.Optional(Type.String()),
    nextCursorKey: Type.Optional(Type.String()),
    folders: Type.Array(Type.Object({ name: Type.String({ description: 'its full path, with a slash at its end' }) })),
    objects: Type.Array(entry),
  }),
  Versions: Type.Object({ versions: Type.Array(anyObject), next_cursor: orNull(Type.String()) }),
  SignedUpload: Type.Object({
    url: Type.String({ description: 'relative to the base of the API, as storage-js needs it' }),
    token: Type.String(),
  }),
  SignedUrls: Type.Array(
    Type.Object({ error: orNull(Type.String()), path: Type.String(), signedURL: orNull(Type.String()) }),
  ),
  SignedUrl: Type.Object({
    id,
    signedURL: Type.String({ description: 'relative to the base of the API, as storage-js needs it' }),
    url: Type.String({ format: 'uri' }),
    expires_at: time,
  }),
};
