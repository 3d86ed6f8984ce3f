/**
 * One keep-alive HTTP connection that costs the one who measures as little as possible: requests are sent as bytes that
 * were made before, of answers only status and length are read, and the text where it is wanted. It understands what our
 * peers send: a Content-Length, or a status without a body; anything else is an error.
 */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** The body, where it is wanted; '' otherwise. */
  readonly text: string;
}

const readBufferBytes = 256 * 1024;
const textBufferBytes = 16 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

/** A connection to a server on this machine. One request at a time. */
export class HttpSocket {
  readonly #socket: Socket;
  readonly #opened: Promise<void>;
  readonly #wantsText: boolean;
  #text: Buffer[] = [];
  #head: Buffer = Buffer.alloc(0);
  #status = 0;
  #length = 0;
  #left = -1;
  #answered: ((answer: Answer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(port: number, { text = false }: { readonly text?: boolean } = {}) {
    this.#wantsText = text;
    const buffer = Buffer.allocUnsafe(text ? textBufferBytes : readBufferBytes);
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length: number) => {
          this.#read(buffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
    });
    this.#socket.on('error', (error) => this.#failed?.(error));
    this.#socket.on('close', () => this.#failed?.(new Error('The server closed the connection')));
  }

  /** Sends a request and resolves when its answer was read to the end. A body is sent again and again up to `length`. */
  async send(head: string, body?: Uint8Array, length: number = body?.byteLength ?? 0): Promise<Answer> {
    await this.#opened;
    return await new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      if (body === undefined) {
        this.#socket.write(head, 'latin1');
        return;
      }
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#write(body, length);
      this.#socket.uncork();
    });
  }

  /** As much at once as the socket takes, the rest when it has gone. */
  #write(body: Uint8Array, length: number): void {
    let left = length;
    while (left > 0) {
      const piece = left < body.byteLength ? body.subarray(0, left) : body;
      left -= piece.byteLength;
      if (!this.#socket.write(piece) && left > 0) {
        this.#socket.once('drain', () => this.#write(body, left));
        return;
      }
    }
  }

  close(): void {
    this.#answered = undefined;
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left >= 0) {
      this.#take(chunk);
      return;
    }
    this.#head = this.#head.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(headEnd);
    if (end === -1) return;
    const head = this.#head.toString('latin1', 0, end);
    const rest = this.#head.subarray(end + headEnd.byteLength);
    this.#head = Buffer.alloc(0);
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && this.#status !== 204) {
      this.#failed?.(new Error(`An answer ${this.#status} without a Content-Length`));
      return;
    }
    this.#length = Number(length ?? 0);
    this.#left = this.#length;
    this.#take(rest);
  }

  #take(chunk: Buffer): void {
    this.#left -= chunk.byteLength;
    if (this.#wantsText) this.#text.push(Buffer.from(chunk)); // what it was read into is read into again
    if (this.#left > 0) return;
    const answered = this.#answered;
    const text = this.#wantsText ? Buffer.concat(this.#text).toString() : '';
    this.#answered = undefined;
    this.#left = -1;
    this.#text = [];
    answered?.({ status: this.#status, bytes: this.#length, text });
  }
}
