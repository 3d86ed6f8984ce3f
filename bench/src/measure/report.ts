/**
 * From measured values to what is kept (JSON) and what is read (a table). It measures and judges nothing else: whether
 * a floor was reached is said, and never a reason to fail.
 */
import type { BenchResult, Measured } from './benchmark.ts';
import type { MachineFacts } from './machine.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';
import { type Goal, goals, type Target, targets } from './targets.ts';

/** A figure as the JSON has it. */
export interface Figure extends Spread {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly values: readonly number[];
  readonly targets: readonly (Target & { readonly reached: boolean })[];
  readonly goal?: Goal & { readonly reached: boolean };
  readonly beside: readonly BesideFigure[];
}

export interface BesideFigure extends Spread {
  readonly name: string;
  readonly kind: 'peer' | 'ceiling';
  readonly values: readonly number[];
  /** Ours beside it; above 1 ours is the better one. */
  readonly ratio: Spread;
}

/** Everything that is known about one run of one benchmark. */
export interface Report {
  readonly name: string;
  readonly at: string;
  /** The commit that was measured, with `+` behind it when files had changed since. */
  readonly commit: string;
  readonly short: boolean;
  readonly rounds: number;
  /** Length of a turn; absent where a turn is something done once. */
  readonly seconds?: number;
  readonly connections?: number;
  readonly machine: MachineFacts;
  readonly load_average: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly postgres: Readonly<Record<string, string>> | undefined;
  readonly programs: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  readonly failures?: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

/** Judges a measured thing. */
export function figureOf(measured: Measured): Figure {
  const { id, title, unit, better, values } = measured;
  const spread = spreadOf(values);
  const reaches = (value: number): boolean => (better === 'higher' ? spread.median >= value : spread.median <= value);
  const beside = (measured.beside ?? []).map((other) => ({
    name: other.name,
    kind: other.kind,
    ...spreadOf(other.values),
    values: other.values,
    ratio: ratioOf(values, other.values, better),
  }));
  const goal = goals[id];
  return {
    id,
    title,
    unit,
    better,
    ...spread,
    values,
    targets: (targets[id] ?? []).map((target) => ({ ...target, reached: reaches(target.value) })),
    ...(goal === undefined ? {} : { goal: { ...goal, reached: isReached(goal, reaches, beside) } }),
    beside,
  };
}

/** A share of something that was not measured is not reached. */
function isReached(goal: Goal, reaches: (value: number) => boolean, beside: readonly BesideFigure[]): boolean {
  if ('value' in goal) return reaches(goal.value);
  return (beside.find(({ name }) => name === goal.beside)?.ratio.median ?? 0) >= goal.ratio;
}

/** Joins the result of a benchmark with the facts of its run. */
export function reportOf(
  facts: Omit<Report, 'figures' | 'failures' | 'programs' | 'details'>,
  result: BenchResult,
): Report {
  return {
    ...facts,
    programs: result.programs ?? {},
    figures: result.figures.map(figureOf),
    ...(result.failures === undefined ? {} : { failures: result.failures }),
    details: result.details ?? {},
  };
}

/** The JSON of a report: six digits of a number are more than any machine repeats. */
export function reportJson(report: Report): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(report, round, 2)}\n`;
}

/** The table of a report, one row for each figure and each thing beside it. */
export function reportTable(report: Report): string {
  const header = ['figure', 'median', 'min - max', 'floor', 'beside', 'its median', 'ratio'];
  return [
    aboutRun(report),
    `ratio: above 1 ours is better; *: asked for elsewhere; load average ${report.load_average.before[0]} before`,
    '',
    ...tableLines(header, [0, 4], report.figures.flatMap(rowsOf)),
    '',
  ].join('\n');
}

/** What ran, for how long, and on what. */
export function aboutRun({ name, short, rounds, seconds, connections, machine, commit }: Report): string {
  const { cpu, cores, node } = machine;
  return (
    `${name}${short ? ' (short: the figures say nothing)' : ''}: ${rounds} rounds` +
    `${seconds === undefined ? '' : ` of ${seconds} s, ${connections} at once`}; ${cores} cores of ${cpu}, Node ${node}, commit ${commit}`
  );
}

/** Lines of a table: columns of text begin at the left, numbers end at the right. */
export function tableLines(
  header: readonly string[],
  textColumns: readonly number[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        textColumns.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}

function rowsOf(figure: Figure): readonly (readonly string[])[] {
  const [judged] = figure.targets;
  const sign = figure.better === 'higher' ? '>=' : '<=';
  const target =
    judged === undefined ? '' : `${sign} ${short(judged.value)} ${judged.reached ? 'ok' : 'MISSED'}${mark(judged)}`;
  const own = [
    `${figure.title} (${figure.unit})`,
    short(figure.median),
    `${short(figure.min)} - ${short(figure.max)}`,
    target,
  ];
  if (figure.beside.length === 0) return [own];
  return figure.beside.map((other, at) => [
    ...(at === 0 ? own : ['', '', '', '']),
    `${other.name} (${other.kind})`,
    short(other.median),
    short(other.ratio.median),
  ]);
}

/** What is not a floor of ours is marked. */
function mark(target: Target): string {
  return target.from === 'floor' ? '' : '*';
}

/** A number as a table has it: three digits, or all of a large one. */
export function short(value: number): string {
  if (Number.isNaN(value)) return '?';
  if (value >= 1000) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
  return String(Number(value.toPrecision(3)));
}
