/** Signing of uploads over HTTP. What a signed upload does is in `upload-routes.ts`. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { signedUploadSecondsDefault } from '../../auth/upload-token.ts';
import { signUpload } from '../../operations/sign-upload.ts';
import type { AppOptions } from '../app-options.ts';
import { baseUrl } from '../base-url.ts';
import { writeConditions } from '../conditions.ts';
import { asPrecondition, headerMetadata, upsertAsked, wantsFreeName } from '../upload-headers.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const signBody = Type.Union([
  Type.Object({
    expiresIn: Type.Optional(Type.Integer()),
    expires_in: Type.Optional(Type.Integer()),
    content_type: Type.Optional(Type.String({ maxLength: 255 })),
    size_max: Type.Optional(Type.Integer({ minimum: 1 })),
    sha256: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{64}$' })),
  }),
  Type.Null(),
]);

interface SignRoute {
  Params: Static<typeof objectParams>;
  Body: Static<typeof signBody>;
}

/** Registers the route that signs uploads. */
export function signUploadRoutes(app: FastifyInstance, options: AppOptions): void {
  app.post<SignRoute>(
    '/object/upload/sign/:bucket/*',
    { schema: { tags: ['objects'], summary: 'Sign a URL for one upload', params: objectParams, body: signBody } },
    withCaller<SignRoute>(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const body = request.body ?? {};
      const { ifMatch, ifNoneMatch } = writeConditions(request);
      const isFree = wantsFreeName(request);
      const signed = await signUpload(options.context, caller, {
        bucket,
        name,
        // Whoever holds the URL overwrites nothing unless that was said.
        overwrite: !isFree && upsertAsked(request) === true,
        expirySeconds: body.expiresIn ?? body.expires_in ?? signedUploadSecondsDefault,
        contentType: body.content_type,
        sizeMax: body.size_max,
        sha256: body.sha256?.toLowerCase(),
        userMetadata: headerMetadata(request),
        ifMatch,
        ifNoneMatch: isFree ? undefined : ifNoneMatch,
      }).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      const path = signed.name.split('/').map(encodeURIComponent).join('/');
      const url = `/object/upload/sign/${bucket}/${path}?token=${signed.token}`;
      return {
        // Relative, as storage-js needs it.
        url,
        token: signed.token,
        path: signed.name,
        signedURL: `${baseUrl(options, request)}/storage/v1${url}`,
        expires_at: signed.expires_at,
      };
    }),
  );
}
