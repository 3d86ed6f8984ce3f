/**
 * A service whose files are looked at: by a real clamd, by a classifier over HTTP and by a kind of job of its own, with what tests
 * ask of it. It judges nothing. Invariant: whoever starts one stops it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Clamd, clamd, startService, type TestService, until } from '@rowlock/test-harness';

const v1 = '/storage/v1';
const json = { 'content-type': 'application/json' };
const run = promisify(execFile);
const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

export interface Check {
  readonly version: string;
  readonly kind: string;
  readonly status: string;
  readonly detail: unknown;
}

/** Bytes that the scanner of the service is sent at most. */
export const scannedBytesMax: number = 2 ** 20;

export class ScannedSite {
  readonly scanner: Clamd;
  readonly service: TestService;
  /** What the classifier read of each file that it was told of. */
  readonly classified: readonly string[];
  readonly #classifier: Server;

  private constructor(scanner: Clamd, service: TestService, { server, classified }: Classifier) {
    this.scanner = scanner;
    this.service = service;
    this.#classifier = server;
    this.classified = classified;
  }

  static async start(): Promise<ScannedSite> {
    const [scanner, classifier] = await Promise.all([clamd(), startClassifier()]);
    const service = await startService({
      checks: {
        scanner: { address: { socket: scanner.socket }, bytesMax: scannedBytesMax },
        classifier: { url: classifier.url },
        kinds: [{ kind: 'word_count', perform: ({ file }) => countWords(file) }],
      },
    });
    return new ScannedSite(scanner, service, classifier);
  }

  async stop(): Promise<void> {
    this.#classifier.close();
    await this.service.stop();
    await this.scanner.stop();
  }

  async call(as: string | undefined, method: string, path: string, body?: unknown): Promise<Response> {
    const sent = body === undefined ? {} : { headers: json, body: JSON.stringify(body) };
    return await this.service.fetch(`${v1}${path}`, { as, method, ...sent });
  }

  /** Makes a bucket that everybody with a token reads. */
  async bucket(name: string, settings: Readonly<Record<string, unknown>>, as = 'ann'): Promise<void> {
    const made = await this.call(as, 'POST', '/bucket', { name, policy: 'authenticated', ...settings });
    assert.equal(made.status, 201, await made.text());
  }

  async upload(path: string, body: string | Uint8Array<ArrayBuffer>, type = 'text/plain'): Promise<void> {
    const headers = { 'content-type': type, 'x-upsert': 'true' };
    const put = await this.service.fetch(`${v1}/object/${path}`, { as: 'ann', method: 'POST', headers, body });
    assert.ok(put.ok, await put.text());
  }

  /** What its owner is told of one check of a file. */
  async checkOf(path: string, kind = 'file_scan'): Promise<Check | undefined> {
    const checks = (await (await this.call('ann', 'GET', `/object/checks/${path}`)).json()) as Check[];
    return checks.find((each) => each.kind === kind);
  }

  /** The same, once something was found. */
  async found(path: string, kind = 'file_scan'): Promise<Check> {
    return await until(
      async () => {
        const check = await this.checkOf(path, kind);
        return check === undefined || check.status === 'pending' ? undefined : check;
      },
      { what: `${kind} has looked at ${path}`, timeoutMs: 20_000 },
    );
  }

  /** Status, and the reason or what came, of a download. */
  async read(as: string | undefined, path: string): Promise<readonly [number, string]> {
    const answer = await this.call(as, 'GET', `/object/${path}`);
    const text = await answer.text();
    return [answer.status, answer.headers.get('x-rowlock-reason') ?? text];
  }

  async sql<Row extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
    return await this.service.database.query<Row>(text, values);
  }

  /** How many files wait too long to be looked at, as whoever starts the service is told. */
  async unchecked(): Promise<number> {
    return Number((await this.sql<{ n: string }>('SELECT unchecked AS n FROM storage_internal.health()'))[0]?.n);
  }

  async rpc(name: string, args: object): Promise<Readonly<Record<string, string>>> {
    const asked = { as: 'ann', method: 'POST', headers: json, body: JSON.stringify(args) };
    return (await (await this.service.fetch(`/rpc/${name}`, asked)).json()) as Record<string, string>;
  }

  /** What the command prints, one object a line. */
  async quarantine(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>[]> {
    const env = { PATH: process.env['PATH'] ?? '', WORKER_DATABASE_URL: this.service.database.workerUrl };
    const { stdout } = await run(process.execPath, [program, 'quarantine', ...args, '--json'], { env });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
  }
}

interface Classifier {
  readonly server: Server;
  readonly url: string;
  readonly classified: string[];
}

/** Reads each file by the URL that it is told, and finds all of them harmless. */
async function startClassifier(): Promise<Classifier> {
  const classified: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { url } = JSON.parse(String(Buffer.concat(chunks))) as { url: string };
      classified.push(await (await fetch(url)).text());
      response.end('{"severity": "low", "score": 0.25}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, url: `http://127.0.0.1:${address.port}/`, classified };
}

async function countWords(
  file: { readonly name: string | null; open(): Promise<AsyncIterable<unknown>> } | undefined,
): Promise<{ readonly detail: unknown }> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await file?.open()) ?? []) chunks.push(chunk as Buffer);
  return { detail: { words: String(Buffer.concat(chunks)).split(' ').length, name: file?.name } };
}
