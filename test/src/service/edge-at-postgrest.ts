/**
 * The edge's fetch handler with an application's PostgREST behind it, which it asks with the caller's own token. Only the
 * wire between the two is missing: the imitation of PostgREST has none.
 */
import { createFetchHandler, postgrestRules } from '@rowlock/client/edge';
import { jwtSecret, type PostgrestClaims, signToken } from '@rowlock/test-harness';
import type { Application } from '../contract-metadata/application.ts';

/** A request of one of the callers; the answer's body. */
export type AskEdge = (path: string, body: object, as: PostgrestClaims) => Promise<Readonly<Record<string, unknown>>>;

/** Makes the handler; its store is the application's own disk. */
export async function edgeAtPostgrest(app: Application, callers: readonly PostgrestClaims[]): Promise<AskEdge> {
  const tokens = new Map<string, PostgrestClaims>();
  for (const caller of callers) tokens.set(await signToken(caller), caller);
  const throughPostgrest: typeof fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    const token = new Headers(init?.headers).get('authorization')?.slice('Bearer '.length) ?? '';
    const isPost = init?.method === 'POST';
    const answer = await app.postgrest.ask({
      path: pathname,
      as: tokens.get(token),
      ...(isPost
        ? { method: 'POST', body: JSON.parse(String(init.body)) as unknown }
        : { method: 'GET', query: Object.fromEntries(searchParams) }),
    });
    return new Response(new Uint8Array(answer.bytes), { status: answer.status });
  };
  const { fetch: edge } = createFetchHandler({
    store: { ...app.service.config.backend, endpoint: app.service.url },
    tokens: { secret: jwtSecret },
    rules: postgrestRules({ url: 'http://postgrest', fetch: throughPostgrest }),
  });
  return async (path, body, as) => {
    const [token = ''] = [...tokens].find(([, caller]) => caller === as) ?? [];
    const headers = { authorization: `Bearer ${token}` };
    const answer = await edge(
      new Request(`http://edge${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
    );
    return (await answer.json()) as Record<string, unknown>;
  };
}
