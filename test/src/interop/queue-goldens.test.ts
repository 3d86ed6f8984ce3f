/** What Go River makes of values, as it was recorded, is what it still makes; and our own code agrees with it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { retrySeconds, retrySecondsMax } from '@rowlock/queue';
import { goGoldens, goRiverNewest, goRiverVersions, requires } from '@rowlock/test-harness';
import { goJson } from '../../../packages/queue/dist/unique/go-json.js';
import { type UniqueOptions, uniqueOf } from '../../../packages/queue/dist/unique/unique-key.js';
import {
  caseOf,
  committedGoldens,
  expectGoldens,
  type GoldenCase,
  revived,
  withOlder,
  writesGoldens,
} from './go-goldens.ts';

interface Printed {
  readonly river: string;
  readonly go: string;
  readonly cases: readonly GoldenCase[];
}

interface Delay {
  readonly failures: number;
  readonly min_seconds: number;
  readonly max_seconds: number;
}

interface UniqueCase extends GoldenCase {
  readonly input: {
    readonly kind: string;
    readonly args: unknown;
    readonly queue: string;
    readonly now: string;
    readonly scheduled_at: string | null;
    readonly fields: readonly string[] | null;
    readonly unique: {
      readonly by_args: boolean;
      readonly period_seconds: number;
      readonly by_queue: boolean;
      readonly states: UniqueOptions['byState'] | null;
      readonly exclude_kind: boolean;
    };
  };
  readonly string: string | null;
  readonly sha256: string | null;
  readonly mask: number;
  readonly error: string | null;
}

/** More rounds, or new goldens, ask every version and not only the newest. */
const asksAll = writesGoldens || process.env['ROWLOCK_ROUNDS'] !== undefined;
const older = goRiverVersions.filter((version) => version !== goRiverNewest);
/** What is a time or a sample, and so differs from run to run. */
const sampleTolerance = 0.004;

describe('goldens that Go made', { skip: requires('go') }, () => {
  for (const name of ['unique-keys', 'go-json', 'attempt-errors']) {
    test(`${name}.json is what the newest Go River makes`, async () => {
      const printed = await goGoldens<Printed>(name);
      const committed = writesGoldens ? undefined : committedGoldens(name);

      if (committed === undefined) {
        const others = await Promise.all(older.map(async (version) => await goGoldens<Printed>(name, version)));
        const made_by = [printed, ...others].map(({ river, go }) => `River ${river}, ${go}`);
        const byVersion = Object.fromEntries(others.map(({ river, cases }) => [river, cases]));
        expectGoldens(name, { made_by, cases: withOlder(printed.cases, byVersion) });
      } else {
        assert.deepEqual(
          printed.cases,
          committed.cases.map((one) => caseOf(one, goRiverNewest)),
        );
      }
    });
  }

  test('retry-delays.json are the bounds that the newest Go River keeps to', async () => {
    const printed = await goGoldens<Printed>('retry-delays');
    if (writesGoldens) {
      expectGoldens('retry-delays', { made_by: [`River ${printed.river}, ${printed.go}`], cases: printed.cases });
    }
    const committed = committedGoldens<Delay>('retry-delays').cases;

    for (const [index, found] of (printed.cases as unknown as readonly Delay[]).entries()) {
      const expected = committed[index];
      assert.ok(expected);
      assert.equal(found.failures, expected.failures);
      assert.ok(isNear(found.min_seconds, expected.min_seconds), `the least after ${found.failures}`);
      assert.ok(isNear(found.max_seconds, expected.max_seconds), `the most after ${found.failures}`);
    }
  });

  test('older versions make of unique-keys.json what is noted there', { skip: !asksAll }, async () => {
    for (const version of older) {
      const printed = await goGoldens<Printed>('unique-keys', version);

      assert.deepEqual(
        printed.cases,
        committedGoldens('unique-keys').cases.map((one) => caseOf(one, version)),
        version,
      );
    }
  });
});

describe('our code beside the goldens', () => {
  test('retry delays have the bounds of Go River, after any number of failures', () => {
    const { cases } = committedGoldens<Delay>('retry-delays');

    for (const { failures, min_seconds, max_seconds } of cases) {
      const least = retrySeconds(failures - 1, () => 0);
      const most = retrySeconds(failures - 1, () => 1 - 2 ** -53);
      assert.ok(isNear(least, min_seconds), `the least after ${failures}: ${least}, Go ${min_seconds}`);
      assert.ok(isNear(most, max_seconds), `the most after ${failures}: ${most}, Go ${max_seconds}`);
    }
    assert.ok(cases.some(({ max_seconds }) => max_seconds >= retrySecondsMax * (1 - sampleTolerance)));
  });

  test("our JSON has the bytes of Go's, for every value of go-json.json", () => {
    const { cases } = committedGoldens<GoldenCase & { readonly json: string }>('go-json');

    for (const { name, input, json } of cases) assert.equal(goJson(revived(input)), json, name);
    assert.ok(cases.length >= 200);
  });

  test('our unique keys and states are those of unique-keys.json, and what Go refuses is refused', () => {
    const { cases } = committedGoldens<UniqueCase>('unique-keys');

    for (const { name, input, sha256, mask, error } of cases) {
      const ours = (): ReturnType<typeof uniqueOf> => {
        const { kind, queue, scheduled_at, now } = input;
        const at = Date.parse(scheduled_at ?? now);
        return uniqueOf(optionsOf(input), { kind, args: revived(input.args), queue, at });
      };
      if (error === null)
        assert.deepEqual(ours() ?? null, sha256 === null ? null : { key: sha256, states: mask }, name);
      else assert.throws(ours, name);
    }
  });

  test('every key of unique-keys.json is the hash of the text beside it', () => {
    const unique = committedGoldens<UniqueCase>('unique-keys').cases.filter(({ sha256 }) => sha256 !== null);

    for (const { name, string, sha256 } of unique) {
      const hash = createHash('sha256').update(string ?? '');
      assert.equal(hash.digest('hex'), sha256, name);
    }
    assert.ok(unique.length >= 60);
  });
});

function optionsOf({ fields, unique }: UniqueCase['input']): UniqueOptions {
  return {
    ...(unique.by_args ? { byArgs: fields ?? true } : {}),
    ...(unique.period_seconds > 0 ? { byPeriodSeconds: unique.period_seconds } : {}),
    byQueue: unique.by_queue,
    ...(unique.states === null || unique.states === undefined ? {} : { byState: unique.states }),
    excludeKind: unique.exclude_kind,
  };
}

function isNear(found: number, expected: number): boolean {
  return Math.abs(found - expected) <= Math.abs(expected) * sampleTolerance;
}
