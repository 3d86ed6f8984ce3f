/**
 * Long runs of what the suite has in short, each with a seed that repeats it. The tests are the suite's own; a campaign
 * only asks them for more rounds.
 */
import { parseArgs } from 'node:util';
import { runProgram } from '../setup/run-program.mjs';
import { setup } from '../setup/setup.mjs';
import { withPostgres } from './with-postgres.mjs';

const campaigns = {
  crash: {
    files: ['test/dist/service/crash.test.js', 'test/dist/faults/crash-jobs.test.js'],
    about: 'kill -9 at every step of uploads, deletes, direct uploads and sweeps',
    rounds: 50,
  },
  'faults-database': {
    files: [
      'test/dist/faults/statements.test.js',
      'test/dist/faults/pools.test.js',
      'test/dist/faults/chance.test.js',
      'test/dist/faults/postgres-crash.test.js',
    ],
    about: 'statements fail one by one and by chance; PostgreSQL crashes',
    rounds: 20,
  },
  'faults-files': {
    files: ['test/dist/faults/files.test.js', 'test/dist/faults/disks.test.js', 'test/dist/faults/chance.test.js'],
    about: 'calls to the operating system fail one by one and by chance; full and read-only disks',
    rounds: 20,
  },
  races: {
    files: ['test/dist/faults/races.test.js', 'test/dist/faults/replays.test.js'],
    about: 'many at once on one name, and everything delivered twice',
    rounds: 30,
  },
  'queue-kills': {
    files: [
      'test/dist/faults/queue-kills.test.js',
      'test/dist/faults/queue-kills-server.test.js',
      'test/dist/faults/queue-kills-leader.test.js',
    ],
    about: 'workers, leaders and PostgreSQL killed while jobs are worked, with an audit of every start and finish',
    rounds: 34,
  },
  'presign-kills': {
    files: ['test/dist/faults/presign-kills.test.js'],
    about: 'a hundred clients a second ask for upload URLs, and a signer is killed every half minute',
    rounds: 10,
    unit: 'minutes',
  },
  'queue-faults': {
    files: [
      'test/dist/faults/queue-network.test.js',
      'test/dist/faults/queue-sessions.test.js',
      'test/dist/faults/queue-locks.test.js',
      'test/dist/faults/queue-lost-answers.test.js',
      'test/dist/faults/queue-silence.test.js',
    ],
    about: 'networks, sessions, locks and lost answers, all against workers of the queue',
    rounds: 10,
  },
  model: {
    files: ['test/dist/model/storage-model.test.js'],
    about: 'random commands over HTTP and in SQL beside a reference model, with kills of the process and of PostgreSQL',
    rounds: 100,
    unit: 'runs',
  },
  interleavings: {
    files: ['test/dist/faults/interleavings.test.js'],
    about: 'two operations, the first stopped at each of its steps, then lost, killed or continued',
    rounds: 1000,
    unit: 'runs',
  },
  'route-fuzz': {
    files: ['test/dist/attack/route-fuzz.test.js'],
    about: 'hostile requests of all kinds look for a byte of a private object',
    rounds: 15,
    unit: 'minutes',
  },
  'image-fuzz': {
    files: ['test/dist/imaging/image-fuzz.test.js'],
    about: 'files of every kind that is decoded, changed at random, to decoder processes',
    rounds: 10,
    unit: 'thousand inputs',
  },
  'image-soak': {
    tool: 'test/dist/imaging/soak/main.js',
    about:
      'an hour of photographs and other files for one worker with two decoders; how much memory, and does it grow?',
    rounds: 60,
    unit: 'minutes',
  },
  'large-upload': {
    files: ['test/dist/browser/elements-resume.test.js'],
    about:
      'a large file in Chromium: the service is killed in the middle, the page is reloaded, the bytes are compared',
    rounds: 300,
    unit: 'megabytes',
  },
  clock: { files: ['test/dist/faults/clock.test.js'], about: 'two hours ahead and behind', rounds: 1 },
  'queue-go': {
    files: [
      'test/dist/interop/queue-goldens.test.js',
      'test/dist/interop/queue-migrations.test.js',
      'test/dist/interop/queue-insert-and-work.test.js',
      'test/dist/interop/queue-differential.test.js',
      'test/dist/interop/queue-resumable.test.js',
      'test/dist/interop/queue-unique.test.js',
      'test/dist/interop/queue-control.test.js',
      'test/dist/interop/queue-client.test.js',
      'test/dist/interop/queue-leader.test.js',
      'test/dist/interop/queue-fleet.test.js',
      'test/dist/interop/queue-rescue.test.js',
      'test/dist/interop/queue-claims.test.js',
    ],
    about: 'the queue beside every version of Go River that we build, with many jobs',
    rounds: 10,
  },
  'queue-soak': {
    tool: 'test/dist/soak/main.js',
    ownPostgres: true,
    about: 'an hour of steady load on a mixed fleet, with a long-running reader in the middle; what grows?',
    rounds: 60,
    unit: 'minutes',
  },
  fsck: {
    tool: 'test/dist/fsck-scale/main.js',
    about: 'fsck, its scrub and the sweep over many objects: time, memory, and exactly what was planted',
    rounds: 1,
  },
  controls: { tool: 'tools/controls.mjs', about: 'every guard is removed once, and its test must fail', rounds: 1 },
};

