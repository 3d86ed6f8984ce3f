/**
 * Runs one benchmark beside a PostgreSQL of its own, as durable as a real one. It measures nothing itself.
 */
import { setup } from '../setup/setup.mjs';
import { withPostgres } from './with-postgres.mjs';

/** Sets up, then runs `bench/dist/NAME.js` with fsync on. */
export async function runBench([name = 'first-figures']) {
  process.env.ROWLOCK_TEST_FSYNC = 'on';
  await setup();
  await withPostgres([process.execPath, `bench/dist/${name}.js`]);
}
