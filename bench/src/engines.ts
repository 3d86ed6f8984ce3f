/**
 * Job queues beside each other, each in a process of its own on the same PostgreSQL with the same settings: ours, Go
 * River, graphile-worker and pg-boss. The engines take turns; jobs do nothing, or sleep. What each spent is in details.
 */
import { requires } from '@rowlock/test-harness';
import {
  type Cost,
  canInstallNodeQueues,
  type EngineName,
  EngineProcess,
  engineVersion,
  type WorkSettings,
} from './engines/engine-process.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { latenciesOf } from './measure/statistics.ts';

const atOnce = 500;
const atOnceByDefault = 100;
const latencyRates = [10, 100, 300, 500, 1000] as const;
/** More than anybody works in a second. */
const backlogPerSecond = 6000;

type Engines = Readonly<Partial<Record<EngineName, EngineProcess>>>;

/** A comparison: which figures it gives, and how. */
interface Profile {
  readonly ids: string;
  readonly run: (context: BenchContext, engines: Engines, details: Record<string, unknown>) => Promise<Measured[]>;
}

/** One turn of each engine that is there. */
async function turns<Sample>(
  context: BenchContext,
  what: string,
  engines: Engines,
  turn: (engine: EngineProcess) => Promise<Sample>,
): Promise<Partial<Record<EngineName, readonly Sample[]>>> {
  const each = Object.entries(engines).map(([name, engine]) => [name, async () => await turn(engine)] as const);
  return (await inTurns(context, what, Object.fromEntries(each))) as Partial<Record<EngineName, readonly Sample[]>>;
}

function besideOurs<Sample>(
  samples: Partial<Record<EngineName, readonly Sample[]>>,
  value: (sample: Sample) => number,
): Pick<Measured, 'values' | 'beside'> {
  const { rowlock = [], ...others } = samples;
  return {
    values: rowlock.map(value),
    beside: Object.entries(others).map(([name, list]) => ({ name, kind: 'peer', values: list.map(value) })),
  };
}

interface Drained {
  readonly per_second: number;
  readonly cost: Cost;
}

async function drained(engine: EngineProcess, jobs: number, settings: WorkSettings): Promise<Drained> {
  await engine.fill(jobs);
  const { result, cost } = await engine.costOf(
    async () => await engine.do<{ seconds: number }>({ do: 'drain', n: jobs, ...settings }),
  );
  return { per_second: jobs / result.seconds, cost };
}

/** For the JSON: what a thousand jobs cost, the median of the rounds. */
function costsOf(samples: Partial<Record<EngineName, readonly Drained[]>>, jobs: number): Record<string, unknown> {
  const median = (values: readonly (number | undefined)[]): number | undefined =>
    values.toSorted((a, b) => (a ?? 0) - (b ?? 0))[Math.floor(values.length / 2)];
  const of = (list: readonly Drained[]): Record<string, unknown> => ({
    client_cpu_seconds_per_1000: per(median(list.map(({ cost }) => cost.client_cpu_seconds)), jobs / 1000),
    postgres_cpu_seconds_per_1000: per(median(list.map(({ cost }) => cost.postgres_cpu_seconds)), jobs / 1000),
    wal_bytes_per_job: per(median(list.map(({ cost }) => cost.wal_bytes)), jobs),
  });
  return Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, of(list)]));
}

function per(value: number | undefined, count: number): number | undefined {
  return value === undefined ? undefined : value / count;
}

/** How many jobs a second, from a backlog. */
function throughput(id: string, title: string, settings: WorkSettings, jobsPerSecond: number): Profile {
  return {
    ids: id,
    async run(context, engines, details) {
      const jobs = Math.max(2 * settings.max_workers, Math.ceil(context.seconds * jobsPerSecond));
      const samples = await turns(context, title, engines, async (engine) => await drained(engine, jobs, settings));
      details[id] = { jobs, ...settings, costs: costsOf(samples, jobs) };
      return [{ id, title, unit: '1/s', better: 'higher', ...besideOurs(samples, ({ per_second }) => per_second) }];
    },
  };
}

/** How late jobs start and are finalised that come at a steady rate, with every engine's defaults. */
function latency(rate: number): Profile {
  return {
    ids: `engines_start_at_${rate}_p95_ms engines_finalised_at_${rate}_p95_ms`,
    async run(context, engines) {
      const count = Math.ceil(rate * context.seconds);
      const settings: WorkSettings = { max_workers: atOnceByDefault, tuned: false, sleep_ms: 0 };
      const samples = await turns(context, `at ${rate}/s`, engines, async (engine) => {
        await engine.fill(0);
        await engine.do({ do: 'start', ...settings });
        const late = await engine.do<{ start_ms: number[]; finalised_ms: number[] }>({
          do: 'pace',
          n: count,
          per_second: rate,
        });
        await engine.do({ do: 'stop' });
        return { start: latenciesOf(late.start_ms), finalised: latenciesOf(late.finalised_ms) };
      });
      const figures: Measured[] = [];
      for (const end of ['start', 'finalised'] as const) {
        for (const share of ['p50_ms', 'p95_ms', 'p99_ms'] as const) {
          figures.push({
            id: `engines_${end}_at_${rate}_${share}`,
            title: `insert to ${end} at ${rate}/s, ${share.slice(0, 3)}`,
            unit: 'ms',
            better: 'lower',
            ...besideOurs(samples, (sample) => sample[end][share]),
          });
        }
      }
      return figures;
    },
  };
}

