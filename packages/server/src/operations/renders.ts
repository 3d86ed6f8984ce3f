/**
 * Renders pictures on demand and keeps them: in one process each is rendered once at a time, among processes by whoever has
 * the lease of its row, and no more at once than the process can bear. Who may see an object is not asked here. Invariant:
 * what is kept belongs to a version that was there, unquarantined, when it was attached.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import { type GetResult, isNotFound } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import { versionKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import type { Observe } from '../domain/observation.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import type { PictureParameters } from '../domain/transform.ts';
import type { Database } from '../metadata/database.ts';
import {
  beginRender,
  isLeased,
  type RenderOrder,
  renderCommit,
  renderFail,
  renderGiveUp,
  renderIntent,
  rendersTrim,
  rendersUsed,
} from '../metadata/renders.ts';
import { RenderLine, type RenderLineLimits } from './render-line.ts';
import { type SharedWork, SharedWorks } from './shared-work.ts';

/** A picture that was made. */
export interface Picture {
  readonly data: Buffer;
  readonly content_type: string;
  readonly width: number;
  readonly height: number;
}

/** Why no picture can be made of some bytes, in words for whoever may read them. */
export class RenderFailure extends Error {
  /** Whether another attempt with the same bytes would end the same. */
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.permanent = permanent;
  }
}

/** Makes pictures, in processes that may be killed. */
export interface PictureMaker {
  /** The largest file that it takes, in bytes. */
  readonly bytesMax: number;
  /** 64 hexadecimal digits that stand for a picture, whatever it is made of. */
  digestOf(parameters: PictureParameters): string;
  /** Reads the file to its end, or destroys it. @throws RenderFailure; whatever reading the file fails with */
  make(file: GetResult, parameters: PictureParameters): Promise<Picture>;
  /** Ends what is being made. */
  stop(): Promise<void>;
}

export interface RendersOptions extends RenderLineLimits {
  readonly db: Database;
  readonly backends: Backends;
  readonly maker: PictureMaker;
  readonly observe: Observe;
  /** Ascending: what sizes are brought to where nobody signed for others. */
  readonly sizes: readonly number[];
}

/** What is to be made of which bytes. */
export interface Order {
  readonly source_id: string;
  readonly source_key: string;
  readonly source_backend: string;
  /** Bytes. */
  readonly source_size: number;
  readonly source_type: string | null;
  /** Where it was asked for. */
  readonly bucket: string;
  /** Whether nobody knows who asks: they wait in half of the line, so that they cannot fill it for the others. */
  readonly anonymous: boolean;
  readonly digest: string;
  readonly parameters: PictureParameters;
}

/** Longer than a render may take, with the bytes that come and go. */
const leaseSeconds = 90;
/** How long somebody waits for another process. */
const patienceMs = 20_000;
const lookMs = { first: 20, most: 250 };
/** A picture that crashed its decoder is not tried again at once. */
const coolingSeconds = 5;
const usesFlushMs = 15_000;
const usesMax = 1000;
const digestsMax = 5000;

/** All rendering on demand of one process. */
export class Renders {
  readonly sizes: readonly number[];
  readonly #options: RendersOptions;
  readonly #line: RenderLine;
  readonly #works: SharedWorks<Picture | undefined> = new SharedWorks();
  readonly #used: Set<string> = new Set();
  readonly #digests: Map<string, string> = new Map();
  /** Bytes that may still be kept before the bucket is trimmed; of buckets that something was kept for. */
  readonly #room: Map<string, number> = new Map();
  readonly #flushing: NodeJS.Timeout;

  constructor(options: RendersOptions) {
    this.sizes = options.sizes;
    this.#options = options;
    this.#line = new RenderLine(options);
    this.#flushing = setInterval(() => void this.#flushUses(), usesFlushMs).unref();
  }

