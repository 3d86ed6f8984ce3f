/**
 * Where a page of a list ends, as text that Go's client reads as well, and writes. It says nothing about the filter:
 * whoever goes on must ask for the same list again.
 */
import { Buffer } from 'node:buffer';
import type { JobDetails } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { goJsonText } from '../unique/go-json.ts';

/** What a list is ordered by; see `JobListOptions`. */
export type JobListOrder = 'id' | 'time' | 'scheduled_at' | 'finalized_at';

/** What a cursor says. */
export interface ListCursor {
  readonly id: string;
  /** Null where the list is ordered by id alone, or the job had no such time. */
  readonly time: string | null;
  readonly order: JobListOrder;
}

/** How Go writes no time. */
const zeroTime = '0001-01-01T00:00:00Z';

/** Everything but what base64 writes the same with both alphabets: River v0.43 writes one and reads the other. */
const unsafe = /[^ -;=@-}]/g;

/** Writes the cursor of a page that ends with a job; `time` is what the list is ordered by. */
export function encodeListCursor(job: JobDetails, order: JobListOrder, time: string | null): string {
  const at = time === null || time.endsWith('infinity') ? zeroTime : time;
  const fields = `"id":${job.id},"kind":${goJsonText(job.kind)},"queue":${goJsonText(job.queue)}`;
  const json = `{${fields},"sort_field":"${order}","time":"${at}"}`.replace(
    unsafe,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(json).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * Reads a cursor, of either alphabet.
 *
 * @throws QueueError `invalid_option` for what is none
 */
export function decodeListCursor(text: string): ListCursor {
  const json = Buffer.from(text, 'base64url').toString('utf8');
  const { sort_field: order, time } = fieldsOf(json);
  // As a number, an id would lose digits. The text of a key cannot stand inside of a value: its quotes are escaped.
  const id = /"id"\s*:\s*(\d{1,19})\s*[,}]/.exec(json)?.[1];
  if (id === undefined || !isOrder(order) || typeof time !== 'string') throw noCursor();
  return { id, order, time: time === zeroTime ? null : time };
}

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw noCursor();
}

function isOrder(value: unknown): value is JobListOrder {
  return value === 'id' || value === 'time' || value === 'scheduled_at' || value === 'finalized_at';
}

function noCursor(): QueueError {
  return new QueueError('invalid_option', 'The text is no cursor of a list of jobs');
}
