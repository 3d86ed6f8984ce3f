/**
 * The table of `floors`: for each figure its floor, its goal, what was measured, what was measured beside it, and whether
 * that is enough. It judges nothing itself; a figure that could not be measured is named below the table.
 */
import { aboutRun, type Figure, type Report, short, tableLines } from './report.ts';

const header = ['figure', 'floor', 'goal', 'measured', 'beside', 'its median', 'ratio', 'verdict'];

/** The table of a report, one row for each figure and each thing beside it. */
export function floorsTable(report: Report): string {
  const failures = (report.failures ?? []).map((failure) => `not measured: ${failure}`);
  return [
    aboutRun(report),
    `ratio: above 1 ours is better; load average ${report.load_average.before[0]} before`,
    '',
    ...tableLines(header, [0, 2, 4, 7], report.figures.flatMap(rowsOf)),
    ...failures,
    '',
  ].join('\n');
}

function rowsOf(figure: Figure): readonly (readonly string[])[] {
  const sign = figure.better === 'higher' ? '>=' : '<=';
  const [floor] = figure.targets;
  const own = [
    `${figure.title} (${figure.unit})`,
    floor === undefined ? '' : `${sign} ${short(floor.value)}`,
    goalText(figure, sign),
    short(figure.median),
  ];
  if (figure.beside.length === 0) return [[...own, '', '', '', verdictOf(figure)]];
  return figure.beside.map((other, at) => [
    ...(at === 0 ? own : ['', '', '', '']),
    `${other.name} (${other.kind})`,
    short(other.median),
    short(other.ratio.median),
    at === 0 ? verdictOf(figure) : '',
  ]);
}

function goalText({ goal }: Figure, sign: string): string {
  if (goal === undefined) return '';
  return 'value' in goal ? `${sign} ${short(goal.value)}` : `${goal.ratio} of ${goal.beside}`;
}

/** `goal` where both are reached, `floor` where only that one is; how far away it is where it is missed. */
export function verdictOf({ targets, goal, median, better }: Figure): string {
  const [floor] = targets;
  if (floor !== undefined && !floor.reached) {
    const share = better === 'higher' ? median / floor.value : floor.value / median;
    return `MISSED: ${short(share)} of the floor`;
  }
  if (goal?.reached) return 'goal';
  return floor === undefined ? '' : 'floor';
}
