/**
 * The unmodified `@supabase/storage-js` for tests: one client for each kind of caller, and what its answers are turned
 * into. It knows nothing of what a call should answer.
 */
import { signToken, type TestService } from '@rowlock/test-harness';
import { StorageClient } from '@supabase/storage-js';

export type CallerKind = 'anonymous' | 'owner' | 'other' | 'service';

export type Clients = Readonly<Record<CallerKind, StorageClient>>;

const claimsOf: Readonly<Record<CallerKind, Readonly<Record<string, unknown>> | undefined>> = {
  anonymous: undefined,
  owner: { sub: 'olga', role: 'authenticated' },
  other: { sub: 'otto', role: 'authenticated' },
  service: { role: 'service_role' },
};

export const callerKinds: readonly CallerKind[] = ['anonymous', 'owner', 'other', 'service'];

/** A client of a service for each kind of caller. */
export async function clientsOf(service: TestService): Promise<Clients> {
  const made = await Promise.all(
    callerKinds.map(async (kind) => {
      const claims = claimsOf[kind];
      const headers: Record<string, string> =
        claims === undefined ? {} : { authorization: `Bearer ${await signToken(claims)}` };
      return [kind, new StorageClient(`${service.url}/storage/v1`, headers)] as const;
    }),
  );
  return Object.fromEntries(made) as Clients;
}

/** What a call answered: its data, or the status that its error tells. */
export function outcome(answer: { readonly data: unknown; readonly error: unknown }): unknown {
  if (answer.error === null) return 'ok';
  const error = answer.error as { readonly status?: number; readonly statusCode?: string; readonly name: string };
  return error.statusCode === undefined ? error.name : `${error.status} ${error.statusCode}`;
}

/** The same call by every kind of caller, one after another. */
export async function byEveryCaller(
  clients: Clients,
  call: (client: StorageClient, kind: CallerKind) => Promise<{ readonly data: unknown; readonly error: unknown }>,
): Promise<Record<CallerKind, unknown>> {
  const found: [CallerKind, unknown][] = [];
  for (const kind of callerKinds) {
    found.push([kind, outcome(await call(clients[kind], kind))]);
  }
  return Object.fromEntries(found) as Record<CallerKind, unknown>;
}
