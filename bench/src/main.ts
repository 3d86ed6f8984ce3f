/**
 * `npm run bench -- NAME`: reads the command line, runs one benchmark, prints its table and writes its JSON where that
 * was asked for. No figure makes it fail: it ends with 1 only where something could not be measured.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { requires } from '@rowlock/test-harness';
import { benchmarks } from './benchmarks.ts';
import { floors } from './floors.ts';
import { type BenchPostgres, benchPostgres } from './measure/bench-postgres.ts';
import type { BenchContext, Benchmark } from './measure/benchmark.ts';
import { endOnSignal, isEndingRun } from './measure/end-on-signal.ts';
import { floorsTable } from './measure/floors-table.ts';
import { endKept } from './measure/kept-processes.ts';
import { commitNow, loadNow, machineFacts } from './measure/machine.ts';
import { type Report, reportJson, reportOf, reportTable } from './measure/report.ts';

const connections = 16;
const profiles = fileURLToPath(new URL('../profiles/', import.meta.url));

const usage = (): string => `npm run bench -- NAME [OPTIONS]
npm run bench -- read FILE.json…   print the tables of reports

${benchmarks.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`).join('\n')}

  --json FILE   write the report as JSON too
  --seconds N   length of one round (default: 8; 3 for floors)
  --rounds N    rounds of each contestant, in turns (default: 5; 2 for floors)
  --only PART   measure only figures whose id has PART in it, as in download_10k
  --rows N      objects of the large bucket of listing and floors (default: a million; ten for floors)
  --short       as little as possible, to see that it works; the figures say nothing
  --profile     keep a CPU profile and PostgreSQL's count of statements in bench/profiles/raw/,
                and the summary of both in bench/profiles/NAME.txt
`;

interface Options {
  readonly benchmark: Benchmark;
  readonly seconds: number;
  readonly rounds: number;
  readonly short: boolean;
  readonly only: string | undefined;
  readonly rows: number | undefined;
  readonly json: string | undefined;
  readonly profile: boolean;
}

function optionsOf(argv: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      rows: { type: 'string' },
      short: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [name, ...others] = positionals;
  const benchmark = benchmarks.find((each) => each.name === name);
  if (benchmark === undefined) throw new Error(name === undefined ? 'Name a benchmark.' : `There is no ${name}.`);
  if (others.length > 0) throw new Error('One benchmark at a time.');
  return {
    benchmark,
    seconds: positive('seconds', values.seconds ?? (values.short ? '0.3' : String(benchmark.defaults?.seconds ?? 8))),
    rounds: Math.ceil(
      positive('rounds', values.rounds ?? (values.short ? '1' : String(benchmark.defaults?.rounds ?? 5))),
    ),
    short: values.short,
    only: values.only,
    rows: values.rows === undefined ? undefined : Math.ceil(positive('rows', values.rows)),
    json: values.json,
    profile: values.profile,
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} takes a number above 0, not ${text}`);
  return number;
}

/** The PostgreSQL of this run, once somebody has asked for it. */
let postgres: Promise<BenchPostgres> | undefined;

async function stopPostgres(): Promise<void> {
  await (await postgres?.catch(() => undefined))?.stop();
}

async function measured(options: Options): Promise<Report> {
  const { benchmark, seconds, rounds, short, only, rows, profile } = options;
  const missing = requires(...benchmark.needs);
  if (missing !== false) throw new Error(`${benchmark.name} ${missing}`);
  const context: BenchContext = {
    seconds,
    rounds,
    short,
    connections,
    only: only === undefined ? undefined : [only],
    brief: false,
    rows,
    profileFolder: profile ? join(profiles, 'raw') : undefined,
    postgres: async () => {
      postgres ??= benchPostgres({ countStatements: profile });
      return await postgres;
    },
    say: (text) => void process.stderr.write(`bench: ${text}\n`),
  };
  if (profile) rmSync(join(profiles, 'raw', benchmark.name), { recursive: true, force: true });
  const before = loadNow();
  const at = new Date().toISOString();
  try {
    const result = await benchmark.run(context);
    const facts = {
      name: benchmark.name,
      at,
      commit: commitNow(),
      short,
      ...(benchmark.untimed ? {} : { seconds, connections }),
      rounds,
      machine: machineFacts(),
      load_average: { before, after: loadNow() },
      postgres: (await postgres)?.facts,
    };
    return reportOf(facts, result);
  } finally {
    await stopPostgres();
    await endKept();
  }
}

/** `floors` has a table of its own. */
function tableOf(report: Report): string {
  return report.name === floors.name ? floorsTable(report) : reportTable(report);
}

function read(files: readonly string[]): number {
  for (const file of files) {
    process.stdout.write(`${tableOf(JSON.parse(readFileSync(file, 'utf8')) as Report)}\n`);
  }
  return files.length === 0 ? 2 : 0;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === 'read') return read(argv.slice(1));
  let options: Options | 'help';
  try {
    options = optionsOf(argv);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage()}`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(usage());
    return 0;
  }
  const json = reportJson(await measured(options));
  const report = JSON.parse(json) as Report;
  process.stdout.write(`\n${tableOf(report)}`);
  if (options.json !== undefined) {
    const file = resolve(options.json);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, json);
  }
  return (report.failures ?? []).length === 0 ? 0 : 1;
}

endOnSignal(stopPostgres);
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // A run that was told to end fails of that; it exits when its processes have ended.
  if (!isEndingRun()) throw error;
}
