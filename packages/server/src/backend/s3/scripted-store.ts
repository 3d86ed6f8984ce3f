/**
 * A server that answers as a test tells it, for what no real store can be made to say at will: that it is busy, full or
 * broken, that its clock is off, or nothing at all. It keeps no objects and checks no signatures. Invariant: it writes
 * down every request in the order in which it came.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { openS3Backend, type S3Backend } from './s3-backend.ts';
import type { S3BackendConfig } from './s3-config.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path behind the bucket, and the names of parameters: `PUT /a?uploadId,partNumber`. */
  readonly what: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Answers only then. */
  readonly after?: Promise<unknown>;
  /** What to do with the connection instead of, or in the middle of, an answer. */
  readonly instead?: 'cut' | 'silence';
}

/** Answers the n-th request, from 0; the one that it is given is read already. */
export type Script = (request: SeenRequest, n: number) => ScriptedAnswer;

export interface ScriptedStore {
  readonly config: S3BackendConfig;
  readonly backend: S3Backend;
  readonly seen: readonly SeenRequest[];
  /** The requests in short. */
  readonly whats: readonly string[];
}

const credentials = { access_key_id: 'someone', secret_access_key: 'a-secret' };

/** Starts a store that answers by a script, and opens a backend on it. */
export async function scriptedStore(
  t: TestContext,
  script: Script,
  options: Partial<S3BackendConfig> = {},
): Promise<ScriptedStore> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const answered = read(request).then(async (body) => {
      const seenNow = { method: request.method ?? '', what: inShort(request), headers: request.headers, body };
      seen.push(seenNow);
      const scripted = script(seenNow, seen.length - 1);
      await scripted.after;
      answer(response, scripted);
    });
    answered.catch((error: unknown) => response.destroy(error as Error)); // who aborts a request gets no answer
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const config: S3BackendConfig = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'files',
    credentials,
    flavour: 'ceph',
    ...options,
  };
  const backend = await openS3Backend(config);
  t.after(async () => {
    await backend.close();
    server.closeAllConnections();
    server.close();
  });
  return {
    config,
    backend,
    seen,
    get whats() {
      return seen.map(({ what }) => what);
    },
  };
}

/** An error as S3 spells it. */
export function errorAnswer(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): ScriptedAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function inShort(request: IncomingMessage): string {
  const url = new URL(request.url ?? '', 'http://store');
  const names = [...url.searchParams.keys()].filter((name) => name !== 'x-id');
  const path = url.pathname.replace(/^\/files/, '') || '/';
  return `${request.method} ${path}${names.length === 0 ? '' : `?${names.join(',')}`}`;
}

function answer(response: ServerResponse, { status = 200, headers = {}, body = '', instead }: ScriptedAnswer): void {
  if (instead === undefined) {
    response.writeHead(status, { ...headers, 'content-length': headers['content-length'] ?? Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  if (body !== '') {
    response.writeHead(status, headers);
    response.write(body);
  }
  if (instead === 'cut') setImmediate(() => response.socket?.destroy());
}
