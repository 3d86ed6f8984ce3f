/**
 * The adoption of a running system, step by step: say what would be done, install beside it, switch, roll back. What moves
 * bytes or rows in bulk is `adopt-backfill.ts`. Invariant: nothing here changes what the application does until `switch`,
 * and `rollback` makes that undone; each step may be killed anywhere and run again.
 */
import pg from 'pg';
import { fault } from '../domain/fault.ts';
import {
  type AdoptCounts,
  type AdoptFacts,
  type AdoptNames,
  countAdoption,
  inspectAdoption,
} from '../metadata/adopt-inspect.ts';
import { patienceDefault, runSteps, type StepPatience, stepsOf } from '../metadata/adopt-steps.ts';
import {
  type GivenBack,
  giveJobsBack,
  hasWorkers,
  type PlannedSwitch,
  planSwitch,
  restoreFunctions,
  switchFunctions,
} from '../metadata/adopt-switch.ts';
import { migrate } from '../metadata/migrate.ts';
import { type Obstacle, obstaclesOf } from './adopt-obstacles.ts';

export interface AdoptTarget {
  /** Logs in as who owns the adopted tables. */
  readonly url: string;
  readonly names: AdoptNames;
}

export interface AdoptPlan {
  /** What stands in the way; with any, nothing is installed. */
  readonly obstacles: readonly Obstacle[];
  /** What may be in the way. */
  readonly warnings: readonly Obstacle[];
  /** What an installation does in the adopted schema, after our own schemas are there. */
  readonly steps: readonly { readonly name: string; readonly words: string; readonly sql: string }[];
  readonly switches: readonly PlannedSwitch[];
  /** Undefined where the tables are not there. */
  readonly counts: AdoptCounts | undefined;
  /** Whether there is anything to roll back to: the records of a switch. */
  readonly has_records: boolean;
  readonly is_installed: boolean;
  readonly is_switched: boolean;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'rowlock adopt' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const isInstalled = (facts: AdoptFacts): boolean =>
  facts.has_records && facts.has_column && facts.has_index && facts.has_trigger;

/** Looks at everything and changes nothing. It counts whole tables. */
export async function planAdoption(target: AdoptTarget): Promise<AdoptPlan> {
  return await look(target, true);
}

async function look({ url, names }: AdoptTarget, isCounted: boolean): Promise<AdoptPlan> {
  return await withClient(url, async (client) => {
    const facts = await inspectAdoption(client, names);
    const { obstacles, warnings } = obstaclesOf(facts, names);
    const hasTables = facts.tables.every(({ is_there }) => is_there);
    const switches = hasTables
      ? await planSwitch(client, names, { hasRecords: facts.has_records, isForced: false })
      : [];
    return {
      obstacles,
      warnings,
      steps: hasTables ? await stepsOf(client, facts, names) : [],
      switches,
      counts: hasTables && isCounted ? await countAdoption(client, names.metadata, facts.has_column) : undefined,
      has_records: facts.has_records,
      is_installed: isInstalled(facts),
      is_switched: switches.length > 0 && switches.every(({ state }) => state === 'done'),
    };
  });
}

export interface InstallOptions {
  /** Creates our own schemas in a transaction that is rolled back, and does no step of the rest. */
  readonly dryRun?: boolean;
  readonly patience?: Partial<StepPatience>;
  /** Passwords for our login roles, where they should be set. */
  readonly passwords?: { readonly rowlock_authenticator?: string; readonly rowlock_worker?: string };
}

/**
 * Installs beside the running system. Each step is a transaction of its own that gives up its lock rather than let the
 * application wait.
 *
 * @returns the names of the steps that were done, or would be
 * @throws Error naming what stands in the way
 */
export async function installAdoption(
  target: AdoptTarget,
  { dryRun = false, patience, passwords }: InstallOptions = {},
): Promise<readonly string[]> {
  const { url, names } = target;
  const plan = await look(target, false);
  assertClear(plan);
  const { own, api, anon, authenticated, service_role } = names;
  await migrate({
    url,
    names: { metadata: own, api, anon, authenticated, service_role },
    dryRun,
    ...(passwords === undefined ? {} : { passwords }),
  });
  if (dryRun) return ['migrate', ...plan.steps.map(({ name }) => name)];
  await fault('adopt.after_step');
  const done = await runSteps(
    url,
    names,
    { ...patienceDefault, ...patience },
    async () => await fault('adopt.after_step'),
  );
  return ['migrate', ...done];
}

function assertClear({ obstacles }: AdoptPlan): void {
  if (obstacles.length > 0) {
    throw new Error(`this stands in the way:\n  ${obstacles.map(({ what, fix }) => `${what}: ${fix}`).join('\n  ')}`);
  }
}

export interface SwitchOptions {
  readonly dryRun?: boolean;
  /** Switches although no worker of ours lives, or replaces a body that nobody knows. */
  readonly isForced?: boolean;
  readonly patience?: Partial<StepPatience>;
}

/**
 * Puts our bodies in the place of the two trigger functions. New rows go to our queues from the commit on; jobs that are
 * there stay with the old worker.
 *
 * @returns the functions that were switched, or would be
 * @throws Error where nothing is installed, no worker of ours lives, or a body is nobody's that we know
 */
export async function switchAdoption(
  target: AdoptTarget,
  { dryRun = false, isForced = false, patience }: SwitchOptions = {},
): Promise<readonly string[]> {
  const plan = await look(target, false);
  if (!plan.is_installed) throw new Error('nothing is installed, or not all of it: run rowlock adopt install first');
  const isServed = await withClient(target.url, (client) => hasWorkers(client, target.names.metadata));
  if (!isServed && !isForced) {
    throw new Error(
      `no worker of ours serves fs_presign and fs_thumbnails of ${target.names.metadata}, so nobody would work what is switched: start rowlock work with ADOPTED_SCHEMA=${target.names.metadata}, or add --force`,
    );
  }
  if (dryRun) return plan.switches.filter(({ state }) => state === 'to do').map((each) => each.function);
  const done = await switchFunctions(target.url, target.names, {
    patience: { ...patienceDefault, ...patience },
    isForced,
    beforeCommit: async () => await fault('adopt.before_switch'),
  });
  await fault('adopt.after_switch');
  return done;
}

export interface RollbackReport extends GivenBack {
  /** The functions that were put back, or would be. */
  readonly functions: readonly string[];
}

export interface RollbackOptions {
  readonly dryRun?: boolean;
  /** Puts the original back although somebody replaced ours meanwhile. */
  readonly isForced?: boolean;
  readonly patience?: Partial<StepPatience>;
  /** How long to wait for transactions that may still enqueue to our queues. Default 30 s. */
  readonly timeoutMs?: number;
}

/**
 * Puts the original bodies back and gives the jobs that wait in our queues to the old worker. Rows that we signed or
 * rendered stay as they are: they are what the old worker would have written.
 */
export async function rollBackAdoption(
  target: AdoptTarget,
  { dryRun = false, isForced = false, patience, timeoutMs = 30_000 }: RollbackOptions = {},
): Promise<RollbackReport> {
  const plan = await look(target, dryRun);
  if (dryRun || !plan.has_records) {
    const functions = plan.switches.filter(({ state }) => state === 'done').map((each) => each.function);
    return { functions, jobs: plan.counts?.jobs_in_our_queues ?? 0, running: 0, is_complete: !plan.is_switched };
  }
  const functions = await restoreFunctions(target.url, target.names, {
    patience: { ...patienceDefault, ...patience },
    isForced,
    beforeCommit: async () => await fault('adopt.before_switch'),
  });
  await fault('adopt.before_give_back');
  const given = await giveJobsBack(target.url, target.names.metadata, {
    timeoutMs,
    pauseMs: 200,
    signal: patience?.signal,
  });
  return { functions, ...given };
}
