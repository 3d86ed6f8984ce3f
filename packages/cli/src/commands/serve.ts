/** `serve` and `work`: the API and the workers in production, each scaled on its own or all in one. */
import { createLog, createMetrics, createServer, createWorker, type Observe } from '@rowlock/server';
import type { Command } from '../command.ts';
import { assertHarmless } from '../database-checks.ts';
import { armFaults } from '../fault-points.ts';
import { options } from '../options.ts';
import { readArguments } from '../read-arguments.ts';
import { serverConfig, workerConfig } from '../service-config.ts';
import { untilSignal } from '../signals.ts';

type Level = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const all = options.map(({ name }) => name).filter((name) => name !== 'migrate-database-url');

export const serve: Command = {
  name: 'serve',
  group: 'Run',
  summary: 'Run the API, and with --with-workers the workers too',
  usage: 'serve [--with-workers]',
  flags: {
    'with-workers': 'work jobs in this process too',
    'allow-superuser': 'start although the database role is a superuser',
  },
  settings: all,
  examples: ['rowlock serve --port 8000', 'rowlock serve --with-workers'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { 'with-workers': 'switch', 'allow-superuser': 'switch' });
    armFaults();
    const config = serverConfig(settings);
    await assertHarmless(config.database.url, { allowSuperuser: flags['allow-superuser'] === true });
    const observe: Observe = createLog({ level: settings.required('log-level') as Level });
    const metrics = createMetrics();
    const server = await createServer(config, { observe, metrics });
    const worker = flags['with-workers'] ? await createWorker(workerConfig(settings), { observe, metrics }) : undefined;
    process.stdout.write(`ready ${server.url}\n`);
    await untilSignal();
    await worker?.stop();
    await server.stop();
    return 0;
  },
};

export const work: Command = {
  name: 'work',
  group: 'Run',
  summary: 'Run workers of some queues',
  usage: 'work [--queues s3_signer,thumbnails,maintenance]',
  settings: all.filter((name) => !/^(jwt|signed|cors|allowed|anon|default|upload|api)/.test(name)),
  examples: ['rowlock work', 'rowlock work --queues thumbnails --thumbnail-max-workers 4'],
  async run(argv) {
    const { settings } = readArguments(argv, {});
    armFaults();
    const worker = await createWorker(workerConfig(settings), {
      observe: createLog({ level: settings.required('log-level') as Level }),
    });
    process.stdout.write('ready\n');
    await untilSignal();
    await worker.stop();
    return 0;
  },
};
