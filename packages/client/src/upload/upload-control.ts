/**
 * Pause, resume and cancel of one upload, for every request that it makes. It sends nothing. Invariant: after a pause or a cancel
 * no request is on its way, and what was paused is sent again from its own beginning.
 */
import { RowlockError } from '../contract/errors.ts';
import { rest } from '../wait.ts';

export class UploadControl {
  readonly #ended = new AbortController();
  readonly #closed = new AbortController();
  #paused: { readonly until: Promise<void>; readonly release: () => void } | undefined;
  #attempts = new AbortController();
  readonly #onChange: () => void;

  constructor(signal: AbortSignal | undefined, onChange: () => void = () => undefined) {
    this.#onChange = onChange;
    const end = (): void => this.cancel(signal?.reason);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { signal: this.#closed.signal });
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  get isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  pause(): void {
    if (this.isPaused || this.isEnded) return;
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#paused = { until, release };
    this.#attempts.abort();
    this.#attempts = new AbortController();
    this.#onChange();
  }

  resume(): void {
    const paused = this.#paused;
    this.#paused = undefined;
    paused?.release();
    if (paused !== undefined) this.#onChange();
  }

  cancel(cause?: unknown): void {
    if (this.isEnded) return;
    this.#ended.abort(new RowlockError('client_closed', 'The upload was cancelled', { cause }));
    this.#attempts.abort();
    this.#paused?.release();
    this.#paused = undefined;
  }

  /** It is over: the caller's signal is not listened to any more. */
  close(): void {
    this.#closed.abort();
  }

  /** @throws RowlockError `client_closed` once it was cancelled */
  throwIfEnded(): void {
    this.#ended.signal.throwIfAborted();
  }

  /** Makes an attempt whose signal ends with a pause or a cancel, and makes it again after a pause. */
  async run<T>(attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      while (this.#paused !== undefined) await this.#paused.until;
      this.throwIfEnded();
      const { signal } = this.#attempts;
      try {
        return await attempt(signal);
      } catch (error) {
        this.throwIfEnded();
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Waits, or until the browser says that it is online again; a cancel and the signal end it at once. */
  async rest(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    this.throwIfEnded();
    signal?.throwIfAborted();
    const ended = signal === undefined ? this.#ended.signal : AbortSignal.any([this.#ended.signal, signal]);
    const page = typeof addEventListener === 'function' ? globalThis : undefined;
    let isOnline = (): void => undefined;
    await rest(timeoutMs, ended, (end) => {
      isOnline = end;
      page?.addEventListener('online', isOnline);
    });
    page?.removeEventListener('online', isOnline);
    ended.throwIfAborted();
  }
}
