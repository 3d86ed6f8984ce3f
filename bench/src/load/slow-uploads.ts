/**
 * Many uploads that each send a little every second: what phones on bad networks are to a server. They all go on until
 * they are told to end; then they send the rest at once, and every one of them must be accepted.
 */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface SlowUploadsOrder {
  readonly port: number;
  /** `{n}` becomes the number of the upload. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly count: number;
  readonly bytesPerSecond: number;
  /** Length of each body: more than is sent while it is slow. */
  readonly bytes: number;
}

interface Upload {
  readonly request: ClientRequest;
  readonly answered: Promise<number>;
  left: number;
}

/** Uploads under way. */
export class SlowUploads {
  readonly #order: SlowUploadsOrder;
  readonly #agent: Agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  readonly #uploads: readonly Upload[];
  readonly #piece: Buffer;
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #failed: Error | undefined;

  /** Begins all of them; each sends its first piece at once. */
  constructor(order: SlowUploadsOrder) {
    this.#order = order;
    this.#piece = Buffer.alloc(order.bytesPerSecond, 7);
    this.#uploads = Array.from({ length: order.count }, (_, n) => this.#begin(n));
    for (const upload of this.#uploads) this.#write(upload);
    // One after the other, so that the pieces of a second do not come all at once.
    this.#timer = setInterval(() => {
      const upload = this.#uploads[this.#next % this.#uploads.length];
      this.#next += 1;
      if (upload !== undefined) this.#write(upload);
    }, 1000 / order.count);
  }

  #begin(n: number): Upload {
    const { port, path, headers, bytes } = this.#order;
    const sent = request({
      host: '127.0.0.1',
      port,
      path: path.replace('{n}', String(n)),
      method: 'POST',
      agent: this.#agent,
      headers: { ...headers, 'content-type': 'application/octet-stream', 'content-length': bytes },
    });
    sent.on('error', (error) => {
      this.#failed ??= error;
    });
    const answered = this.#answerTo(sent);
    answered.catch(() => undefined); // told by finish
    return { request: sent, answered, left: bytes };
  }

  async #answerTo(sent: ClientRequest): Promise<number> {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode ?? 0;
  }

  /** The last piece is kept for the end. */
  #write(upload: Upload): void {
    if (upload.left <= this.#piece.byteLength || upload.request.destroyed) return;
    upload.request.write(this.#piece);
    upload.left -= this.#piece.byteLength;
  }

  /** Sends the rest of all bodies. @throws Error unless every upload was accepted */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#failed !== undefined) throw this.#failed;
    for (const { request: sent, left } of this.#uploads) sent.end(Buffer.alloc(left, 7));
    const statuses = await Promise.all(this.#uploads.map(async ({ answered }) => await answered));
    const refused = statuses.filter((status) => status !== 200 && status !== 201);
    this.#agent.destroy();
    if (refused.length > 0) throw new Error(`${refused.length} slow uploads were not accepted: ${refused[0]}`);
  }

  /** Leaves in the middle. */
  abort(): void {
    clearInterval(this.#timer);
    for (const { request: sent } of this.#uploads) sent.destroy();
    this.#agent.destroy();
  }
}
