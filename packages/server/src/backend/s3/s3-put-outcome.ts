/**
 * What became of a request that lets bytes appear, where the answer may have been lost. Every put marks its bytes, so
 * what is found under the key is known to be its own or not. Invariant: nothing of another put is removed or taken for
 * one's own.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectCannedACL } from '@aws-sdk/client-s3';
import { RowlockError } from '@rowlock/client/contract';
import { isNotFound } from '../backend.ts';
import type { Place, S3Store } from './s3-client.ts';
import { isCalled, isRefusal, s3Attempts, s3Error } from './s3-errors.ts';
import type { Gate } from './s3-gate.ts';
import type { PartBuffers } from './s3-part-buffers.ts';

/** One put on its way. */
export interface PutState {
  readonly store: S3Store;
  /** Permits for parts on their way, beside the one that every put may have. */
  readonly gate: Gate;
  readonly buffers: PartBuffers;
  readonly place: Place;
  /** The metadata by which it knows its own bytes. */
  readonly mark: Readonly<Record<string, string>>;
  /** What the store answers with, where clients read the object without us. */
  readonly answered: AnsweredWith;
  readonly signal: AbortSignal;
}

/** As the SDK spells it. */
export interface AnsweredWith {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ACL?: ObjectCannedACL;
}

const markName = 'rowlock-put';
/** How often a store may say that two writers meet at a key. */
const conflictsMax = 5;
const conflictMs = 100;

/** Makes the metadata of a new put; what else is to be kept beside its bytes never takes the mark's place. */
export function newPutMark(metadata: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { ...metadata, [markName]: randomUUID() };
}

/** Refuses a key that exists, where the store itself would replace it. */
export async function refuseExisting({ store, place, signal }: PutState): Promise<void> {
  try {
    await store.call((options) => store.client.headObject(place, options), signal);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  throw new RowlockError('object_exists', 'The key has bytes already.');
}

/**
 * Makes a request that lets bytes appear, and resolves when they have.
 *
 * Where the store has refused, nothing is there. Where its answer was lost, the bytes may be: then what is under the key
 * is looked at, and if it is of this put, the put has succeeded; or what its caller aborted is removed.
 */
export async function settled(state: PutState, request: () => Promise<unknown>): Promise<void> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      await request();
      return;
    } catch (error) {
      if (!isCalled(error, 'ConditionalRequestConflict') || conflicts === conflictsMax) {
        await keepOrRemove(state, error);
        return;
      }
    }
    await delay(conflictMs * Math.random(), undefined, { signal: state.signal });
  }
}

async function keepOrRemove(state: PutState, error: unknown): Promise<void> {
  const { store, place, signal } = state;
  const isUndone = isRefusal(error) && s3Attempts(error) === 1;
  // Without the signal, which may have aborted. Where these two calls fail, the sweep finds what is left.
  const isOurs = !isUndone && (await isOwn(state).catch(() => false));
  if (isOurs && !signal.aborted) return;
  if (isOurs) await store.call((options) => store.client.deleteObject(place, options)).catch(() => undefined);
  throw s3Error(error);
}

async function isOwn({ store, place, mark }: PutState): Promise<boolean> {
  const found = await store.call((options) => store.client.headObject(place, options));
  return found.Metadata?.[markName] === mark[markName];
}
