/**
 * The one way from a request by a signed URL to an object's or a picture's bytes: the token is verified, its rate counted,
 * and only then the database asked. How bytes are sent is in `send-object.ts`; what is said of pictures, whoever asks for
 * them, is here.
 */
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transform } from '../domain/transform.ts';
import { readSignedObject, verifySignedUrl } from '../operations/read-object.ts';
import { renderSigned, type Viewing } from '../operations/render-object.ts';
import type { AppOptions } from './app-options.ts';
import { originOf } from './audit-requests.ts';
import { sendObject } from './send-object.ts';

interface SignedRoute {
  Params: { readonly bucket: string; readonly '*': string };
  Querystring: { readonly token: string; readonly download?: string };
}

/** Makes the handler of a route that signed URLs name; of pictures, or of objects themselves. */
export function sendSigned(
  { context, rateLimits }: AppOptions,
  variant: boolean,
): (request: FastifyRequest<SignedRoute>, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const { bucket, '*': name } = request.params;
    const { token, download } = request.query;
    if (variant) assertNothingElse(request.query);
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const address = originOf(request)?.address ?? '';
    const grant = verifySignedUrl(context, { token, bucket, name, method, address, variant });
    rateLimits.countSignedUrl(request, reply, grant.id);
    if (grant.transform !== undefined) variesBy(reply, grant.transform);
    return pendingOr(reply, async () => {
      const object =
        grant.transform === undefined
          ? await readSignedObject(context, grant, method)
          : await renderSigned(context, grant, method, viewingOf(request, reply));
      return sendObject(request, reply, object, {
        // What was signed decides, then what the request asks for.
        download: grant.download ?? download,
        expiresAt: grant.expires_at,
        noStore: grant.counted === true || grant.addresses !== undefined,
      });
    });
  };
}

const ofSignedUrls: ReadonlySet<string> = new Set(['token', 'expires', 'download', 'cacheNonce']);

/** The picture is part of what was signed. @throws RowlockError `invalid_request` */
function assertNothingElse(query: object): void {
  const other = Object.keys(query).find((name) => !ofSignedUrls.has(name));
  if (other !== undefined) {
    throw new RowlockError('invalid_request', `"${other.slice(0, 50)}" is not asked for by a signed URL: sign another`);
  }
}

/** Sends what it gives; where it is a variant that is being made, 202 and when to come again. */
export async function pendingOr(reply: FastifyReply, send: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await send();
  } catch (error) {
    if (!isRowlockError(error, 'variant_not_found') || error.retryAfterSeconds === undefined) throw error;
    return reply
      .code(202)
      .header('retry-after', String(error.retryAfterSeconds))
      .header('cache-control', 'no-store')
      .send({ status: 'pending', message: error.message });
  }
}

/** Says that the answer depends on `Accept`, where it does. */
export function variesBy(reply: FastifyReply, { format = 'auto' }: Transform): void {
  if (format !== 'auto') return;
  const before = reply.getHeader('vary');
  reply.header('vary', before === undefined ? 'Accept' : `${before.toString()}, Accept`);
}

/** How a request wants to see a picture, and when it does not any more. */
export function viewingOf(request: FastifyRequest, reply: FastifyReply): Viewing {
  return {
    accept: request.headers.accept,
    gone: () => {
      const gone = new AbortController();
      const leave = (): void => gone.abort(new RowlockError('client_closed', 'The client closed the connection'));
      if (reply.raw.destroyed) leave();
      else reply.raw.once('close', leave);
      return gone.signal;
    },
  };
}
