/**
 * A worker of ours in a process of its own, so that it can be killed. It performs scripts, and says `started` once a
 * job of its runs. Arguments: connection string, schema, queue, client id.
 */
import { Worker } from '@rowlock/queue';
import pg from 'pg';
import { scriptedHandler } from './scripted-handler.ts';

const [, , url = '', schema = '', queue = '', clientId = ''] = process.argv;
const scripted = scriptedHandler({ pool: new pg.Pool({ connectionString: url }) });
const worker = new Worker({
  database: url,
  schema,
  clientId,
  queues: { [queue]: { maxWorkers: 4 } },
  handlers: { scripted, unknown_to_go: scripted },
  observe: ({ event }) => {
    if (event === 'job_started') process.stdout.write('started\n');
  },
});
await worker.start();
