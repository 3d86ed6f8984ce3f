/**
 * A browser's part towards the gateway, without a browser: it sends the cookie that it was given back to that host, and names
 * the origin of its page where it asks for a session. It knows nothing of who may read what.
 */
import { request } from 'node:http';
import { signToken } from '@rowlock/test-harness';

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
  readonly reason: string | undefined;
}

export interface GatewayAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The origin of the application's page in these tests. */
export const pageOrigin = 'http://127.0.0.1:4200';

/** Sends a request whose path and headers no library tidies up. */
export function askGateway(base: string, path: string, ask: GatewayAsk = {}): Promise<GatewayAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: ask.method ?? 'GET', headers: { ...ask.headers } });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { 'set-cookie': cookies = [], ...others } = response.headers;
        const headers = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, String(value)]));
        const reason = headers['x-rowlock-reason'];
        resolve({ status: response.statusCode ?? 0, headers, cookies, body: Buffer.concat(chunks), reason });
      });
    });
    sent.on('error', reject).end(ask.body);
  });
}

/** The claims of a subject; `service` is the service role. */
export const claimsOf = (subject: string): Readonly<Record<string, unknown>> =>
  subject === 'service' ? { role: 'service_role' } : { sub: subject, role: 'authenticated' };

/** Asks for a session as a page does. */
export async function askSession(
  base: string,
  claims: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<GatewayAnswer> {
  const authorization = `Bearer ${await signToken(claims)}`;
  return askGateway(base, '/session', { method: 'POST', headers: { origin: pageOrigin, authorization, ...headers } });
}

/** The `Cookie` header of somebody who has just begun a session. */
export async function signIn(base: string, subject: string): Promise<{ readonly cookie: string }> {
  const { cookies } = await askSession(base, claimsOf(subject));
  return { cookie: cookies[0]?.split(';', 1)[0] ?? 'none' };
}
