/**
 * Signs upload requests for which no job was enqueued: whoever is told to look claims some, one signer each, and does
 * what the job `s3_presign` does. The rows are the truth. Invariant: one look is under way at a time, and a hint that
 * comes meanwhile makes it look again.
 */
import { NotifyListener } from '../metadata/notify-listener.ts';
import { requestsClaim } from '../metadata/upkeep.ts';
import type { JobContext } from './job-kind.ts';
import { signUploadRequest } from './s3-presign.ts';

export interface NotifiedRequestsOptions {
  /** Where to listen, as the worker. */
  readonly url: string;
  /** Requests that one look claims at a time. */
  readonly claimsMax: number;
}

/** For how long a claim holds: another signer takes the request then, as when this process was killed. */
const holdSeconds = 30;
/** Claims that ended are not notified of. */
const lookEveryMs = 20_000;
const channel = 'upload_url_request';

/** Requests that wait for their URL, and this process's way to find them. */
export class NotifiedRequests {
  readonly #context: JobContext;
  readonly #claimsMax: number;
  readonly #listener: NotifyListener;
  readonly #timer: NodeJS.Timeout;
  #isHinted = false;
  #isStopping = false;
  #looking: Promise<void> | undefined;

  /** Listens from now on; what waited before is found as soon as it does. */
  constructor(context: JobContext, { url, claimsMax }: NotifiedRequestsOptions) {
    this.#context = context;
    this.#claimsMax = claimsMax;
    this.#listener = new NotifyListener({
      url,
      channels: [channel],
      onHint: () => this.#hint(),
      onLost: (error) => context.observe({ type: 'queue', message: 'the listener lost its connection', error }),
    });
    this.#timer = setInterval(() => this.#hint(), lookEveryMs).unref();
  }

  /** Looks soon; failures are reported, and the next hint looks again. */
  #hint(): void {
    if (this.#isStopping) return;
    this.#isHinted = true;
    this.#looking ??= this.#lookOnAndOn();
  }

  /** Claims no more; resolves when what was claimed is signed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#listener.stop();
    await this.#looking;
  }

  async #lookOnAndOn(): Promise<void> {
    try {
      while (this.#isHinted && !this.#isStopping) {
        this.#isHinted = false;
        await this.#signAll();
      }
    } catch (error) {
      this.#context.observe({ type: 'queue', message: 'upload requests could not be claimed', error });
    } finally {
      this.#looking = undefined;
    }
  }

  async #signAll(): Promise<void> {
    while (!this.#isStopping) {
      const claimed = await this.#context.db.run<{ id: string }>(requestsClaim, [this.#claimsMax, holdSeconds]);
      await Promise.all(claimed.map(({ id }) => this.#sign(id)));
      if (claimed.length < this.#claimsMax) return;
    }
  }

  /** What fails now is claimed again when the claim is over. */
  async #sign(id: string): Promise<void> {
    const begun = performance.now();
    const ended = (outcome: string, error?: unknown): void =>
      this.#context.observe({
        type: 'job',
        kind: 's3_presign',
        outcome,
        duration_ms: performance.now() - begun,
        error,
      });
    try {
      await signUploadRequest(this.#context, id);
      ended('completed');
    } catch (error) {
      ended('retryable', error);
    }
  }
}