/** What a campaign with a tool of its own is also given. */
const toolOptions = {
  only: { type: 'string' },
  area: { type: 'string' },
  rate: { type: 'string' },
  objects: { type: 'string' },
  json: { type: 'string' },
};

/** Runs the campaign that the arguments name; prints the seed first. */
export async function runCampaign(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      runs: { type: 'string' },
      path: { type: 'string' },
      help: { type: 'boolean' },
      ...toolOptions,
    },
  });
  const name = positionals[0] ?? '';
  if (values.help || !Object.hasOwn(campaigns, name)) {
    const rows = Object.entries(campaigns).map(
      ([each, { about, rounds, unit = 'rounds' }]) => `  ${each.padEnd(16)} ${about} (${rounds} ${unit})`,
    );
    const usage = [
      'npm run campaign -- NAME [--seed N] [--rounds N]',
      '  controls: [--only PART] [--area NAME] [--json FILE]; queue-soak, image-soak: [--minutes N] [--rate N] [--json FILE]; fsck: [--objects N] [--json FILE]',
      '  model: [--runs N] [--path P], the place of one run among those of its seed, which is made smaller',
    ].join('\n');
    console.log(`${usage}\n\n${rows.join('\n')}`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const campaign = campaigns[name];
  process.env.ROWLOCK_TEST_SEED = values.seed ?? String(Date.now() % 2 ** 31);
  process.env.ROWLOCK_ROUNDS = values.rounds ?? values.runs ?? values.minutes ?? String(campaign.rounds);
  if (values.path !== undefined) process.env.ROWLOCK_TEST_PATH = values.path;
  const { ROWLOCK_TEST_SEED: chosen, ROWLOCK_ROUNDS: count } = process.env;
  console.log(`campaign ${name}, seed ${chosen}, ${count} ${campaign.unit ?? 'rounds'}`);
  process.once('exit', (code) => {
    if (code === 0) return;
    const { ROWLOCK_TEST_SEED: seed, ROWLOCK_ROUNDS: rounds } = process.env;
    console.error(`repeat it: npm run campaign -- ${name} --seed ${seed} --rounds ${rounds}`);
  });
  await setup();
  const given = Object.keys(toolOptions).flatMap((option) =>
    values[option] === undefined ? [] : [`--${option}`, values[option]],
  );
  if (campaign.ownPostgres) {
    process.exitCode = await runProgram(process.execPath, [campaign.tool, ...given]);
    return;
  }
  await withPostgres([
    process.execPath,
    ...(campaign.tool ? [campaign.tool, ...given] : ['--test', ...campaign.files]),
  ]);
}
