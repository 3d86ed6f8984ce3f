/**
 * The routes of the gateway: bytes by bucket and key, for whoever has a session, a token or nothing, and the session itself.
 * The cookie opens GET and HEAD of bytes and nothing else; what changes anything asks for the origin of the page besides.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticate } from '../../auth/authenticate.ts';
import { beginSession, endSession } from '../../operations/gateway-session.ts';
import { readByKey } from '../../operations/read-by-key.ts';
import type { AppOptions } from '../app-options.ts';
import { callerIs, originOf } from '../audit-requests.ts';
import { sendObject } from '../send-object.ts';
import { noSessionCookie, readSessionCookie, sessionCookie } from '../session-cookie.ts';
import { oneAuthorization, withCaller } from '../with-caller.ts';

export interface GatewayRouteOptions extends Pick<AppOptions, 'context' | 'verifier' | 'rules' | 'rateLimits'> {
  /** Origins whose pages may begin and end sessions, and read answers by script. */
  readonly origins: readonly string[];
  /** What applications call the bucket of files: the buckets of our stores. */
  readonly filesBuckets: readonly string[];
}

const keyParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const keyQuery = Type.Object({ download: Type.Optional(Type.String({ maxLength: 1024 })) });

interface KeyRoute {
  Params: Static<typeof keyParams>;
  Querystring: Static<typeof keyQuery>;
}

/** Parameters that carry a credential elsewhere: in a URL it would end in logs and histories. */
const credentialParameters: RegExp = /^(?:(?:access_?|id_?|refresh_?)?token|jwt|api_?key|authorization|session|sid)$/i;

/** What a browser says that it would run or apply, and not show (Fetch Metadata). */
const codeDestinations: ReadonlySet<string> = new Set([
  'audioworklet',
  'paintworklet',
  'script',
  'serviceworker',
  'sharedworker',
  'style',
  'worker',
  'xslt',
]);

/** Registers the routes of the gateway. */
export function gatewayRoutes(app: FastifyInstance, options: GatewayRouteOptions): void {
  const { context } = options;
  app.route<KeyRoute>({
    method: ['GET', 'HEAD'],
    url: '/:bucket/*',
    schema: { params: keyParams, querystring: keyQuery },
    handler: (request, reply) => sendByKey(options, request, reply),
  });
  const begin = withCaller(options, async (caller, request, reply) => {
    const session = await beginSession(context, caller, readSessionCookie(request.raw));
    reply.code(201).header('set-cookie', sessionCookie(session.id, session.seconds));
    return { expires_at: session.expires_at.toISOString() };
  });
  app.post('/session', async (request, reply) => {
    assertFromPage(request, options.origins);
    return begin(request, reply);
  });
  app.delete('/session', async (request, reply) => {
    assertFromPage(request, options.origins);
    await endSession(context, readSessionCookie(request.raw));
    return reply.code(204).header('set-cookie', noSessionCookie).header('cache-control', 'no-store').send();
  });
}

/** Answers with bytes, as the caller of a token, else of the cookie, else as the anonymous one. */
async function sendByKey(
  options: GatewayRouteOptions,
  request: FastifyRequest<KeyRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { context, verifier, rules, rateLimits, filesBuckets } = options;
  assertNoCredential(request);
  const authorization = oneAuthorization(request.raw);
  const session = authorization === undefined ? readSessionCookie(request.raw) : undefined;
  if (session !== undefined) assertNotCode(request);
  const caller = await authenticate(authorization, verifier, rules, originOf(request));
  callerIs(request, caller);
  rateLimits.countSubject(request, reply, caller);
  if (session !== undefined) rateLimits.countSession(request, reply, session);
  reply.header('vary', `${reply.getHeader('vary')?.toString() ?? 'Origin'}, Cookie, Authorization`);
  const { bucket, '*': key } = request.params;
  const object = await readByKey(context, caller, {
    bucket: filesBuckets.includes(bucket) ? undefined : bucket,
    key,
    session,
    allowed_roles: rules.allowed_roles,
  });
  return sendObject(request, reply, object, {
    download: request.query.download,
    // After its end a session shows nothing, from no cache either; and only to pages of the same site.
    revalidate: true,
    embeddable: 'same-site',
  });
}

/** @throws RowlockError `not_allowed` unless a page of a listed origin asks, and `invalid_request` for a query */
function assertFromPage(request: FastifyRequest, origins: readonly string[]): void {
  const { origin } = request.headers;
  if (typeof origin !== 'string' || !origins.includes(origin)) {
    throw new RowlockError('not_allowed', 'Sessions are for pages of the origins in GATEWAY_ORIGINS');
  }
  if (request.url.includes('?')) {
    throw new RowlockError('invalid_request', 'A session takes no parameters; the token goes into Authorization');
  }
}

/** @throws RowlockError `invalid_request` */
function assertNoCredential({ query }: FastifyRequest<KeyRoute>): void {
  const found = Object.keys(query).find((name) => credentialParameters.test(name));
  if (found !== undefined) {
    throw new RowlockError('invalid_request', `Nothing is opened by "${found}" in a URL: begin a session`);
  }
}

/** What a page runs it can read: a neighbour on the same site must not have a private file so. @throws RowlockError `not_allowed` */
function assertNotCode({ headers }: FastifyRequest<KeyRoute>): void {
  if (codeDestinations.has(String(headers['sec-fetch-dest']))) {
    throw new RowlockError('not_allowed', "With a session files are shown and saved, and are nobody's code");
  }
}
