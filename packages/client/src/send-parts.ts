/**
 * Sends the parts of one upload to a store by URLs that somebody signs: a few at a time, each again where it failed for a while,
 * none that has arrived. It begins and completes nothing. Invariant: of the source only the parts on their way are in memory.
 */
import { RowlockError } from './contract/errors.ts';
import type { ArrivedPart, SignedPart } from './contract/parts.ts';
import { delay } from './wait.ts';

/** A file that is read piece by piece. */
export interface PartSource {
  readonly size: number;
  /** The bytes from `start` to before `end`, exactly. */
  read(start: number, end: number): Promise<Blob | Uint8Array<ArrayBuffer>>;
}

export interface SendPartsOptions {
  /** Parts on their way at once; four unless given. */
  readonly atOnce?: number | undefined;
  /** How often a part is sent before it fails the upload; six unless given. */
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
  readonly sign: (parts: readonly number[]) => Promise<readonly SignedPart[]>;
}

const atOnceDefault = 4;
const attemptsDefault = 6;
const firstWaitMs = 300;
const longestWaitMs = 10_000;
/** URLs that are asked for at once, and how long one is used: they live an hour. */
const signedAtOnce = 32;
const urlUsedMs = 2_400_000;

/** Makes a source of a file or a blob, which are read as they are needed. */
export function sourceOf(file: Blob | PartSource): PartSource {
  return 'read' in file ? file : { size: file.size, read: async (start, end) => file.slice(start, end) };
}

/**
 * Sends what has not arrived; resolves when all of it has.
 *
 * @throws RowlockError `upload_gone` where the upload is over; `unavailable` where a part failed again and again; the signal's
 *   reason
 */
export async function sendParts(parts: PartsToSend, options: SendPartsOptions = {}): Promise<void> {
  const { atOnce = atOnceDefault, signal } = options;
  const sending = new Sending(parts, options);
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, () => sending.work()));
  signal?.throwIfAborted();
}

class Sending {
  readonly #parts: PartsToSend;
  readonly #options: SendPartsOptions;
  readonly #waiting: number[];
  readonly #urls = new Map<number, { readonly url: string; readonly signedAt: number }>();
  #signing: Promise<void> | undefined;
  #sent = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: PartsToSend, options: SendPartsOptions) {
    this.#parts = parts;
    this.#options = options;
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

  /** Takes one part after the other, until there are none or one has failed for good. */
  async work(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) return;
      const number = this.#waiting.shift();
      if (number === undefined) return;
      try {
        await this.#send(number);
        this.#sent += this.#sizeOf(number);
        this.#tell();
      } catch (error) {
        this.#failure ??= { error };
        throw error;
      }
    }
  }

  async #send(number: number): Promise<void> {
    const { attemptsMax = attemptsDefault, signal } = this.#options;
    const start = (number - 1) * this.#parts.part_size;
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const url = await this.#urlOf(number);
      const body = await this.#parts.source.read(start, start + this.#sizeOf(number));
      const outcome = await this.#put(url, body);
      if (outcome === 'sent') return;
      if (outcome === 'over') throw new RowlockError('upload_gone', 'The upload expired or was given up');
      if (outcome === 'refused') this.#urls.delete(number); // it may have expired: another one is signed
      if (attempt >= attemptsMax || this.#failure !== undefined) {
        throw new RowlockError('unavailable', `The store did not take part ${number}`);
      }
      await delay(Math.min(firstWaitMs * 2 ** (attempt - 1), longestWaitMs) * (0.5 + Math.random() / 2), signal);
    }
  }

  async #put(url: string, body: Blob | Uint8Array<ArrayBuffer>): Promise<'sent' | 'over' | 'refused' | 'again'> {
    const { signal, fetch: send = fetch } = this.#options;
    let status: number;
    try {
      const answer = await send(url, { method: 'PUT', body, ...(signal === undefined ? {} : { signal }) });
      await answer.arrayBuffer();
      status = answer.status;
    } catch {
      signal?.throwIfAborted();
      return 'again';
    }
    if (status >= 200 && status < 300) return 'sent';
    if (status === 404 || status === 410) return 'over';
    return status === 403 ? 'refused' : 'again';
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
