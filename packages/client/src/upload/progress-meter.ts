/**
 * How far an upload is: bytes, rate and time left, from what its requests say of themselves. It measures what left, which a
 * request that breaks off takes back. Invariant: what it tells never goes back and never passes the whole.
 */
import type { UploadProgress } from './upload-options.ts';

/** The rate is that of so long a time, and of no shorter one than this. */
const windowMs = 10_000;
const windowLeastMs = 500;

export class ProgressMeter {
  readonly #total: number;
  readonly #tell: (progress: UploadProgress) => void;
  readonly #isPaused: () => boolean;
  readonly #now: () => number;
  /** Of each request its bytes. */
  readonly #sent = new Map<number | string, number>();
  #sum = 0;
  #told = 0;
  #resumed = 0;
  #phase: UploadProgress['phase'] = 'preparing';
  #samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(
    total: number,
    options: {
      readonly tell?: ((progress: UploadProgress) => void) | undefined;
      readonly isPaused?: () => boolean;
      readonly now?: () => number;
    } = {},
  ) {
    this.#total = total;
    this.#tell = options.tell ?? (() => undefined);
    this.#isPaused = options.isPaused ?? (() => false);
    this.#now = options.now ?? (() => performance.now());
  }

  get progress(): UploadProgress {
    const bytesPerSecond = this.#rate();
    return {
      phase: this.#isPaused() ? 'paused' : this.#phase,
      bytesSent: this.#told,
      bytesTotal: this.#total,
      bytesResumed: this.#resumed,
      bytesPerSecond,
      secondsLeft: bytesPerSecond === undefined ? undefined : (this.#total - this.#told) / bytesPerSecond,
    };
  }

  /** Another phase. */
  enter(phase: UploadProgress['phase']): void {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.#tell(this.progress);
  }

  /** What was there before. */
  resumed(bytes: number): void {
    this.#resumed = bytes;
    this.sent('before', bytes);
    this.#samples = [];
  }

  /** So many bytes of a request have left, or after it broke off none. */
  sent(request: number | string, bytes: number): void {
    this.#sum += bytes - (this.#sent.get(request) ?? 0);
    this.#sent.set(request, bytes);
    const told = Math.min(Math.max(this.#told, this.#sum), this.#total);
    if (told === this.#told) return;
    this.#told = told;
    this.#sample();
    if (this.#phase === 'retrying') this.#phase = 'sending';
    this.#tell(this.progress);
  }

  /** Paused or going on: time that passes in between counts for no rate. */
  interrupted(): void {
    this.#samples = [];
    this.#tell(this.progress);
  }

  #sample(): void {
    const at = this.#now();
    this.#samples.push({ at, bytes: this.#told });
    while ((this.#samples[0]?.at ?? at) < at - windowMs) this.#samples.shift();
  }

  #rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < windowLeastMs) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
