/** Signing of URLs for downloads over HTTP, one object or many. What a signed URL opens is in `read-routes.ts`. */

import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { signedUrlSecondsDefault } from '../../auth/signed-url.ts';
import { addressRangesMax } from '../../domain/address-ranges.ts';
import { readTransform, type Transform } from '../../domain/transform.ts';
import {
  type SignedObject,
  type SignTerms,
  signNamesMax,
  signObject,
  signObjects,
} from '../../operations/sign-object.ts';
import type { AppOptions } from '../app-options.ts';
import { baseUrl } from '../base-url.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });

/** What URLs of one signing are bound to. */
const terms = {
  expiresIn: Type.Optional(Type.Number()),
  method: Type.Optional(Type.Union([Type.Literal('GET'), Type.Literal('HEAD')])),
  download: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Boolean()])),
  content_type: Type.Optional(Type.String({ minLength: 3, maxLength: 255 })),
  size_max: Type.Optional(Type.Integer({ minimum: 0 })),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{64}$' })),
  addresses: Type.Optional(
    Type.Array(Type.String({ maxLength: 50 }), { minItems: 1, maxItems: addressRangesMax, uniqueItems: true }),
  ),
};
const termsBody = Type.Object(terms);
const signBody = Type.Union([
  Type.Object({
    ...terms,
    transform: Type.Optional(
      Type.Object({
        preset: Type.Optional(Type.String({ maxLength: 63 })),
        width: Type.Optional(Type.Integer()),
        height: Type.Optional(Type.Integer()),
        resize: Type.Optional(Type.String({ maxLength: 20 })),
        quality: Type.Optional(Type.Integer()),
        format: Type.Optional(Type.String({ maxLength: 20 })),
      }),
    ),
    version_id: Type.Optional(Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })),
    max_uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    register: Type.Optional(Type.Boolean()),
  }),
  Type.Null(),
]);
const batchBody = Type.Object({
  ...terms,
  paths: Type.Array(Type.String(), { minItems: 1, maxItems: signNamesMax }),
  // Not for many at once: refused rather than not heard.
  max_uses: Type.Optional(Type.Null()),
  register: Type.Optional(Type.Literal(false)),
  version_id: Type.Optional(Type.Null()),
});
const expiresQuery = Type.Object({ expires_in: Type.Optional(Type.String({ pattern: '^\\d{1,9}$' })) });

function termsOf(body: Static<typeof termsBody> | null, inQuery?: string): SignTerms {
  const seconds = inQuery === undefined ? signedUrlSecondsDefault : Number(inQuery);
  const { expiresIn = seconds, method = 'GET', download, content_type, size_max, sha256, addresses } = body ?? {};
  return {
    expirySeconds: expiresIn,
    method,
    download: download === false ? undefined : download,
    content_type,
    size_max,
    sha256,
    addresses,
  };
}

/** The picture that is asked for. */
interface Form {
  readonly preset: string | undefined;
  readonly transform: Transform | undefined;
}

/** @throws RowlockError `invalid_request` for what would be signed as something else */
function formOf({ preset, ...fields }: { readonly preset?: string } = {}): Form {
  const transform = readTransform(fields);
  if (preset !== undefined && transform !== undefined) {
    throw new RowlockError('invalid_request', 'A transform has a preset, which stands alone, or a size and a format');
  }
  return { preset, transform };
}

interface SignRoute {
  Params: Static<typeof objectParams>;
  Body: Static<typeof signBody>;
  Querystring: Static<typeof expiresQuery>;
}

function signOne(app: FastifyInstance, options: AppOptions): void {
  app.post<SignRoute>(
    '/object/sign/:bucket/*',
    {
      schema: {
        tags: ['signed URLs'],
        summary: 'Sign a URL for an object',
        params: objectParams,
        body: signBody,
        querystring: expiresQuery,
      },
    },
    withCaller(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const { body } = request;
      const form = formOf(body?.transform);
      const signed = await signObject(options.context, caller, {
        ...termsOf(body, request.query.expires_in),
        bucket,
        name,
        ...form,
        version_id: body?.version_id,
        usesMax: body?.max_uses,
        register: body?.register,
      });
      return linkOf(options, request, { bucket, form, signed });
    }),
  );
}

interface Link {
  readonly bucket: string;
  readonly form: Form;
  readonly signed: SignedObject;
}

function linkOf(options: AppOptions, request: FastifyRequest, { bucket, form, signed }: Link): object {
  const { id, token, name, expires_at } = signed;
  const isPicture = form.preset !== undefined || form.transform !== undefined;
  const route = isPicture ? '/render/image/sign' : '/object/sign';
  const tail = `?token=${token}&expires=${Math.floor(expires_at.getTime() / 1000)}`;
  return {
    // Relative and decoded, as storage-js needs it: it encodes the whole.
    signedURL: `${route}/${bucket}/${name}${tail}`,
    url: `${baseUrl(options, request)}/storage/v1${route}/${bucket}/${encodePath(name)}${tail}`,
    expires_at,
    id,
  };
}

interface BatchRoute {
  Params: Static<typeof bucketParams>;
  Body: Static<typeof batchBody>;
  Querystring: Static<typeof expiresQuery>;
}

function signMany(app: FastifyInstance, options: AppOptions): void {
  app.post<BatchRoute>(
    '/object/sign/:bucket',
    {
      schema: {
        tags: ['signed URLs'],
        summary: 'Sign URLs for many objects of a bucket',
        params: bucketParams,
        body: batchBody,
        querystring: expiresQuery,
      },
    },
    withCaller(options, async (caller, request) => {
      const { bucket } = request.params;
      const { paths, ...body } = request.body;
      const signed = await signObjects(options.context, caller, {
        ...termsOf(body, request.query.expires_in),
        bucket,
        names: paths,
      });
      return paths.map((path, place) => {
        const one = signed[place];
        return one === undefined
          ? { error: 'Object not found', path, signedURL: null }
          : { error: null, path, signedURL: `/object/sign/${bucket}/${one.name}?token=${one.token}` };
      });
    }),
  );
}

/** What stands in a URL as it is. */
const plainPath: RegExp = /^[\w.~!'()*/-]*$/;

function encodePath(name: string): string {
  if (plainPath.test(name)) return name;
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Registers the routes that sign URLs for downloads. */
export function signRoutes(app: FastifyInstance, options: AppOptions): void {
  signOne(app, options);
  signMany(app, options);
}
