/**
 * The lines that a job logs, as River UI shows them: an entry for each attempt, in the job's metadata. It is not a
 * program's log. Both an attempt and the whole have a limit, since metadata travel with every claim of the job.
 */
import { Buffer } from 'node:buffer';
import { jsonbText } from '../jsonb-text.ts';

/** River's key. */
export const logKey = 'river:log';

/** River's limits, in bytes of UTF-8: for the text of an attempt, and for all entries as JSON. */
const attemptBytesMax = 2 * 1024 * 1024;
const totalBytesMax = 8 * 1024 * 1024;

/** What one attempt logs. */
export class AttemptLog {
  readonly #lines: string[] = [];
  #bytes = 0;

  /** Adds a line. What goes beyond two megabytes in an attempt is cut off. */
  add(line: string): void {
    const left = attemptBytesMax - this.#bytes;
    if (left <= 0) return;
    const text = cut(`${line}\n`, left);
    this.#lines.push(text);
    this.#bytes += Buffer.byteLength(text);
  }

  /**
   * All entries as JSON, those of earlier attempts first; undefined when this attempt has logged nothing. Beyond eight
   * megabytes the oldest go; the newest always stays. `before` is what the job's metadata have under the key.
   */
  entries(before: unknown, attempt: number): string | undefined {
    if (this.#lines.length === 0) return undefined;
    const kept = [jsonbText({ attempt, log: this.#lines.join('') })];
    let bytes = Buffer.byteLength(kept[0] ?? '') + '[]'.length;
    const earlier = Array.isArray(before) ? before.toReversed() : [];
    for (const entry of earlier) {
      const text = jsonbText(entry);
      bytes += Buffer.byteLength(text) + ','.length;
      if (bytes > totalBytesMax) break;
      kept.unshift(text);
    }
    return `[${kept.join(',')}]`;
  }
}

/** The longest beginning of a text that takes no more bytes, without half a character at its end. */
function cut(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
