/**
 * The change feed over HTTP: pages, server-sent events, and a WebSocket. The feed decides what a caller is shown and how
 * long; here it is spelled. Invariant: a token comes in a header, never in a URL.
 */
import { type ChangePage, RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FeedEvent, Follower } from '../../changes/change-feed.ts';
import type { Caller } from '../../domain/caller.ts';
import { assertPartOfNames } from '../../domain/names.ts';
import type { AppOptions } from '../app-options.ts';
import { baseUrl } from '../base-url.ts';
import { reportInternal } from '../errors.ts';
import { eventText, writeTaken } from '../event-source.ts';
import { asksForWebSocket } from '../upgrades.ts';
import { changesProtocol, openWebSocket, sendMessages } from '../web-socket.ts';
import { oneAuthorization, withCaller } from '../with-caller.ts';

const filterQuery = {
  bucket: Type.Optional(Type.String({ maxLength: 255, description: 'changes of this bucket only' })),
  prefix: Type.Optional(Type.String({ description: 'changes of paths that begin with this only' })),
  since: Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'the cursor of what was read last, or "oldest"; now when it is missing',
    }),
  ),
};
const streamQuery = Type.Object(filterQuery);
const pageQuery = Type.Object({
  ...filterQuery,
  limit: Type.String({ pattern: '^[1-9]\\d{0,2}$|^1000$', default: '100', description: 'changes that are looked at' }),
  wait: Type.String({ pattern: '^([1-5]?\\d|60)$', default: '0', description: 'seconds to wait for a change' }),
});

type StreamRoute = { Querystring: Static<typeof streamQuery> };
type PageRoute = { Querystring: Static<typeof pageQuery> };

/** Pages without a change that are skipped for one answer before the client is asked to come again. */
const emptyPagesMax = 20;
/** When an EventSource comes again, in milliseconds. */
const retryMs = 3000;

/** Registers the change feed below the prefix. */
export function eventRoutes(app: FastifyInstance, options: AppOptions): void {
  const { feed } = options;
  const tags = ['changes'];
  const exposeHeadRoute = false; // an answer that does not end has no length to tell

  app.get<PageRoute>(
    '/changes',
    {
      exposeHeadRoute,
      schema: { tags, summary: 'Changes behind a cursor, now or when there are some', querystring: pageQuery },
    },
    withCaller<PageRoute>(options, async (caller, request, reply) => {
      const { limit, wait } = request.query;
      const follower = followerOf(caller, request, 'page', goneSignal(reply, Number(wait) * 1000));
      return wait === '0' ? nextPage(options, follower, Number(limit)) : awaitPage(options, follower, Number(limit));
    }),
  );

  app.get<StreamRoute>(
    '/changes/stream',
    { exposeHeadRoute, schema: { tags, summary: 'Changes as server-sent events', querystring: streamQuery } },
    withCaller<StreamRoute>(options, async (caller, request, reply) => {
      const events = feed.follow(followerOf(caller, request, 'stream', goneSignal(reply)));
      const first = await events.next();
      if (first.done !== true) {
        await sendEvents(options, request, reply, { events, first: first.value });
      }
    }),
  );

  const followBySocket = withCaller<StreamRoute>(
    options,
    async (caller, request, reply) => {
      if (!asksForWebSocket(request.raw)) {
        throw new RowlockError('invalid_request', 'This address speaks WebSocket; for HTTP there is /changes/stream');
      }
      const gone = new AbortController();
      request.raw.socket.once('close', () => gone.abort());
      const events = feed.follow(followerOf(caller, request, 'websocket', gone.signal));
      const first = await events.next();
      const socket = first.done === true ? undefined : await openWebSocket(request, reply);
      if (first.done === true || socket === undefined) {
        await events.return();
        return;
      }
      await sendMessages(socket, events, first.value, feed.limits).catch((error: unknown) =>
        report(options, request, error),
      );
      observeSocket(options, request, reply);
    },
    credentialOfSocket,
  );

  app.get<StreamRoute>(
    '/changes/ws',
    { exposeHeadRoute, schema: { tags, summary: 'Changes over a WebSocket', querystring: streamQuery } },
    async (request, reply) => {
      assertOrigin(request, options);
      return followBySocket(request, reply);
    },
  );
}

/** The next page that has a change in it, or the last of all. */
async function nextPage(options: AppOptions, { caller, filter, since }: Follower, rows: number): Promise<ChangePage> {
  let page = await options.feed.page(caller, since, { ...filter, rows });
  for (let skipped = 0; page.changes.length === 0 && page.more && skipped < emptyPagesMax; skipped += 1) {
    page = await options.feed.page(caller, page.cursor, { ...filter, rows });
  }
  return page;
}

