/** For operators: is the process alive, can it serve, what has it measured. None of them needs a token. */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from '../app-options.ts';

const readyForMs = 1000;

/** Registers `/healthz` (the process answers), `/readyz` (it can serve; asked at most once a second) and `/metrics`. */
export function healthRoutes(app: FastifyInstance, options: AppOptions): void {
  let checkedAt = 0;
  let checking: Promise<void> = Promise.resolve();
  const tags = ['operations'];

  app.get('/healthz', { schema: { tags, summary: 'Is the process alive' } }, () => ({
    status: 'healthy',
    version: options.version,
  }));
  app.get('/readyz', { schema: { tags, summary: 'Can it serve' } }, async () => {
    if (Date.now() - checkedAt > readyForMs) {
      checkedAt = Date.now();
      checking = options.ready();
    }
    await checking.catch((cause: unknown) => {
      throw cause instanceof RowlockError
        ? cause
        : new RowlockError('unavailable', 'The backend cannot be used now', { cause, retryAfterSeconds: 5 });
    });
    return { status: 'ready' };
  });
  app.get('/metrics', { schema: { tags, summary: 'Metrics for Prometheus' } }, async (_request, reply) => {
    const { content_type, text } = await options.metrics();
    return reply.type(content_type).send(text);
  });
}
