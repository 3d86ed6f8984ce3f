/**
 * Follows the change feed as one loop over many connections: it resumes behind the last change that was taken, asks for a
 * new token when one ends, and waits longer each time where nothing answers. Changes come at least once, as the feed has
 * them; what a consumer does with a lower revision is its own affair.
 */
import type { StorageClient } from './client.ts';
import type { Change } from './contract/changes.ts';
import { isRowlockError, RowlockError } from './contract/errors.ts';
import { queryOf } from './filled.ts';
import { rest } from './wait.ts';

export interface FollowOptions {
  /** Behind which cursor to begin: one of a page or of a change, or `oldest`. Now unless given. */
  readonly since?: string | undefined;
  readonly bucket?: string | undefined;
  /** What paths begin with. */
  readonly prefix?: string | undefined;
  /** Ends the loop without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each connection that is lost, with what was wrong where that is known. */
  readonly onInterrupted?: ((cause: unknown) => void) | undefined;
}

interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

const firstWaitMs = 250;
const longestWaitMs = 10_000;
/** The feed says something four times as often. */
const silenceMaxMs = 60_000;

/**
 * Changes, until the signal is given or the loop over them is left.
 *
 * @throws RowlockError `cursor_expired` where changes were missed, which is when to list anew, and every refusal that
 *   another try would meet again
 */
export async function* followChanges(
  client: StorageClient,
  options: FollowOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const { signal } = options;
  let since = options.since;
  for (let waitMs = firstWaitMs; signal?.aborted !== true; ) {
    let failure: unknown = new RowlockError('unavailable', 'The stream ended before it began');
    try {
      for await (const event of eventsOf(client, { ...options, since })) {
        failure = undefined;
        waitMs = firstWaitMs;
        yield* changesIn(event);
        since = event.id ?? since;
      }
    } catch (error) {
      if (!isWorthAnotherTry(error, signal)) throw error;
      failure = error;
    }
    if (signal?.aborted) return;
    options.onInterrupted?.(failure);
    const asked = isRowlockError(failure) ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
    await rest(failure === undefined ? 0 : Math.max(waitMs, asked), signal);
    waitMs = failure === undefined ? waitMs : Math.min(waitMs * 2, longestWaitMs);
  }
}

async function* eventsOf(
  client: StorageClient,
  { since, bucket, prefix, signal }: FollowOptions,
): AsyncGenerator<ServerEvent, void, undefined> {
  const quiet = new AbortController();
  const either = signal === undefined ? quiet.signal : AbortSignal.any([signal, quiet.signal]);
  const giveUp = (): void => quiet.abort(new RowlockError('unavailable', 'The stream has fallen silent'));
  let timer = setTimeout(giveUp, silenceMaxMs);
  try {
    const path = `/storage/v1/changes/stream${queryOf({ since, bucket, prefix })}`;
    const answer = await client.send({ method: 'GET', path, signal: either });
    for await (const block of blocksOf(answer)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silenceMaxMs);
      yield eventOf(block);
    }
  } finally {
    clearTimeout(timer);
    quiet.abort();
  }
}

/** The texts between empty lines. */
async function* blocksOf(answer: Response): AsyncGenerator<string, void, undefined> {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    text += decoder.decode(part.value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    yield* blocks;
  }
}

function eventOf(block: string): ServerEvent {
  const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]));
  return { event: fields.get('event') ?? 'message', id: fields.get('id'), data: fields.get('data') ?? '' };
}

/** The change of an event, if it has one. A stream that ends says why: mostly it is only a reason to come again. */
function changesIn({ event, data }: ServerEvent): readonly Change[] {
  if (event !== 'end') {
    return data === '' ? [] : [JSON.parse(data) as Change];
  }
  const { reason } = JSON.parse(data) as { readonly reason?: unknown };
  if (reason === 'cursor_expired') {
    throw new RowlockError('cursor_expired', 'Changes were missed; list again, and follow from a new cursor');
  }
  if (reason === 'not_allowed') {
    throw new RowlockError('not_allowed', 'The feed may not be followed any more');
  }
  return [];
}

function isWorthAnotherTry(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return true;
  if (error instanceof SyntaxError) return false; // no feed of ours, and it would be the same again
  // What is no error of the service's is a connection that broke while it was read.
  return !isRowlockError(error) || isRowlockError(error, 'unavailable', 'too_many_streams', 'rate_limited');
}