/** The same, and where it is empty the first that is not, unless the time is over before. */
async function awaitPage(options: AppOptions, follower: Follower, rows: number): Promise<ChangePage> {
  let found: ChangePage | undefined;
  for await (const event of options.feed.follow({ ...follower, rows })) {
    if (event.type === 'page') {
      found = event.page;
      if (found.changes.length > 0) break;
    } else if (event.type === 'heartbeat' && found !== undefined) {
      found = { ...found, cursor: event.cursor };
    } else if (event.type === 'end' && event.reason === 'cursor_expired') {
      throw new RowlockError(
        'cursor_expired',
        'The cursor is no longer known; list again, and follow from a new cursor',
      );
    }
  }
  return found ?? nextPage(options, follower, rows);
}

interface OpenedFeed {
  readonly events: AsyncGenerator<FeedEvent, void, undefined>;
  readonly first: FeedEvent;
}

async function sendEvents(
  options: AppOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  { events, first }: OpenedFeed,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
  raw.writeHead(200, { ...definedHeaders(reply), ...headers });
  let text = `retry: ${retryMs}\n\n`;
  try {
    for (
      let event: FeedEvent | undefined = first;
      event !== undefined;
      event = (await events.next()).value ?? undefined
    ) {
      text += textOf(event);
      if (!(await writeTaken(raw, text, options.feed.limits.drain_ms))) {
        raw.destroy();
        break;
      }
      text = '';
    }
  } catch (error) {
    report(options, request, error);
  } finally {
    await events.return();
    raw.end();
  }
}

function textOf(event: FeedEvent): string {
  switch (event.type) {
    case 'heartbeat':
      return `: nothing new\n${eventText({ id: event.cursor })}`;
    case 'end':
      return eventText({ event: 'end', data: { reason: event.reason } });
    case 'page': {
      const { changes, cursor } = event.page;
      const moved = changes.at(-1)?.cursor === cursor ? '' : eventText({ id: cursor });
      return changes.map((change) => eventText({ id: change.cursor, data: change })).join('') + moved;
    }
  }
}

function followerOf(
  caller: Caller,
  request: FastifyRequest<StreamRoute>,
  transport: Follower['transport'],
  signal: AbortSignal,
): Follower {
  const { bucket, prefix, since } = request.query;
  if (prefix !== undefined) assertPartOfNames(prefix);
  const last = request.headers['last-event-id'];
  return {
    caller,
    filter: { bucket, prefix: prefix?.normalize('NFC') },
    since: typeof last === 'string' && last !== '' ? last.slice(0, 64) : since,
    transport,
    signal,
  };
}

/** Given when the client is gone, or the time is over. */
function goneSignal(reply: FastifyReply, timeoutMs = 0): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return timeoutMs === 0 ? gone.signal : AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)]);
}

/**
 * A token from the header, or from where a browser can put one: `new WebSocket(url, ['rowlock.changes.v1', 'bearer.' +
 * token])`.
 *
 * @throws RowlockError `invalid_token` for two
 */
function credentialOfSocket(request: FastifyRequest['raw']): string | undefined {
  const inHeader = oneAuthorization(request);
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  const tokens = offered.filter((each) => each.startsWith('bearer.'));
  if (tokens.length + (inHeader === undefined ? 0 : 1) > 1) {
    throw new RowlockError('invalid_token', 'A request has one token');
  }
  const token = tokens[0]?.slice('bearer.'.length);
  return token === undefined ? inHeader : `Bearer ${token}`;
}

/** Browsers let a page of any origin open a WebSocket, and ask nobody. */
function assertOrigin(request: FastifyRequest, options: AppOptions): void {
  const { origin } = request.headers;
  const { corsOrigins } = options;
  const isAllowed =
    origin === undefined ||
    corsOrigins.includes('*') ||
    corsOrigins.includes(origin) ||
    origin === new URL(baseUrl(options, request)).origin;
  if (!isAllowed) {
    throw new RowlockError('not_allowed', `Pages of this origin may not open a WebSocket here (${changesProtocol})`);
  }
}

/** A WebSocket is no answer whose end could be observed. */
function observeSocket(options: AppOptions, request: FastifyRequest, reply: FastifyReply): void {
  options.observe({
    type: 'request',
    method: request.method,
    route: request.routeOptions.url ?? 'unknown',
    status: 101,
    duration_ms: reply.elapsedTime,
    request_id: request.id,
  });
}

function report(options: AppOptions, request: FastifyRequest, cause: unknown): void {
  reportInternal(options.observe, new RowlockError('internal', 'The stream broke', { cause }), request);
}

function definedHeaders(reply: FastifyReply): Record<string, string | number | string[]> {
  const headers = Object.entries(reply.getHeaders());
  return Object.fromEntries(headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
