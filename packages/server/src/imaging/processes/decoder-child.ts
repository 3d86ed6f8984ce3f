/**
 * One decoder process from its start to its end, as its parent sees it: hands over a file, waits for the reply within
 * time and memory, and kills. It chooses no process and tries nothing twice. Invariant: a process that was killed,
 * died or broke the protocol is never asked again, and nothing that it sent of an unfinished reply is kept.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError } from '../image-error.ts';
import type { AskedPreset } from '../presets.ts';
import type { RenderedImage } from '../render.ts';
import type { SourceKind } from '../sources/source-kind.ts';
import { decoderCommand } from './decoder-command.ts';
import { beginFrame, type Frame, FrameReader } from './decoder-frames.ts';
import {
  DecodingFailure,
  goHead,
  isReady,
  isWorn,
  neededBytes,
  type RenderRequest,
  readReply,
  replyLimits,
} from './decoder-messages.ts';
import { type DecoderLimits, type DecoderWork, discard } from './decoder-work.ts';
import { residentBytes } from './process-memory.ts';

export interface DecoderOptions extends DecoderLimits {
  /** What it decodes; photographs unless given. */
  readonly kind?: SourceKind;
  /** The compiled module that runs; tests run one that breaks. */
  readonly module?: URL;
  /** How a process ended that nobody ended on purpose, with the beginning of what it wrote. */
  readonly onCrash?: (message: string) => void;
}

const standardModule = new URL('./decoder-process.js', import.meta.url);
/**
 * All that is in its environment. With glibc's defaults a process that has made thumbnails of some photographs keeps
 * 310 MiB, with one arena 125. Given both thresholds, glibc no longer raises them by itself: what is freed at the end of
 * the heap goes back from 8 MiB on, which leaves 90, and pixels come from the heap, since fresh pages for each picture
 * would take a tenth of the time.
 */
const environment: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: String(8 * 2 ** 20),
};
const startTimeoutMs = 30_000;
/** A process that notices its time is up says so within this, and lives on. */
const graceMs = 1000;
const memoryWatchMs = 50;
const outputKeptChars = 2000;
const outputBytesMax = 2 ** 20;
/** After a process has ended, what it wrote last is waited for this long: something may hold its pipes open. */
const lastWordsMs = 200;

/** A process wears out: fragments of memory and whatever a hostile file may have left in it; that of WebAssembly only grows. */
const jobsMax: Readonly<Record<SourceKind, number>> = { picture: 500, svg: 100, heif: 40, pdf: 40 };
const busyMsMax = 120_000;

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/** A decoder process. */
export class DecoderChild {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #socket: Socket;
  readonly #options: DecoderOptions;
  readonly #reader: FrameReader = new FrameReader(replyLimits);
  readonly #gone: AbortController = new AbortController();
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  readonly kind: SourceKind;
  #waiting: Waiting | undefined;
  #killedBecause: Error | undefined;
  #output = '';
  #outputBytes = 0;
  #clock: NodeJS.Timeout | undefined;
  #isHanding = false;
  #jobs = 0;
  #busyMs = 0;
  #isWorn = false;

  /** Starts a process, which has to be `ready` before it is given a file. */
  constructor(options: DecoderOptions) {
    const { module = standardModule, memoryBytesMax, kind = 'picture' } = options;
    const { file, args } = decoderCommand(process.execPath, fileURLToPath(module), memoryBytesMax, kind);
    this.kind = kind;
    this.#folder = mkdtempSync(join(tmpdir(), 'rowlock-decoder-'));
    this.#options = options;
    // Detached: a group of its own, which is killed as one.
    this.#process = spawn(file, args, {
      cwd: this.#folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    this.ended = this.#watchEnd();
    const channel = this.#process.stdio?.[3];
    if (!channel) throw new Error('no process can be started: too many files are open');
    this.#socket = channel as Socket;
    this.#watchOutput();
  }

