/**
 * What tests of signed URLs share: a service with two buckets of `ann`, of which everybody with a token reads `team`, and
 * short ways to sign, to open and to revoke. It asserts that arranging works and judges nothing else.
 */
import assert from 'node:assert/strict';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import pg from 'pg';

export const v1 = '/storage/v1';

export interface Signed {
  readonly id: string;
  readonly url: string;
  readonly signedURL: string;
  readonly expires_at: string;
}

export class SignedUrlsSite {
  readonly service: TestService;

  private constructor(service: TestService) {
    this.service = service;
  }

  static async start(): Promise<SignedUrlsSite> {
    const site = new SignedUrlsSite(await startService({ workers: false }));
    await site.send('POST', '/bucket', { name: 'box' }, 'ann');
    await site.send('POST', '/bucket', { name: 'team', policy: 'authenticated' }, 'ann');
    return site;
  }

  /** Asserts every invariant, then stops. */
  async stop(): Promise<void> {
    await assertInvariants(this.service);
    await this.service.stop();
  }

  send(method: string, path: string, body?: unknown, as?: string): Promise<Response> {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return this.service.fetch(`${v1}${path}`, { as, method, ...(body === undefined ? {} : json) });
  }

  async upload(path: string, body: string, as = 'ann', type = 'text/plain'): Promise<void> {
    const init = { as, method: 'PUT', headers: { 'content-type': type }, body };
    const answer = await this.service.fetch(`${v1}/object/${path}`, init);
    assert.ok(answer.ok, await answer.text());
  }

  async sign(path: string, terms: object = {}, as = 'ann'): Promise<Signed> {
    const answer = await this.send('POST', `/object/sign/${path}`, terms, as);
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as Signed;
  }

  /** The status of a revocation. */
  async revoke(body: object, as?: string): Promise<number> {
    return (await this.send('POST', '/signed-urls/revoke', body, as)).status;
  }

  async infoOf(path: string): Promise<{ readonly id: string; readonly version: string }> {
    const answer = await this.send('GET', `/object/info/${path}`, undefined, 'ann');
    return (await answer.json()) as { readonly id: string; readonly version: string };
  }

  /** Runs a statement in a transaction of its own as somebody, as PostgREST would. */
  async sqlAs(sub: string, statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.service.database.apiUrl });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(
        "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
        [JSON.stringify({ sub, role: 'authenticated' })],
      );
      await client.query(statement);
      await client.query('COMMIT');
    } finally {
      await client.end();
    }
  }
}

/** What a request by a signed URL is answered: its body, or the reason of the refusal. */
export async function openUrl(url: string, init: RequestInit = {}): Promise<string> {
  const answer = await fetch(url, init);
  return answer.ok ? answer.text() : (answer.headers.get('x-rowlock-reason') ?? `${answer.status}`);
}
