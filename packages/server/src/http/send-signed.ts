/**
 * The one way from a request by a signed URL to an object's or a variant's bytes: the token is verified, its rate counted,
 * and only then the database asked. How bytes are sent is in `send-object.ts`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readSignedObject, verifySignedUrl } from '../operations/read-object.ts';
import type { AppOptions } from './app-options.ts';
import { originOf } from './audit-requests.ts';
import { sendObject } from './send-object.ts';

interface SignedRoute {
  Params: { readonly bucket: string; readonly '*': string };
  Querystring: { readonly token: string; readonly download?: string };
}

/** Makes the handler of a route that signed URLs name; of variants, or of objects themselves. */
export function sendSigned(
  { context, rateLimits }: AppOptions,
  variant: boolean,
): (request: FastifyRequest<SignedRoute>, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const { bucket, '*': name } = request.params;
    const { token, download } = request.query;
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const address = originOf(request)?.address ?? '';
    const grant = verifySignedUrl(context, { token, bucket, name, method, address, variant });
    rateLimits.countSignedUrl(request, reply, grant.id);
    const object = await readSignedObject(context, grant, method);
    return sendObject(request, reply, object, {
      // What was signed decides, then what the request asks for.
      download: grant.download ?? download,
      expiresAt: grant.expires_at,
      noStore: grant.counted === true || grant.addresses !== undefined,
    });
  };
}
