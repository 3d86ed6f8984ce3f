/**
 * Reads goldens that real Go made of values, and makes the values that a caller here would pass for them: JSON, and for
 * what JSON cannot say an object with one key that starts with a dollar. It holds no test of its own.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';

const folder = new URL('../../../../interop/goldens/', import.meta.url);

/** Reads the cases of a file of goldens. */
export function goldens<Case>(name: string): readonly Case[] {
  const { cases } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { cases: readonly Case[] };
  return cases;
}

/** Makes the value that was described. */
export function described(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(described);
  if (typeof given !== 'object' || given === null) return given;
  const [tag, value] = Object.entries(given)[0] ?? [];
  switch (Object.keys(given).length === 1 ? tag : undefined) {
    case '$bigint':
      return BigInt(value as string);
    case '$number':
      return Number(value);
    case '$time':
      return new Date(value as string);
    case '$bytes':
      return Buffer.from(value as string, 'base64');
    case '$utf16':
      return String.fromCharCode(...(value as readonly number[]));
    case '$pairs':
      return new Map(
        (value as readonly [unknown, unknown][]).map(([key, inner]) => [described(key), described(inner)]),
      );
    default:
      return Object.fromEntries(Object.entries(given).map(([key, inner]) => [key, described(inner)]));
  }
}
