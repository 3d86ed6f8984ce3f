/**
 * Where S3 stores say what came: one route, for whoever knows its secret. It reads any of the shapes in which stores say so,
 * and answers when it is durable that somebody will look. Invariant: nothing of a body is read before its sender is known.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance } from 'fastify';
import type { Observe } from '../../domain/observation.ts';
import { isSubscribeUrl, readStoreEvents, type StoreEvent } from '../../domain/store-events.ts';
import type { Announced } from '../../operations/announce-bytes.ts';
import { isSecret } from '../bearer-secret.ts';
import { parseJsonBody } from '../json-body.ts';

export interface StoreEventParts {
  /** What senders must know. */
  readonly secret: string;
  readonly announce: (events: readonly StoreEvent[]) => Promise<Announced>;
  readonly observe: Observe;
  /** How SNS is told that it may send; `fetch` unless given. */
  readonly fetch?: typeof fetch;
}

/** S3 says it in less than a kilobyte; others gather. */
const bodyBytesMax = 1_048_576;
const confirmMs = 5000;

/** Registers `POST /events/s3`. */
export function storeEventRoutes(app: FastifyInstance, parts: StoreEventParts): void {
  app.removeAllContentTypeParsers();
  // SNS says that its JSON is text, and Ceph that it is a form.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJsonBody(body, undefined),
  );
  app.post(
    '/events/s3',
    {
      schema: { hide: true },
      bodyLimit: bodyBytesMax,
      onRequest: async ({ headers }) => assertSecret(headers.authorization, parts.secret),
    },
    async (request, reply) => {
      const { events, ignored, subscribe_url } = readStoreEvents(request.body);
      if (subscribe_url !== undefined) await confirm(parts, subscribe_url);
      const { foreign, ...counts } = await parts.announce(events);
      const outcome = { ...counts, ignored: ignored + foreign };
      parts.observe({ type: 'store_events', ...outcome });
      return reply.header('cache-control', 'no-store').send(outcome);
    },
  );
}

/**
 * Senders say the secret as they can: as a bearer token, alone (MinIO), or as the password of a name (SNS, Ceph).
 *
 * @throws RowlockError `auth_required`, `invalid_token`
 */
function assertSecret(header: string | undefined, secret: string): void {
  if (header === undefined) {
    throw new RowlockError('auth_required', 'Events are taken from those who know the secret');
  }
  const isKnown = isSecret(saidIn(header), secret);
  if (!isKnown) throw new RowlockError('invalid_token', 'That is not the secret for events');
}

function saidIn(header: string): string {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(header) ?? [];
  const decoded = (): string => Buffer.from(value, 'base64').toString();
  if (/^basic$/i.test(scheme)) return decoded().replace(/^[^:]*:/, '');
  return /^bearer$/i.test(scheme) ? value : header;
}

/** Tells SNS that it may send. Whatever comes of it, it asks again. */
async function confirm({ observe, fetch: get = fetch }: StoreEventParts, url: string): Promise<void> {
  if (!isSubscribeUrl(url)) {
    observe({ type: 'lifecycle', message: 'events of S3: asked to confirm at a URL that is none of SNS; not opened' });
    return;
  }
  try {
    const answer = await get(url, { redirect: 'error', signal: AbortSignal.timeout(confirmMs) });
    await answer.body?.cancel();
    observe({
      type: 'lifecycle',
      message: `events of S3: SNS was told that it may send, and answered ${answer.status}`,
    });
  } catch (error) {
    observe({ type: 'internal_error', where: 'events of S3: SNS could not be told that it may send', error });
  }
}
