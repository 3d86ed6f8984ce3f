/**
 * For operators: is the process alive, can it serve, what has it measured. None of them needs a caller, so none costs
 * more than an answer from memory, however often it is asked.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from '../app-options.ts';
import { assertBearerSecret } from '../bearer-secret.ts';

/** How long what was found out is answered again. */
const freshForMs = 1000;

/** Registers `/healthz` (the process answers), `/readyz` (it can serve) and `/metrics`; the last two are found out at most once a second. */
export function healthRoutes(app: FastifyInstance, options: AppOptions): void {
  const ready = remembered(options.ready);
  const metrics = remembered(options.metrics);
  const tags = ['operations'];

  app.get('/healthz', { schema: { tags, summary: 'Is the process alive' } }, () => ({
    status: 'healthy',
    version: options.version,
  }));
  app.get('/readyz', { schema: { tags, summary: 'Can it serve' } }, async () => {
    await ready().catch((cause: unknown) => {
      throw cause instanceof RowlockError
        ? cause
        : new RowlockError('unavailable', 'The backend cannot be used now', { cause, retryAfterSeconds: 5 });
    });
    return { status: 'ready', ...concerns(options) };
  });
  app.get('/metrics', { schema: { tags, summary: 'Metrics for Prometheus' } }, async (request, reply) => {
    if (options.metricsToken !== undefined) {
      assertBearerSecret(request.headers.authorization, options.metricsToken, 'Metrics are for operators');
    }
    const { content_type, text } = await metrics();
    return reply.type(content_type).header('cache-control', 'no-store').send(text);
  });
}

/** What the look at the start did not like: what and what to do, and no number or name, since anybody may ask. */
function concerns({ health }: AppOptions): { readonly concerns?: readonly object[] } {
  const found = health().filter(({ state }) => state !== 'ok');
  return found.length === 0 ? {} : { concerns: found.map(({ check, state, fix }) => ({ check, state, fix })) };
}

/** Asks at most once in a while, however many ask at once; a failure is remembered too. */
function remembered<T>(find: () => Promise<T>): () => Promise<T> {
  let found: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (found === undefined || now - found.at > freshForMs) {
      found = { at: now, answer: find() };
    }
    return found.answer;
  };
}
