/** Which jobs a command line means: ids, or filters. It reads no table; where it is unclear it refuses. */
import type { Client, JobDetails, JobListOptions, JobState } from '@rowlock/queue';
import type { ReadArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';

const states: readonly JobState[] = [
  'available',
  'cancelled',
  'completed',
  'discarded',
  'pending',
  'retryable',
  'running',
  'scheduled',
];
const pageSize = 1000;

/** The flags that filter, for help and for the parser. */
export const filterFlags = { state: 'text', kind: 'text', queue: 'text', tag: 'text' } as const;

/** The filters of a command line. @throws UsageError for a state that does not exist */
export function filterOf({ flags }: ReadArguments): JobListOptions {
  const list = (name: string): readonly string[] | undefined => {
    const value = flags[name];
    return typeof value === 'string' ? value.split(',') : undefined;
  };
  const wanted = list('state');
  for (const state of wanted ?? []) {
    if (!states.includes(state as JobState)) throw new UsageError(`--state is one of ${states.join(', ')}`);
  }
  const [kinds, queues, tags] = [list('kind'), list('queue'), list('tag')];
  return {
    ...(wanted === undefined ? {} : { states: wanted as readonly JobState[] }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(queues === undefined ? {} : { queues }),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** Every id that a command line means, page by page. @throws UsageError for no ids and no filter, or for both */
export async function* selectedIds(
  client: Client,
  read: ReadArguments,
  ids: readonly string[],
): AsyncGenerator<string, void> {
  const filter = filterOf(read);
  const isFiltered = Object.keys(filter).length > 0;
  if (isFiltered === ids.length > 0) {
    throw new UsageError('Give the ids of jobs, or filters such as --state discarded; not both');
  }
  for (const id of ids) {
    if (!/^\d{1,19}$/.test(id)) throw new UsageError(`${JSON.stringify(id)} is not the id of a job`);
  }
  yield* ids;
  if (!isFiltered) return;
  // The list moves on by id, so what becomes of the jobs of a page does not matter for the next.
  for (let after: string | undefined; ; ) {
    const page = await client.list({ ...filter, limit: pageSize, ...(after === undefined ? {} : { after }) });
    yield* page.jobs.map(({ id }: JobDetails) => id);
    if (page.jobs.length < pageSize || page.cursor === null) return;
    after = page.cursor;
  }
}
