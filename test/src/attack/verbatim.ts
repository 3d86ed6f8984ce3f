/**
 * Requests whose path reaches the server exactly as written: fetch would resolve `..` and escape what it finds odd.
 * Bodies are small texts or bytes. It decides nothing about answers.
 */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface VerbatimRequest {
  readonly method?: string;
  /** Path and query as they go over the wire. */
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Sends a request to the server at `url` and reads the whole answer. */
export async function sendVerbatim(url: string, wanted: VerbatimRequest): Promise<Response> {
  const { hostname, port } = new URL(url);
  const sent = request({
    hostname,
    port,
    path: wanted.path,
    method: wanted.method ?? 'GET',
    headers: {
      ...(wanted.token === undefined ? {} : { authorization: `Bearer ${wanted.token}` }),
      ...(wanted.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(wanted.body)) }),
      ...wanted.headers,
    },
    agent: false,
  });
  const answered = once(sent, 'response');
  sent.end(wanted.body);
  const [answer] = (await answered) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headersDistinct)) {
    for (const each of value ?? []) headers.append(name, each);
  }
  const isBodiless = [204, 304].includes(answer.statusCode ?? 0);
  return new Response(isBodiless ? null : Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers });
}
