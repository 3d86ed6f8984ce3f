/**
 * What tests of the HTTP contract share: a service with a private and a public bucket of `ann`, and requests whose answers
 * are read whole. It asserts that arranging works and judges nothing else; `nobody` is a caller without a token.
 */
import assert from 'node:assert/strict';
import { assertInvariants, type ServiceOptions, startService, type TestService } from '@rowlock/test-harness';

export const v1 = '/storage/v1';

export type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Question {
  /** A subject, `service`, or `nobody` for no token. Default `ann`. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
  /** Sent as JSON. */
  readonly json?: unknown;
}

export class ContractSite {
  readonly service: TestService;

  private constructor(service: TestService) {
    this.service = service;
  }

  /** Starts a service with the buckets `box`, private, and `open`, public. */
  static async start(options: ServiceOptions = {}): Promise<ContractSite> {
    const site = new ContractSite(await startService({ workers: false, ...options }));
    if (options.database === undefined) {
      await site.make('bucket', { name: 'box' });
      await site.make('bucket', { name: 'open', public: true });
    }
    return site;
  }

  /** Asserts every invariant, then stops. */
  async stop(): Promise<void> {
    await assertInvariants(this.service);
    await this.service.stop();
  }

  /** Asks for a path below the prefix, or for a whole URL. */
  async ask(method: string, path: string, { as = 'ann', headers, body, json }: Question = {}): Promise<Answer> {
    const sent = json === undefined ? body : JSON.stringify(json);
    const answer = await this.service.fetch(/^https?:/.test(path) ? path : `${v1}/${path}`, {
      as: as === 'nobody' ? undefined : as,
      method,
      headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** Posts JSON; the answer must be a success. */
  async make(path: string, json: unknown, question: Question = {}): Promise<Json> {
    const answer = await this.ask('POST', path, { ...question, json });
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
    return jsonOf(answer);
  }

  /** Uploads; it must succeed. */
  async put(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Json> {
    const answer = await this.ask('PUT', `object/${path}`, {
      body,
      headers: { 'content-type': 'text/plain', ...headers },
    });
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
    return jsonOf(answer);
  }
}

/** A body that is a JSON object. */
export function jsonOf({ text }: Answer): Json {
  return JSON.parse(text) as Json;
}

/** A body that is a JSON array of objects. */
export function rowsOf({ text }: Answer): readonly Json[] {
  return JSON.parse(text) as readonly Json[];
}
