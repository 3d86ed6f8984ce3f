/**
 * The whole service beside its reference model: random commands of four callers over HTTP and in SQL, kills of the process
 * and of PostgreSQL among them. Every answer and every row is what the model says; each run ends with everything read by
 * everybody, and with the oracle.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertInvariants, freePort, seededRandom, temporaryFolder } from '@rowlock/test-harness';
import fc from 'fast-check';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { Worlds } from './action.ts';
import { dropBucketAction } from './bucket-actions.ts';
import { modelBeginning, modelCommands, nothing } from './commands.ts';
import { bucketNames, compareEverything } from './comparison.ts';
import { glance } from './glance.ts';
import { ModelSite } from './site.ts';
import { abortAction } from './upload-actions.ts';
import { sweepAction } from './version-actions.ts';

const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
const runs = Number(process.env['ROWLOCK_ROUNDS'] ?? 3);
/** The place of one run among those of its seed; it is repeated alone, and made smaller. */
const path = process.env['ROWLOCK_TEST_PATH'] ?? '';

let server: EmbeddedPostgres | undefined;
let site: ModelSite;

before(async () => {
  site = await ModelSite.start(isLong ? await ownPostgres() : undefined);
});
after(async () => {
  try {
    // With the last bucket everything went, and one cycle leaves no byte of it.
    await assertInvariants(site.service);
  } finally {
    await site.stop();
    await server?.stop('immediate');
  }
});

/** A PostgreSQL that may be lost; nobody else is on it. */
async function ownPostgres(): Promise<() => Promise<void>> {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const port = await freePort();
  const start = async (): Promise<void> => {
    // Losing its process costs PostgreSQL nothing that it wrote, so fsync may be off.
    server = await startEmbeddedPostgres({ dataDir, port, settings: { fsync: 'off', max_connections: 100 } });
  };
  await start();
  process.env['ROWLOCK_TEST_DATABASE_URL'] = server?.url;
  return async () => {
    await server?.stop('immediate');
    await start();
  };
}

let begun = 0;
let begunWith: string[] = [];

/** Ends a run: what is under way is broken off, everything is read, the oracle is asked, and all is taken away. */
async function endRun(worlds: Worlds): Promise<void> {
  for (const id of site.streams.keys()) await worlds.step(site, abortAction(id));
  await compareEverything(worlds, site);
  await worlds.step(site, sweepAction);
  await glance(worlds, site, 'the last sweep');
  await assertInvariants(site.service);
  for (const bucket of bucketNames) await worlds.step(site, dropBucketAction(bucket));
}

const property = fc.asyncProperty(
  modelBeginning,
  modelCommands(
    isLong ? { mayLoseDatabase: true, killsMax: 2, most: 120 } : { mayLoseDatabase: false, killsMax: 1, most: 60 },
  ),
  async (beginning, commands) => {
    begun += 1;
    site.begin(begun);
    const worlds = new Worlds();
    begunWith = [];
    for (const make of beginning) {
      const action = make(worlds);
      begunWith.push(action.label);
      await worlds.step(site, action);
    }
    await fc.asyncModelRun(() => ({ model: worlds, real: site }), commands);
    await endRun(worlds);
  },
);

test('whatever anybody does by whatever way, the service does what the model does', async (t) => {
  const { seed } = seededRandom();
  t.diagnostic(`ROWLOCK_TEST_SEED=${seed}`);

  const { tally } = site;
  const isRepeat = path !== '';
  const details = await fc.check(property, {
    numRuns: isRepeat ? 1 : runs,
    seed: seed | 0,
    endOnFailure: !isRepeat,
    unbiased: true,
    // What is smallest by then is told.
    ...(isRepeat ? { interruptAfterTimeLimit: 90_000 } : {}),
    ...(isRepeat ? { path } : {}),
  });

  t.diagnostic(`${begun} runs, ${tally.commands} commands`);
  if (isLong) for (const line of tally.lines()) t.diagnostic(line);
  const [, commands = []] = details.counterexample ?? [];
  const steps = [...begunWith, ...[...commands].map(String).filter((label) => label !== nothing)];
  const at = details.counterexamplePath;
  const repeat = isLong
    ? `npm run campaign -- model --seed ${seed} --path ${at}`
    : `ROWLOCK_TEST_SEED=${seed} ROWLOCK_TEST_PATH=${at} npm test -- storage-model`;
  assert.ok(!details.failed, `${steps.join('\n')}\n${String(details.errorInstance)}\nrepeat it: ${repeat}`);
});
