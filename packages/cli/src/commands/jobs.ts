/** `jobs`: list, show and control jobs and queues, straight in the database; no service needs to run. */
import { Client, QueueError } from '@rowlock/queue';
import type { Command } from '../command.ts';
import { jobTable, jobText, queueTable, statsText } from '../jobs/job-report.ts';
import { filterFlags, filterOf, selectedIds } from '../jobs/job-selection.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { database } from '../service-config.ts';
import { UsageError } from '../usage-error.ts';

const usage = 'jobs <list|show|retry|cancel|delete|queues|pause|resume|stats> [id …|queue]';

/** One run of the command. */
interface Run {
  readonly client: Client;
  readonly read: ReadArguments;
  /** What follows the action. */
  readonly rest: readonly string[];
  readonly print: (value: unknown, text: string) => void;
}

type Action = (run: Run) => Promise<number>;

/** Does something to each job that is meant, and goes on where one refuses. Answers 1 if any did. */
function toEach(past: string, act: (client: Client, id: string) => Promise<unknown>): Action {
  return async ({ client, read, rest, print }) => {
    const done: string[] = [];
    const refused: { readonly id: string; readonly error: string }[] = [];
    for await (const id of selectedIds(client, read, rest)) {
      try {
        await act(client, id);
        done.push(id);
      } catch (error) {
        if (!(error instanceof QueueError)) throw error;
        refused.push({ id, error: error.message });
      }
    }
    const shown = done.length > 0 && done.length <= 10 ? `: ${done.join(', ')}` : '';
    print(
      { [past]: done, refused },
      `${past} ${done.length}${shown}\n${refused.map(({ error }) => `refused: ${error}\n`).join('')}`,
    );
    return refused.length > 0 ? 1 : 0;
  };
}

async function list({ client, read, print }: Run): Promise<number> {
  const { flags } = read;
  const limit = Number(flags['limit'] ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is from 1 to 10000');
  const after = flags['after'];
  const page = await client.list({
    ...filterOf(read),
    limit,
    order: flags['oldest-first'] === true ? 'asc' : 'desc',
    ...(typeof after === 'string' ? { after } : {}),
  });
  const more = page.jobs.length === limit ? `more: --after ${page.cursor}\n` : '';
  print(page, page.jobs.length === 0 ? 'no jobs\n' : `${jobTable(page.jobs)}${more}`);
  return 0;
}

async function show({ client, rest, print }: Run): Promise<number> {
  const [id, ...others] = rest;
  if (id === undefined || others.length > 0) throw new UsageError('jobs show ID');
  const job = await client.get(id);
  print(job, jobText(job));
  return 0;
}

/** Pauses or resumes; `*` is every queue. */
function setPaused(isPaused: boolean): Action {
  return async ({ client, rest, print }) => {
    const [name, ...others] = rest;
    if (name === undefined || others.length > 0) {
      throw new UsageError(`jobs ${isPaused ? 'pause' : 'resume'} QUEUE, or "*" for all`);
    }
    await (isPaused ? client.queuePause(name) : client.queueResume(name));
    print({ queue: name, is_paused: isPaused }, `${isPaused ? 'paused' : 'resumed'} ${name}\n`);
    return 0;
  };
}

const actions: Readonly<Record<string, Action>> = {
  list,
  show,
  retry: toEach('retried', async (client, id) => await client.retry(id)),
  cancel: toEach('cancelled', async (client, id) => await client.cancel(id)),
  delete: toEach('deleted', async (client, id) => await client.delete(id)),
  async queues({ client, print }) {
    const queues = await client.queueList({ limit: 1000 });
    print(queues, queueTable(queues));
    return 0;
  },
  pause: setPaused(true),
  resume: setPaused(false),
  async stats({ client, print }) {
    const stats = await client.stats();
    print(stats, statsText(stats));
    return 0;
  },
};

export const jobs: Command = {
  name: 'jobs',
  group: 'Operate',
  summary: 'List, show and control background jobs and queues',
  usage,
  flags: {
    state: 'only these states, such as discarded,retryable',
    kind: 'only these kinds',
    queue: 'only of these queues',
    tag: 'only with all of these tags',
    limit: 'list: how many, 1 to 10000 (default 50)',
    after: 'list: go on behind this cursor of an earlier list',
    'oldest-first': 'list: the oldest first, instead of the newest',
    json: 'print JSON',
  },
  settings: ['worker-database-url', 'metadata-schema'],
  notes:
    'retry, cancel and delete take ids, or filters for many. A job that runs is asked to stop when it is cancelled; it is\nnot deleted. A queue that is paused stays so until it is resumed, or until no worker has served it for a day.',
  examples: [
    'rowlock jobs stats',
    'rowlock jobs list --state discarded --kind thumbnail_generate',
    'rowlock jobs retry --state discarded --queue thumbnails',
    'rowlock jobs show 42 --json',
    'rowlock jobs pause thumbnails',
  ],
  async run(argv) {
    const read = readArguments(argv, {
      ...filterFlags,
      limit: 'text',
      after: 'text',
      'oldest-first': 'switch',
      json: 'switch',
    });
    const [name = 'stats', ...rest] = read.rest;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new UsageError(usage);
    const { url } = database(read.settings, 'worker-database-url');
    const client = new Client({ database: url, schema: read.settings.required('metadata-schema') });
    const print = (value: unknown, text: string): void => {
      process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(value)}\n` : text);
    };
    try {
      return await action({ client, read, rest, print });
    } finally {
      await client.close();
    }
  },
};
