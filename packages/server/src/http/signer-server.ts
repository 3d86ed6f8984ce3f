/**
 * The signer for databases that ask over HTTP (pg_net, pgsql-http), on a listener of its own: whoever has the shared
 * secret is the database. It decides nothing about callers, who never reach it, and reads no row: what it signs for, the
 * two functions that it is given decide.
 */
import { errorBody, RowlockError } from '@rowlock/client/contract';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Observe } from '../domain/observation.ts';
import type { PutOrder, SignedPut } from '../operations/sign-put.ts';
import { assertBearerSecret } from './bearer-secret.ts';
import { defaultConnectionLimits } from './connection-limits.ts';
import { asRowlockError, errorHeaders, reportInternal } from './errors.ts';
import { createHttpServer } from './http-server.ts';
import { parseJsonBody } from './json-body.ts';
import { assertHead } from './request-head.ts';

export interface SignerServerOptions {
  readonly host: string;
  readonly port: number;
  /** What the database sends as a bearer token. */
  readonly secret: string;
  readonly observe: Observe;
  /** Signs an upload request and writes its URL into its row, as the job does. False where there is none to sign. */
  readonly signRequest: (requestId: string) => Promise<boolean>;
  /** Signs what the database says, whose row nobody else can see yet. */
  readonly signPut: (order: PutOrder) => Promise<SignedPut>;
}

export interface RunningSigner {
  readonly url: string;
  stop(): Promise<void>;
}

const bodyBytesMax = 16_384;
const connectionsMax = 256;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Keys of upload requests, as `storage.file_object_name` makes them, and of what waits: nothing else is ever signed here. */
const requestKey =
  /^(?:incoming\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/original\.[a-z0-9]{1,10})$/;
const expirySecondsMax = 3600;

/** Listens; resolves when it does. */
export async function startSignerServer(options: SignerServerOptions): Promise<RunningSigner> {
  const limits = { ...defaultConnectionLimits, connections_max: connectionsMax };
  const app = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    serverFactory: (route) => createHttpServer(limits, options.observe, route),
    clientErrorHandler: () => undefined, // the server has its own
    forceCloseConnections: true,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    parseJsonBody(body, request.headers['content-type']),
  );
  app.setErrorHandler((thrown, request, reply) => {
    const error = asRowlockError(thrown);
    reportInternal(options.observe, error, request);
    return refuse(reply, error);
  });
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, new RowlockError('route_not_found', 'There is no such route')),
  );
  app.addHook('onRequest', async (request) => {
    assertHead(request.raw, limits);
    if (request.routeOptions.url !== '/health') {
      assertBearerSecret(request.headers.authorization, options.secret, 'The signer is for the database');
    }
  });
  signerRoutes(app, options);
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, stop: () => app.close() };
}

function signerRoutes(app: FastifyInstance, { signRequest, signPut }: SignerServerOptions): void {
  app.get('/health', () => ({ status: 'healthy' }));
  app.post('/sign-upload', async (request) => {
    const { requestId } = objectOf(request.body);
    if (typeof requestId !== 'string' || !uuid.test(requestId)) {
      throw new RowlockError('invalid_request', 'requestId is the id of an upload request');
    }
    if (!(await signRequest(requestId.toLowerCase()))) {
      throw new RowlockError('upload_gone', 'There is no such upload request, or its upload is over');
    }
    return { success: true };
  });
  app.post('/sign', async (request) => {
    const { url, bucket, headers, expires_at } = await signPut(orderOf(objectOf(request.body)));
    return { url, bucket, headers, expiresAt: expires_at.toISOString() };
  });
}

function refuse(reply: FastifyReply, error: RowlockError): FastifyReply {
  errorHeaders(reply, error);
  return reply.code(error.status).send(errorBody(error.reason, error.message));
}

type Body = Readonly<Record<string, unknown>>;

function objectOf(body: unknown): Body {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RowlockError('invalid_request', 'The body is no JSON object');
  }
  return body as Body;
}

/** @throws RowlockError `invalid_request` for anything that no upload request could have said */
function orderOf({ key, backend, fileType, fileSize, sha256, expiresIn, onlyNew }: Body): PutOrder {
  const refusal = (what: string): RowlockError => new RowlockError('invalid_request', `${what} cannot be signed`);
  const isCount = (value: unknown, max: number): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
  if (typeof key !== 'string' || !requestKey.test(key)) throw refusal('The key is not one of an upload request; it');
  if (typeof backend !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,62}$/.test(backend)) throw refusal('For that backend it');
  if (typeof fileType !== 'string' || !/^[ -~]{0,400}$/.test(fileType)) throw refusal('The fileType');
  if (!isCount(expiresIn, expirySecondsMax)) throw refusal(`A URL that does not live 1 to ${expirySecondsMax} seconds`);
  if (fileSize != null && !isCount(fileSize, Number.MAX_SAFE_INTEGER)) throw refusal('The fileSize');
  if (sha256 != null && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256))) throw refusal('The sha256');
  return {
    key,
    backend,
    fileType,
    fileSize: fileSize == null ? undefined : fileSize,
    sha256: sha256 == null ? undefined : Buffer.from(sha256, 'hex'),
    expirySeconds: expiresIn,
    onlyNew: onlyNew === true,
  };
}
