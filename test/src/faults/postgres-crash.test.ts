/**
 * F2: the whole PostgreSQL server stops without a word while clients and workers are at work, and comes back. What was
 * acknowledged is there, what was not is there or is not, no job is stuck, and nobody has to restart the service.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertInvariants, freePort, temporaryFolder, until } from '@rowlock/test-harness';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { ordinaryStatuses, startClients } from './clients.ts';
import { type FaultySite, startFaultySite } from './faulty-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 2);
let server: EmbeddedPostgres;
let site: FaultySite;
let start: () => Promise<void>;

before(async () => {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const port = await freePort();
  start = async () => {
    // Losing its process costs PostgreSQL nothing that it wrote, so fsync may be off.
    server = await startEmbeddedPostgres({ dataDir, port, settings: { fsync: 'off', max_connections: 100 } });
  };
  await start();
  process.env['ROWLOCK_TEST_DATABASE_URL'] = server.url;
  site = await startFaultySite({ workers: true });
});
after(async () => {
  await site.stop();
  await server.stop('immediate');
});

test('PostgreSQL crashes under load: acknowledged writes survive it, and all goes on by itself', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const clients = startClients(site, { count: 6, prefix: `round-${round}` });
    const wanted = 20 + site.random.integer(150);
    await until(() => clients.successes >= wanted, { intervalMs: 1, timeoutMs: 30_000, what: 'clients are at work' });

    await server.stop('immediate');
    await until(() => clients.statuses.has(503), { what: 'clients are told to come back' });
    await start();
    const survived = clients.successes;
    await until(() => clients.successes > survived + 20, { timeoutMs: 30_000, what: 'clients work again' });
    await clients.stop();

    const strange = [...clients.statuses].filter((status) => !ordinaryStatuses.has(status));
    assert.deepEqual(strange, [], `round ${round}, seed ${site.random.seed}`);
    await untilNoJobsLeft();
    await assertInvariants(site.service, { history: site.history });
  }
});

/** Jobs that were claimed or enqueued around the crash are all brought to an end. */
async function untilNoJobsLeft(): Promise<void> {
  const left = () =>
    site.service.database.query<{ kind: string; state: string }>(
      "SELECT kind, state FROM metadata.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')",
    );
  await until(async () => (await left()).length === 0, { timeoutMs: 60_000, what: 'no job is left' });
}
