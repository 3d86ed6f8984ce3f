/** `dev`: everything in one command, for development: starts, shows where things are, waits for a signal, stops. */
import { resolve } from 'node:path';
import { createClient } from '@rowlock/client';
import { createLog } from '@rowlock/server';
import { checkersOf, ownKinds } from '../check-options.ts';
import type { Command } from '../command.ts';
import { demoLinks, demoPhoto, uploadDemo } from '../dev/demo.ts';
import { markDemoDone } from '../dev/dev-folder.ts';
import { lockFolder } from '../dev/folder-lock.ts';
import { type RunningDev, startDev } from '../dev/start-dev.ts';
import { welcomeText } from '../dev/welcome.ts';
import { armFaults } from '../fault-points.ts';
import { gatewayConfig } from '../gateway-options.ts';
import { readArguments } from '../read-arguments.ts';
import { untilSignal } from '../signals.ts';

const portDefault = 8000;

export const dev: Command = {
  name: 'dev',
  group: 'Run',
  summary: 'Run everything for development: PostgreSQL, API, workers, disk',
  usage: 'dev [--port 8000] [--data ./.rowlock] [--no-demo]',
  flags: {
    port: `port to listen on (default ${portDefault})`,
    host: 'address to listen on (default 127.0.0.1)',
    data: 'folder of database, files and keys (default ./.rowlock)',
    'gateway-port': 'port of the gateway that serves files by a cookie; none when not given',
    clamd: 'the clamd that files are scanned by; they wait without one',
    handlers: "a module with kinds of jobs of the application's own",
    'no-demo': 'upload no sample photo',
    'log-level': 'debug, info, warn (default), error or silent',
  },
  notes: 'Keys and addresses are in dev.json of the data folder. Delete that folder to start over.',
  examples: ['rowlock dev', 'npm start -- --port 8100 --data ./elsewhere --no-demo'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { data: 'text', 'no-demo': 'switch' }, {});
    armFaults();
    const folder = resolve(String(flags['data'] ?? '.rowlock'));
    const lock = await lockFolder(folder, {});
    try {
      const level = (flags['log-level'] ?? 'warn') as Parameters<typeof createLog>[0]['level'];
      const running = await startDev({
        folder,
        host: settings.required('host'),
        port: settings.integer('port'),
        gateway: gatewayConfig(settings),
        checks: { ...checkersOf(settings), kinds: await ownKinds(settings) },
        observe: createLog({ level }),
      });
      return await serveUntilStopped(running, folder, flags['no-demo'] !== true);
    } finally {
      await lock.release();
    }
  },
};

async function serveUntilStopped(running: RunningDev, folder: string, withDemo: boolean): Promise<number> {
  process.stdout.write(`ready ${running.file.url}\n`);
  const signal = untilSignal().then(() => 0);
  let stopping = false;
  const ended = running.databaseEnded.then(() => {
    if (stopping) {
      return 0;
    }
    process.stderr.write('rowlock dev: PostgreSQL ended by itself; stopping. Its log is in the data folder\n');
    return 1;
  });
  const shown = welcome(running, folder, withDemo).catch((error: unknown) => {
    process.stderr.write(
      `rowlock dev: the sample photo could not be shown: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  });
  const code = await Promise.race([signal, ended]);
  stopping = true;
  await running.stop();
  await shown;
  return code;
}

async function welcome(running: RunningDev, folder: string, withDemo: boolean): Promise<void> {
  const { file, secrets } = running;
  const client = createClient({ url: file.url, token: file.authenticated_key });
  if (withDemo && !secrets.demo_done) {
    await uploadDemo(client);
    markDemoDone(folder, secrets);
  }
  const links = withDemo ? await demoLinks(client) : undefined;
  process.stdout.write(
    welcomeText({
      file,
      folder,
      photo: demoPhoto,
      console: running.consoleUrl,
      links,
    }),
  );
}