  /** Whether it must not be given another job. */
  get isSpent(): boolean {
    return this.#gone.signal.aborted || this.#killedBecause !== undefined || this.#isWorn;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /**
   * Renders a file. One at a time; when it fails for another reason than the file's bytes, the process is gone.
   *
   * @throws ImageError; the signal's reason; whatever the file's stream fails with
   */
  async render(work: DecoderWork): Promise<RenderedImage> {
    const { presets, signal } = work;
    const begun = performance.now();
    const onAbort = (): void => this.kill(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const watch = setInterval(() => void this.#watchMemory(), memoryWatchMs);
    this.#socket.ref();
    try {
      const reply = this.#reply();
      const [frame] = await Promise.all([reply, this.#hand(work)]);
      return this.#understood(await this.#admitted(frame, work), presets);
    } catch (error) {
      throw this.kind === 'svg' ? lasting(error) : error;
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(this.#clock);
      this.#socket.unref();
      this.#jobs += 1;
      this.#busyMs += performance.now() - begun;
      await this.#judgeWear();
    }
  }

  /** Ends the process at once; a running job fails with the error. */
  kill(error: Error): void {
    this.#killedBecause ??= error;
    this.#end();
  }

  /** Waits until the process can decode; when it fails, the process is gone. */
  async ready(): Promise<void> {
    this.#startClock(startTimeoutMs);
    try {
      const frame = await this.#reply();
      if (!isReady(frame)) throw new TypeError('it began with something else than being ready');
    } catch (error) {
      this.#end();
      await this.ended;
      throw new Error('a decoder process could not be started', { cause: error });
    } finally {
      clearTimeout(this.#clock);
    }
    this.#socket.unref();
    this.#process.unref();
    // On Windows it cannot be removed as long as a process is in it.
    if (process.platform !== 'win32') this.#removeFolder();
  }

  #reply(): Promise<Frame> {
    if (this.#gone.signal.aborted) return Promise.reject(this.#reasonOfEnd(''));
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** A process that asks for memory is told when there is some; its time begins again then. */
  async #admitted(frame: Frame, { admit }: DecoderWork): Promise<Frame> {
    const needs = this.#checked(() => neededBytes(frame));
    if (needs === undefined) return frame;
    clearTimeout(this.#clock);
    await admit(needs, this.#gone.signal).catch((error: unknown) => {
      this.kill(error instanceof Error ? error : new Error(String(error)));
      throw error;
    });
    const reply = this.#reply();
    this.#socket.write(beginFrame(goHead, 0));
    this.#startClock(this.#options.timeoutMs + graceMs);
    return await reply;
  }

  /** Sends the request and the file, each byte copied into the pipe once; then the time to decode runs. */
  async #hand({ file, presets, watermark }: DecoderWork): Promise<void> {
    const request: RenderRequest = {
      presets,
      timeoutMs: this.#options.timeoutMs,
      watermark_bytes: watermark?.length ?? 0,
    };
    const forget = (): void => discard(file);
    this.#gone.signal.addEventListener('abort', forget, { once: true });
    let left = file.size;
    this.#isHanding = true;
    try {
      await this.#write(beginFrame(request, file.size + request.watermark_bytes));
      for await (const chunk of file.bytes === undefined ? file.stream : [file.bytes]) {
        left -= (chunk as Buffer).length;
        if (left < 0) break;
        await this.#write(chunk as Buffer);
      }
      if (left !== 0) throw new Error('the file is not of the size that it was said to be');
      if (watermark !== undefined) await this.#write(watermark);
    } catch (error) {
      if (this.#gone.signal.aborted) throw this.#gone.signal.reason;
      this.kill(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#isHanding = false;
      this.#gone.signal.removeEventListener('abort', forget);
    }
    if (this.#waiting !== undefined) this.#startClock(this.#options.timeoutMs + graceMs);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#waiting === undefined) throw this.#broken(new TypeError('it answered before it was asked'));
    if (this.#socket.write(chunk)) return;
    this.#startClock(this.#options.timeoutMs + graceMs);
    await this.#drained();
    clearTimeout(this.#clock);
  }

  /** Waits until the process has read what was written, or is gone. */
  async #drained(): Promise<void> {
    const { signal } = this.#gone;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) done();
      this.#socket.once('drain', done);
      signal.addEventListener('abort', done);
    });
    signal.throwIfAborted();
  }

  /** The process has this long for what it is at. */
  #startClock(timeoutMs: number): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => {
      this.kill(new ImageError('timeout', 'decoding the image took too long'));
    }, timeoutMs);
  }

  #understood(frame: Frame, presets: readonly AskedPreset[]): RenderedImage {
    return this.#checked(() => {
      this.#isWorn ||= isWorn(frame);
      return readReply(frame, presets);
    });
  }

  /** What is no message ends the process, and so does whatever else reading it comes to. */
  #checked<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (error instanceof ImageError || error instanceof DecodingFailure) throw error;
      throw this.#broken(error);
    }
  }

