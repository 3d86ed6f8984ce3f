/**
 * Copies the bytes of one version to another backend: an intent, the bytes under their new key, and one transaction in which
 * the version changes over. The old bytes stay for a while, for whoever reads them now, and are then purged. Invariant: the
 * version names bytes that are whole at every moment, whatever fails and whoever deletes or moves it meanwhile.
 */
import { createHash } from 'node:crypto';
import { isRowlockError } from '@rowlock/client/contract';
import { type Backend, isNotFound, isUnreadable } from '../backend/backend.ts';
import { isKey, versionKey } from '../backend/keys.ts';
import type { BytePace } from '../domain/byte-pace.ts';
import { fault } from '../domain/fault.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import {
  type BegunCopy,
  type CopyFailure,
  type VersionToCopy,
  versionCopyAbandon,
  versionCopyBegin,
  versionCopyCommit,
} from '../metadata/backend-copies.ts';
import type { Database } from '../metadata/database.ts';
import { versionsStored } from '../metadata/fsck.ts';

export interface CopyParts {
  readonly db: Database;
  readonly source: Backend;
  readonly target: Backend;
}

export interface VersionCopyOptions {
  /** How long the old bytes stay, in seconds. */
  readonly graceSeconds: number;
  readonly pace: BytePace;
  readonly signal: AbortSignal;
}

/** `gone`: deleted, purged or moved meanwhile; nothing is left of the copy but what the sweep takes. */
export type VersionCopy =
  | { readonly outcome: 'copied'; readonly bytes: number }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'failed'; readonly failure: CopyFailure };

/** An intent lives so long, and as long as its bytes take at 64 KiB/s. */
const intentSeconds = 3600;

/**
 * Copies one version.
 *
 * @returns `failed` where just this version cannot be copied: its bytes are missing, damaged or unreadable, or too large for
 *   the other backend. It stays as it is
 * @throws the signal's reason; what database or stores say where they cannot be used now. The version stays as it is
 */
export async function copyVersion(
  parts: CopyParts,
  version: VersionToCopy,
  options: VersionCopyOptions,
): Promise<VersionCopy> {
  const { db, source, target } = parts;
  const failed = (reason: string, detail: CopyFailure['detail']): VersionCopy => ({
    outcome: 'failed',
    failure: { version_id: version.id, key: version.key, reason, detail },
  });
  if (target.bytesMax !== undefined && Number(version.size) > target.bytesMax) {
    return failed('too_large', { size: Number(version.size), size_max: target.bytesMax });
  }
  if (!isKey(version.key)) return failed('missing', {});
  const intent = timeOrderedUuid();
  const [begun] = await db.run<BegunCopy & Record<string, unknown>>(versionCopyBegin, [
    version.id,
    source.name,
    target.name,
    intent,
    versionKey(intent),
    intentSeconds,
  ]);
  if (begun === undefined) return { outcome: 'gone' };
  try {
    await fault('backend_copy.after_intent');
    const wrong = await copyBytes(parts, begun, options);
    if (wrong !== undefined) {
      await db.run(versionCopyAbandon, [intent]);
      return (await isStored(db, version.id)) ? failed(wrong.reason, wrong.detail) : { outcome: 'gone' };
    }
    await fault('backend_copy.after_bytes');
    const values = [version.id, source.name, begun.key, intent, target.bucket, options.graceSeconds];
    const [switched] = await db.run<{ committed: boolean }>(versionCopyCommit, values);
    await fault('backend_copy.after_switch');
    if (switched?.committed === true) return { outcome: 'copied', bytes: Number(begun.size) };
    await db.run(versionCopyAbandon, [intent]);
    return { outcome: 'gone' };
  } catch (error) {
    // Does nothing once the switch went through, so a lost reply cannot remove what the version names. What fails here the
    // sweep does later: the intent is there.
    await db.run(versionCopyAbandon, [intent]).catch(() => undefined);
    throw error;
  }
}

interface Wrong {
  readonly reason: string;
  readonly detail: CopyFailure['detail'];
}

/** Copies and compares; what is wrong with the source's bytes, or undefined. */
async function copyBytes(
  { source, target }: CopyParts,
  begun: BegunCopy,
  { pace, signal }: VersionCopyOptions,
): Promise<Wrong | undefined> {
  const passing = new PassingBytes(source, begun.key, pace, signal);
  try {
    await target.put(begun.target_key, passing, { signal });
  } catch (error) {
    // What the source said passes through the put: a store that cannot take bytes now is not the version's fault.
    if (signal.aborted) throw error;
    // Its row says that it is small enough.
    if (isRowlockError(error, 'too_large')) return { reason: 'damaged', detail: { found_size_from: passing.size } };
    if (isNotFound(passing.failure)) return { reason: 'missing', detail: {} };
    if (isUnreadable(passing.failure)) return { reason: 'unreadable', detail: { error: codeOf(passing.failure) } };
    throw error;
  }
  const expected = { expected_size: Number(begun.size), expected_sha256: begun.sha256?.toString('hex') ?? null };
  if (String(passing.size) !== begun.size || !(begun.sha256?.equals(passing.sha256) ?? true)) {
    return {
      reason: 'damaged',
      detail: { ...expected, found_size: passing.size, found_sha256: passing.sha256.toString('hex') },
    };
  }
  const arrived = await target.head(begun.target_key);
  if (arrived?.size !== passing.size) {
    throw new Error(`the backend ${target.name} has ${arrived?.size ?? 'no'} bytes of ${passing.size} that were put`);
  }
  return undefined;
}

/** The source's bytes on their way: counted, hashed and paced, with what the source said when it failed. */
class PassingBytes implements AsyncIterable<Uint8Array> {
  readonly #source: Backend;
  readonly #key: string;
  readonly #pace: BytePace;
  readonly #signal: AbortSignal;
  readonly #hash = createHash('sha256');
  size = 0;
  sha256: Buffer = Buffer.alloc(0);
  failure: unknown;

  constructor(source: Backend, key: string, pace: BytePace, signal: AbortSignal) {
    this.#source = source;
    this.#key = key;
    this.#pace = pace;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of await this.#open()) {
        this.#hash.update(chunk);
        this.size += chunk.byteLength;
        await this.#pace.take(chunk.byteLength, this.#signal);
        yield chunk;
      }
      this.sha256 = this.#hash.digest();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async #open(): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#source.get(this.#key)).stream as AsyncIterable<Buffer>;
  }
}

/** Whether it is still there to be at fault: what was purged meanwhile rightly has no bytes. */
async function isStored(db: Database, id: string): Promise<boolean> {
  return (await db.run(versionsStored, [[id]])).length > 0;
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);
