/**
 * Tells of every call to a store what it was, how it ended, how long it took and how many bytes it moved. It changes
 * neither answers nor errors. Invariant: one report for each call, when its bytes have moved; and no key in it, so that
 * it may become a metric.
 */
import { finished } from 'node:stream';
import { type ErrorReason, isRowlockError } from '@rowlock/client/contract';
import type {
  Backend,
  ByteRange,
  CopyOptions,
  ForeignEntry,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  PutOptions,
  UnfinishedObject,
  WalkOptions,
} from '../backend.ts';
import type { PartStore } from '../parts.ts';
import { PassingBackend } from './passing-backend.ts';
import { type PartCall, wrappedParts } from './wrapped-parts.ts';

export interface BackendCall {
  /** Of the backend, as `disk`. */
  readonly backend: string;
  readonly call:
    | 'put'
    | 'get'
    | 'head'
    | 'delete'
    | 'copy'
    | 'list'
    | 'list_unfinished'
    | 'remove_unfinished'
    | 'check'
    | PartCall;
  /** `left`: the reader of a download or of a list stopped early. `error`: one that is no RowlockError. */
  readonly outcome: 'ok' | 'left' | 'error' | ErrorReason;
  /** From the call to its end, that of the stream or of the list where it gives one. */
  readonly duration_ms: number;
  /** Of a put or a part that was taken, or of a get that was read to its end; else 0. */
  readonly bytes: number;
}

export type ObserveBackendCall = (call: BackendCall) => void;

/** What a stream says that was destroyed by its reader. */
const leavingCodes: ReadonlySet<string> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

/** Wraps a backend; `observe` must not throw. */
export class ObservedBackend extends PassingBackend {
  readonly #observe: ObserveBackendCall;

  constructor(inner: Backend, observe: ObserveBackendCall) {
    super(inner);
    this.#observe = observe;
  }

  override async put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ size: number }> {
    return await this.#observed(
      'put',
      () => this.inner.put(key, source, options),
      ({ size }) => size,
    );
  }

  override async get(key: string, range?: ByteRange): Promise<GetResult> {
    const report = this.#begin('get');
    try {
      const got = await this.inner.get(key, range);
      if (got.bytes !== undefined) {
        report('ok', got.bytes.byteLength);
        return got;
      }
      const bytes = range === undefined ? got.size : Math.min(range.end, got.size - 1) - range.start + 1;
      finished(got.stream, { writable: false }, (error) => {
        if (error === undefined || error === null) report('ok', bytes);
        else report(leavingCodes.has(error.code ?? '') ? 'left' : outcomeOf(error), 0);
      });
      return got;
    } catch (error) {
      report(outcomeOf(error), 0);
      throw error;
    }
  }

  override get parts(): PartStore | undefined {
    const { parts } = this.inner;
    return parts && wrappedParts(parts, (call, work, bytesOf) => this.#observed(call, work, bytesOf));
  }

  override async head(key: string): Promise<HeadResult | undefined> {
    return await this.#observed('head', () => this.inner.head(key));
  }

  override async delete(key: string): Promise<boolean> {
    return await this.#observed('delete', () => this.inner.delete(key));
  }

  override async copyWithin(source: string, target: string, options: CopyOptions): Promise<void> {
    await this.#observed('copy', () => super.copyWithin(source, target, options));
  }

  override list(options?: ListOptions): AsyncIterable<ListedObject> {
    return this.#walked('list', () => this.inner.list(options));
  }

  override walk(options?: WalkOptions): AsyncIterable<ListedObject | ForeignEntry> {
    return this.#walked('list', () => this.inner.walk(options));
  }

  override listUnfinished(): AsyncIterable<UnfinishedObject> {
    return this.#walked('list_unfinished', () => this.inner.listUnfinished());
  }

  override async removeUnfinished(olderThanMs: number, kept?: ReadonlySet<string>): Promise<number> {
    return await this.#observed('remove_unfinished', () => this.inner.removeUnfinished(olderThanMs, kept));
  }

  override async check(): Promise<void> {
    await this.#observed('check', () => this.inner.check());
  }

  /** Starts the clock of a call; what it returns ends it. */
  #begin(call: BackendCall['call']): (outcome: BackendCall['outcome'], bytes: number) => void {
    const begun = performance.now();
    return (outcome, bytes) => {
      this.#observe({ backend: this.name, call, outcome, duration_ms: performance.now() - begun, bytes });
    };
  }

  async #observed<T>(call: BackendCall['call'], work: () => Promise<T>, bytesOf?: (answer: T) => number): Promise<T> {
    const report = this.#begin(call);
    try {
      const answer = await work();
      report('ok', bytesOf?.(answer) ?? 0);
      return answer;
    } catch (error) {
      report(outcomeOf(error), 0);
      throw error;
    }
  }

  async *#walked<T>(call: BackendCall['call'], walk: () => AsyncIterable<T>): AsyncGenerator<T, void> {
    const report = this.#begin(call);
    let outcome: BackendCall['outcome'] = 'left';
    try {
      yield* walk();
      outcome = 'ok';
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      report(outcome, 0);
    }
  }
}

function outcomeOf(error: unknown): BackendCall['outcome'] {
  return isRowlockError(error) ? error.reason : 'error';
}
