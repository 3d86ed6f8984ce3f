/**
 * Sends the parts of one upload to a store by URLs that somebody signs: a few at a time, each again where it failed for a while,
 * none that has arrived. It begins and completes nothing. Invariant: of the source only the parts on their way are in memory, and
 * when it ends no request of it is on its way.
 */
import { answered } from './answered.ts';
import { RowlockError } from './contract/errors.ts';
import type { ArrivedPart, SignedPart } from './contract/parts.ts';
import { errorOfAnswer } from './error-of-answer.ts';
import type { PartSource } from './upload/part-source.ts';
import { isWorthAnotherTry, retried } from './upload/retried.ts';
import { UploadControl } from './upload/upload-control.ts';

export interface SendPartsOptions {
  /** Parts on their way at once; four unless given. */
  readonly atOnce?: number | undefined;
  /** How often a part is sent before it fails the upload; eight times unless given. */
  readonly attemptsMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when parts have arrived, with those that had before. */
  readonly onProgress?: ((progress: { readonly sent: number; readonly size: number }) => void) | undefined;
  /** Another `fetch` for the store, by tests. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface PartsToSend {
  readonly size: number;
  readonly part_size: number;
  readonly part_count: number;
  /** What is there already. */
  readonly arrived: readonly ArrivedPart[];
  readonly source: PartSource;
  /** Signs URLs of parts, in any order. */
  readonly sign: (parts: readonly number[], signal?: AbortSignal) => Promise<readonly SignedPart[]>;
}

/** How the requests of parts are made, and who is told of them. */
export interface PartSending {
  readonly control: UploadControl;
  readonly put: (
    url: string,
    request: {
      readonly body: Blob | Uint8Array<ArrayBuffer>;
      readonly signal: AbortSignal;
      readonly onSent: (bytes: number) => void;
    },
  ) => Promise<Response>;
  /** Bytes of a part have left; all of them once it has arrived, none after it broke off. */
  readonly onSent?: ((part: number, bytes: number) => void) | undefined;
  readonly onRetry?: (() => void) | undefined;
}

const atOnceDefault = 4;
/** URLs that are asked for at once, and how long one is used: they live an hour. */
const signedAtOnce = 32;
const urlUsedMs = 2_400_000;

/**
 * Sends what has not arrived; resolves when all of it has.
 *
 * @throws RowlockError `upload_gone` where the upload is over; `unavailable` where a part failed again and again; the signal's
 *   reason
 */
export async function sendParts(
  parts: PartsToSend,
  options: SendPartsOptions = {},
  sending?: PartSending,
): Promise<void> {
  const own = sending ?? plainSending(options);
  try {
    await new Sending(parts, options, own).all();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    if (sending === undefined) own.control.close();
  }
}

function plainSending({ signal, fetch: send = fetch }: SendPartsOptions): PartSending {
  return {
    control: new UploadControl(signal),
    put: (url, request) => send(url, { method: 'PUT', body: request.body, signal: request.signal }),
  };
}

class Sending {
  readonly #parts: PartsToSend;
  readonly #options: SendPartsOptions;
  readonly #sending: PartSending;
  readonly #waiting: number[];
  readonly #urls = new Map<number, { readonly url: string; readonly signedAt: number }>();
  /** Ends the other parts when one has failed for good. */
  readonly #failed = new AbortController();
  #signing: Promise<void> | undefined;
  #sent = 0;

  constructor(parts: PartsToSend, options: SendPartsOptions, sending: PartSending) {
    this.#parts = parts;
    this.#options = options;
    this.#sending = sending;
    const there = new Set(
      parts.arrived
        .filter((part) => part.size === this.#sizeOf(part.part_number))
        .map(({ part_number }) => part_number),
    );
    this.#waiting = Array.from({ length: parts.part_count }, (_, place) => place + 1).filter(
      (number) => !there.has(number),
    );
    for (const number of there) this.#sent += this.#sizeOf(number);
    if (there.size > 0) this.#tell();
  }

