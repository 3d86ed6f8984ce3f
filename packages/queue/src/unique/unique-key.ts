/**
 * The key by which two jobs are the same job, and the states in which that counts: River's, to the byte, so that a job
 * inserted by Go and one inserted here meet at the same index. It asks no database; whether a key is taken is known
 * only there.
 */
import { createHash } from 'node:crypto';
import type { JobState } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { entriesOf, goJson } from './go-json.ts';
import { lowerBoundOfPeriod } from './period.ts';
import { type FieldPath, selectedArgs, sortedArgs } from './unique-args.ts';

/** What makes a job the same as another. Everything that is named counts; nothing named is no uniqueness. */
export interface UniqueOptions {
  /**
   * True for all arguments, or the fields that count: paths such as `account.id`, or lists of keys where a key has a
   * point in it. Fields of strings and whole numbers are the same in every language; of anything else, Go must have
   * encoded the very same text.
   */
  readonly byArgs?: boolean | readonly FieldPath[];
  /** Once in each period, by the time it is scheduled at, or now. Counted from the year one, as Go does; at least 1. */
  readonly byPeriodSeconds?: number;
  readonly byQueue?: boolean;
  /**
   * In which states an earlier job counts; at least `available`, `pending`, `running` and `scheduled`, which every
   * job passes through. Default: all but `cancelled` and `discarded`.
   */
  readonly byState?: readonly JobState[];
  /** Jobs of other kinds count as well. */
  readonly excludeKind?: boolean;
}

/** What the key is made from. */
export interface UniqueJob {
  readonly kind: string;
  readonly args: unknown;
  readonly queue: string;
  /** Milliseconds since 1970: when it is scheduled, or now. */
  readonly at: number;
}

/** A key, and the states in which it is held. */
export interface Unique {
  /** SHA-256, in hexadecimal digits. */
  readonly key: string;
  /** One bit a state, before it is cast to `bit(8)`. */
  readonly states: number;
}

/** The bit of each state. River's function reads them from the left. */
const stateBits: Readonly<Record<JobState, number>> = {
  available: 1,
  cancelled: 2,
  completed: 4,
  discarded: 8,
  pending: 16,
  retryable: 32,
  running: 64,
  scheduled: 128,
};

const requiredStates: readonly JobState[] = ['available', 'pending', 'running', 'scheduled'];
const defaultStates: readonly JobState[] = [...requiredStates, 'completed', 'retryable'];

/**
 * Makes the key of a job; undefined where nothing makes it unique.
 *
 * @throws QueueError `invalid_job`
 */
export function uniqueOf(options: UniqueOptions, job: UniqueJob): Unique | undefined {
  const text = uniqueText(options, job);
  if (text === undefined) return undefined;
  return { key: createHash('sha256').update(text).digest('hex'), states: statesMask(options.byState) };
}

/**
 * Writes the text whose hash is the key; undefined where nothing makes the job unique.
 *
 * @throws QueueError `invalid_job`
 */
export function uniqueText(options: UniqueOptions, job: UniqueJob): string | undefined {
  const { byArgs = false, byPeriodSeconds, byQueue = false, byState, excludeKind = false } = options;
  const hasPart = byArgs !== false || byPeriodSeconds !== undefined || byQueue;
  if (!hasPart && excludeKind) throw refusal('Of another kind, a job is the same only by arguments, queue or period');
  if (!hasPart && byState === undefined) return undefined;
  const parts = [
    excludeKind ? '' : `&kind=${job.kind}`,
    byArgs === false ? '' : `&args=${argsText(byArgs, job.args)}`,
    byPeriodSeconds === undefined ? '' : `&period=${lowerBoundOfPeriod(byPeriodSeconds, job.at)}`,
    byQueue ? `&queue=${job.queue}` : '',
  ];
  return parts.join('');
}

/**
 * Packs states into bits.
 *
 * @throws QueueError `invalid_job` where a state that every job passes through is not among them
 */
function statesMask(states: readonly JobState[] = defaultStates): number {
  const missing = requiredStates.filter((state) => !states.includes(state));
  if (missing.length > 0) throw refusal(`The states lack ${missing.join(', ')}, which every job passes through`);
  return states.reduce((mask, state) => {
    if (!Object.hasOwn(stateBits, state)) throw refusal(`There is no state ${JSON.stringify(state)}`);
    return mask | stateBits[state];
  }, 0);
}

function argsText(byArgs: true | readonly FieldPath[], args: unknown): string {
  if (byArgs !== true) return selectedArgs(byArgs, args);
  const entries = entriesOf(args);
  if (entries === undefined) throw refusal(`Arguments that make a job unique are an object, not ${goJson(args)}`);
  return sortedArgs(entries);
}

function refusal(message: string): QueueError {
  return new QueueError('invalid_job', message);
}