/** Ours and Go River on one table at the same time: what both work together, beside ours alone. */
const mixed: Profile = {
  ids: 'engines_mixed_jobs_per_second',
  async run(context, { rowlock, river }, details) {
    if (rowlock === undefined || river === undefined) return [];
    const jobs = Math.ceil(context.seconds * backlogPerSecond);
    const settings = { max_workers: atOnce / 2, tuned: true, sleep_ms: 0 };
    const postgres = await context.postgres();
    const go = await EngineProcess.start('river', { postgresPid: postgres.pid, beside: rowlock });
    try {
      const samples = await inTurns(context, 'mixed', {
        both: async () => {
          await rowlock.fill(jobs);
          await go.do({ do: 'start', ...settings });
          const begun = performance.now();
          await rowlock.do({ do: 'start', ...settings });
          await rowlock.finalised(jobs);
          const seconds = (performance.now() - begun) / 1000;
          await Promise.all([rowlock.do({ do: 'stop' }), go.do({ do: 'stop' })]);
          return jobs / seconds;
        },
        alone: async () => (await drained(rowlock, jobs, { ...settings, max_workers: atOnce })).per_second,
      });
      details['engines_mixed_jobs_per_second'] = { jobs, ...settings };
      return [
        {
          id: 'engines_mixed_jobs_per_second',
          title: 'ours and Go River on one table',
          unit: '1/s',
          better: 'higher',
          values: samples.both,
          beside: [{ name: 'ours alone', kind: 'ceiling', values: samples.alone }],
        },
      ];
    } finally {
      await go.end({ keepDatabase: true });
    }
  },
};

/** Whatever lies in the table must not slow down those who take a few from its head. */
const backlog: Profile = {
  ids: 'engines_backlog_ratio',
  async run(context, engines, details) {
    const rows = context.short ? 2000 : 1_000_000;
    // With defaults the others fetch a few at a time, by the clock: River four in a tenth of a second.
    const jobsOf = (name: EngineName): number => (context.short ? 200 : name === 'rowlock' ? 20_000 : 400);
    const settings = { max_workers: 4, tuned: false, sleep_ms: 0 };
    const samples = await turns(context, 'backlog', engines, async (engine) => {
      const jobs = jobsOf(engine.name);
      const empty = (await drained(engine, jobs, settings)).per_second;
      await engine.fill(rows);
      const { result } = await engine.costOf(
        async () => await engine.do<{ seconds: number }>({ do: 'drain', n: jobs, ...settings }),
      );
      return { empty, full: jobs / result.seconds };
    });
    details['engines_backlog_ratio'] = { rows, jobs: jobsOf('rowlock'), jobs_of_others: jobsOf('river'), samples };
    return [
      {
        id: 'engines_backlog_ratio',
        title: `slowdown by a backlog of ${rows} jobs, four at once`,
        unit: '×',
        better: 'lower',
        ...besideOurs(samples, ({ empty, full }) => empty / full),
      },
    ];
  },
};

const inShortRuns = /tuned|at_300|mixed|backlog/;

const profiles: readonly Profile[] = [
  throughput(
    'engines_default_jobs_per_second',
    `jobs worked with defaults, ${atOnceByDefault} at once`,
    { max_workers: atOnceByDefault, tuned: false, sleep_ms: 0 },
    1000,
  ),
  throughput(
    'engines_tuned_jobs_per_second',
    `jobs worked, each engine set up for speed, ${atOnce} at once`,
    { max_workers: atOnce, tuned: true, sleep_ms: 0 },
    backlogPerSecond,
  ),
  ...[32, 128].map((workers) =>
    throughput(
      `engines_10ms_${workers}_workers_jobs_per_second`,
      `jobs of 10 ms worked, ${workers} at once`,
      { max_workers: workers, tuned: true, sleep_ms: 10 },
      workers * 40,
    ),
  ),
  ...latencyRates.map(latency),
  mixed,
  backlog,
];

async function run(context: BenchContext): Promise<BenchResult> {
  const postgres = await context.postgres();
  const names: EngineName[] = ['rowlock'];
  if (requires('go') === false) names.push('river');
  if (!context.short && canInstallNodeQueues()) names.push('graphile-worker', 'pg-boss');
  const engines: Partial<Record<EngineName, EngineProcess>> = {};
  try {
    for (const name of names) engines[name] = await EngineProcess.start(name, { postgresPid: postgres.pid });
    const details: Record<string, unknown> = { ...postgres.facts };
    const figures: Measured[] = [];
    for (const profile of profiles) {
      if (context.short && !inShortRuns.test(profile.ids)) continue;
      if (isWanted(context, profile.ids)) figures.push(...(await profile.run(context, engines, details)));
    }
    const programs = Object.fromEntries(names.slice(1).map((name) => [name, engineVersion(name)]));
    return { figures, programs, details };
  } finally {
    for (const engine of Object.values(engines)) await engine.end();
  }
}

export const engines: Benchmark = {
  name: 'engines',
  summary: 'job queues beside each other: ours, Go River, graphile-worker, pg-boss',
  needs: [],
  run,
};