  /** All of them, a few at once. Ends when nothing is on its way any more. */
  async all(): Promise<void> {
    const { atOnce = atOnceDefault } = this.#options;
    await Promise.allSettled(Array.from({ length: Math.max(1, atOnce) }, () => this.#work()));
    this.#sending.control.throwIfEnded();
    this.#failed.signal.throwIfAborted();
  }

  /** Takes one part after the other, until there are none or one has failed for good. */
  async #work(): Promise<void> {
    for (;;) {
      const number = this.#failed.signal.aborted ? undefined : this.#waiting.shift();
      if (number === undefined) return;
      try {
        await this.#send(number);
        this.#sent += this.#sizeOf(number);
        this.#tell();
      } catch (error) {
        this.#failed.abort(error);
        return;
      }
    }
  }

  async #send(number: number): Promise<void> {
    const { control, onRetry } = this.#sending;
    const { attemptsMax } = this.#options;
    const attempt = async (signal: AbortSignal): Promise<void> => {
      this.#failed.signal.throwIfAborted();
      const url = await this.#urlOf(number);
      await this.#put(number, url, AbortSignal.any([signal, this.#failed.signal]));
    };
    await retried(attempt, { control, attemptsMax, onRetry, until: this.#failed.signal });
  }

  async #put(number: number, url: string, signal: AbortSignal): Promise<void> {
    const { source, part_size } = this.#parts;
    const { put, onSent } = this.#sending;
    const size = this.#sizeOf(number);
    const start = (number - 1) * part_size;
    const body = await source.read(start, start + size);
    let sent = 0;
    try {
      const request = put(url, { body, signal, onSent: (bytes) => onSent?.(number, Math.min(bytes, size)) });
      const answer = await answered(request, signal);
      if (!answer.ok) throw await this.#refusalOf(number, answer);
      await answered(answer.arrayBuffer(), signal);
      sent = size;
    } finally {
      onSent?.(number, sent);
    }
  }

  async #refusalOf(number: number, answer: Response): Promise<RowlockError> {
    const { status } = answer;
    if (status === 404 || status === 410) return new RowlockError('upload_gone', 'The upload expired or was given up');
    if (status === 403) this.#urls.delete(number); // it may have expired: another one is signed
    const error = await errorOfAnswer(answer);
    const { retryAfterSeconds } = error;
    // A 400 is mostly a body that came too slowly.
    const mayPass = status === 403 || status === 400 || isWorthAnotherTry(error);
    return new RowlockError(
      mayPass ? 'unavailable' : error.reason,
      `The store did not take part ${number}: ${status}`,
      { cause: error, retryAfterSeconds },
    );
  }

  async #urlOf(number: number): Promise<string> {
    for (;;) {
      const known = this.#urls.get(number);
      if (known !== undefined && performance.now() - known.signedAt < urlUsedMs) return known.url;
      this.#signing ??= this.#sign(number).finally(() => {
        this.#signing = undefined;
      });
      await this.#signing;
    }
  }

  /** Of a part, and of those that are next. */
  async #sign(number: number): Promise<void> {
    const signedAt = performance.now();
    const wanted = [number, ...this.#waiting.filter((each) => !this.#urls.has(each)).slice(0, signedAtOnce - 1)];
    const signed = await this.#parts.sign(wanted);
    for (const { part_number, url } of signed) this.#urls.set(part_number, { url, signedAt });
    if (!this.#urls.has(number)) throw new RowlockError('upload_gone', 'The upload expired or was given up');
  }

  #sizeOf(number: number): number {
    const { size, part_size } = this.#parts;
    return Math.min(part_size, size - (number - 1) * part_size);
  }

  #tell(): void {
    this.#options.onProgress?.({ sent: this.#sent, size: this.#parts.size });
  }
}
