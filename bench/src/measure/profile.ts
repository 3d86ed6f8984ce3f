/**
 * What a profile run keeps: CPU profiles of the service and PostgreSQL's count of statements, in a folder that git
 * ignores, and a short text of both that can be committed. It changes no figure of a run without `--profile`.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigratedDatabase } from '@rowlock/test-harness';
import type { BenchPostgres } from './bench-postgres.ts';
import type { BenchContext } from './benchmark.ts';
import { commitNow, machineFacts } from './machine.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const functionsShown = 40;
const statementsShown = 20;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Begins to count statements, where the server can. */
export async function startCountingStatements(postgres: BenchPostgres, database: MigratedDatabase): Promise<void> {
  if (!postgres.countsStatements) return;
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await database.query('SELECT pg_stat_statements_reset()');
}

/** Writes the statements that took the most time into the folder of the profile. */
export async function keepStatements(
  postgres: BenchPostgres,
  database: MigratedDatabase,
  folder: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (!postgres.countsStatements) {
    writeFileSync(join(folder, 'statements.txt'), 'This server does not count statements.\n');
    return;
  }
  const rows = await database.query<{ calls: string; total: number; mean: number; wal: string; query: string }>(
    `SELECT calls, total_exec_time AS total, mean_exec_time AS mean, wal_bytes AS wal,
       left(regexp_replace(query, '\\s+', ' ', 'g'), 100) AS query
     FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
     ORDER BY total_exec_time DESC LIMIT ${statementsShown}`,
  );
  const lines = rows.map(({ calls, total, mean, wal, query }) =>
    [
      total.toFixed(0).padStart(8),
      calls.padStart(8),
      mean.toFixed(3).padStart(9),
      (Number(wal) / Number(calls)).toFixed(0).padStart(9),
      ` ${query}`,
    ].join(' '),
  );
  const header = '    ms in    calls   ms each  WAL each  statement';
  writeFileSync(join(folder, 'statements.txt'), `${[header, ...lines].join('\n')}\n`);
}

/** Runs work that happens in this process, with a profile of it where one was asked for. */
export async function profiled<T>(
  { profileFolder }: BenchContext,
  of: { readonly postgres: BenchPostgres; readonly database: MigratedDatabase; readonly name: string },
  work: () => Promise<T>,
): Promise<T> {
  if (profileFolder === undefined) return await work();
  const folder = join(profileFolder, of.name);
  await startCountingStatements(of.postgres, of.database);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  const result = await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  await keepStatements(of.postgres, of.database, folder);
  writeFileSync(join(folder, 'bench.cpuprofile'), JSON.stringify(profile));
  summariseProfiles(profileFolder, of.name);
  return result;
}

/** Writes the summary of the profiles in a folder beside the folder of all of them, where it may be committed. */
export function summariseProfiles(profileFolder: string, name: string): void {
  const folder = join(profileFolder, name);
  const files = readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'));
  const parts = files
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile)
    .sort((one, other) => other.samples.length - one.samples.length)
    .map((profile, at) => `thread ${at + 1}\n\n${topFunctions(profile)}`);
  const statements = readFileSync(join(folder, 'statements.txt'), 'utf8');
  const { cpu, cores, node } = machineFacts();
  const about = `Profile of ${name}: commit ${commitNow()}, ${cores} cores of ${cpu}, Node ${node}`;
  const text = [about, ...parts, `statements\n\n${statements}`].join('\n\n');
  writeFileSync(join(profileFolder, '..', `${name}.txt`), text);
}

/** The functions of a profile by their own time, idle time left out. */
export function topFunctions(profile: CpuProfile): string {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const self = new Map<string, number>();
  profile.samples.forEach((sample, at) => {
    const name = names.get(sample) ?? '?';
    self.set(name, (self.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0));
  });
  const idle = self.get('(idle)') ?? 0;
  self.delete('(idle)');
  const busy = [...self.values()].reduce((sum, each) => sum + each, 0);
  const lines = [...self]
    .sort(([, one], [, other]) => other - one)
    .slice(0, functionsShown)
    .map(([name, time]) => `${((100 * time) / busy).toFixed(1).padStart(6)} %  ${name}`);
  const share = ((100 * busy) / (busy + idle)).toFixed(0);
  return [`busy ${(busy / 1e6).toFixed(1)} s, ${share} % of the time; own time of functions:`, ...lines].join('\n');
}

function nameOf(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const { functionName, url, lineNumber } = frame;
  if (url === '') return functionName === '' ? '(anonymous)' : functionName;
  const path = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url;
  return `${functionName === '' ? '(anonymous)' : functionName}  ${path}:${lineNumber + 1}`;
}
