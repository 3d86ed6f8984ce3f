/**
 * One entry of a job's errors, as River writes it and River UI shows it. It decides nothing about the job.
 */
import { inspect } from 'node:util';
import { jsonbText } from './jsonb-text.ts';

/** What River decodes an entry into. `at` is RFC 3339. */
export interface AttemptError {
  readonly at: string;
  readonly attempt: number;
  readonly error: string;
  readonly trace: string;
}

/** Enough for any message a person reads; a response body in a message must not fill the table. */
const textLengthMax = 16_384;

/** Writes an entry as JSON, its texts cut to 16,384 characters. */
export function attemptErrorJson({ at, attempt, error, trace }: AttemptError): string {
  return jsonbText({ at, attempt, error: error.slice(0, textLengthMax), trace: trace.slice(0, textLengthMax) });
}

/** Says what was thrown: the message of an error, or whatever else was thrown, as text. Never throws. */
export function errorText(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!(thrown instanceof Error) || typeof thrown.message !== 'string') return inspect(thrown);
  return thrown.message === '' ? thrown.name : thrown.message;
}

/** Returns the frames of a thrown error, without its message; nothing for what has no stack. */
export function errorTrace(thrown: unknown): string {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return '';
  const lines = thrown.stack.split('\n');
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  return first === -1 ? '' : lines.slice(first).join('\n');
}
