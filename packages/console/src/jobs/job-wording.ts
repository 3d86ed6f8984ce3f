/** How jobs, queues and their numbers are said to a person. It makes no elements and calls nothing. */
import type { JobAction, JobDetails, JobFilter, JobLine, JobState, JobsChanged } from '@rowlock/client';

/** States in the order of a job's life, as they are shown. */
export const jobStates: readonly JobState[] = [
  'running',
  'available',
  'retryable',
  'scheduled',
  'pending',
  'completed',
  'cancelled',
  'discarded',
];

/** A number up to a bound, beyond which only that it is more is known: `10,000+`. */
export function countInWords(count: number, countedTo: number): string {
  const said = Math.min(count, countedTo).toLocaleString('en');
  return count > countedTo ? `${said}+` : said;
}

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** A length of time in its largest unit: `340 ms`, `12 s`, `3 min`, `2.5 h`. */
export function durationInWords(seconds: number): string {
  const length = Math.max(seconds, 0);
  if (length < 0.9995) {
    return `${Math.round(length * 1000)} ms`;
  }
  const [unit, size] = units.find(([, each]) => length >= each) ?? ['s', 1];
  const value = length / size;
  return `${Number(value.toFixed(value < 9.95 && unit !== 'min' ? 1 : 0))} ${unit}`;
}

/** How many a second, or a minute where it is fewer than one a second. */
export function rateInWords(perSecond: number): string {
  const [value, unit] = perSecond >= 1 || perSecond === 0 ? [perSecond, 's'] : [perSecond * 60, 'min'];
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} / ${unit}`;
}

/** `1 job`, `2,000 jobs`. */
export function jobsInWords(count: number): string {
  return count === 1 ? '1 job' : `${count.toLocaleString('en')} jobs`;
}

/** The jobs of a filter, as part of a sentence: `discarded jobs of kind thumbnail_generate in thumbnails`. */
export function filterInWords({ state, queue, kind }: JobFilter): string {
  return `${state ?? 'all'} jobs${kind === undefined ? '' : ` of kind ${kind}`}${queue === undefined ? '' : ` in ${queue}`}`;
}

/** When something was or will be: to the second, with the zone of whoever reads it. */
export function exactMoment(moment: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(moment));
}

/** How long ago, or in how long: `3 min ago`, `in 12 s`. */
export function nearMoment(moment: string, now: Date = new Date()): string {
  const seconds = (now.getTime() - new Date(moment).getTime()) / 1000;
  if (!Number.isFinite(seconds)) {
    return 'never';
  }
  return seconds >= 0 ? `${durationInWords(Math.max(seconds, 1))} ago` : `in ${durationInWords(Math.max(-seconds, 1))}`;
}

/** What a line of a list says of when. */
export function momentOfState(job: JobLine, now: Date = new Date()): string {
  const { state, attempted_at, finalized_at, scheduled_at } = job;
  if (finalized_at !== null) {
    return `${state} ${nearMoment(finalized_at, now)}`;
  }
  if (state === 'running' && attempted_at !== null) {
    return `running since ${nearMoment(attempted_at, now).replace(/ ago$/, '')}`;
  }
  const due = new Date(scheduled_at) > now;
  return due
    ? `due ${nearMoment(scheduled_at, now)}`
    : `due since ${nearMoment(scheduled_at, now).replace(/ ago$/, '')}`;
}

const past: Readonly<Record<JobAction, string>> = { retry: 'Retried', cancel: 'Cancelled', delete: 'Deleted' };

const reasons: Readonly<Record<JobsChanged['unchanged'][number]['why'], string>> = {
  not_found: 'gone already',
  running: 'running',
  due: 'due already',
  ended: 'ended already',
  unique_key_held: 'another job holds the unique key',
};

/** What came of an action on jobs: how many, and why not the others. */
export function outcomeInWords(action: JobAction, { changed, unchanged }: JobsChanged): string {
  const done = `${past[action]} ${jobsInWords(changed.length)}.`;
  if (unchanged.length === 0) {
    return done;
  }
  const why = [...new Set(unchanged.map((each) => reasons[each.why]))].join(', ');
  return `${changed.length === 0 ? '' : `${done} `}Left ${jobsInWords(unchanged.length)}: ${why}.`;
}

/** Something that happened to a job, or will. */
export interface JobMoment {
  readonly at: string;
  readonly says: string;
  readonly failed?: true;
}

/** What is known of a job's life, the first first. */
export function timelineOf(job: JobDetails): readonly JobMoment[] {
  const { state, created_at, scheduled_at, attempted_at, finalized_at, cancel_requested_at, attempt } = job;
  const moments: JobMoment[] = [{ at: created_at, says: 'Inserted' }];
  if (attempted_at !== null) {
    const by = job.attempted_by?.at(-1);
    moments.push({ at: attempted_at, says: `Attempt ${attempt} began${by === undefined ? '' : ` at ${by}`}` });
  }
  for (const error of job.errors) {
    moments.push({ at: error.at, says: `Attempt ${error.attempt} failed`, failed: true });
  }
  if (cancel_requested_at !== null) {
    moments.push({ at: cancel_requested_at, says: 'Its worker was asked to stop' });
  }
  if (finalized_at !== null) {
    moments.push({ at: finalized_at, says: state === 'completed' ? 'Completed' : `Ended: ${state}` });
  } else if (state !== 'running') {
    moments.push({ at: scheduled_at, says: state === 'retryable' ? 'The next attempt is due' : 'Due' });
  }
  return moments.sort((a, b) => new Date(a.at).getTime() - new Date(b.at).getTime());
}
