/**
 * `npm run campaign -- NAME [--seed N] [--rounds N]`: a long run of what the suite has in short. Prints the seed that
 * repeats it.
 */
import { parseArgs } from 'node:util';
import { fail } from './node-version.mjs';

const campaigns = {
  crash: { file: 'test/dist/service/crash.test.js', about: 'kill -9 at every step, many rounds', rounds: 50 },
  presign: {
    file: 'packages/server/dist/backend/s3/presigner.test.js',
    about: 'our signer against the AWS SDK',
    rounds: 20_000,
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, rounds: { type: 'string' }, help: { type: 'boolean' } },
});
const campaign = Object.hasOwn(campaigns, positionals[0] ?? '') ? campaigns[positionals[0]] : undefined;

if (values.help || campaign === undefined) {
  const rows = Object.entries(campaigns).map(
    ([name, { about, rounds }]) => `  ${name.padEnd(10)} ${about} (${rounds} rounds)`,
  );
  console.log(`npm run campaign -- NAME [--seed N] [--rounds N]\n\n${rows.join('\n')}`);
  process.exitCode = values.help ? 0 : 2;
} else {
  const seed = values.seed ?? String(Date.now() % 2 ** 31);
  process.env.ROWLOCK_SEED = seed;
  process.env.ROWLOCK_ROUNDS = values.rounds ?? String(campaign.rounds);
  console.log(`campaign ${positionals[0]}, seed ${seed}, ${process.env.ROWLOCK_ROUNDS} rounds`);
  import('./setup/setup.mjs')
    .then((module) => module.setup())
    .then(() => import('./suite/with-postgres.mjs'))
    .then((module) => module.withPostgres([process.execPath, '--test', campaign.file]))
    .catch(fail);
}
