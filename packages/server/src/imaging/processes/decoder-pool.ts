/**
 * The decoder processes of one worker: started when they are needed, each for one kind of file, kept warm between jobs,
 * replaced when they are worn or gone. What happens inside of one is `decoder-child.ts`. Invariant: there are never more
 * processes at work than its size, nor more in all than that and one; what decodes at once fits the budget of memory by its
 * headers; and after `stop` there is none.
 */
import { availableParallelism, totalmem } from 'node:os';
import type { Observe } from '../../domain/observation.ts';
import type { AskedPreset } from '../presets.ts';
import type { RenderedImage } from '../render.ts';
import { kindBytes, type SourceKind, sourceKind } from '../sources/source-kind.ts';
import { DecoderChild, type DecoderOptions } from './decoder-child.ts';
import { watermarkBytesMax } from './decoder-messages.ts';
import { type DecoderLimits, discard, type ImageFile } from './decoder-work.ts';
import { firstBytes } from './first-bytes.ts';
import { MemoryBudget } from './memory-budget.ts';

export interface DecoderPoolOptions extends Partial<DecoderLimits> {
  /** How many files are decoded at once, if memory allows; as many as there are cores unless given. */
  readonly size?: number;
  /** What all that is decoded at once may take together, by its headers, in bytes; a quarter of what there is unless given. */
  readonly memoryBudgetBytes?: number;
  /** How long an unused process is kept, in milliseconds. */
  readonly idleMs?: number;
  readonly observe?: Observe;
  /** The compiled module that decodes; tests run one that breaks. */
  readonly module?: URL;
}

/** The largest photographs, of 100 megapixels and progressive, take 800 MiB and 5 s on a slow core. */
const limitsDefault: DecoderLimits = { timeoutMs: 30_000, memoryBytesMax: 2 ** 30 };
const idleMsDefault = 60_000;
/** Processes that wait besides: a page among photographs starts none, and one of each kind would double the memory. */
const warmBesides = 1;

/** A page and a drawing can ask for any amount of work, and need little. */
const timeoutMsMax: Readonly<Record<SourceKind, number>> = {
  picture: Number.POSITIVE_INFINITY,
  svg: 10_000,
  heif: Number.POSITIVE_INFINITY,
  pdf: 10_000,
};

/** What a process has before it decodes, and what it takes without asking. */
const baseBytes: Readonly<Record<SourceKind, number>> = {
  picture: 96 * 2 ** 20,
  svg: 96 * 2 ** 20,
  heif: 160 * 2 ** 20,
  pdf: 160 * 2 ** 20,
};

/** A quarter of the machine's memory, or of what its container may have: API and workers may each have decoders. */
export function memoryForDecoders(): number {
  const allowed = process.constrainedMemory();
  return Math.floor(Math.min(totalmem(), allowed > 0 ? allowed : Number.POSITIVE_INFINITY) / 4);
}

/** Decodes files in processes of its own. */
export class DecoderPool {
  readonly #options: DecoderPoolOptions;
  readonly #child: DecoderOptions;
  readonly #budget: MemoryBudget;
  readonly #all: Set<DecoderChild> = new Set();
  readonly #idle: { readonly child: DecoderChild; readonly timer: NodeJS.Timeout }[] = [];
  readonly #queue: (() => void)[] = [];
  #busy = 0;
  #isStopping = false;

  constructor(options: DecoderPoolOptions) {
    this.#options = options;
    this.#budget = new MemoryBudget(options.memoryBudgetBytes ?? memoryForDecoders());
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
   * Renders a file in a process of its own, which the file may crash, hang or fill. `watermark` is a picture of at most
   * 8 MiB for the presets that have one.
   *
   * @throws ImageError; the signal's reason; whatever the file's stream fails with
   */
  async render(
    file: ImageFile,
    presets: readonly AskedPreset[],
    signal?: AbortSignal,
    watermark?: Buffer,
  ): Promise<RenderedImage> {
    let failure: Error | undefined;
    // A stream that nobody reads yet may fail already, which must not end this process.
    if (file.bytes === undefined) file.stream.once('error', (error) => (failure = error));
    if (watermark !== undefined && watermark.length > watermarkBytesMax) throw new Error('the watermark is too large');
    await this.#turn();
    try {
      signal?.throwIfAborted();
      const { kind, whole } = await looked(file, signal);
      const base = baseBytes[kind] + file.size + (watermark?.length ?? 0);
      const grant = await this.#budget.acquire(base, signal);
      try {
        return await this.#withChild(kind, async (child) => {
          if (failure !== undefined) throw failure;
          const admit = (bytes: number, ended: AbortSignal): Promise<void> => grant.grow(base + bytes, ended);
          return await child.render({ file: whole, presets, signal, watermark, admit });
        });
      } finally {
        grant.release();
      }
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

  async #withChild<Result>(kind: SourceKind, work: (child: DecoderChild) => Promise<Result>): Promise<Result> {
    const child = await this.#take(kind);
    try {
      return await work(child);
    } finally {
      await this.#giveBack(child);
    }
  }

  async #turn(): Promise<void> {
    while (this.#busy >= this.#size) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    this.#busy += 1;
  }

  async #take(kind: SourceKind): Promise<DecoderChild> {
    if (this.#isStopping) throw new Error('the decoders are stopping');
    for (let next = this.#idleOf(kind); next !== undefined; next = this.#idleOf(kind)) {
      if (!next.isSpent) return next;
    }
    await this.#makeRoom();
    const timeoutMs = Math.min(this.#child.timeoutMs, timeoutMsMax[kind]);
    const child = new DecoderChild({ ...this.#child, timeoutMs, kind });
    this.#all.add(child);
    void child.ended.then(() => this.#all.delete(child));
    try {
      await child.ready();
    } catch (error) {
      throw this.#isStopping ? new Error('the decoders are stopping', { cause: error }) : error;
    }
    return child;
  }

  /** The process that was used last, taken from those that wait. */
  #idleOf(kind: SourceKind): DecoderChild | undefined {
    const at = this.#idle.findLastIndex(({ child }) => child.kind === kind);
    const [next] = at < 0 ? [] : this.#idle.splice(at, 1);
    clearTimeout(next?.timer);
    return next?.child;
  }

  /** Ends what waits longest for files of another kind, as long as there are too many. */
  async #makeRoom(): Promise<void> {
    const most = this.#size + warmBesides;
    while (this.#all.size >= most && this.#idle.length > 0) {
      const other = this.#idle.shift();
      clearTimeout(other?.timer);
      other?.child.kill(new Error('the decoder process is not needed'));
      await other?.child.ended;
    }
    if (this.#isStopping) throw new Error('the decoders are stopping');
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

  get #size(): number {
    return Math.max(1, this.#options.size ?? availableParallelism());
  }

  get #idleMs(): number {
    return this.#options.idleMs ?? idleMsDefault;
  }
}

/** What kind of file it is; a small one is in memory then. */
async function looked(
  file: ImageFile,
  signal: AbortSignal | undefined,
): Promise<{ readonly kind: SourceKind; readonly whole: ImageFile }> {
  if (file.bytes !== undefined) return { kind: sourceKind(file.bytes), whole: file };
  const { bytes, isAll } = await firstBytes(file.stream, kindBytes, signal);
  return { kind: sourceKind(bytes), whole: isAll ? { ...file, bytes } : file };
}
