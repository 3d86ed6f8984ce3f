/**
 * A client that is no client: bytes to a socket as the test wants them, and what comes back taken apart. It sends nothing
 * that it was not given. Invariant: each wait has a deadline.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@rowlock/test-harness';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; several of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class RawSocket {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('end', () => {
      this.#ended = true;
    });
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.on('error', () => {
      this.#ended = true; // a reset; what had come stays readable
    });
  }

  /** Connects to the server at `url`. */
  static async to(url: string): Promise<RawSocket> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const raw = new RawSocket(socket);
    await once(socket, 'connect');
    return raw;
  }

  get received(): string {
    return this.#received.toString('latin1');
  }

  /** Whether the server has ended its side, or reset. */
  get ended(): boolean {
    return this.#ended || this.#closed;
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Writes, and waits until the system has taken it all or the connection is gone. */
  async writeThrough(bytes: string | Uint8Array): Promise<void> {
    if (this.#closed || this.socket.write(bytes)) return;
    const { socket } = this;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  /** Waits for one whole answer beyond the interim ones and takes it off what was received. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    const found = await until(() => this.#parse(method), { what: 'an answer is here' });
    this.#received = this.#received.subarray(found.length);
    return found.answer;
  }

  /** Waits until the server has closed its side. */
  async closed(timeoutMs = 10_000): Promise<void> {
    await until(() => this.ended, { what: 'the server closes the connection', timeoutMs });
  }

  destroy(): void {
    this.socket.destroy();
  }

  #parse(method: string): { readonly answer: RawAnswer; readonly length: number } | undefined {
    const text = this.received;
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const [line = '', ...fields] = text.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1]);
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(field) ?? [];
      const key = name.toLowerCase();
      headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
    }
    const start = end + 4;
    if (status === 100) {
      this.#received = this.#received.subarray(start);
      return this.#parse(method);
    }
    const isBodiless = method === 'HEAD' || status === 204 || status === 304;
    const length = isBodiless ? 0 : Number(headers['content-length'] ?? Number.NaN);
    const isWhole = Number.isNaN(length) ? this.ended : this.#received.byteLength >= start + length;
    if (!isWhole) return undefined;
    const bodyEnd = Number.isNaN(length) ? this.#received.byteLength : start + length;
    const body = this.#received.subarray(start, bodyEnd).toString();
    return { answer: { status, headers, body }, length: bodyEnd };
  }
}

/** Sends bytes on a connection of their own, reads one answer, and waits until the server has closed. */
export async function sendAndClose(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const raw = await RawSocket.to(url);
  try {
    raw.write(bytes);
    const answer = await raw.answer();
    await raw.closed();
    return answer;
  } finally {
    raw.destroy();
  }
}

/** A request as text: the request line, `host: x`, headers, and a body as it is. */
export function rawRequest(
  line: string,
  headers: Readonly<Record<string, string | number>> = {},
  body = '',
  version = 'HTTP/1.1',
): string {
  const fields = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} ${version}\r\n${fields.join('')}\r\n${body}`;
}
