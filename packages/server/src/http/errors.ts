/**
 * Where errors end: the one place that turns them into answers. Ours are spelled as the contract says; Fastify's are
 * mapped to ours; anything else is `internal`, reported to the observer and shown to nobody.
 */
import { type ErrorReason, errorBody, RowlockError } from '@rowlock/client/contract';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Observe } from '../domain/observation.ts';
import { AllowedMethods } from './allowed-methods.ts';
import type { DescriptorRelief } from './descriptor-relief.ts';
import type { ExplainDenial } from './explain-denial.ts';

const byFastifyCode: Readonly<Record<string, ErrorReason>> = {
  FST_ERR_VALIDATION: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_name',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_not_allowed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'incomplete_body',
};

const clientGone: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ABORT_ERR',
  'ECONNABORTED',
]);

/** The error that a caller may see for whatever was thrown. */
export function asRowlockError(error: unknown): RowlockError {
  if (error instanceof RowlockError) {
    return error;
  }
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = byFastifyCode[code];
  if (known !== undefined) {
    // Some of them repeat the URL.
    return new RowlockError(known, sentenceOf(error as FastifyError).slice(0, 300), { cause: error });
  }
  if (error instanceof SyntaxError || (error as Partial<FastifyError>).statusCode === 400) {
    return new RowlockError('invalid_request', 'The request cannot be read', { cause: error });
  }
  if (clientGone.has(code)) {
    return new RowlockError('client_closed', 'The client closed the connection', { cause: error });
  }
  return new RowlockError('internal', 'Something went wrong on our side; the request id is in the log', {
    cause: error,
  });
}

/** What was refused; where one place takes a few values only, which they are. */
function sentenceOf({ message, validation = [], validationContext }: FastifyError): string {
  const place = validation[0]?.instancePath;
  const values = validation.flatMap(({ params }) =>
    'allowedValue' in params ? [JSON.stringify(params['allowedValue'])] : [],
  );
  const isOfValues = validation.every(
    ({ keyword, instancePath }) => instancePath === place && (keyword === 'const' || keyword === 'anyOf'),
  );
  return isOfValues && values.length > 0
    ? `${validationContext ?? ''}${place} must be one of ${values.join(', ')}`
    : message;
}

/** Sends the JSON answer of an error under `/storage/v1`. */
function sendError(reply: FastifyReply, error: RowlockError): FastifyReply {
  errorHeaders(reply, error);
  return reply.code(error.status).send(errorBody(error.reason, error.message));
}

/** Headers that belong to an error whatever its body: no caching, when to come back, what to authenticate with. */
export function errorHeaders(reply: FastifyReply, error: RowlockError): void {
  reply.removeHeader('content-type').header('cache-control', 'no-store').header('x-rowlock-reason', error.reason);
  for (const name of [
    'etag',
    'last-modified',
    'content-length',
    'content-range',
    'content-disposition',
    'accept-ranges',
  ]) {
    reply.removeHeader(name);
  }
  if (error.retryAfterSeconds !== undefined) {
    reply.header('retry-after', String(error.retryAfterSeconds));
  }
  if (error.status === 401) {
    reply.header('www-authenticate', 'Bearer');
  }
}

/** Tells whether an error comes from this process, or the machine, having no file descriptor left. */
function isOutOfFiles(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && (at.code === 'EMFILE' || at.code === 'ENFILE')) return true;
  }
  return false;
}

/**
 * Installs the error handler and the answers for unknown routes and methods. Relief is asked for as soon as a request
 * finds no file descriptor.
 */
export function installErrors(
  app: FastifyInstance,
  observe: Observe,
  { explain = async (_request, error) => error, relief }: { explain?: ExplainDenial; relief: DescriptorRelief },
): void {
  const methods = new AllowedMethods();
  app.addHook('onRoute', (route) => methods.add(route));
  app.setErrorHandler(async (thrown, request: FastifyRequest, reply) => {
    const error = await explain(request, asRowlockError(thrown));
    reportInternal(observe, error, request);
    if (isOutOfFiles(error)) relief.relieve();
    return sendError(reply, error);
  });
  app.setNotFoundHandler((request, reply) => sendError(reply, methods.refusal(request, reply)));
}

/** Reports what is ours to fix, with its cause. */
export function reportInternal(observe: Observe, error: RowlockError, request: FastifyRequest): void {
  if (error.reason === 'internal') {
    observe({
      type: 'internal_error',
      where: `${request.method} ${request.routeOptions.url ?? '?'}`,
      error: error.cause,
      request_id: request.id,
    });
  }
}
