/**
 * Goldens that real Go River made, in `interop/goldens`: how they are read, compared and written. With
 * ROWLOCK_WRITE_GOLDENS=1 the tests write them anew instead of comparing. It makes none itself.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const folder = new URL('../../../interop/goldens/', import.meta.url);

/** One case: its name, and whatever else there is to say. */
export interface GoldenCase {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** A file of goldens. `older` of a case tells what older versions answer where they differ. */
export interface Goldens<Case = GoldenCase> {
  readonly made_by: readonly string[];
  readonly cases: readonly Case[];
}

/** Whether goldens are to be written anew. */
export const writesGoldens: boolean = process.env['ROWLOCK_WRITE_GOLDENS'] === '1';

/** Reads what is committed. */
export function committedGoldens<Case = GoldenCase>(name: string): Goldens<Case> {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Goldens<Case>;
}

/** Compares goldens with those that are committed, or writes them. */
export function expectGoldens(name: string, made: Goldens): void {
  if (writesGoldens) {
    const cases = made.cases.map((each) => `    ${JSON.stringify(each)}`).join(',\n');
    const text = `{\n  "made_by": ${JSON.stringify(made.made_by)},\n  "cases": [\n${cases}\n  ]\n}\n`;
    writeFileSync(fileURLToPath(new URL(`${name}.json`, folder)), text);
  }
  const committed = committedGoldens(name);
  assert.deepEqual(made.cases, committed.cases);
}

/** Notes, in each case of the newest version, the fields that older versions answer differently. */
export function withOlder(
  newest: readonly GoldenCase[],
  older: Readonly<Record<string, readonly GoldenCase[]>>,
): readonly GoldenCase[] {
  return newest.map((one) => {
    const notes = Object.entries(older).flatMap(([version, cases]) => {
      const other = cases.find((each) => each.name === one.name) ?? { name: one.name };
      const differing = Object.keys(one).filter((field) => !isDeepStrictEqual(one[field], other[field]));
      return differing.length === 0 ? [] : [[version, Object.fromEntries(differing.map((f) => [f, other[f]]))]];
    });
    return notes.length === 0 ? one : { ...one, older: Object.fromEntries(notes) as unknown };
  });
}

/** What a version answers in a case: the newest's answer, with the differences of an older one. */
export function caseOf(one: GoldenCase, version: string): GoldenCase {
  const { older, ...newest } = one;
  const notes = (older as Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined)?.[version];
  return { ...newest, ...notes } as GoldenCase;
}

/** What a golden's input says, as values of JavaScript; `describe` of interop/river-go writes it. */
export function revived(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  if (Array.isArray(input)) return input.map(revived);
  const entries = Object.entries(input);
  const [tag, told] = entries.length === 1 ? (entries[0] ?? []) : [];
  switch (tag) {
    case '$bigint':
      return BigInt(String(told));
    case '$number':
      return Number(told);
    case '$time':
      return new Date(String(told));
    case '$bytes':
      return new Uint8Array(Buffer.from(String(told), 'base64'));
    case '$utf16':
      return String.fromCharCode(...(told as number[]));
    case '$pairs':
      return new Map((told as [unknown, unknown][]).map(([key, value]) => [revived(key), revived(value)]));
    default:
      return Object.fromEntries(entries.map(([key, value]) => [key, revived(value)]));
  }
}
