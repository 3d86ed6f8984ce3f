/**
 * Long runs of what the suite has in short, each with a seed that repeats it. The tests are the suite's own; a campaign
 * only asks them for more rounds.
 */
import { parseArgs } from 'node:util';
import { setup } from '../setup/setup.mjs';
import { withPostgres } from './with-postgres.mjs';

const campaigns = {
  crash: { file: 'test/dist/service/crash.test.js', about: 'kill -9 at every step of uploads and deletes', rounds: 50 },
  controls: { tool: 'tools/controls.mjs', about: 'every guard is removed once, and its test must fail', rounds: 1 },
};

/** What a campaign with a tool of its own is also given. */
const toolOptions = { only: { type: 'string' }, area: { type: 'string' }, json: { type: 'string' } };

/** Runs the campaign that the arguments name; prints the seed first. */
export async function runCampaign(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { seed: { type: 'string' }, rounds: { type: 'string' }, help: { type: 'boolean' }, ...toolOptions },
  });
  const name = positionals[0] ?? '';
  if (values.help || !Object.hasOwn(campaigns, name)) {
    const rows = Object.entries(campaigns).map(
      ([each, { about, rounds }]) => `  ${each.padEnd(10)} ${about} (${rounds} rounds)`,
    );
    const usage =
      'npm run campaign -- NAME [--seed N] [--rounds N]; controls: [--only PART] [--area NAME] [--json FILE]';
    console.log(`${usage}\n\n${rows.join('\n')}`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const campaign = campaigns[name];
  process.env.ROWLOCK_TEST_SEED = values.seed ?? String(Date.now() % 2 ** 31);
  process.env.ROWLOCK_ROUNDS = values.rounds ?? String(campaign.rounds);
  console.log(`campaign ${name}, seed ${process.env.ROWLOCK_TEST_SEED}, ${process.env.ROWLOCK_ROUNDS} rounds`);
  await setup();
  const given = Object.keys(toolOptions).flatMap((option) =>
    values[option] === undefined ? [] : [`--${option}`, values[option]],
  );
  await withPostgres([process.execPath, ...(campaign.tool ? [campaign.tool, ...given] : ['--test', campaign.file])]);
}
