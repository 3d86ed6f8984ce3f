/**
 * One upload that is sent piece by piece over a socket of its own: begun, left waiting, broken off or finished. Its
 * length is declared. It judges no answer.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';

export interface StreamAnswer {
  /** 0 where nobody answered. */
  readonly status: number;
  readonly reason: string | undefined;
}

export class UploadStream {
  readonly #request: ClientRequest;
  readonly #text: string;
  #sent = 0;
  /** What is answered, whenever that is. */
  readonly answer: Promise<StreamAnswer>;
  isAnswered = false;

  constructor(url: URL, headers: Readonly<Record<string, string>>, text: string) {
    this.#text = text;
    this.#request = httpRequest(url, {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': text.length },
    });
    this.answer = new Promise((resolve) => {
      const end = (answer: StreamAnswer): void => {
        this.isAnswered = true;
        resolve(answer);
      };
      this.#request.on('response', (response: IncomingMessage) => {
        const reason = response.headers['x-rowlock-reason'];
        response.resume();
        end({ status: response.statusCode ?? 0, reason: typeof reason === 'string' ? reason : undefined });
      });
      this.#request.on('error', () => end({ status: 0, reason: undefined }));
      this.#request.on('close', () => end({ status: 0, reason: undefined }));
    });
  }

  /** Sends more bytes, and never all of them. */
  send(bytes: number): void {
    const until = Math.min(this.#sent + bytes, this.#text.length - 1);
    this.#request.flushHeaders();
    if (until > this.#sent) this.#request.write(this.#text.slice(this.#sent, until));
    this.#sent = Math.max(until, this.#sent);
  }

  /** Sends what is left. */
  finish(): Promise<StreamAnswer> {
    this.#request.end(this.#text.slice(this.#sent));
    this.#sent = this.#text.length;
    return this.answer;
  }

  destroy(): void {
    this.#request.destroy();
  }
}
