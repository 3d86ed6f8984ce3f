/** What a job may leave as its output: any JSON, up to River's limit. It is kept under `output` in the metadata. */
import { Buffer } from 'node:buffer';
import { jsonbText } from './jsonb-text.ts';
import { QueueError } from './queue-error.ts';

const outputBytesMax = 32 * 1024 * 1024;

/**
 * Writes an output as JSON.
 *
 * @throws QueueError `invalid_option` for more than 32 MB of JSON; TypeError for what JSON cannot say
 */
export function outputText(value: unknown): string {
  const text = jsonbText(value);
  if (Buffer.byteLength(text) > outputBytesMax) {
    throw new QueueError('invalid_option', `An output takes at most ${outputBytesMax} bytes of JSON`);
  }
  return text;
}
