/**
 * The arguments of a job as they go into its unique key: sorted on top, or only the fields that count. River reads them
 * from encoded JSON; here they are taken from the values, and each is encoded by itself. Keys are written as River's
 * JSON library writes them, which is not how Go writes them elsewhere.
 */
import { Buffer } from 'node:buffer';
import { QueueError } from '../queue-error.ts';
import { type Entries, entriesOf, goJson, goJsonText } from './go-json.ts';

/** A field: its keys joined by points, or a list of them. */
export type FieldPath = string | readonly string[];

/** A field that was found: JSON, or an object that holds some of its fields. */
type Found = string | Map<string, Found>;

/** Writes all arguments, their own keys in the order of their bytes; what is inside of them keeps its order. */
export function sortedArgs(entries: Entries): string {
  const sorted = [...entries].filter(([, value]) => isSaid(value)).toSorted(([one], [other]) => byBytes(one, other));
  return `{${sorted.map(([key, value]) => `${keyText(key)}:${goJson(value)}`).join(',')}}`;
}

/**
 * Writes the fields that count. Where an object holds several, they stand in one object. Fields that are missing are
 * left out; nothing at all is written where all are.
 *
 * @throws QueueError `invalid_job` where no field is named
 */
export function selectedArgs(paths: readonly FieldPath[], args: unknown): string {
  const fields = paths.map((path) => (typeof path === 'string' ? path.split('.') : path));
  if (fields.length === 0 || fields.some((keys) => keys.length === 0)) {
    throw new QueueError('invalid_job', 'No field is named that makes the job unique');
  }
  const found = new Map<string, Found>();
  for (const keys of fields.toSorted((one, other) => byBytes(one.join('.'), other.join('.')))) {
    const value = valueAt(args, keys);
    if (isSaid(value)) place(found, keys, goJson(value));
  }
  return found.size === 0 ? '' : foundText(found);
}

function valueAt(args: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, wanted) => {
    for (const [key, member] of entriesOf(value) ?? []) if (key === wanted) return member;
    return undefined;
  }, args);
}

/** What is inside of a field that is there as a whole is there already. */
function place(into: Map<string, Found>, keys: readonly string[], json: string): void {
  const [key = '', ...rest] = keys;
  const there = into.get(key);
  if (typeof there === 'string') return;
  if (rest.length === 0) {
    into.set(key, json);
    return;
  }
  const inner = there ?? new Map<string, Found>();
  into.set(key, inner);
  place(inner, rest, json);
}

function foundText(found: Found): string {
  if (typeof found === 'string') return found;
  return `{${[...found].map(([key, inner]) => `${keyText(key)}:${foundText(inner)}`).join(',')}}`;
}

/** Written as it is, markup and all, unless something in it has to be escaped; then as Go writes it. */
function keyText(key: string): string {
  return /^[ !#-[\]-\u007f]*$/.test(key) ? `"${key}"` : goJsonText(key);
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** What JSON has no word for is left out of an object. */
function isSaid(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}
