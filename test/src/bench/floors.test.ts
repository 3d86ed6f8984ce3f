/** The one table of floors and goals: what it runs, what it says, and that one failure costs only its own rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floors, partsOfFloors } from '../../../bench/dist/floors.js';
import type { BenchContext } from '../../../bench/dist/measure/benchmark.js';
import { floorsTable, verdictOf } from '../../../bench/dist/measure/floors-table.js';
import { figureOf, type Report, reportOf } from '../../../bench/dist/measure/report.js';
import { goals, targets } from '../../../bench/dist/measure/targets.js';

const rate = { title: 'a rate', unit: '1/s', better: 'higher' } as const;
const time = { title: 'a time', unit: 'ms', better: 'lower' } as const;

test('floors runs every figure that has a goal, once, and each of them has a floor', () => {
  const ids = partsOfFloors.flatMap((part) => part.ids);

  assert.deepEqual(ids.toSorted(), Object.keys(goals).toSorted());
  assert.deepEqual(
    ids.map((id) => targets[id]?.[0]?.from),
    ids.map(() => 'floor'),
  );
});

test('a verdict says whether goal or floor are reached, and how far away a missed floor is', () => {
  const of = (value: number): string => verdictOf(figureOf({ id: 'upload_10k_per_second', ...rate, values: [value] }));
  const ofTime = (value: number): string => verdictOf(figureOf({ id: 'move_5g_p95_ms', ...time, values: [value] }));

  assert.deepEqual([of(1500), of(1499), of(450)], ['goal', 'floor', 'MISSED: 0.5 of the floor']);
  assert.deepEqual([ofTime(5), ofTime(10), ofTime(40)], ['goal', 'floor', 'MISSED: 0.25 of the floor']);
});

test('a goal that is a share of what stands beside is reached by that one alone', () => {
  const figure = (nginx: number, writes: number): ReturnType<typeof figureOf> =>
    figureOf({
      id: 'upload_64m_mib_per_second',
      ...rate,
      values: [600],
      beside: [
        { name: 'nginx', kind: 'peer', values: [nginx] },
        { name: 'bare durable write', kind: 'ceiling', values: [writes] },
      ],
    });

  assert.equal(figure(1000, 5000).goal?.reached, true);
  assert.equal(figure(1001, 600).goal?.reached, false);
  assert.equal(figureOf({ id: 'upload_64m_mib_per_second', ...rate, values: [600] }).goal?.reached, false);
});

test('what cannot be measured is named below the table and costs no other row', async () => {
  const said: string[] = [];
  const context = {
    short: true,
    rounds: 1,
    seconds: 0.1,
    connections: 1,
    only: ['info_beside'],
    say: (text: string) => void said.push(text),
    postgres: () => Promise.reject(new Error('there is no server')),
  } as unknown as BenchContext;

  const result = await floors.run(context);
  const facts = { name: 'floors', machine: {}, load_average: { before: [0], after: [0] } } as unknown as Report;
  const table = floorsTable(reportOf(facts, result));

  assert.equal(result.failures?.length, 1);
  assert.match(table, /^not measured: info_beside_uploads_p99_ms: Error: there is no server$/m);
  assert.match(said.join('\n'), /there is no server/);
});
