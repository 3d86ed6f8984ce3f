/**
 * Every benchmark runs to its end in its short form, and gives figures, a table and JSON. Whether a figure is good is
 * not asked here: this machine may be doing anything.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { databaseServerUrl, requires, seededRandom, temporaryFolder } from '@rowlock/test-harness';
import { benchmarks } from '../../../bench/dist/benchmarks.js';
import type { Report } from '../../../bench/dist/measure/report.js';

const program = fileURLToPath(new URL('../../../bench/dist/main.js', import.meta.url));
const run = promisify(execFile);

/** One in six runs at a time, since all take minutes; ROWLOCK_ROUNDS=2 runs all. */
const turns = 6;
const random = seededRandom();
const turn = random.integer(turns);
const isItsTurn = (index: number): boolean => Number(process.env['ROWLOCK_ROUNDS'] ?? 1) > 1 || index % turns === turn;

/** All of its parts have run by themselves. */
const partly: Readonly<Record<string, readonly string[]>> = { floors: ['--only', 'info_per_second'] };

for (const [index, { name, needs }] of benchmarks.entries()) {
  const isMissing = requires(...needs); // asked of all, so that what none has asked for is noticed
  const skip = isItsTurn(index) ? isMissing : `not its turn with seed ${random.seed}`;
  test(`the benchmark ${name} gives figures, a table and JSON`, { skip }, async () => {
    const file = join(temporaryFolder(), 'report.json');
    const { ROWLOCK_TEST_REQUIREMENTS_FILE: _, ROWLOCK_REQUIRE: __, ...environment } = process.env;
    const env = { ...environment, ROWLOCK_TEST_DATABASE_URL: await databaseServerUrl() };

    const { stdout } = await run(
      process.execPath,
      [program, name, '--short', '--json', file, ...(partly[name] ?? [])],
      {
        env,
      },
    );
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const again = await run(process.execPath, [program, 'read', file], { env });

    assert.equal(report.name, name);
    assert.equal(report.short, true);
    assert.ok(report.machine.cores > 0 && report.figures.length > 0);
    for (const figure of report.figures) {
      const measured = [figure, ...figure.beside, ...figure.beside.map(({ ratio }) => ratio)];
      for (const { median, min, max } of measured) {
        assert.ok(median > 0 && min > 0 && max >= min && Number.isFinite(max), JSON.stringify(figure));
      }
      assert.ok(stdout.includes(figure.title));
    }
    assert.ok(stdout.trimStart().startsWith(again.stdout.trim()), 'the table can be printed again from the JSON');
  });
}

test('the list of benchmarks is printed, and a name that is not on it is refused', async () => {
  const help = await run(process.execPath, [program, '--help']);
  const unknown = await run(process.execPath, [program, 'nonsense']).catch((error: unknown) => error);

  for (const { name, summary } of benchmarks)
    assert.ok(help.stdout.includes(`${name} `) && help.stdout.includes(summary));
  assert.equal((unknown as { readonly code: number }).code, 2);
  assert.match((unknown as { readonly stderr: string }).stderr, /There is no nonsense/);
});
