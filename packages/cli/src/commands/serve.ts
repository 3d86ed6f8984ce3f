/** `serve` and `work`: the API and the workers in production, each scaled on its own or all in one. */
import {
  createLog,
  createMetrics,
  createServer,
  createWorker,
  type Observe,
  type RunningServer,
  type RunningWorker,
} from '@rowlock/server';
import { checkBucket } from '../bucket-checks.ts';
import { ownKinds } from '../check-options.ts';
import type { Command } from '../command.ts';
import { checkApiDatabase, checkDatabase } from '../database-checks.ts';
import { checkExposure, checkSecrets } from '../exposure-checks.ts';
import { armFaults } from '../fault-points.ts';
import { checkGateway } from '../gateway-checks.ts';
import { options, type Settings } from '../options.ts';
import { readArguments } from '../read-arguments.ts';
import { serverConfig, workerConfig } from '../service-config.ts';
import { untilSignal } from '../signals.ts';

type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const all = options.map(({ name }) => name).filter((name) => name !== 'migrate-database-url');

/** Which finding each flag overrules. */
const overruledBy: Readonly<Record<string, string>> = {
  'allow-superuser': 'api-database role',
  'allow-any-origin': 'cors-origins',
};

/**
 * Warns of what `doctor` warns of, and refuses what it fails on.
 *
 * @throws Error naming everything that is unsafe and what to do about it
 */
async function assertSafe(settings: Settings, flags: Readonly<Record<string, unknown>>): Promise<void> {
  const accepted = Object.keys(overruledBy).filter((flag) => flags[flag] === true);
  const found = [
    ...checkSecrets(settings),
    ...checkExposure(settings),
    ...checkGateway(settings),
    ...(await checkApiDatabase(settings)),
    ...(await checkBucket(settings)),
  ];
  const failed: string[] = [];
  for (const { check, state, says, fix } of found) {
    const flag = Object.keys(overruledBy).find((each) => overruledBy[each] === check);
    const isBearable = state === 'warn' || (state === 'fail' && check.endsWith(' clock'));
    if (isBearable || (state === 'fail' && flag !== undefined && accepted.includes(flag))) {
      process.stderr.write(`rowlock serve: warning: ${check}: ${says}; ${fix}\n`);
    } else if (state === 'fail') {
      failed.push(`${check}: ${says}; ${fix}${flag === undefined ? '' : `, or pass --${flag} for a trial`}`);
    }
  }
  if (failed.length > 0) {
    throw new Error(`this is not safe to start:\n  ${failed.join('\n  ')}`);
  }
}

/** The workers of an API, which is stopped where they do not start: half a service would look like a whole one. */
async function beside(server: RunningServer, starting: Promise<RunningWorker>): Promise<RunningWorker> {
  try {
    return await starting;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

export const serve: Command = {
  name: 'serve',
  group: 'Run',
  summary: 'Run the API, and with --with-workers the workers too',
  usage: 'serve [--with-workers]',
  flags: {
    'with-workers': 'work jobs in this process too',
    'allow-superuser': 'start although row-level security does not bind the database role',
    'allow-any-origin': 'start although CORS_ORIGINS is *',
  },
  settings: all,
  examples: ['rowlock serve --port 8000', 'rowlock serve --with-workers'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, {
      'with-workers': 'switch',
      'allow-superuser': 'switch',
      'allow-any-origin': 'switch',
    });
    armFaults();
    const config = serverConfig(settings);
    // Read before anything is started: what is wrong in it leaves no API behind without its workers.
    const working = flags['with-workers']
      ? { config: workerConfig(settings), kinds: await ownKinds(settings) }
      : undefined;
    await assertSafe(settings, flags);
    const observe: Observe = createLog({ level: settings.required('log-level') as Level });
    const metrics = await createMetrics();
    const server = await createServer(config, { observe, metrics });
    const worker =
      working === undefined
        ? undefined
        : await beside(server, createWorker(working.config, { observe, metrics, kinds: working.kinds }));
    // Listened for before anybody is told that there is something to stop.
    const signal = untilSignal();
    process.stdout.write(`ready ${server.url}\n`);
    void Promise.all([server.health(), worker?.health()]);
    await signal;
    await worker?.stop();
    await server.stop();
    return 0;
  },
};

/** A worker whose clock is wrong signs URLs that are refused: said at the start, where somebody looks. */
async function warnOfClock(settings: Settings): Promise<void> {
  for (const { check, state, says, fix } of await checkDatabase(settings, 'worker-database-url')) {
    if (check.endsWith(' clock') && state !== 'ok')
      process.stderr.write(`rowlock work: warning: ${check}: ${says}; ${fix}\n`);
  }
}

/** @throws Error where everybody may do something to the S3 bucket, and that was not said to be meant */
async function assertBucketIsClosed(settings: Settings): Promise<void> {
  for (const { check, state, says, fix } of await checkBucket(settings)) {
    if (state === 'fail') throw new Error(`this is not safe to start:\n  ${check}: ${says}; ${fix}`);
    if (state === 'warn') process.stderr.write(`rowlock work: warning: ${check}: ${says}; ${fix}\n`);
  }
}

export const work: Command = {
  name: 'work',
  group: 'Run',
  summary: 'Run workers of some queues',
  usage: 'work [--queues s3_signer,thumbnails,maintenance,checks] [--source notify] [--handlers MODULE]',
  settings: all.filter((name) => !/^(jwt|signed|cors|allowed|anon|change|default|upload|api)/.test(name)),
  examples: ['rowlock work', 'rowlock work --queues thumbnails --thumbnail-max-workers 4'],
  async run(argv) {
    const { settings } = readArguments(argv, {});
    armFaults();
    await assertBucketIsClosed(settings);
    const [worker] = await Promise.all([
      createWorker(workerConfig(settings), {
        observe: createLog({ level: settings.required('log-level') as Level }),
        kinds: await ownKinds(settings),
      }),
      warnOfClock(settings),
    ]);
    const signal = untilSignal();
    process.stdout.write('ready\n');
    void worker.health();
    await signal;
    await worker.stop();
    return 0;
  },
};
