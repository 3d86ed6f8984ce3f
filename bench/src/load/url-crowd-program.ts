/**
 * The process that plays a crowd of clients who ask for upload URLs at once, each on a connection of its own: it asks, then,
 * where that is not signed at once, looks as often as our client does. It uploads nothing. Invariant: an answer that is no URL in the end is an error of the
 * whole crowd, so a latency never leaves out those who failed.
 */
import { waited } from '../../../packages/client/dist/wait.js';
import { latenciesOf } from '../measure/statistics.ts';
import { HttpSocket } from './http-socket.ts';
import type { UrlCrowdOrder, UrlCrowdSample } from './url-crowd.ts';

const patienceMs = 20_000;

interface UploadRequest {
  readonly request_id: string;
  readonly status: string;
  readonly url: string | null;
}

/** One client; `token` is its bearer token. */
class Client {
  readonly #socket: HttpSocket;
  readonly #fields: string;
  looks = 0;

  constructor(port: number, token: string) {
    this.#socket = new HttpSocket(port, { text: true });
    this.#fields = `host: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n`;
  }

  /** The request's id, or undefined where its answer has the URL. */
  async ask(n: number): Promise<string | undefined> {
    const entity = { p_entity_type: 'issue', p_entity_id: String(n) };
    const file = { p_file_name: `photo-${n}.jpg`, p_file_type: 'image/jpeg', p_file_size: 123_456 };
    const body = Buffer.from(JSON.stringify({ ...entity, ...file }));
    const fields = `${this.#fields}content-type: application/json\r\ncontent-length: ${body.byteLength}\r\n`;
    const { request_id, status, url } = await this.#send(`POST /rpc/request_upload HTTP/1.1\r\n${fields}\r\n`, body);
    return status === 'completed' && url !== null ? undefined : request_id;
  }

  /** Looks again and again, less often the longer it takes. */
  async untilSigned(id: string): Promise<void> {
    const head = `GET /rpc/get_upload_request?p_request_id=${id} HTTP/1.1\r\n${this.#fields}\r\n`;
    const look = async (): Promise<UploadRequest> => {
      this.looks += 1;
      return await this.#send(head);
    };
    const ends = ({ status }: UploadRequest): boolean => status !== 'pending' && status !== 'processing';
    const { status, url } = await waited(look, ends, { patienceMs, signal: undefined });
    if (status !== 'completed' || !url?.startsWith('http')) throw new Error(`A request for a URL is ${status}`);
  }

  async #send(head: string, body?: Uint8Array): Promise<UploadRequest> {
    const { status, text } = await this.#socket.send(head, body);
    if (status !== 200) throw new Error(`${head.slice(0, head.indexOf(' HTTP'))} answered ${status}: ${text}`);
    return JSON.parse(text) as UploadRequest;
  }

  close(): void {
    this.#socket.close();
  }
}

async function perform({ port, tokens }: UrlCrowdOrder): Promise<UrlCrowdSample> {
  const asked: number[] = [];
  const signed: number[] = [];
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const clients = tokens.map((token) => new Client(port, token));
  try {
    await Promise.all(
      clients.map(async (client, n) => {
        const id = await client.ask(n);
        asked.push(performance.now() - begin);
        if (id !== undefined) await client.untilSigned(id);
        signed.push(performance.now() - begin);
      }),
    );
  } finally {
    for (const client of clients) client.close();
  }
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    ...latenciesOf(signed),
    asked_p99_ms: latenciesOf(asked).p99_ms,
    looks: clients.reduce((sum, { looks }) => sum + looks, 0),
    seconds,
    load_cpu_seconds: (used.user + used.system) / 1e6,
  };
}

process.on('message', (order: UrlCrowdOrder) => {
  perform(order).then(
    (sample) => process.send?.({ sample }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
