/**
 * The decoder processes of one worker: started when they are needed, kept warm between jobs, replaced when they are
 * worn or gone. What happens inside of one is `decoder-child.ts`. Invariant: there are never more processes than its
 * size, and after `stop` there is none.
 */
import type { Observe } from '../domain/observation.ts';
import { DecoderChild, type DecoderLimits, type DecoderOptions, discard, type ImageFile } from './decoder-child.ts';
import type { VariantPreset } from './presets.ts';
import type { RenderedImage } from './render.ts';

export interface DecoderPoolOptions extends Partial<DecoderLimits> {
  /** How many files are decoded at once. */
  readonly size: number;
  /** How long an unused process is kept, in milliseconds. */
  readonly idleMs?: number;
  readonly observe?: Observe;
  /** The compiled module that decodes; tests run one that breaks. */
  readonly module?: URL;
}

/** The largest photographs, of 100 megapixels and progressive, take 800 MiB and 5 s on a slow core. */
const limitsDefault: DecoderLimits = { timeoutMs: 30_000, memoryBytesMax: 2 ** 30 };
const idleMsDefault = 60_000;

/** Decodes files in processes of its own. */
export class DecoderPool {
  readonly #options: DecoderPoolOptions;
  readonly #child: DecoderOptions;
  readonly #all: Set<DecoderChild> = new Set();
  readonly #idle: { readonly child: DecoderChild; readonly timer: NodeJS.Timeout }[] = [];
  readonly #queue: (() => void)[] = [];
  #busy = 0;
  #isStopping = false;

  constructor(options: DecoderPoolOptions) {
    this.#options = options;
    this.#child = {
      ...limitsDefault,
      ...options,
      onCrash: (message) => options.observe?.({ type: 'queue', message }),
    };
  }

  /** The processes that are there now. */
  get pids(): readonly number[] {
    return [...this.#all].map((child) => child.pid);
  }

  /**
   * Renders a file in a process of its own, which the file may crash, hang or fill.
   *
   * @throws ImageError; the signal's reason; whatever the file's stream fails with
   */
  async render(file: ImageFile, presets: readonly VariantPreset[], signal?: AbortSignal): Promise<RenderedImage> {
    let failure: Error | undefined;
    // A stream that nobody reads yet may fail already, which must not end this process.
    if (file.bytes === undefined) file.stream.once('error', (error) => (failure = error));
    await this.#turn();
    try {
      signal?.throwIfAborted();
      return await this.#withChild(async (child) => {
        if (failure !== undefined) throw failure;
        return await child.render(file, presets, signal);
      });
    } finally {
      this.#busy -= 1;
      this.#queue.shift()?.();
      discard(file);
    }
  }

  /** Kills every process; what is being rendered fails. Resolves when all are gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const child of this.#all) child.kill(new Error('the decoders are stopping'));
    await Promise.all([...this.#all].map((child) => child.ended));
  }

  async #withChild<Result>(work: (child: DecoderChild) => Promise<Result>): Promise<Result> {
    const child = await this.#take();
    try {
      return await work(child);
    } finally {
      await this.#giveBack(child);
    }
  }

  async #turn(): Promise<void> {
    while (this.#busy >= Math.max(1, this.#options.size)) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    this.#busy += 1;
  }

  async #take(): Promise<DecoderChild> {
    if (this.#isStopping) throw new Error('the decoders are stopping');
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      clearTimeout(next.timer);
      if (!next.child.isSpent) return next.child;
    }
    const child = new DecoderChild(this.#child);
    this.#all.add(child);
    void child.ended.then(() => this.#all.delete(child));
    try {
      await child.ready();
    } catch (error) {
      throw this.#isStopping ? new Error('the decoders are stopping', { cause: error }) : error;
    }
    return child;
  }

  async #giveBack(child: DecoderChild): Promise<void> {
    if (child.isSpent || this.#isStopping) {
      child.kill(new Error('the decoder process is worn'));
      await child.ended;
      return;
    }
    const timer = setTimeout(() => child.kill(new Error('the decoder process is not needed')), this.#idleMs);
    timer.unref();
    this.#idle.push({ child, timer });
  }

  get #idleMs(): number {
    return this.#options.idleMs ?? idleMsDefault;
  }
}
