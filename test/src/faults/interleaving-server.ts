/**
 * The process that interleavings happen in: the API on a database and a folder that it is given, and a worker's work by
 * command. At one pass of a fault point, counted from when it is told, it stops that one operation until it is told to
 * go on, and everything else goes on meanwhile. It judges nothing; its parent kills it.
 */
import { Backends, Database, enableFaults, type FaultPoint, fsck, openBackend, sweep } from '@rowlock/server';
import { type JobParts, type MigratedDatabase, performJob, startService } from '@rowlock/test-harness';
import type { Command, Report, Step } from './held-service.ts';

const passed: FaultPoint[] = [];
let stopAt: Step | undefined;
let goOn = (): void => undefined;
let parts: JobParts | undefined;

const tell = (report: Report): void => void process.send?.(report);

enableFaults((point) => {
  passed.push(point);
  if (point !== stopAt?.point || passed.filter((each) => each === point).length !== stopAt.pass) return undefined;
  stopAt = undefined;
  tell({ type: 'held', point });
  return new Promise((resolve) => {
    goOn = resolve;
  });
});

async function listen({ apiUrl, workerUrl, root, port }: Extract<Command, { type: 'listen' }>): Promise<void> {
  const database: MigratedDatabase = {
    name: 'held',
    url: '',
    apiUrl,
    workerUrl,
    query: () => Promise.reject(new Error('only the parent asks the database itself')),
    drop: () => Promise.resolve(),
  };
  const { config } = await startService({ workers: false, database, root, config: { port } });
  const db = new Database({
    url: workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    applicationName: 'rowlock worker',
  });
  parts = { db, backend: await openBackend(config.backend) };
  passed.length = 0;
  tell({ type: 'listening' });
}

async function work({ id, what, ids = [] }: Extract<Command, { type: 'work' }>): Promise<void> {
  try {
    if (parts === undefined) throw new Error('nothing listens yet');
    const backends = new Backends(parts.backend);
    if (what === 'sweep') await sweep({ db: parts.db, backends }, { graceSeconds: 0, limit: 1000 });
    // Without a grace, so that nothing but its row protects what an upload is writing.
    if (what === 'fsck') await fsck(parts, { repair: true, graceSeconds: 0, force: true });
    if (what === 'purge') await performJob(parts, 'version_purge', { version_ids: ids });
    tell({ type: 'worked', id });
  } catch (error) {
    tell({ type: 'worked', id, error: String(error) });
  }
}

process.on('message', (command: Command) => {
  switch (command.type) {
    case 'listen':
      return void listen(command);
    case 'work':
      return void work(command);
    case 'hold':
      passed.length = 0;
      stopAt = command.at;
      return tell({ type: 'armed' });
    case 'continue':
      return goOn();
    case 'passed':
      return tell({ type: 'passed', points: [...passed] });
    default:
      return undefined;
  }
});
process.on('disconnect', () => process.exit(0));
