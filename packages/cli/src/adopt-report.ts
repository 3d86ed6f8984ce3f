/** What `adopt` found and did, in words for an operator. It decides nothing. */
import type { AdoptPlan, Obstacle } from '@rowlock/server';
import { plainText } from './plain-text.ts';

const lineOf = ({ what, fix }: Obstacle): string => `  ${plainText(what)}\n    ${plainText(fix)}`;

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

const indented = (sql: string): string => sql.trim().replace(/^/gm, '      ');

/** The plan, with its SQL where that is wanted. */
export function planText(plan: AdoptPlan, withSql: boolean): string {
  const { obstacles, warnings, steps, switches, counts } = plan;
  const lines = [
    ...section('in the way:', obstacles.map(lineOf)),
    ...section('take note:', warnings.map(lineOf)),
    ...section(
      plan.is_installed ? 'install (is done; run again it does these again, which changes nothing):' : 'install:',
      [
        '  migrate: our own schemas and roles, beside what is there',
        ...steps.map(({ name, words, sql }) => `  ${name}: ${words}${withSql ? `\n${indented(sql)}` : ''}`),
      ],
    ),
    ...section(
      plan.is_switched ? 'switch (is done):' : 'switch:',
      switches.map((each) => `  ${each.function}: ${each.state}${withSql ? `\n${indented(each.to)}` : ''}`),
    ),
    ...(counts === undefined
      ? []
      : [
          'backfill:',
          `  ${counts.requests_stuck} requests and ${counts.files_stuck} files wait for longer than a quarter of an hour`,
          `  ${counts.files_without_object} of ${counts.files} files have no object`,
          'rollback:',
          `  ${counts.jobs_in_our_queues} jobs in our queues would go back to the old worker`,
        ]),
    obstacles.length === 0 ? 'nothing stands in the way' : `${obstacles.length} in the way`,
  ];
  return `${lines.join('\n')}\n`;
}

/** One line for each thing that was done. */
export function reportText(report: object, dryRun: boolean): string {
  const lines = Object.entries(report).flatMap(([name, value]: [string, unknown]) => {
    const words = name.replaceAll('_', ' ');
    if (Array.isArray(value)) return [`${words}: ${value.length === 0 ? 'none' : value.map(String).join(', ')}`];
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value).map(([key, count]) => `  ${key.replaceAll('_', ' ')}: ${String(count)}`);
    }
    return [`${words}: ${String(value)}`];
  });
  return `${dryRun ? 'would be done:\n' : ''}${lines.join('\n')}\n`;
}