  /** Remembers: the same few pictures are asked for all the time. */
  digestOf(parameters: PictureParameters): string {
    const { width, height, fit, format, quality } = parameters;
    const name = `${width} ${height} ${fit} ${format} ${quality}`;
    const known = this.#digests.get(name);
    if (known !== undefined) return known;
    if (this.#digests.size >= digestsMax) this.#digests.clear();
    const digest = this.#options.maker.digestOf(parameters);
    this.#digests.set(name, digest);
    return digest;
  }

  /** Says that a picture was read. */
  used(variantId: string): void {
    if (this.#used.size < usesMax) this.#used.add(variantId);
  }

  /**
   * Makes a picture, or waits for whoever makes it. Answers undefined where the object is to be looked at again: the picture is
   * there, or its source is not.
   *
   * @throws RowlockError `media_type_not_allowed`, `too_large`, `render_failed`, `unavailable`; the signal's reason
   */
  make(order: Order, signal: AbortSignal): Promise<Picture | undefined> {
    return this.#works.join(`${order.source_id} ${order.digest}`, (shared) => this.#makeOnce(order, shared), signal);
  }

  /** Ends what is being made, and writes down what was read. */
  async close(): Promise<void> {
    clearInterval(this.#flushing);
    await this.#options.maker.stop();
    await this.#works.settled();
    await this.#flushUses();
  }

  async #makeOnce(order: Order, shared: SharedWork): Promise<Picture | undefined> {
    const { maker } = this.#options;
    if (order.source_size > maker.bytesMax) {
      throw new RowlockError('too_large', `No pictures are made of files over ${maker.bytesMax / 2 ** 20} MiB`);
    }
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const endTurn = await this.#line.turn(shared.abandoned, order.anonymous ? 0.5 : 1);
      try {
        const renderId = timeOrderedUuid();
        const { verdict, error } = await beginRender(this.#options.db, rowOf(order), renderId, leaseSeconds);
        if (verdict === 'render' || verdict === 'unkept') {
          shared.begun();
          return await this.#observed(() => this.#render(order, verdict === 'render' ? renderId : undefined));
        }
        if (verdict === 'done' || verdict === 'gone') return undefined;
        if (verdict !== 'wait') throw refusal(verdict, error, order);
      } finally {
        endTurn();
      }
      await this.#other(order, deadline, shared.abandoned);
    }
  }

  /** Waits while another process renders the same. */
  async #other({ source_id, digest }: Order, deadline: number, signal: AbortSignal): Promise<void> {
    let waitMs = lookMs.first;
    do {
      if (performance.now() >= deadline) {
        throw new RowlockError('unavailable', 'The picture is still being made; try again', { retryAfterSeconds: 2 });
      }
      await pause(waitMs, undefined, { signal });
      waitMs = Math.min(waitMs * 2, lookMs.most);
    } while (await isLeased(this.#options.db, source_id, digest));
  }

  async #observed<Result>(work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now();
    let outcome: 'made' | 'failed' | 'broken' = 'broken';
    try {
      const result = await work();
      outcome = 'made';
      return result;
    } catch (error) {
      if (isRowlockError(error, 'render_failed')) outcome = 'failed';
      throw error;
    } finally {
      this.#options.observe({ type: 'render', outcome, duration_ms: performance.now() - begun });
    }
  }

  /** Renders with a lease, or without one what is not kept. */
  async #render(order: Order, renderId: string | undefined): Promise<Picture | undefined> {
    const { db, backends, maker } = this.#options;
    let picture: Picture;
    try {
      await fault('render.before_read');
      const file = await backends.of(order.source_backend).get(order.source_key);
      picture = await maker.make(file, order.parameters);
    } catch (error) {
      if (renderId !== undefined) await this.#recordFailure(renderId, error);
      if (isNotFound(error)) return undefined;
      throw error instanceof RenderFailure ? refusalOf(error) : error;
    }
    if (renderId === undefined) return picture;
    try {
      const isThere = await this.#keep(order, renderId, picture);
      return isThere ? picture : undefined;
    } catch (error) {
      this.#report('a picture that was made could not be kept', error);
      await db.run(renderGiveUp, [renderId]).catch((again: unknown) => this.#report('its lease runs on', again));
      return picture;
    }
  }

  async #recordFailure(renderId: string, error: unknown): Promise<void> {
    const { db } = this.#options;
    const recorded =
      error instanceof RenderFailure
        ? db.run(renderFail, [renderId, error.message, error.permanent, error.permanent ? 0 : coolingSeconds])
        : db.run(renderGiveUp, [renderId]);
    await recorded.catch((again: unknown) => this.#report('why a picture was not made could not be recorded', again));
  }

  /** Stores a picture where its source is. False where it is not to be shown: its source went meanwhile. */
  async #keep(order: Order, renderId: string, picture: Picture): Promise<boolean> {
    const { db, backends } = this.#options;
    const backend = backends.of(order.source_backend);
    const key = versionKey(renderId);
    const [intent] = await db.run<{ is_wanted: boolean }>(renderIntent, [renderId, backend.name, key]);
    if (intent?.is_wanted !== true) return false; // somebody else keeps theirs, or the source was purged
    await fault('render.after_intent');
    await backend.put(key, Readable.from([picture.data]), { contentType: picture.content_type });
    await fault('render.before_commit');
    const [commit] = await db.run<{ outcome: 'kept' | 'late' | 'gone' }>(renderCommit, [
      order.source_id,
      renderId,
      picture.data.byteLength,
      createHash('sha256').update(picture.data).digest(),
      picture.content_type,
      picture.width,
      picture.height,
    ]);
    if (commit?.outcome === 'kept') await this.#stayWithin(order.bucket, picture.data.byteLength);
    return commit?.outcome !== 'gone';
  }

  /** Trims the bucket once this process has kept a sixteenth of its budget. */
  async #stayWithin(bucket: string, bytes: number): Promise<void> {
    const room = (this.#room.get(bucket) ?? 0) - Math.max(bytes, 4096);
    this.#room.set(bucket, room);
    if (room > 0) return;
    const [trimmed] = await this.#options.db.run<{ budget: string }>(rendersTrim, [bucket]);
    this.#room.set(bucket, Number(trimmed?.budget ?? 0) / 16);
  }

  async #flushUses(): Promise<void> {
    if (this.#used.size === 0) return;
    const ids = [...this.#used];
    this.#used.clear();
    try {
      await this.#options.db.run(rendersUsed, [ids]);
    } catch (error) {
      this.#report('what was read of pictures could not be written down', error);
    }
  }

  #report(message: string, error: unknown): void {
    this.#options.observe({ type: 'queue', message, error });
  }
}

function rowOf({ source_id, bucket, digest, parameters }: Order): RenderOrder {
  return { source_id, bucket, digest, parameters };
}

function refusal(verdict: string, error: string | null, { source_type }: Order): RowlockError {
  switch (verdict) {
    case 'unsupported':
      return new RowlockError('media_type_not_allowed', `No pictures are made of ${source_type ?? 'this'}`);
    case 'failed':
      return new RowlockError('render_failed', `No picture can be made: ${error ?? 'the reason is not known'}`);
    default:
      return new RowlockError('unavailable', `The picture was not made: ${error ?? 'try again'}`, {
        retryAfterSeconds: coolingSeconds,
      });
  }
}

function refusalOf(failure: RenderFailure): RowlockError {
  return failure.permanent
    ? new RowlockError('render_failed', `No picture can be made: ${failure.message}`, { cause: failure })
    : new RowlockError('unavailable', `The picture was not made: ${failure.message}`, {
        cause: failure,
        retryAfterSeconds: coolingSeconds,
      });
}