  async #watchMemory(): Promise<void> {
    const bytes = await residentBytes(this.pid);
    if (this.#waiting !== undefined && bytes > this.#options.memoryBytesMax) {
      this.kill(new ImageError('memory', 'decoding the image takes too much memory'));
    }
  }

  async #judgeWear(): Promise<void> {
    const isFat = (await residentBytes(this.pid)) > this.#options.memoryBytesMax / 2;
    this.#isWorn ||= isFat || this.#jobs >= jobsMax[this.kind] || this.#busyMs >= busyMsMax;
  }

  /** Ends a process that does not keep to the protocol: nothing that it says counts any more. */
  #broken(cause: unknown): ImageError {
    const error = new ImageError('crashed', 'the process that decoded the image went wrong', { cause });
    this.kill(error);
    return error;
  }

  #watchEnd(): Promise<void> {
    const child = this.#process;
    return new Promise((resolve) => {
      const finish = (how: string): void => {
        if (this.#gone.signal.aborted) return;
        this.#finish(how);
        resolve();
      };
      child.once('error', (error) => finish(error.message));
      child.once('close', (code, signal) => finish(String(signal ?? code)));
      child.once('exit', (code, signal) => setTimeout(finish, lastWordsMs, String(signal ?? code)));
    });
  }

  #watchOutput(): void {
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => this.#keep(chunk));
      (stream as Socket | null)?.unref();
    }
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A process that has no channel any more has ended, or has nothing left to live for.
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
  }

  #receive(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      this.#broken(error);
      return;
    }
    const waiting = this.#waiting;
    const [frame] = frames;
    if (frame === undefined || this.#killedBecause !== undefined) return;
    if (waiting === undefined || frames.length > 1) {
      this.#broken(new TypeError('a decoder process spoke without being asked'));
      return;
    }
    this.#waiting = undefined;
    waiting.resolve(frame);
    // A reply that came before all of the file was taken is one that never read it.
    if (this.#isHanding) this.#startClock(graceMs);
  }

  #keep(chunk: Buffer): void {
    this.#outputBytes += chunk.length;
    if (this.#output.length < outputKeptChars) {
      this.#output = (this.#output + chunk.toString('utf8')).slice(0, outputKeptChars);
    }
    if (this.#outputBytes > outputBytesMax) this.#broken(new Error('a decoder process wrote without end'));
  }

  #end(): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#process.ref();
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      this.#process.kill('SIGKILL'); // its group is gone, so it will be soon
    }
  }

  #finish(how: string): void {
    const reason = this.#reasonOfEnd(how);
    const words = this.#output === '' ? '' : `; it wrote: ${this.#output}`;
    if (reason instanceof ImageError || words !== '') {
      this.#options.onCrash?.(`a decoder process ended by ${how}: ${reason.message}${words}`);
    }
    this.#gone.abort(reason);
    for (const stream of this.#process.stdio ?? []) stream?.destroy();
    this.#removeFolder();
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #reasonOfEnd(how: string): Error {
    if (this.#killedBecause !== undefined) return this.#killedBecause;
    const cause = new Error(`the decoder process ended: ${how}`);
    return new ImageError('crashed', 'the process that decoded the image ended', { cause });
  }
}

/** A drawing is all work and no bytes: one that took too long takes as long the next time, and is not tried again. */
function lasting(error: unknown): unknown {
  if (!(error instanceof ImageError) || error.reason !== 'timeout') return error;
  return new ImageError(error.reason, error.message, { cause: error, permanent: true });
}
