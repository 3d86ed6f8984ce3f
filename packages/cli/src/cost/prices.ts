/**
 * What storage costs by the month: a file that people edit, read strictly. It knows no usage. Invariant: every price is a
 * number that is not negative, and every place has a name of its own.
 */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Place, Prices } from '@rowlock/server';
import { UsageError } from '../usage-error.ts';

/** The prices that come with the program. */
export const shippedPrices: string = fileURLToPath(new URL('../../assets/prices.json', import.meta.url));

const fileBytesMax = 1_048_576;
const placesMax = 200;
const isText = (value: unknown): value is string => typeof value === 'string' && /^[^\p{Cc}]{1,200}$/u.test(value);
const isPrice = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= 1_000_000;

/** @throws UsageError for a file that is not there or says something else */
export function readPrices(path: string): Prices {
  let value: unknown;
  try {
    if (statSync(path).size > fileBytesMax) throw new RangeError('it is too large');
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `the prices ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const { as_of, currency, places } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const wrong = (what: string): UsageError => new UsageError(`the prices ${path} have no good ${what}`);
  if (!isText(as_of)) throw wrong('as_of');
  if (!isText(currency)) throw wrong('currency');
  if (!Array.isArray(places) || places.length === 0 || places.length > placesMax) throw wrong('places');
  const read = places.map((place: unknown, index) => placeOf(place) ?? fail(wrong(`place number ${index + 1}`)));
  if (new Set(read.map(({ name }) => name)).size < read.length) throw wrong('names: one is there twice');
  return { as_of, currency, places: read };
}

function fail(error: Error): never {
  throw error;
}

function placeOf(value: unknown): Place | undefined {
  const { name, title, storage_gb_month, egress_gb } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isRight = isText(name) && isText(title) && isPrice(storage_gb_month) && isPrice(egress_gb);
  return isRight ? { name, title, storage_gb_month, egress_gb } : undefined;
}
