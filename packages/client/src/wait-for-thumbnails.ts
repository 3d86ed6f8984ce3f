/**
 * Waits for the thumbnails of one picture. The change feed says when to look, and where there is none, or it says nothing, the
 * looks themselves become rarer. Invariant: it ends, with what is known or with an error that says why.
 */
import type { StorageClient } from './client.ts';
import { isRowlockError, RowlockError } from './contract/errors.ts';
import type { Picture } from './contract/pictures.ts';
import { type PicturePlace, pictureOf } from './picture-of.ts';
import { rest } from './wait.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** A minute unless given. */
  readonly timeoutMs?: number | undefined;
  /** Called with each state on the way. */
  readonly onState?: ((picture: Picture) => void) | undefined;
}

const patienceMs = 60_000;
const firstWaitMs = 250;
const longestWaitMs = 3_000;

const isSettled = ({ status }: Picture): boolean => status !== 'pending' && status !== 'processing';

/** @throws RowlockError `request_timeout`, `client_closed`, and what a look at the picture throws */
export async function waitForThumbnails(
  client: StorageClient,
  place: PicturePlace,
  { signal, timeoutMs = patienceMs, onState }: WaitOptions = {},
): Promise<Picture> {
  const ended = new AbortController();
  const isOver = new AbortController();
  const timer = setTimeout(
    () => ended.abort(new RowlockError('request_timeout', `The thumbnails took longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  const cancel = (): void =>
    ended.abort(new RowlockError('client_closed', 'The wait was given up', { cause: signal?.reason }));
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  const bell = new Bell(ended.signal);
  try {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 1.5, longestWaitMs)) {
      const picture = await look(client, place, ended.signal);
      if (picture !== undefined) onState?.(picture);
      if (picture !== undefined && isSettled(picture)) return picture;
      if (picture !== undefined) bell.listen(client, picture, isOver.signal);
      await bell.rung(waitMs);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    isOver.abort();
  }
}

/** Undefined where nothing answers now. */
async function look(client: StorageClient, place: PicturePlace, signal: AbortSignal): Promise<Picture | undefined> {
  signal.throwIfAborted();
  try {
    return await pictureOf(client, place, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!isRowlockError(error, 'unavailable', 'rate_limited')) throw error;
    return undefined;
  }
}

/** Rings when the feed tells of the picture. */
class Bell {
  readonly #ended: AbortSignal;
  #listens = false;
  #ring: (() => void) | undefined;

  constructor(ended: AbortSignal) {
    this.#ended = ended;
  }

  /** From now on, where there is a feed; once. */
  listen(client: StorageClient, { bucket, name }: Picture, signal: AbortSignal): void {
    if (this.#listens || client.isPostgrest) return;
    this.#listens = true;
    void this.#follow(client, { bucket, prefix: name, signal });
  }

  async #follow(
    client: StorageClient,
    options: { readonly bucket: string; readonly prefix: string; readonly signal: AbortSignal },
  ): Promise<void> {
    try {
      for await (const change of client.follow(options)) {
        if (change.path === options.prefix) this.#ring?.();
      }
    } catch (error) {
      // Who may not follow looks more often; what else is wrong is told by the looks.
      if (!isRowlockError(error)) throw error;
    }
  }

  /** After a change, or after so long. @throws what ended the wait */
  async rung(timeoutMs: number): Promise<void> {
    await rest(timeoutMs, this.#ended, (end) => {
      this.#ring = end;
    });
    this.#ended.throwIfAborted();
  }
}
