/**
 * Gives tests randomness that can be repeated. It is not for secrets. A process
 * that fails after it used some says with which seed to repeat the run.
 */
import { randomInt } from 'node:crypto';

/** A stream of random values that depends on nothing but its seed. */
export interface SeededRandom {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  integer(below: number): number;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Buffer;
}

const used = new Set<number>();

/**
 * Starts a stream from `seed`, from ROWLOCK_TEST_SEED, or from a random seed.
 *
 * The generator is sfc32 (Chris Doty-Humphrey's small fast counter), warmed up
 * for twelve rounds; seeds are whole numbers below 2³².
 */
export function seededRandom(seed: number = defaultSeed()): SeededRandom {
  if (used.size === 0) process.once('exit', reportSeeds);
  used.add(seed);
  const word = sfc32(seed);
  const next = (): number => word() / 2 ** 32;
  const integer = (below: number): number => Math.floor(next() * below);
  return {
    seed,
    next,
    integer,
    pick: <T>(values: readonly T[]): T => {
      if (values.length === 0) throw new RangeError('There is nothing to pick from');
      return values[integer(values.length)] as T;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => word() & 0xff)),
  };
}

function defaultSeed(): number {
  const given = process.env['ROWLOCK_TEST_SEED'];
  return given === undefined ? randomInt(2 ** 32) : Number(given);
}

function reportSeeds(code: number): void {
  if (code === 0 && (process.exitCode ?? 0) === 0) return;
  process.stderr.write(`Random seeds of this failed run: ${[...used].join(', ')}. Repeat with ROWLOCK_TEST_SEED=…\n`);
}

function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [0, seed | 0, 0, 1];
  const word = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) word();
  return word;
}
