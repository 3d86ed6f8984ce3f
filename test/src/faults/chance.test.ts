/**
 * Clients and workers at work while statements of all of them, and calls to the operating system, fail by chance; then
 * the faults end and everything must be right again by itself. The seed repeats which are struck, not how they overlap.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { enableFaults, type FaultPoint, type FaultVerdict, systemError } from '@rowlock/server';
import { assertInvariants, type Fault, History, until } from '@rowlock/test-harness';
import { ordinaryStatuses, startClients } from './clients.ts';
import { type FaultySite, startFaultySite } from './faulty-site.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const successesWanted = 150;

const faults: readonly Fault[] = [
  { kind: 'cut_before' },
  { kind: 'cut_after' },
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'terminate' },
  { kind: 'delay', ms: 50 },
  { kind: 'error', sqlstate: '40001' },
  { kind: 'error', sqlstate: '40P01' },
  { kind: 'error', sqlstate: '57014' },
  { kind: 'error', sqlstate: 'XX000' },
];

let site: FaultySite;

before(async () => {
  site = await startFaultySite({ workers: true });
});
afterEach(() => {
  enableFaults(undefined);
  site.proxy.leaveToChance(undefined);
});
after(() => site.stop());

/** Strikes calls to the operating system at a rate. */
function failFiles(rate: number): void {
  const { random } = site;
  enableFaults((point: FaultPoint): FaultVerdict => {
    if (!point.startsWith('file.') || random.next() >= rate) return undefined;
    if (point === 'file.write' && random.integer(2) === 0) return 'short';
    throw systemError(random.pick(['EIO', 'ENOSPC', 'EMFILE', 'EROFS']));
  });
}

/** Every job is brought to an end; what waits for its next attempt has waited long enough. */
async function untilNoJobsLeft(): Promise<void> {
  const { database } = site.service;
  const left = async (): Promise<number> => {
    await database.query(
      "UPDATE metadata.river_job SET state = 'available', scheduled_at = now() WHERE state = 'retryable'",
    );
    const rows = await database.query(
      "SELECT FROM metadata.river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')",
    );
    return rows.length;
  };
  await until(async () => (await left()) === 0, { timeoutMs: 60_000, intervalMs: 200, what: 'no job is left' });
}

for (const [name, fail] of [
  ['statements', () => site.proxy.leaveToChance({ random: site.random, rate: 0.02, faults })],
  ['calls to the operating system', () => failFiles(0.01)],
  [
    'both',
    () => {
      site.proxy.leaveToChance({ random: site.random, rate: 0.02, faults });
      failFiles(0.01);
    },
  ],
] as const) {
  test(`when ${name} fail by chance, nothing acknowledged is lost and nothing else is left`, async () => {
    for (let round = 1; round <= rounds; round += 1) {
      const history = new History();
      fail();
      const clients = startClients({ ...site, history }, { count: 6, prefix: `${name.slice(0, 3)}-${round}` });

      await until(() => clients.successes >= successesWanted, { timeoutMs: 60_000, what: 'clients have worked' });
      await clients.stop();
      enableFaults(undefined);
      site.proxy.leaveToChance(undefined);
      await untilNoJobsLeft();

      const strange = [...clients.statuses].filter(
        (status) => !ordinaryStatuses.has(status) && status !== 500 && status !== 507,
      );
      assert.deepEqual(strange, [], `round ${round}, seed ${site.random.seed}`);
      await assertInvariants(site.service, { history }).catch((error: unknown) => {
        throw new Error(`round ${round}: ROWLOCK_TEST_SEED=${site.random.seed} repeats it`, { cause: error });
      });
    }
  });
}
