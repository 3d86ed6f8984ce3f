/** Jobs, queues and counts as text for people. It reads nothing; what machines read is the JSON of the same values. */
import type { JobDetails, QueueRecord, QueueStats } from '@rowlock/queue';

/** Lays out rows in columns, each as wide as its widest cell; the last is left as it is. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  ');
  return `${[head, ...rows].map((cells) => line(cells).trimEnd()).join('\n')}\n`;
}

/** One line a job. */
export function jobTable(jobs: readonly JobDetails[]): string {
  const rows = jobs.map((job) => [
    job.id,
    job.state,
    job.queue,
    job.kind,
    `${job.attempt}/${job.max_attempts}`,
    atSecond(job.finalized_at ?? job.attempted_at ?? job.scheduled_at),
    cut(job.errors.at(-1)?.error ?? '', 60),
  ]);
  return table(['id', 'state', 'queue', 'kind', 'attempt', 'at (UTC)', 'last error'], rows);
}

/** Everything about one job. */
export function jobText(job: JobDetails): string {
  const facts: readonly (readonly [string, string | null])[] = [
    ['job', `${job.id}, ${job.kind} in ${job.queue}`],
    ['state', job.state],
    ['attempt', `${job.attempt} of ${job.max_attempts}, priority ${job.priority}`],
    ['created', job.created_at],
    ['scheduled', job.scheduled_at],
    ['attempted', job.attempted_at],
    ['finalized', job.finalized_at],
    ['by', job.attempted_by.at(-1) ?? null],
    ['tags', job.tags.length === 0 ? null : job.tags.join(', ')],
    ['args', JSON.stringify(job.args)],
    ['metadata', Object.keys(job.metadata).length === 0 ? null : JSON.stringify(job.metadata)],
    ['unique', job.unique_key],
  ];
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(10)} ${value}`]));
  const errors = job.errors.map(({ at, attempt, error }) => `  attempt ${attempt}, ${at}: ${error}`);
  return `${[...lines, ...(errors.length === 0 ? [] : ['errors', ...errors])].join('\n')}\n`;
}

/** One line a queue. */
export function queueTable(queues: readonly QueueRecord[]): string {
  if (queues.length === 0) return 'no queues yet; a worker makes its own when it starts\n';
  const rows = queues.map((queue) => [
    queue.name,
    queue.paused_at === null ? 'open' : `paused since ${atSecond(queue.paused_at)}`,
    atSecond(queue.updated_at),
  ]);
  return table(['queue', 'state', 'last served (UTC)'], rows);
}

/** Counts, latencies and workers, one table each. */
export function statsText({ kinds, latencies, workers, leader_id: leader }: QueueStats): string {
  const counts = kinds.map(({ queue, kind, counts: of, oldest_due_seconds: oldest }) => [
    queue,
    kind,
    ...['available', 'running', 'retryable', 'scheduled', 'discarded'].map((state) =>
      String(of[state as keyof typeof of] ?? 0),
    ),
    oldest === null ? '-' : seconds(oldest),
  ]);
  const parts = [
    kinds.length === 0
      ? 'no jobs\n'
      : table(['queue', 'kind', 'available', 'running', 'retryable', 'scheduled', 'discarded', 'oldest waits'], counts),
  ];
  if (latencies.length > 0) {
    const rows = latencies.map((of) => [
      of.kind,
      String(of.completed),
      ...[of.p50_seconds, of.p95_seconds, of.p99_seconds].map(seconds),
    ]);
    parts.push(table(['completed in the last hour', 'jobs', 'p50', 'p95', 'p99'], rows));
  }
  const alive = workers.map((worker) => [
    worker.client_id,
    worker.is_alive ? 'alive' : 'gone',
    worker.queues.join(', '),
    `${seconds(worker.seen_seconds_ago)} ago`,
  ]);
  if (alive.length > 0) parts.push(table(['worker', 'state', 'queues', 'seen'], alive));
  parts.push(leader === null ? 'nobody leads\n' : `leader: ${leader}\n`);
  return parts.join('\n');
}

function atSecond(time: string): string {
  return time.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
}

function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return value < 120 ? `${value.toFixed(1)} s` : `${Math.round(value / 60)} min`;
}

function cut(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
