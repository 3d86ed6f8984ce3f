/**
 * An HTTP gateway in front of a service or a store that does harm to single requests: answers for them, or breaks their connection
 * off. What it does not harm it passes on as it came, host included, so that signatures hold. It understands no request.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough } from 'node:stream';

/** What a request suffers. */
export type Harm =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection ends after so many bytes of its body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The server does all that was asked, and its answer is lost. */
  | { readonly kind: 'lose_answer' }
  /** Passed on when the promise resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

export interface FaultyGateway {
  readonly url: string;
  /** Method and path of every request since it was cleared. */
  readonly seen: string[];
  /** Requests on their way now. */
  readonly open: number;
  /** Decides for each request; undefined harms nothing. */
  harm: ((seen: { readonly method: string; readonly path: string }) => Harm | undefined) | undefined;
  /** Where it passes requests on to. */
  target: string;
  close(): Promise<void>;
}

/** Harms the first request of a method whose path matches, and no other. */
export function once(method: string, path: RegExp, harm: Harm): FaultyGateway['harm'] {
  let isDone = false;
  return (seen) => {
    if (isDone || seen.method !== method || !path.test(seen.path)) return undefined;
    isDone = true;
    return harm;
  };
}

/** Starts one on a free port. */
export async function startFaultyGateway(target: string): Promise<FaultyGateway> {
  const gateway = new Gateway(target);
  await gateway.listen();
  return gateway;
}

class Gateway implements FaultyGateway {
  readonly seen: string[] = [];
  harm: FaultyGateway['harm'];
  target: string;
  open = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: string) {
    this.target = target;
    this.#server = createServer((asked, answer) => {
      void this.#pass(asked, answer);
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined); // an error is followed by 'close'
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = asked;
    this.seen.push(`${method} ${path}`);
    this.open += 1;
    const gone = new Promise<void>((resolve) => {
      answer.on('close', () => {
        this.open -= 1;
        resolve();
      });
    });
    const harm = this.harm?.({ method, path });
    if (harm?.kind === 'answer') {
      asked.resume();
      asked.on('end', () => answer.writeHead(harm.status, { connection: 'close', ...harm.headers }).end());
      return;
    }
    // Read all the while: who does not read is not told that the other side has gone.
    const body = harm?.kind === 'hold' ? asked.pipe(new PassThrough({ highWaterMark: 2 ** 26 })) : asked;
    if (harm?.kind === 'hold') await Promise.race([harm.until, gone]);
    if (answer.closed) return;
    const { hostname, port } = new URL(this.target);
    const behind = request({ hostname, port, method, path, headers: asked.headers, agent: false });
    behind.on('error', () => asked.socket.destroy());
    answer.on('close', () => behind.destroy());
    behind.on('response', (told) => {
      if (harm?.kind === 'lose_answer') {
        told.resume();
        told.on('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
    });
    if (harm?.kind === 'cut') breakOff(asked, harm.afterBytes, () => behind.destroy());
    else body.pipe(behind);
  }
}

function breakOff(asked: IncomingMessage, afterBytes: number, end: () => void): void {
  let bytes = 0;
  asked.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes < afterBytes) return;
    asked.socket.destroy();
    end();
  });
  asked.on('end', () => {
    asked.socket.destroy();
    end();
  });
}
