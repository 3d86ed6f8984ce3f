/**
 * The change feed of a process: pages for whoever asks, and followers who are told when there is more. Each page is read
 * under its caller's claims as they are then; nothing that one caller was shown is kept for another. No connection of the
 * database is held between two pages.
 */
import { type ChangePage, isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import type { Observe } from '../domain/observation.ts';
import { type ChangeFilter, notifyListeners, pollChanges, selectChanges } from '../metadata/changes.ts';
import type { Database } from '../metadata/database.ts';
import { ChangePoller } from './change-poller.ts';
import { defaultFeedLimits, type FeedLimits } from './feed-limits.ts';
import { Gate } from './gate.ts';

export type { ChangeFilter } from '../metadata/changes.ts';

/** How a follower got its changes: a label of metrics. */
export type Transport = 'page' | 'stream' | 'websocket';

export type EndReason = 'token_expired' | 'time_limit' | 'server_stopping' | 'cursor_expired' | 'not_allowed';

/** What a follower is given: changes, or that there was nothing for a while, or that it is over. */
export type FeedEvent =
  | { readonly type: 'page'; readonly page: ChangePage }
  | { readonly type: 'heartbeat'; readonly cursor: string }
  | { readonly type: 'end'; readonly reason: EndReason };

export interface Follower {
  readonly caller: Caller;
  readonly filter: ChangeFilter;
  /** A cursor, `oldest`, or now when undefined. */
  readonly since: string | undefined;
  readonly transport: Transport;
  /** Changes that one page looks at; as many as the limits say unless given. */
  readonly rows?: number;
  /** Given when the client is gone. */
  readonly signal: AbortSignal;
}

/** What a follower has seen, and when it must come again. */
interface Waiting {
  /** The poller's when the last page was read; undefined where it could not be. */
  readonly version: number | undefined;
  readonly cursor: string;
  readonly endAt: number;
}

/** How long to wait before asking again a database that cannot be used now. */
const unavailableMs = 1000;

export class ChangeFeed {
  readonly limits: FeedLimits;
  readonly #db: Database;
  readonly #observe: Observe;
  readonly #poller: ChangePoller;
  readonly #gate: Gate;
  readonly #following: Map<string, number> = new Map();
  #streams = 0;
  #isClosed = false;

  constructor(db: Database, observe: Observe, limits: Partial<FeedLimits> = {}) {
    this.limits = { ...defaultFeedLimits, ...limits };
    this.#db = db;
    this.#observe = observe;
    this.#gate = new Gate(this.limits.reads_max);
    this.#poller = new ChangePoller({
      poll: (since) => pollChanges(db, since),
      notify: (newest) => notifyListeners(db, newest),
      poll_ms: this.limits.poll_ms,
      idle_poll_ms: this.limits.idle_poll_ms,
      polled: (lag_seconds) => observe({ type: 'changes_polled', lag_seconds, streams: this.#streams }),
    });
  }

  /** Says that something was probably written through this process just now. */
  hint(): void {
    this.#poller.hint();
  }

  /**
   * One page. At most `rows` changes are looked at; the page may be empty while there are more.
   *
   * @throws RowlockError `cursor_expired`, `invalid_request`, `unavailable`, and what refuses the caller
   */
  async page(
    caller: Caller,
    since: string | undefined,
    request: ChangeFilter & { readonly rows: number },
  ): Promise<ChangePage> {
    const page = await this.#gate.run(() => selectChanges(this.#db, caller, since, request));
    this.#sent('page', page);
    return page;
  }

  /**
   * Follows the feed: the first event is a page, and comes at once; the last one says why it ends. Ends without one when
   * the signal is given. Whoever takes events slowly is read for slowly.
   *
   * @throws RowlockError what the first page is refused with, and `too_many_streams`
   */
  async *follow(follower: Follower): AsyncGenerator<FeedEvent, void, undefined> {
    const key = followerKey(follower);
    this.#enter(key);
    const began = performance.now();
    let reason = 'client_closed';
    try {
      for await (const event of this.#events(follower)) {
        if (event.type === 'page') this.#sent(follower.transport, event.page);
        if (event.type === 'end') reason = event.reason;
        yield event;
      }
    } catch (error) {
      reason = 'failed';
      throw error;
    } finally {
      this.#leave(key);
      const { transport } = follower;
      this.#observe({ type: 'stream_ended', transport, reason, duration_ms: performance.now() - began });
    }
  }

  /** Ends every follower with `server_stopping`, and takes no more. */
  close(): void {
    this.#isClosed = true;
    this.#poller.close();
  }

  async *#events(follower: Follower): AsyncGenerator<FeedEvent, void, undefined> {
    const { signal } = follower;
    const end = endOf(follower.caller, this.limits.lifetime_ms);
    let cursor: string | undefined;
    while (!signal.aborted) {
      if (Date.now() >= end.at) {
        yield { type: 'end', reason: end.reason };
        return;
      }
      const version = this.#poller.version;
      const page = await this.#read(follower, cursor);
      if (signal.aborted) return;
      if (typeof page === 'string') {
        yield { type: 'end', reason: page };
        return;
      }
      const isFirst = cursor === undefined;
      cursor = page?.cursor ?? cursor;
      if (page !== undefined && (isFirst || page.changes.length > 0)) {
        yield { type: 'page', page };
      }
      if (page?.more !== true) {
        yield* this.#untilChanged(follower, { version: page && version, cursor: cursor ?? '', endAt: end.at });
      }
      if (this.#isClosed) {
        yield { type: 'end', reason: 'server_stopping' };
        return;
      }
    }
  }

  /** A page; undefined while the database cannot be used; or why there is no further page. */
  async #read(follower: Follower, cursor: string | undefined): Promise<ChangePage | EndReason | undefined> {
    const { caller, filter, since } = follower;
    try {
      const rows = follower.rows ?? this.limits.page_rows;
      return await this.#gate.run(() => selectChanges(this.#db, caller, cursor ?? since, { ...filter, rows }));
    } catch (error) {
      if (cursor === undefined) throw error;
      if (isRowlockError(error, 'unavailable')) return undefined;
      if (isRowlockError(error, 'cursor_expired')) return 'cursor_expired';
      if (isRowlockError(error, 'not_allowed', 'role_not_allowed')) return 'not_allowed';
      throw error;
    }
  }

  /** Heartbeats until there may be something new. After a heartbeat it is looked again if anything changed anywhere. */
  async *#untilChanged(
    { filter: { bucket }, signal }: Follower,
    { version, cursor, endAt }: Waiting,
  ): AsyncGenerator<FeedEvent, void, undefined> {
    for (;;) {
      const timeoutMs = Math.max(0, Math.min(this.limits.heartbeat_ms, endAt - Date.now()));
      if (version === undefined) {
        await this.#poller.changed(Number.POSITIVE_INFINITY, bucket, Math.min(unavailableMs, timeoutMs), signal);
        return;
      }
      const changed = await this.#poller.changed(version, bucket, timeoutMs, signal);
      if (changed || signal.aborted || this.#isClosed || Date.now() >= endAt) return;
      yield { type: 'heartbeat', cursor };
      if (this.#poller.version > version) return; // in another bucket: moves the cursor on
    }
  }

  #enter(key: string): void {
    const { streams_max, streams_per_caller_max } = this.limits;
    const own = this.#following.get(key) ?? 0;
    if (this.#isClosed || this.#streams >= streams_max) {
      throw new RowlockError('unavailable', 'This process has as many streams as it can; try again', {
        retryAfterSeconds: 5,
      });
    }
    if (own >= streams_per_caller_max) {
      throw new RowlockError('too_many_streams', `You follow ${own} streams already; close one`, {
        retryAfterSeconds: 30,
      });
    }
    this.#streams += 1;
    this.#following.set(key, own + 1);
  }

  #leave(key: string): void {
    const own = (this.#following.get(key) ?? 1) - 1;
    this.#streams -= 1;
    if (own === 0) {
      this.#following.delete(key);
    } else {
      this.#following.set(key, own);
    }
  }

  #sent(transport: Transport, page: ChangePage): void {
    if (page.changes.length > 0) {
      this.#observe({ type: 'changes_sent', transport, count: page.changes.length });
    }
  }
}

/** Whose streams are counted together: a subject's, or those of one address without one. */
function followerKey({ caller }: Follower): string {
  const { role, subject, anonymous, origin } = caller;
  return anonymous || subject === undefined ? `${role} at ${origin?.address ?? ''}` : `${role} ${subject}`;
}

/** When a follower must come again with a token that is still good. */
function endOf(caller: Caller, lifetimeMs: number): { readonly at: number; readonly reason: EndReason } {
  const { exp } = JSON.parse(caller.claims) as { readonly exp?: unknown };
  const limit = Date.now() + lifetimeMs;
  return typeof exp === 'number' && exp * 1000 < limit
    ? { at: exp * 1000, reason: 'token_expired' }
    : { at: limit, reason: 'time_limit' };
}
