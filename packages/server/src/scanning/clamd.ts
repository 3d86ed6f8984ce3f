/**
 * Asks a clamd whether bytes are infected, over its INSTREAM command: TCP or a Unix socket, a connection for each file, all
 * of it bounded in bytes and time. It knows nothing of objects or of what follows from a verdict. Invariant: bytes are `clean`
 * only where clamd said so, in one whole answer, after it had been sent every one of them.
 */
import { connect, type Socket } from 'node:net';

/** Where a clamd listens. */
export type ScannerAddress = { readonly socket: string } | { readonly host: string; readonly port: number };

export interface ScannerOptions {
  readonly address: ScannerAddress;
  /** How long nothing may happen on the connection, in milliseconds. Default 120,000: clamd's own limit for one file. */
  readonly timeoutMs?: number;
  /** How long a connection may take to be there, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** The largest file that is sent, in bytes; at most clamd's `StreamMaxLength`. Default 100 MiB, as there. */
  readonly bytesMax?: number;
}

export type Verdict = { readonly status: 'clean' } | { readonly status: 'infected'; readonly signature: string };

/** What a scanner does. */
export interface Scanner {
  readonly bytesMax: number;
  /** Opens a source once somebody is there to take it. @throws ScanError; whatever the source throws */
  scan(open: () => Promise<AsyncIterable<Uint8Array>>, signal: AbortSignal): Promise<Verdict>;
}

/**
 * `away`: nobody answered, or not to the end: it is worth another try. `too_large`: it is more than the scanner takes, and
 * stays so. `failed`: it answered that it could not, or what it answered makes no sense.
 */
export type ScanFailure = 'away' | 'too_large' | 'failed';

/** Nothing is known of the bytes. */
export class ScanError extends Error {
  readonly failure: ScanFailure;

  constructor(failure: ScanFailure, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ScanError';
    this.failure = failure;
  }
}

/** What is sent at once; clamd takes each chunk behind its length in four bytes. */
const chunkBytesMax = 2 ** 20;
/** No answer is longer: the name of a signature and a few words. */
const answerBytesMax = 4096;
const signatureLengthMax = 200;

const defaults = { timeoutMs: 120_000, connectTimeoutMs: 5000, bytesMax: 100 * 2 ** 20 };

/** A clamd. It keeps no connection: a file has one of its own. */
export class ClamdScanner implements Scanner {
  readonly bytesMax: number;
  readonly #address: ScannerAddress;
  readonly #timeoutMs: number;
  readonly #connectTimeoutMs: number;

  constructor(options: ScannerOptions) {
    const { address, timeoutMs, connectTimeoutMs, bytesMax } = { ...defaults, ...options };
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.bytesMax = bytesMax;
  }

  /** Sends all bytes and waits for what clamd says of them. Reads what it opens to its end, or ends it. */
  async scan(open: () => Promise<AsyncIterable<Uint8Array>>, signal: AbortSignal): Promise<Verdict> {
    const line = await this.#open(signal);
    try {
      const isWhole = await line.sendStream(await open(), this.bytesMax);
      return verdictOf(await line.answer(), isWhole);
    } finally {
      line.close();
    }
  }

  /** Which engine and database answers, as clamd spells it. @throws ScanError */
  async version(signal: AbortSignal = AbortSignal.timeout(this.#connectTimeoutMs)): Promise<string> {
    const line = await this.#open(signal);
    try {
      line.sendCommand('VERSION');
      return printable(await line.answer());
    } finally {
      line.close();
    }
  }

  async #open(signal: AbortSignal): Promise<Line> {
    signal.throwIfAborted();
    const address = this.#address;
    const socket = 'socket' in address ? connect(address.socket) : connect(address.port, address.host);
    socket.setNoDelay(true);
    const line = new Line(socket, signal);
    await line.opened(this.#connectTimeoutMs);
    socket.setTimeout(this.#timeoutMs, () => {
      line.fail(new ScanError('away', `the scanner was silent for ${this.#timeoutMs} ms`));
    });
    return line;
  }
}

/** One conversation. Whatever ends it early ends both directions, and is told to whoever waits. */
class Line {
  readonly #socket: Socket;
  readonly #signal: AbortSignal;
  readonly #answer: Promise<string>;
  #settle: { resolve(text: string): void; reject(error: unknown): void } | undefined;
  #isAnswered = false;
  readonly #onAbort: () => void;

  constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    this.#answer = new Promise<string>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#answer.catch(() => undefined); // whoever waits is told; nobody may wait yet
    this.#onAbort = (): void => this.fail(signal.reason);
    signal.addEventListener('abort', this.#onAbort);
    this.#listen();
  }

  /** Resolves when the connection is there. */
  async opened(timeoutMs: number): Promise<void> {
    const late = setTimeout(() => {
      this.fail(new ScanError('away', `the scanner could not be reached within ${timeoutMs} ms`));
    }, timeoutMs);
    const connected = new Promise<void>((resolve) => this.#socket.once('connect', resolve));
    try {
      await Promise.race([connected, this.#answer.then(() => undefined)]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  sendCommand(name: string): void {
    this.#socket.write(`z${name}\0`);
  }

  /**
   * Sends a stream of chunks. False where clamd answered before its end, which then is not sent.
   *
   * @throws ScanError `too_large`, and whatever ended the conversation
   */
  async sendStream(source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<boolean> {
    this.sendCommand('INSTREAM');
    let sent = 0;
    for await (const chunk of source) {
      sent += chunk.byteLength;
      if (sent > bytesMax) throw new ScanError('too_large', `more than ${bytesMax} bytes are not scanned`);
      for (let at = 0; at < chunk.byteLength; at += chunkBytesMax) {
        if (this.#isAnswered) return false;
        await this.#write(chunk.subarray(at, at + chunkBytesMax));
      }
    }
    if (this.#isAnswered) return false;
    this.#socket.write(Buffer.alloc(4));
    return true;
  }

  /** What clamd said, without the zero byte at its end. @throws ScanError */
  answer(): Promise<string> {
    return this.#answer;
  }

  fail(error: unknown): void {
    this.#settle?.reject(error);
    this.#isAnswered = true;
    this.#socket.destroy();
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    this.#socket.cork();
    this.#socket.write(length);
    const isTaken = this.#socket.write(bytes);
    this.#socket.uncork();
    if (isTaken) return;
    const { promise: drained, stop } = this.#drained();
    try {
      await Promise.race([drained, this.#answer]);
    } finally {
      stop();
    }
  }

  #drained(): { readonly promise: Promise<void>; stop(): void } {
    let onDrain = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      onDrain = resolve;
      this.#socket.once('drain', onDrain);
    });
    return { promise, stop: () => this.#socket.off('drain', onDrain) };
  }

  #listen(): void {
    const chunks: Buffer[] = [];
    let length = 0;
    this.#socket.on('data', (chunk: Buffer) => {
      const end = chunk.indexOf(0);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      length += chunks.at(-1)?.length ?? 0;
      if (length > answerBytesMax) {
        this.fail(new ScanError('failed', 'the scanner answered more than any answer has'));
      } else if (end >= 0) {
        this.#isAnswered = true;
        this.#settle?.resolve(Buffer.concat(chunks).toString('utf8'));
      }
    });
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => {
      const said = cause.code ?? cause.message;
      this.fail(new ScanError('away', `the scanner cannot be asked: ${said}`, { cause }));
    });
    // After all that was read: whoever closes early has answered nothing.
    this.#socket.on('close', () => {
      this.fail(new ScanError('away', 'the scanner closed the connection without an answer'));
    });
  }
}

/** Reads an answer. `isWhole` says that every byte had been sent before it came. @throws ScanError */
function verdictOf(answer: string, isWhole: boolean): Verdict {
  const text = printable(answer);
  const found = /^stream: (.+) FOUND$/.exec(text);
  if (found !== null) {
    return { status: 'infected', signature: (found[1] ?? '').slice(0, signatureLengthMax) };
  }
  if (text === 'stream: OK' && isWhole) {
    return { status: 'clean' };
  }
  if (/size limit exceeded/i.test(text)) {
    throw new ScanError('too_large', 'the file is larger than what the scanner takes: see its StreamMaxLength');
  }
  throw new ScanError('failed', `the scanner answered: ${text.slice(0, 300)}`);
}

/** What came from outside, as a line that any log may show. */
function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]+/g, ' ').trim();
}

/** Reads `unix:/run/clamav/clamd.ctl`, `/run/clamav/clamd.ctl`, `host:3310` or `[::1]:3310`. `undefined` for anything else. */
export function parseScannerAddress(text: string): ScannerAddress | undefined {
  const path = /^(?:unix:)?(\/.{1,100})$/.exec(text)?.[1];
  if (path !== undefined) return { socket: path };
  const [, bracketed, plain, digits] =
    /^(?:tcp:\/\/)?(?:\[([0-9a-fA-F:]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? plain;
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
